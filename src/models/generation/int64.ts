import { Tensor } from "../../tensor/tensor.ts";

/** Rows of equal length as a tensor. */
export function int64(rows: readonly (readonly number[])[]): Tensor {
  const shape = [rows.length, rows[0]?.length ?? 0];
  return Tensor.fromData(BigInt64Array.from(rows.flat(), BigInt), shape, "int64");
}
