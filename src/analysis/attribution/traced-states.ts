import { fail } from "../../base/errors.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import { resolveSite, type Site } from "../../intervenable/sites/address.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { changeFirst, EditScope } from "../../nn/scope.ts";
import { isFloat } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** A traced run and the tensors at some sites. */
export interface TracedStates {
  /** What the model gave. */
  readonly output: unknown;
  /** The tensors, by the sites' names. */
  readonly at: ReadonlyMap<string, Tensor>;
}

/** What a run is traced with. */
export interface TraceStates {
  /** Where tensors are read, by name. */
  readonly sites: ReadonlyMap<string, Site>;
  /** What is put in the place of the embeddings. @default what they are */
  readonly embedded?: Tensor;
  /** Sites that no gradient passes. @default none */
  readonly dropped?: readonly Site[];
}

/**
 * Traces a run. Each tensor is one of its own at its site, so that a gradient with respect to it is that of
 * what reads it there, and not of what read it before.
 */
export function traceStates(
  model: Module,
  inputs: unknown,
  { sites, embedded, dropped = [] }: TraceStates,
): TracedStates {
  const at = new Map<string, Tensor>();
  const scope = new EditScope();
  const entry = embeddingSite(model);
  if (embedded !== undefined && entry !== undefined) {
    scope.on(entry.module, entry.side, () => embedded);
  }
  for (const [name, { module, side, path }] of sites) {
    scope.on(module, side, (value, { call }) => {
      if (call > 0) fail("attribute", `${path} runs more than once in a pass; run it with sweep()`);
      const own = sameTensor(value);
      at.set(name, own);
      return own;
    });
  }
  // After what is read there, whose own gradient is left out with it.
  for (const { module, side } of dropped) scope.on(module, side, (value) => value.detach());
  const given =
    embedded !== undefined && entry === undefined ? changeFirst(inputs, () => embedded) : inputs;
  const output = scope.run(() => callModel(model, given));
  for (const [name, { path, side }] of sites) {
    if (!at.has(name)) fail("attribute", `${path} passed no ${side}; is that module used?`);
  }
  return { output, at };
}

/** A tensor of the same numbers, at no cost: reshapes and their way back are no part of a program. */
function sameTensor(value: Tensor): Tensor {
  return value.unsqueeze(0).reshape(value.shape);
}

/** Where embeddings enter the first layer; undefined for models whose inputs are interpolated. */
export function embeddingSite(model: Module): Site | undefined {
  const card = cardOf(model);
  if (card?.components.has("block_input") !== true) return undefined;
  return resolveSite(model, card, { layer: 0, component: "block_input" });
}

/** The tensor of a model's inputs that integrated gradients move along. */
export function inputTensor(op: string, model: Module, inputs: unknown): Tensor {
  let found: Tensor | undefined;
  changeFirst(inputs, (t) => (found = t));
  if (found !== undefined && isFloat(found.dtype)) return found;
  return fail(
    op,
    `${model.constructor.name} has no component block_input, and its inputs are no numbers that could be ` +
      'moved along; use method: "gradient"',
  );
}
