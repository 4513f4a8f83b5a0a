import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { requireKnownOptions } from "../../base/known-options.ts";
import { Module } from "../../nn/module.ts";
import { oneText, type TextInputs } from "../data/one-text.ts";
import type { LensReading } from "./lens-reading.ts";
import { LENS_OPTIONS } from "./logit-lens.ts";
import { type LensOptions, readStream } from "./read-stream.ts";
import { type Stream, streamOf } from "./stream.ts";
import { TunedLens } from "./tuned-lens.ts";

const OP = "tunedLens";

/**
 * Reads every state of the residual stream as `logitLens` does, after the translator of its layer.
 *
 * @param lens - What `trainTunedLens` gives, or `TunedLens.fromPretrained`.
 * @param inputs - A text, or what the model's `forward` takes, of one row.
 * @throws TsveneError for a lens of another number of layers or another width, and as `logitLens` does.
 */
export async function tunedLens(
  model: Module,
  lens: TunedLens,
  inputs: TextInputs,
  options: LensOptions = {},
): Promise<LensReading> {
  requireKnownOptions(OP, options, LENS_OPTIONS);
  if (!(model instanceof Module)) fail(OP, `first a model, got ${describeValue(model)}`);
  const stream = streamOf(OP, model);
  requireLens(OP, lens, stream);
  const text = await oneText(OP, inputs, options.tokenizer);
  const translate = lens.forward.bind(lens);
  return readStream({ op: OP, stream, text, options, translate }, inputs);
}

/** @throws TsveneError for what is no lens, and one for another number of layers. */
export function requireLens(op: string, lens: unknown, { model, entries }: Stream): void {
  if (!(lens instanceof TunedLens)) {
    fail(op, `a TunedLens is wanted, as trainTunedLens gives it, got ${describeValue(lens)}`);
  }
  const { length } = lens.translators;
  if (length === entries.length) return;
  fail(
    op,
    `the lens is for ${length} layers, but ${model.constructor.name} has ${entries.length}; take one that was ` +
      "trained for this model",
  );
}
