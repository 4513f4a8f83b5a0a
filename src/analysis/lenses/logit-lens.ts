import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { Module } from "../../nn/module.ts";
import { oneText, type TextInputs } from "../data/one-text.ts";
import type { LensReading } from "./lens-reading.ts";
import { type LensOptions, readStream } from "./read-stream.ts";
import { streamOf } from "./stream.ts";

/** Their names. */
export const LENS_OPTIONS: OptionNames<LensOptions> = { tokenizer: true, k: true, target: true };

const OP = "logitLens";

/**
 * Reads every state of the residual stream as if it were the last one (nostalgebraist, 2020): the model's own
 * final norm, with the scale of that state, its matrix of logits and whatever else comes after the last
 * layer. The logits of one layer at a time are there, and only what is read of them is kept.
 *
 * @param inputs - A text, or what the model's `forward` takes, of one row.
 * @throws TsveneError for models without layers on a residual stream or without logits at every position.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, logitLens, toSvg } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const reading = await logitLens(model, "The capital of Italy is", { tokenizer, target: " Rome" });
 * console.log(reading.targetRank.at({ position: 4 }).toArray());
 * console.log((await toSvg(reading.plot({ color: "kl" }))).length);
 * ```
 */
export async function logitLens(
  model: Module,
  inputs: TextInputs,
  options: LensOptions = {},
): Promise<LensReading> {
  requireKnownOptions(OP, options, LENS_OPTIONS);
  if (!(model instanceof Module)) fail(OP, `first a model, got ${describeValue(model)}`);
  const stream = streamOf(OP, model);
  const text = await oneText(OP, inputs, options.tokenizer);
  return readStream({ op: OP, stream, text, options }, inputs);
}
