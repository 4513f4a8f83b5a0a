import type { Tensor } from "../../tensor/tensor.ts";
import * as F from "../functional/activations.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";
import { full } from "../../tensor/functions/creation.ts";
import { requireKnownOptions } from "../../base/known-options.ts";
import { requireSizes } from "./require-sizes.ts";

/** A function of one tensor as a module, so that its input and output are places. */
abstract class FunctionLayer extends Module {
  readonly #apply: (x: Tensor) => Tensor;
  readonly #described: string;

  /** @param options - What the function is told, to be printed. */
  constructor(apply: (x: Tensor) => Tensor, options: Readonly<Record<string, unknown>> = {}) {
    super();
    this.#apply = apply;
    this.#described = Object.entries(options)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(", ");
  }

  /** The function of `x`, of any shape. */
  override forward(x: Tensor): Tensor {
    return this.#apply(x);
  }

  override describe(): string {
    return this.#described;
  }
}

/** max(x, 0) of each element. */
export class ReLU extends FunctionLayer {
  constructor() {
    super(F.relu);
  }
}

/** min(max(x, 0), 6) of each element. */
export class ReLU6 extends FunctionLayer {
  constructor() {
    super(F.relu6);
  }
}

/** Scaled {@link ELU}, with the constants that keep mean 0 and variance 1. */
export class SELU extends FunctionLayer {
  constructor() {
    super(F.selu);
  }
}

/** x sigmoid(x) of each element. */
export class SiLU extends FunctionLayer {
  constructor() {
    super(F.silu);
  }
}

/** x tanh(softplus(x)) of each element. */
export class Mish extends FunctionLayer {
  constructor() {
    super(F.mish);
  }
}

/** Hyperbolic tangent of each element. */
export class Tanh extends FunctionLayer {
  constructor() {
    super(F.tanh);
  }
}

/** 1 / (1 + exp(-x)) of each element. */
export class Sigmoid extends FunctionLayer {
  constructor() {
    super(F.sigmoid);
  }
}

/** log(sigmoid(x)) of each element. */
export class LogSigmoid extends FunctionLayer {
  constructor() {
    super(F.logsigmoid);
  }
}

/** x / (1 + |x|) of each element. */
export class Softsign extends FunctionLayer {
  constructor() {
    super(F.softsign);
  }
}

/** x - tanh(x) of each element. */
export class Tanhshrink extends FunctionLayer {
  constructor() {
    super(F.tanhshrink);
  }
}

/** relu6(x + 3) / 6 of each element. */
export class Hardsigmoid extends FunctionLayer {
  constructor() {
    super(F.hardsigmoid);
  }
}

/** x hardsigmoid(x) of each element. */
export class Hardswish extends FunctionLayer {
  constructor() {
    super(F.hardswish);
  }
}

/** x where x > 0, `negativeSlope` x elsewhere. @default negativeSlope 0.01 */
export class LeakyReLU extends FunctionLayer {
  constructor(options: { readonly negativeSlope?: number } = {}) {
    requireKnownOptions("LeakyReLU", options, { negativeSlope: true });
    const { negativeSlope = 0.01 } = options;
    super((x) => F.leakyRelu(x, { negativeSlope }), { negativeSlope });
  }
}

/** x where x > 0, alpha (exp(x) - 1) elsewhere. @default alpha 1 */
export class ELU extends FunctionLayer {
  constructor(options: { readonly alpha?: number } = {}) {
    requireKnownOptions("ELU", options, { alpha: true });
    const { alpha = 1 } = options;
    super((x) => F.elu(x, { alpha }), { alpha });
  }
}

/** x where x > 0, alpha (exp(x / alpha) - 1) elsewhere. @default alpha 1 */
export class CELU extends FunctionLayer {
  constructor(options: { readonly alpha?: number } = {}) {
    requireKnownOptions("CELU", options, { alpha: true });
    const { alpha = 1 } = options;
    super((x) => F.celu(x, { alpha }), { alpha });
  }
}

