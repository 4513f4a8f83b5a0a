import { internal } from "../../base/errors.ts";
import { fail } from "../../nn/errors.ts";
import { show } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** Tensors anywhere inside a cache, whatever the family keeps in it. */
export function tensorsIn(cache: unknown): Tensor[] {
  if (cache instanceof Tensor) return [cache];
  if (typeof cache !== "object" || cache === null) return [];
  return Object.values(cache).flatMap(tensorsIn);
}

/** The same cache with every tensor in it changed. */
export function changeTensors(cache: unknown, change: (t: Tensor) => Tensor): unknown {
  if (cache instanceof Tensor) return change(cache);
  if (Array.isArray(cache)) return cache.map((part) => changeTensors(part, change));
  if (typeof cache !== "object" || cache === null) return cache;
  const entries = Object.entries(cache);
  return Object.fromEntries(entries.map(([name, part]) => [name, changeTensors(part, change)]));
}

/** The same cache with other tensors in it, in the order of {@link tensorsIn}. */
export function withTensors(cache: unknown, tensors: readonly Tensor[]): unknown {
  let i = 0;
  return changeTensors(cache, () => tensors[i++] ?? internal("a cache with more tensors"));
}

/**
 * What a tensor of a cache is for other rows: the new row i is the old row `parents[i]`.
 *
 * @param parents [rows]
 * @throws ModelError for a tensor that does not have the rows in front.
 */
export function pickRows(t: Tensor, parents: Tensor): Tensor {
  const rows = parents.size(0);
  if (t.size(0) === rows) return t.indexSelect(0, parents);
  if (t.size(0) === 1) return t; // The same for all rows.
  return fail("generate", `beams: the cache holds ${show(t.shape)}, wanted ${rows} rows first`);
}
