import { linear } from "../../../tensor/functions/linear-algebra.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { Module } from "../../module.ts";
import type { Parameter } from "../../parameter.ts";

/** x Wᵀ + b with parameters that another module has, under its names: here they are a place only. */
export class Projection extends Module {
  readonly #weight: Parameter;
  readonly #bias: Parameter | undefined;

  /** @param weight [out, in] */
  constructor(weight: Parameter, bias: Parameter | undefined) {
    super();
    this.#weight = weight;
    this.#bias = bias;
  }

  /** `[..., in] -> [..., out]` */
  override forward(x: Tensor): Tensor {
    return linear(x, this.#weight.value, this.#bias?.value);
  }

  override widthAt(side: "input" | "output"): number | undefined {
    return this.#weight.shape[side === "input" ? 1 : 0];
  }

  override describe(): string {
    return [...this.#weight.shape].reverse().join(", ");
  }
}
