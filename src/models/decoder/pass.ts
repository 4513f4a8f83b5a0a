import { TensorError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { embedInputs } from "../embed-inputs.ts";
import { causalMask } from "../attention-mask.ts";
import { maskOf, noted } from "../cache-notes.ts";
import { positionsOf } from "../mask.ts";
import type { DecoderInputs, DecoderOutput, KeyValue } from "../outputs.ts";
import type { LayerContext, LayerOutput } from "./attend.ts";

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
}

/**
 * The beginning of every decoder's pass: embeddings, positions and masks.
 * @throws TensorError for inputs of another shape, none or too many, and too long a text.
 */
export function beginPass(
  inputs: DecoderInputs,
  { name, embed, maxPositions = Infinity }: PassOptions,
): DecoderPass {
  const { positionIds, pastKeyValues } = inputs;
  const embedded = embedInputs(name, inputs, embed);
  const queries = embedded.size(1);
  const past = pastKeyValues?.[0]?.key.size(2) ?? 0;
  if (past + queries > maxPositions) {
    throw new TensorError(
      `${name}: a sequence of ${past + queries} tokens is longer than the model's ` +
        `${maxPositions} positions; shorten the prompt or generate fewer tokens`,
    );
  }
  const attentionMask = maskOf(inputs.attentionMask, pastKeyValues, queries);
  const positions = positionIds ?? positionsOf({ past, queries, attentionMask });
  const mask = (window?: number | null): Tensor =>
    causalMask({ past, queries, attentionMask, window });
  return { embedded, positions, past: pastKeyValues, attentionMask, mask };
}

/** A layer of a decoder. */
interface Layer<Context extends LayerContext> {
  readonly forward: (x: Tensor, context: Context) => LayerOutput;
}

/** What {@link runLayers} needs of a model. */
interface LayersOptions<Context extends LayerContext> {
  readonly layers: Iterable<Layer<Context>>;
  readonly norm: { readonly forward: (x: Tensor) => Tensor };
  readonly pass: Pick<DecoderPass, "past" | "attentionMask">;
  /** What the layer of a number is given beside its cache. */
  readonly context: (layer: number) => Omit<Context, "past">;
}

/** The rest of every decoder's pass: the layers one after another, and the final norm. */
export function runLayers<Context extends LayerContext>(
  embedded: Tensor,
  { layers, norm, pass: { past, attentionMask }, context }: LayersOptions<Context>,
): DecoderOutput {
  let x = embedded;
  const hiddenStates = [x];
  const attentions: Tensor[] = [];
  const pastKeyValues: KeyValue[] = [];
  for (const [i, layer] of [...layers].entries()) {
    const given = { ...context(i), past: past?.[i] } as Context;
    const [output, weights, keyValue] = layer.forward(x, given);
    x = output;
    hiddenStates.push(x);
    attentions.push(weights);
    pastKeyValues.push(keyValue);
  }
  const lastHiddenState = norm.forward(x);
  hiddenStates[hiddenStates.length - 1] = lastHiddenState;
  noted(pastKeyValues, { attentionMask });
  return { lastHiddenState, hiddenStates, attentions, pastKeyValues };
}