/** x Φ(x) of each element; `approximate: "tanh"` takes the approximation of GPT-2. @default approximate "none" */
export class GELU extends FunctionLayer {
  constructor(options: { readonly approximate?: "none" | "tanh" } = {}) {
    requireKnownOptions("GELU", options, { approximate: true });
    const { approximate = "none" } = options;
    super((x) => F.gelu(x, { approximate }), { approximate });
  }
}

/** log(1 + exp(beta x)) / beta; x itself where beta x is above `threshold`. @default beta 1, threshold 20 */
export class Softplus extends FunctionLayer {
  constructor(options: { readonly beta?: number; readonly threshold?: number } = {}) {
    requireKnownOptions("Softplus", options, { beta: true, threshold: true });
    const { beta = 1, threshold = 20 } = options;
    super((x) => F.softplus(x, { beta, threshold }), { beta, threshold });
  }
}

/** x moved towards 0 by lambda, and 0 within it. @default lambda 0.5 */
export class Softshrink extends FunctionLayer {
  constructor(options: { readonly lambda?: number } = {}) {
    requireKnownOptions("Softshrink", options, { lambda: true });
    const { lambda = 0.5 } = options;
    super((x) => F.softshrink(x, { lambda }), { lambda });
  }
}

/** x outside [-lambda, lambda], 0 within. @default lambda 0.5 */
export class Hardshrink extends FunctionLayer {
  constructor(options: { readonly lambda?: number } = {}) {
    requireKnownOptions("Hardshrink", options, { lambda: true });
    const { lambda = 0.5 } = options;
    super((x) => F.hardshrink(x, { lambda }), { lambda });
  }
}

/** x limited to [min, max]. @default -1 to 1 */
export class Hardtanh extends FunctionLayer {
  constructor(options: { readonly min?: number; readonly max?: number } = {}) {
    requireKnownOptions("Hardtanh", options, { min: true, max: true });
    const { min = -1, max = 1 } = options;
    super((x) => F.hardtanh(x, { min, max }), { min, max });
  }
}

/** x where x > limit, `value` elsewhere. */
export class Threshold extends FunctionLayer {
  constructor(limit: number, value: number) {
    super((x) => F.threshold(x, limit, value), { limit, value });
  }
}

/** Gated linear unit: the first half of a dimension times the sigmoid of the second. @default dim -1 */
export class GLU extends FunctionLayer {
  constructor(dim = -1) {
    super((x) => F.glu(x, dim), { dim });
  }
}

/** exp(x) divided by its sum along a dimension. @default dim -1, the last; torch's must be given */
export class Softmax extends FunctionLayer {
  constructor(dim = -1) {
    super((x) => F.softmax(x, dim), { dim });
  }
}

/** softmax(-x) along a dimension. @default dim -1 */
export class Softmin extends FunctionLayer {
  constructor(dim = -1) {
    super((x) => F.softmin(x, dim), { dim });
  }
}

/** Logarithm of the softmax along a dimension, computed stably. @default dim -1 */
export class LogSoftmax extends FunctionLayer {
  constructor(dim = -1) {
    super((x) => F.logSoftmax(x, dim), { dim });
  }
}

/** Options of {@link PReLU}. */
export interface PReLUOptions {
  /** Slopes: one for all, or one for each channel (dimension 1). @default 1 */
  readonly count?: number;
  /** What the slopes start with. @default 0.25 */
  readonly init?: number;
}

/** x where x > 0, a x elsewhere, with learned slopes a. */
export class PReLU extends Module {
  /** [count] */
  readonly weight: Parameter;

  constructor(options: PReLUOptions = {}) {
    super();
    requireKnownOptions("PReLU", options, { count: true, init: true });
    const { count = 1, init = 0.25 } = options;
    requireSizes("PReLU", { count });
    this.weight = new Parameter(full([count], init));
  }

  /** `x` [batch, channels, ...], or any shape where there is one slope. */
  override forward(x: Tensor): Tensor {
    return F.prelu(x, this.weight.value);
  }

  override describe(): string {
    return `count=${this.weight.numel}`;
  }
}
