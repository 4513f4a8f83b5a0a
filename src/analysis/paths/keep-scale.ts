import { fail } from "../../base/errors.ts";
import type { Module } from "../../nn/module.ts";
import { EditScope } from "../../nn/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isSumOf, normBefore, normOf } from "../residual/graph-reading.ts";

/** What is read, and what was read in the run whose scale is kept. */
export interface KeptScale {
  /** What is read is the sum of these. */
  readonly parts: readonly Tensor[];
  readonly base: Tensor;
}

/**
 * Traces with the norms of what is read keeping the scale that they had in another run, so that what they make
 * of it is linear in the change.
 *
 * @throws TsveneError where a norm that reads it is no module of its own.
 */
export function keepScale(
  op: string,
  model: Module,
  { parts, base }: KeptScale,
  trace: () => Tensor,
): Tensor {
  const isRead = (t: Tensor): boolean => isSumOf(t, parts);
  const scope = new EditScope();
  for (const [, module] of model.namedModules()) {
    scope.on(module, "output", (value) => {
      const norm = normBefore(value);
      if (norm === undefined || !isRead(norm.of)) return undefined;
      const kept = normBefore(norm.forward(base));
      const made = kept?.linear(norm.of);
      return norm.bias === undefined ? made : made?.add(norm.bias);
    });
  }
  const result = scope.run(trace);
  const left = parts.map((part) => normOf(part, result)).find((norm) => norm !== undefined);
  if (left === undefined) return result;
  return fail(op, `linearNorm: ${model.constructor.name} has a norm that is no module of its own`);
}
