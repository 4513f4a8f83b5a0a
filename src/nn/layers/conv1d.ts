import { linear } from "../../tensor/functions/linear-algebra.ts";
import { zeros } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { normal } from "../init.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";
import { initialized } from "../without-init.ts";

/**
 * The linear layer of GPT-2, whose checkpoints hold the weight as [in, out]. Here it is kept as
 * [out, in] like any other linear weight, which multiplies faster; files and state dicts are as
 * Hugging Face's.
 */
export class Conv1D extends Module {
  /** [outFeatures, inFeatures] in memory, transposed in checkpoints. */
  readonly weight: Parameter;
  /** [outFeatures] */
  readonly bias: Parameter;
  override readonly transposedInCheckpoint: readonly string[] = ["weight"];

  /** @param std - Standard deviation of the weights to start from. */
  constructor(outFeatures: number, inFeatures: number, std: number) {
    super();
    this.weight = initialized([outFeatures, inFeatures], (shape) => normal(shape, { std }));
    this.bias = new Parameter(zeros([outFeatures]));
  }

  /** `[..., in] -> [..., out]` */
  override forward(x: Tensor): Tensor {
    return linear(x, this.weight.value, this.bias.value);
  }

  override widthAt(side: "input" | "output"): number | undefined {
    return this.weight.shape[side === "input" ? 1 : 0];
  }

  override describe(): string {
    const [out = 0, inner = 0] = this.weight.value.shape;
    return `nf=${out}, nx=${inner}`;
  }
}
