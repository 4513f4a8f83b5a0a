import { zeros } from "../../../tensor/functions/creation.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** `x` with zeros after it along a dimension, up to a length. */
export function padEnd(x: Tensor, dim: number, length: number): Tensor {
  const missing = length - x.size(dim);
  if (missing === 0) return x;
  return cat([x, zeros(x.shape.map((n, d) => (d === dim ? missing : n)))], dim);
}
