import { isTraced } from "../../../nn/scope.ts";
import { fail, ModelError } from "../../../nn/errors.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { embedInputs } from "../embed-inputs.ts";
import { causalMask, type CausalMaskOptions } from "../attention-mask.ts";
import { maskOf, noted, notesOf, type ReadTokens } from "../../model/cache-notes.ts";
import { positionsOf } from "../../model/mask.ts";
import type { DecoderInputs, DecoderOutput, KeyValue } from "../outputs.ts";
import type { LayerContext, LayerOutput } from "./attend.ts";
import { type Changes, somethingChanges } from "./text-lengths.ts";

/** What a decoder's layers need to know of its inputs. */
export interface DecoderPass {
  /** [batch, sequence, width] */
  readonly embedded: Tensor;
  /** [1 or batch, sequence] int64 */
  readonly positions: Tensor;
  /** Cache of earlier tokens. */
  readonly past: DecoderInputs["pastKeyValues"];
  /** [batch, past + sequence], which tokens are real. @default all */
  readonly attentionMask: Tensor | undefined;
  /** The same as numbers: where queries may look. */
  readonly tokens: CausalMaskOptions;
  /** How many of the last tokens are asked for, where others are read again before them. */
  readonly asked: number | undefined;
  /** All that was read so far, of models that may have to read it again. */
  readonly read: readonly ReadTokens[] | undefined;
  /**
   * Added to attention scores.
   * @param window - How many tokens each one sees, itself included. @default all before it
   */
  readonly mask: (window?: number | null) => Tensor;
}

/** What {@link beginPass} needs of a model. */
interface PassOptions {
  /** Name of the model in messages. */
  readonly name: string;
  /** Embeds ids [batch, sequence]. */
  readonly embed: { readonly forward: (ids: Tensor) => Tensor };
  /** Longest sequence. @default no bound */
  readonly maxPositions?: number;
  /** Whether a cache of a text of one length is of no use at another. @default never */
  readonly changes?: Changes | undefined;
}

/**
 * The beginning of every decoder's pass: embeddings, positions and masks.
 * @throws ModelError for inputs of another shape, none or too many, and too long a text.
 */
export function beginPass(
  inputs: DecoderInputs,
  { name, embed, maxPositions = Infinity, changes }: PassOptions,
): DecoderPass {
  const { positionIds, pastKeyValues } = inputs;
  const embedded = embedInputs(name, inputs, embed);
  const queries = embedded.size(1);
  const past = pastKeyValues?.[0]?.key.size(2) ?? 0;
  if (past + queries > maxPositions) {
    throw new ModelError(
      `${name}: a sequence of ${past + queries} tokens is longer than the model's ` +
        `${maxPositions} positions; shorten the prompt or generate fewer tokens`,
    );
  }
  const attentionMask = maskOf(inputs.attentionMask, pastKeyValues, queries);
  const positions = positionIds ?? positionsOf({ past, queries, attentionMask });
  const tokens = { embedded, positions };
  if (changes === undefined) {
    return passOver(tokens, { past: pastKeyValues, attentionMask, asked: undefined, read: undefined }); // prettier-ignore
  }
  const before = notesOf(pastKeyValues).read;
  if (!somethingChanges(changes, { past, queries, attentionMask, positionIds })) {
    const read = pastKeyValues === undefined ? [tokens] : before && [...before, tokens];
    return passOver(tokens, { past: pastKeyValues, attentionMask, asked: undefined, read });
  }
  if (before === undefined || isTraced()) refuseCache(name);
  const whole = joined([...before, tokens]);
  return passOver(whole, { past: undefined, attentionMask, asked: queries, read: [whole] });
}

function passOver(
  read: ReadTokens,
  rest: Pick<DecoderPass, "past" | "attentionMask" | "asked" | "read">,
): DecoderPass {
  const past = rest.past?.[0]?.key.size(2) ?? 0;
  const counts = { past, queries: read.embedded.size(1), attentionMask: rest.attentionMask };
  const mask = (window?: number | null): Tensor => causalMask({ ...counts, window });
  return { ...read, ...rest, tokens: counts, mask };
}

/** Tokens that were read one after the other, as one text. */
function joined(read: readonly ReadTokens[]): ReadTokens {
  const rows = Math.max(...read.map(({ positions }) => positions.size(0)));
  const embedded = cat(read.map((tokens) => tokens.embedded), 1); // prettier-ignore
  const positions = read.map((tokens) => tokens.positions.expand([rows, tokens.positions.size(1)]));
  return { embedded, positions: cat(positions, 1) };
}

function refuseCache(name: string): never {
  return fail(
    name,
    "the new tokens make the text so long that its rotary frequencies are others, so that what the " +
      "cache holds of earlier tokens does not belong to it; give the whole text, without pastKeyValues",
  );
}

/** A layer of a decoder. */
interface Layer<Context extends LayerContext> {
  readonly forward: (x: Tensor, context: Context) => LayerOutput;
}

/** What {@link runLayers} needs of a model. */
interface LayersOptions<Context extends LayerContext> {
  readonly layers: Iterable<Layer<Context>>;
  readonly norm: { readonly forward: (x: Tensor) => Tensor };
  readonly pass: Pick<DecoderPass, "past" | "attentionMask" | "asked" | "read">;
  /** What the layer of a number is given beside its cache. */
  readonly context: (layer: number) => Omit<Context, "past">;
}

/** The rest of every decoder's pass: the layers one after another, and the final norm. */
export function runLayers<Context extends LayerContext>(
  embedded: Tensor,
  { layers, norm, pass, context }: LayersOptions<Context>,
): DecoderOutput {
  let x = embedded;
  const hiddenStates = [x];
  const attentions: Tensor[] = [];
  const pastKeyValues: KeyValue[] = [];
  for (const [i, layer] of [...layers].entries()) {
    const given = { ...context(i), past: pass.past?.[i] } as Context;
    const [output, weights, keyValue] = layer.forward(x, given);
    x = output;
    hiddenStates.push(x);
    attentions.push(weights);
    pastKeyValues.push(keyValue);
  }
  const lastHiddenState = norm.forward(x);
  hiddenStates[hiddenStates.length - 1] = lastHiddenState;
  const { attentionMask, read, asked } = pass;
  noted(pastKeyValues, { attentionMask, read });
  const whole = { lastHiddenState, hiddenStates, attentions, pastKeyValues };
  return asked === undefined ? whole : lastOf(whole, asked);
}

/** The output for the last tokens only; the cache stays whole. */
function lastOf(output: DecoderOutput, count: number): DecoderOutput {
  const last = (t: Tensor, dim: number): Tensor => t.slice(dim, t.size(dim) - count);
  return {
    lastHiddenState: last(output.lastHiddenState, 1),
    hiddenStates: output.hiddenStates.map((t) => last(t, 1)),
    attentions: output.attentions.map((t) => last(t, 2)),
    pastKeyValues: output.pastKeyValues,
  };
}
