import { requireSizes } from "./require-sizes.ts";
import { requireKnownOptions } from "../../base/known-options.ts";
import { linear } from "../../tensor/functions/linear-algebra.ts";
import type { Shape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../errors.ts";
import { uniform } from "../init.ts";
import { Module } from "../module.ts";
import type { Parameter } from "../parameter.ts";
import { initialized } from "../without-init.ts";

/** Options of {@link Linear}. */
export interface LinearOptions {
  /** Add a learned vector. @default true */
  readonly bias?: boolean;
  /** A parameter [outFeatures, inFeatures] to share, such as an embedding's. @default its own */
  readonly weight?: Parameter;
}

/**
 * y = x Wᵀ + b, for x [..., inFeatures]. Parameters start uniform within ±1/√inFeatures, as torch's.
 *
 * @example
 * ```ts
 * import { Linear, ones } from "tsvene";
 * console.log(new Linear(3, 2).forward(ones([5, 3])).shape); // [5, 2]
 * ```
 */
export class Linear extends Module {
  /** Size of the last dimension of the input. */
  readonly inFeatures: number;
  /** Size of the last dimension of the output. */
  readonly outFeatures: number;
  /** [outFeatures, inFeatures] */
  readonly weight: Parameter;
  /** [outFeatures] */
  readonly bias: Parameter | undefined;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    requireSizes("Linear", { inFeatures, outFeatures });
    requireKnownOptions("Linear", options, { bias: true, weight: true });
    const { bias = true, weight } = options;
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const bound = 1 / Math.sqrt(Math.max(1, inFeatures));
    const within = (shape: Shape): Tensor => uniform(shape, { low: -bound, high: bound });
    this.weight = weight ?? initialized([outFeatures, inFeatures], within);
    this.bias = bias ? initialized([outFeatures], within) : undefined;
  }

  /** `[..., in] -> [..., out]`: x Wᵀ + b. */
  override forward(x: Tensor): Tensor {
    if (!(x instanceof Tensor)) {
      fail("Linear", `forward takes a tensor [..., ${this.inFeatures}], got ${describeValue(x)}`);
    }
    return linear(x, this.weight.value, this.bias?.value);
  }

  override widthAt(side: "input" | "output"): number {
    return side === "input" ? this.inFeatures : this.outFeatures;
  }

  override describe(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias === undefined ? ", bias=false" : ""}`;
  }
}
