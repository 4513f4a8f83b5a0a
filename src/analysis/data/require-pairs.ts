import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { Module } from "../../nn/module.ts";
import type { ContrastData } from "./contrast-data.ts";

/** @throws TsveneError where the first argument of a call is no model, or the second no pairs. */
export function requirePairs(op: string, model: unknown, pairs: unknown): void {
  if (!(model instanceof Module)) {
    fail(op, `first a model (a Module), got ${describeValue(model)}`);
  }
  const { batch, length } = (pairs ?? {}) as Partial<ContrastData>;
  if (typeof batch === "function" && Number(length) >= 1) return;
  fail(op, `second pairs, as contrastPairs(tokenizer, [...]) makes them, got ${shown(pairs)}`);
}
