import type { Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { bilinear } from "../functional/linear.ts";
import { uniform } from "../init.ts";
import { Module } from "../module.ts";
import type { Parameter } from "../parameter.ts";
import { initialized } from "../without-init.ts";
import { requireSizes } from "./require-sizes.ts";

/**
 * x₁ᵀ W x₂ + b for each output, as torch.nn.Bilinear; parameters start uniform within ±1/√in1.
 *
 * @example
 * ```ts
 * import { Bilinear, ones } from "tsvene";
 * console.log(new Bilinear(3, 5, 2).forward(ones([4, 3]), ones([4, 5])).shape); // [4, 2]
 * ```
 */
export class Bilinear extends Module {
  /** [out, in1, in2] */
  readonly weight: Parameter;
  /** [out] */
  readonly bias: Parameter | undefined;

  constructor(
    in1Features: number,
    in2Features: number,
    outFeatures: number,
    { bias = true }: { /** Add a learned vector. @default true */ readonly bias?: boolean } = {},
  ) {
    super();
    requireSizes("Bilinear", { in1Features, in2Features, outFeatures });
    const bound = 1 / Math.sqrt(Math.max(1, in1Features));
    const within = (shape: Shape): Tensor => uniform(shape, { low: -bound, high: bound });
    this.weight = initialized([outFeatures, in1Features, in2Features], within);
    this.bias = bias ? initialized([outFeatures], within) : undefined;
  }

  /** `[..., in1]` and `[..., in2] -> [..., out]` */
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return bilinear(x1, x2, this.weight.value, this.bias?.value);
  }

  override widthAt(side: "input" | "output"): number | undefined {
    return this.weight.shape[side === "input" ? 1 : 0];
  }

  override describe(): string {
    const [out, in1, in2] = this.weight.shape;
    return [in1, in2, out].join(", ");
  }
}
