import type { RankedTensor } from "../../tensor/ranked.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** Rows of equal length as a tensor. */
export function int64(rows: readonly (readonly number[])[]): RankedTensor<2> {
  const shape = [rows.length, rows[0]?.length ?? 0] as const;
  return Tensor.fromData(BigInt64Array.from(rows.flat(), BigInt), shape, "int64");
}
