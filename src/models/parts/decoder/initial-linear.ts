import { normal } from "../../../nn/init.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { initialized } from "../../../nn/without-init.ts";
import { zeros } from "../../../tensor/functions/creation.ts";

/** Options of {@link initialLinear}. */
export interface InitialLinearOptions {
  /** Add a learned vector, which starts at 0. */
  readonly bias: boolean;
  /** Standard deviation of the weights to start from. */
  readonly std: number;
}

/** A linear layer that starts as Hugging Face's models do. */
export function initialLinear(
  inFeatures: number,
  outFeatures: number,
  { bias, std }: InitialLinearOptions,
): Linear {
  const weight = initialized([outFeatures, inFeatures], (shape) => normal(shape, { std }));
  const layer = new Linear(inFeatures, outFeatures, { bias, weight });
  layer.bias?.set(zeros([outFeatures]));
  return layer;
}
