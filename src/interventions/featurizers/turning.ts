import { rotated } from "../../nn/parametrizations/rotate-layer.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * Coordinates of `h` along the columns of W, h W, in W's element type.
 *
 * @param weight - [width, count], or one for each row of the batch, [batch, width, count].
 */
export function alongDirections(h: Tensor, weight: Tensor): Tensor {
  return eachRow(h, weight, (x) => rotated(x, weight));
}

/** What coordinates along the columns of W stand for, features Wᵀ. */
export function fromDirections(features: Tensor, weight: Tensor): Tensor {
  const back = weight.ndim === 2 ? weight.t() : weight.transpose(-1, -2);
  return eachRow(features, weight, (x) => x.matmul(back));
}

/** With a matrix for each row, a row that is one vector counts as one unit. */
function eachRow(x: Tensor, weight: Tensor, multiply: (x: Tensor) => Tensor): Tensor {
  const isVector = weight.ndim === 3 && x.ndim === 2;
  return isVector ? multiply(x.unsqueeze(1)).squeeze(1) : multiply(x);
}
