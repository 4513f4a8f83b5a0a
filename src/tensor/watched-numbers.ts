import type { TypedArray } from "./dtype.ts";

type Look = (values: TypedArray) => void;

/** Tensors whose numbers somebody wants to see, when they are read on the host. */
const watched = new WeakMap<object, Look>();

/** @internal Calls `look` once with a tensor's numbers, when somebody reads them; never computes them. */
export function watchNumbers(tensor: object, look: Look): void {
  watched.set(tensor, look);
}

/** @internal Shows the numbers of a tensor that is read to who wants to see them. */
export function showNumbers(tensor: object, values: TypedArray): void {
  const look = watched.get(tensor);
  if (look === undefined) return;
  watched.delete(tensor);
  look(values);
}
