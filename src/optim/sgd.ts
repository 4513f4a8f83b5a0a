import { fail } from "../base/errors.ts";
import { checkOption, Optimizer, type UpdateInput, type Updated } from "./optimizer.ts";
import { type OptimizerOptions, type Parameters, withDefaults } from "./parameter-groups.ts";

/** Options of {@link SGD}. */
export interface SGDOptions extends OptimizerOptions {
  /** How much of the step before goes into the next. @default 0 */
  momentum: number;
  /** How much of a gradient is left out of the momentum. @default 0 */
  dampening: number;
  /** Times the parameter, added to the gradient. @default 0 */
  weightDecay: number;
  /** Look ahead by one step of the momentum. @default false */
  nesterov: boolean;
}

const DEFAULTS = { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false };

/**
 * Stochastic gradient descent, with momentum as in `torch.optim.SGD`.
 *
 * @example
 * ```ts
 * import { Parameter, SGD, tensor } from "tsvene";
 * const w = new Parameter(tensor([1, 2]));
 * const optimizer = new SGD([w], { lr: 0.1, momentum: 0.9 });
 * console.log(await optimizer.step(w.value.square().sum())); // 5
 * ```
 */
export class SGD extends Optimizer<SGDOptions> {
  protected override readonly countsSteps = false;

  /** @param options - `lr` is 0.001 unless given. */
  constructor(parameters: Parameters<SGDOptions>, options: Partial<SGDOptions> = {}) {
    super(parameters, withDefaults("SGD", DEFAULTS, options));
  }

  protected override checkOptions(options: Readonly<SGDOptions>): void {
    checkOption("SGD", "momentum", options.momentum, options.momentum >= 0);
    checkOption("SGD", "weightDecay", options.weightDecay, options.weightDecay >= 0);
    if (options.nesterov && (options.momentum === 0 || options.dampening !== 0)) {
      fail("SGD", "nesterov needs a momentum above zero and no dampening");
    }
  }

  protected override update(input: UpdateInput<SGDOptions>): Updated {
    const { parameter, options, step, state, scalar } = input;
    const { momentum, weightDecay, nesterov } = options;
    let { gradient } = input;
    if (weightDecay !== 0) {
      gradient = gradient.add(parameter.mul(scalar("weightDecay", weightDecay)));
    }
    const lr = scalar("lr", options.lr);
    if (momentum === 0) return { parameter: parameter.sub(gradient.mul(lr)), state: {} };
    const keep = scalar("momentum", momentum);
    // The first gradient is taken whole. As data, so that the first step is the same program.
    const dampening = step === 1 ? 0 : options.dampening;
    const fresh = options.dampening === 0 ? gradient : gradient.mul(scalar("fresh", 1 - dampening));
    const buffer = state("momentum_buffer").mul(keep).add(fresh);
    const direction = nesterov ? gradient.add(buffer.mul(keep)) : buffer;
    return { parameter: parameter.sub(direction.mul(lr)), state: { momentum_buffer: buffer } };
  }
}
