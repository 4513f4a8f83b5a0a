import { describeValue } from "../base/describe-value.ts";
import { fail } from "./errors.ts";

/** @throws TensorError for a list, a promise or anything else that stands where tensors are wanted. */
export function requireTensors(op: string, ...values: readonly unknown[]): void {
  for (const value of values) {
    if (isTensor(value)) continue;
    fail(op, `expected a Tensor, got ${describeValue(value)}${advice(value)}`);
  }
}

/** Not by class, whose file imports the operations. */
export function isTensor(value: unknown): boolean {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value;
}

/** What to write for a list. */
export function advice(value: unknown): string {
  if (!Array.isArray(value)) return "";
  return value.some(isTensor)
    ? "; give each tensor by itself, or join them with stack(list)"
    : "; write tensor(list)";
}
