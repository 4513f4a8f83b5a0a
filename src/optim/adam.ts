import { adamUpdate, type AdamOptions, checkAdamOptions } from "./adam-rule.ts";
import { Optimizer, type UpdateInput, type Updated } from "./optimizer.ts";
import { type Parameters, withDefaults } from "./parameter-groups.ts";

const DEFAULTS: AdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
};

/**
 * Adam as in `torch.optim.Adam`; `weightDecay` times the parameter is added to the gradient.
 *
 * @example
 * ```ts
 * import { Adam, Parameter, tensor } from "tsvene";
 * const [w, b] = [new Parameter(tensor([1, 2])), new Parameter(tensor([0]))];
 * const optimizer = new Adam([{ parameters: [w] }, { parameters: [b], lr: 0.1 }], { lr: 0.01 });
 * console.log(await optimizer.step(w.value.add(b.value).square().sum())); // 5
 * ```
 */
export class Adam extends Optimizer<AdamOptions> {
  protected override readonly countsSteps = true;

  /** @param options - `lr` is 0.001 unless given. */
  constructor(parameters: Parameters<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(parameters, withDefaults("Adam", DEFAULTS, options));
  }

  protected override checkOptions(options: Readonly<AdamOptions>): void {
    checkAdamOptions("Adam", options);
  }

  protected override update(input: UpdateInput<AdamOptions>): Updated {
    const { parameter, gradient, options, scalar } = input;
    if (options.weightDecay === 0) return adamUpdate(input);
    const decay = parameter.mul(scalar("weightDecay", options.weightDecay));
    return adamUpdate({ ...input, gradient: gradient.add(decay) });
  }
}
