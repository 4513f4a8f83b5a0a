import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fail } from "../errors.ts";

/** Activations with their means and spreads. */
export interface Moments {
  /** The activations in float32, [samples, width]. */
  readonly x: Tensor;
  /** [width] */
  readonly mean: Tensor;
  /** [width]; 1 for a dimension that never varies. */
  readonly std: Tensor;
}

/** @throws InterventionError for what is not [samples, width] of at least 2 samples. */
export function momentsOf(op: string, activations: Tensor): Moments {
  if (activations.ndim !== 2 || activations.size(0) < 2) {
    fail(
      op,
      `expected activations [samples, width] of at least 2 samples, got ${show(activations.shape)}`,
    );
  }
  const x = activations.detach().to("float32");
  const mean = x.mean({ dim: 0 });
  const spread = x.sub(mean).square().mean({ dim: 0 }).sqrt();
  // A dimension that never varies stays as it is.
  return { x, mean, std: spread.maskedFill(spread.eq(0), 1) };
}
