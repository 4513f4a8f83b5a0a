import { internal } from "../../base/errors.ts";
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
