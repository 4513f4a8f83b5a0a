import { range } from "../../base/lists.ts";
import { fail } from "../../base/errors.ts";
import { resolveSite, type Site } from "../../intervenable/sites/address.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import { type BoundCard, cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { EditScope } from "../../nn/scope.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** Where the residual stream of a model passes on its way to the logits. */
export interface Stream {
  readonly model: Module;
  /** Where the stream enters each layer. */
  readonly entries: readonly Site[];
  /** Where it leaves the last one. */
  readonly end: Site;
}

/** One run: its states, and what the model says. */
export interface StreamRun {
  /** The stream as it enters each layer, and as it leaves the last one, [batch, positions, width]. */
  readonly states: readonly Tensor[];
  /** [batch, positions, vocabulary]. */
  readonly logits: Tensor;
}

/** The name of the state that leaves the last layer, which the axis of layers has after their numbers. */
export const END = "output";

const INPUT = "block_input";
const OUTPUT = "block_output";

/**
 * Finds where the stream of a model passes that writes, or that fills gaps.
 * @throws TsveneError for models that do not say where their layers are.
 */
export function streamOf(op: string, model: Module): Stream {
  const card = cardOf(model);
  const { name } = model.constructor;
  if (card === undefined) {
    return fail(op, `${name} does not say where its layers are; give it a static readonly card`);
  }
  const part = partThatWrites(model, card);
  if (part === undefined) {
    return fail(
      op,
      `${name} has no layers on a residual stream, with ${INPUT} and ${OUTPUT} in its card`,
    );
  }
  const at = (layer: number, component: string): Site =>
    resolveSite(model, card, { layer, component: part + component });
  const layers = layersWith(model, card, part + OUTPUT);
  return {
    model,
    entries: layers.map((layer) => at(layer, INPUT)),
    end: at(layers.at(-1) ?? 0, OUTPUT),
  };
}

/** What stands before the names of components whose positions are tokens that are written: "decoder.". */
function partThatWrites(model: Module, card: BoundCard): string | undefined {
  const parts = [...card.components.keys()].flatMap((name) =>
    name.endsWith(OUTPUT) ? [name.slice(0, -OUTPUT.length)] : [],
  );
  return parts.find((part) => {
    if (!card.components.has(part + INPUT)) return false;
    const { counts } = resolveSite(model, card, { layer: 0, component: part + OUTPUT });
    return counts === "text" || counts === "target";
  });
}

/** A model of two halves may have more layers in one than in the other. */
export function layersWith(model: Module, card: BoundCard, component: string): readonly number[] {
  const path = card.components.get(component)?.path ?? "";
  const paths = new Set([...model.namedModules()].map(([own]) => own));
  const layers = range(card.layers);
  return layers.filter((layer) => paths.has(path.replaceAll("{layer}", String(layer))));
}

/** Traces a run and reads its stream. */
export function traceStream(
  op: string,
  { model, entries, end }: Stream,
  inputs: object,
): StreamRun {
  const scope = new EditScope();
  const states: Tensor[] = [];
  for (const [i, { module, side }] of [...entries, end].entries()) {
    scope.on(module, side, (value) => {
      states[i] = value;
      return undefined;
    });
  }
  const logits = scope.run(() => logitsIn(op, model, callModel(model, inputs)));
  return { states, logits };
}

/** What the model's own last modules make of a state in the place of the last one: logits. */
export function decodeState(
  op: string,
  { model, end }: Stream,
  inputs: object,
  state: Tensor,
): Tensor {
  const scope = new EditScope().on(end.module, end.side, () => state);
  return scope.run(() => logitsIn(op, model, callModel(model, inputs)));
}

function logitsIn(op: string, { constructor: { name } }: Module, output: unknown): Tensor {
  const logits = (output as { readonly logits?: unknown } | undefined)?.logits;
  if (logits instanceof Tensor && logits.ndim === 3) return logits;
  const got = logits instanceof Tensor ? `logits [${logits.shape.join(", ")}]` : "no logits";
  return fail(op, `${name} gives ${got}; a model with logits at every position is needed`);
}
