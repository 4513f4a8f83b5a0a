import type { Tensor } from "../../tensor/tensor.ts";
import { dropout } from "../functional/dropout.ts";
import { Module } from "../module.ts";

/** Zeroes elements at random while training, scaling the rest up; passes values on otherwise. */
export class Dropout extends Module {
  /** Share of elements zeroed. */
  readonly p: number;

  constructor(p = 0.5) {
    super();
    this.p = p;
  }

  /** `x` itself, or in training mode with elements set to zero at random and the rest scaled up. */
  override forward(x: Tensor): Tensor {
    return dropout(x, this.p, { training: this.training });
  }

  override describe(): string {
    return `p=${this.p}`;
  }
}
