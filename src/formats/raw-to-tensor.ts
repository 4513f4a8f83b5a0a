import { Tensor } from "../tensor/tensor.ts";
import type { RawTensor } from "./raw-tensor.ts";

/**
 * A tensor with the numbers of a file, not copied; `int16`, which tensors do not have, becomes
 * `int32`.
 */
export function rawToTensor({ dtype, shape, data }: RawTensor): Tensor {
  if (data instanceof Int16Array) return Tensor.fromData(Int32Array.from(data), shape, "int32");
  if (dtype !== "int16") return Tensor.fromData(data, shape, dtype);
  throw new Error("internal: a raw int16 tensor whose data is not an Int16Array");
}
