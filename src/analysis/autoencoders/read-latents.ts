import { fail } from "../../base/errors.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import type { Site } from "../../intervenable/sites/address.ts";
import type { Module } from "../../nn/module.ts";
import { EditScope } from "../../nn/scope.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** A traced run, and what is at a place. */
export interface TracedSite {
  readonly output: unknown;
  /** [batch, positions, width] */
  readonly x: Tensor;
}

/**
 * Traces a run and reads a place.
 * @param edit - What is put there instead. @default nothing
 */
export function traceSite(
  op: string,
  model: Module,
  { module, side, path }: Site,
  inputs: unknown,
  edit: (x: Tensor) => Tensor | undefined = () => undefined,
): TracedSite {
  let x: Tensor | undefined;
  const scope = new EditScope().on(module, side, (value) => {
    if (x !== undefined) fail(op, `${path} runs several times, so that one place has many states`);
    x = value;
    return edit(value);
  });
  const output = scope.run(() => callModel(model, inputs));
  if (x === undefined) return fail(op, `${path}.${side} is not reached`);
  if (x.ndim !== 3) fail(op, `${path}.${side} is ${show(x.shape)}, not [batch, positions, width]`);
  return { output, x };
}
