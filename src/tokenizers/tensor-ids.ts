import type { Tensor } from "../tensor/tensor.ts";
import { TokenizerError } from "./pipeline/tokenizer-error.ts";

/** The numbers of a tensor of ids, which must be there: decoding does not wait. */
export function idsOf(method: string, ids: Tensor, ndim: number): ArrayLike<number | bigint> {
  const shape = `[${ids.shape.join(", ")}]`;
  if (ids.ndim !== ndim || ids.dtype !== "int64") {
    const other = ndim === 1 ? "batchDecode takes [rows, sequence]" : "decode takes [sequence]";
    throw new TokenizerError(
      `${method}: expected int64 ids of ${ndim === 1 ? "one row" : "several rows"}, got ${ids.dtype} ${shape}; ${other}`,
    );
  }
  if (ids.values !== undefined) return ids.values;
  throw new TokenizerError(
    `${method}: the ids ${shape} are not computed yet; write await ids.data() before`,
  );
}

/** The rows of a tensor of ids [rows, sequence]. */
export function rowsOf(ids: Tensor): ArrayLike<number | bigint>[] {
  const all = Array.from(idsOf("batchDecode", ids, 2));
  const [rows = 0, length = 0] = ids.shape;
  return Array.from({ length: rows }, (_, r) => all.slice(r * length, (r + 1) * length));
}
