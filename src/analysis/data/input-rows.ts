import { Tensor } from "../../tensor/tensor.ts";

/** Rows of what a model's `forward` takes, which may come several times. */
export function inputRows<T extends object>(inputs: T, indices: readonly number[]): T {
  const rows = Object.entries(inputs).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Tensor ? value.indexSelect(0, [...indices]) : value,
  ]);
  return Object.fromEntries(rows) as T;
}
