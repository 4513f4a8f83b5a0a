import { fail } from "../../base/errors.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import type { Site } from "../../intervenable/sites/address.ts";
import type { Module } from "../../nn/module.ts";
import { EditScope } from "../../nn/scope.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { AutoencoderSites } from "./autoencoder-site.ts";

/** A traced run, and what is at an autoencoder's places. */
export interface TracedSite {
  readonly output: unknown;
  /** What it encodes, [batch, positions, inputWidth]. */
  readonly x: Tensor;
  /** What it decodes to, [batch, positions, width]: the same tensor for all but transcoders. */
  readonly y: Tensor;
}

/**
 * Traces a run and reads an autoencoder's places.
 * @param edit - What is put where it decodes to. @default nothing
 */
export function traceSite(
  op: string,
  model: Module,
  { reads, writes }: AutoencoderSites,
  inputs: unknown,
  edit: (y: Tensor) => Tensor | undefined = () => undefined,
): TracedSite {
  const found: { reads?: Tensor; writes?: Tensor } = {};
  const scope = new EditScope();
  const read = (name: keyof AutoencoderSites, { module, side, path }: Site): void => {
    scope.on(module, side, (value) => {
      if (found[name] !== undefined) {
        fail(op, `${path} runs several times, so that one place has many states`);
      }
      found[name] = value;
      return name === "writes" ? edit(value) : undefined;
    });
  };
  read("reads", reads);
  read("writes", writes);
  const output = scope.run(() => callModel(model, inputs));
  const stateAt = (name: keyof AutoencoderSites, { path, side }: Site): Tensor => {
    const { [name]: state } = found;
    if (state === undefined) return fail(op, `${path}.${side} is not reached`);
    if (state.ndim === 3) return state;
    return fail(op, `${path}.${side} is ${show(state.shape)}, not [batch, positions, width]`);
  };
  return { output, x: stateAt("reads", reads), y: stateAt("writes", writes) };
}
