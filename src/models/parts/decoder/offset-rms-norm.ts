import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { rmsNorm } from "../../../tensor/functions/normalisation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** As RMSNorm, with weights that are counted from 1: Gemma's. */
export class OffsetRMSNorm extends Module {
  /** Added to the mean square, against division by zero. */
  readonly eps: number;
  /** Factors less 1, one a feature. */
  readonly weight: Parameter;

  constructor(width: number, { eps }: { readonly eps: number }) {
    super();
    this.eps = eps;
    this.weight = new Parameter(zeros([width]));
  }

  override forward(x: Tensor): Tensor {
    const weight = this.weight.value.add(constant(1));
    return rmsNorm(x, this.weight.shape, { weight, eps: this.eps });
  }

  override describe(): string {
    return `${this.weight.shape.join(", ")}, eps=${this.eps}`;
  }
}
