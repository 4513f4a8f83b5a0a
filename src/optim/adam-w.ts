import { adamUpdate, type AdamOptions, checkAdamOptions } from "./adam-rule.ts";
import { Optimizer, type UpdateInput, type Updated } from "./optimizer.ts";
import { type Parameters, withDefaults } from "./parameter-groups.ts";

const DEFAULTS: AdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0.01,
  amsgrad: false,
};

/**
 * Adam with weight decay that is not mixed into the averages, as in `torch.optim.AdamW`: before a
 * step, parameters shrink by `lr * weightDecay`. Loshchilov and Hutter, "Decoupled weight decay
 * regularization" (2017).
 *
 * @example
 * ```ts
 * import { AdamW, cosineScheduleWithWarmup, Parameter, tensor } from "tsvene";
 * const w = new Parameter(tensor([1, 2]));
 * const optimizer = new AdamW([w], { lr: 0.1, weightDecay: 0.05 });
 * const schedule = cosineScheduleWithWarmup(optimizer, { warmupSteps: 2, totalSteps: 10 });
 * for (let i = 0; i < 10; i++) {
 *   await optimizer.step(w.value.square().sum());
 *   schedule.step();
 * }
 * ```
 */
export class AdamW extends Optimizer<AdamOptions> {
  protected override readonly countsSteps = true;

  /** @param options - `lr` is 0.001 unless given. */
  constructor(parameters: Parameters<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(parameters, withDefaults("AdamW", DEFAULTS, options));
  }

  protected override checkOptions(options: Readonly<AdamOptions>): void {
    checkAdamOptions("AdamW", options);
  }

  protected override update(input: UpdateInput<AdamOptions>): Updated {
    const { parameter, options, scalar } = input;
    if (options.weightDecay === 0) return adamUpdate(input);
    const shrink = scalar("shrink", 1 - options.lr * options.weightDecay);
    return adamUpdate({ ...input, parameter: parameter.mul(shrink) });
  }
}
