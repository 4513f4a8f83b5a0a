import type { Tensor } from "../../../tensor/tensor.ts";
import { Module } from "../../module.ts";

/** A module that makes one tensor of another. */
export interface TensorMap extends Module {
  /** `x` [batch, in] as [batch, out]. */
  forward(x: Tensor): Tensor;
}

/** One step of a recurrent layer, run once for each time step: its call number is the step. */
export abstract class RecurrentStep<Projection extends TensorMap> extends Module {
  /** `[batch, in] -> [batch, gates × hidden]`: what the input says of the gates and the new state. */
  readonly x2h: Projection;
  /** `[batch, out] -> [batch, gates × hidden]`: what the last state says of them. */
  readonly h2h: Projection;

  constructor([x2h, h2h]: readonly [x2h: Projection, h2h: Projection]) {
    super();
    this.x2h = x2h;
    this.h2h = h2h;
  }

  override widthAt(side: "input" | "output"): number | undefined {
    return side === "input" ? this.x2h.widthAt("input") : this.h2h.widthAt("input");
  }
}
