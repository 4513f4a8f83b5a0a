import type { ModuleList } from "../../../nn/module-list.ts";
import type { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** A layer of an encoder: gives its output and its attention weights. */
type EncoderLayer<Context> = Module & {
  forward(x: Tensor, context?: Context): readonly [output: Tensor, weights: Tensor];
};

/** What a stack of layers gives. */
export interface Encoded {
  /** Hidden states after the last layer, [batch, sequence, hidden]. */
  readonly lastHiddenState: Tensor;
  /** What went in, then the output of each layer. */
  readonly hiddenStates: Tensor[];
  /** Attention weights by layer, [batch, heads, queries, keys]. */
  readonly attentions: Tensor[];
}

/**
 * Runs layers one after another.
 * @param context what each is given beside its input, such as a mask added to attention scores.
 */
export function encode<Context>(
  layers: ModuleList<EncoderLayer<Context>>,
  x: Tensor,
  context?: Context,
): Encoded {
  let state = x;
  const hiddenStates = [x];
  const attentions: Tensor[] = [];
  for (const layer of layers) {
    const [output, weights] = layer.forward(state, context);
    state = output;
    hiddenStates.push(output);
    attentions.push(weights);
  }
  return { lastHiddenState: state, hiddenStates, attentions };
}
