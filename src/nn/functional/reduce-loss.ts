import { requireOneOf } from "../../base/known-options.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** What becomes of the losses of the elements. */
export type Reduction = "none" | "mean" | "sum";

/** Options that all elementwise losses have. */
export interface LossOptions {
  /** @default "mean" */
  readonly reduction?: Reduction;
}

/** Applies a reduction to the losses of the elements. */
export function reduceLoss(losses: Tensor, reduction: Reduction = "mean"): Tensor {
  requireOneOf("loss", "reduction", reduction, ["none", "mean", "sum"]);
  if (reduction === "none") return losses;
  return reduction === "mean" ? losses.mean() : losses.sum();
}
