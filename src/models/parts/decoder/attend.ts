import { constant } from "../../../tensor/functions/arithmetic.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Dropout } from "../../../nn/layers/dropout.ts";
import type { KeyValue } from "../outputs.ts";

/** What every layer of a pass is given. */
export interface LayerContext {
  /** Added to attention scores, [1 or batch, 1 or heads, queries, keys]. */
  readonly mask: Tensor;
  /** Keys and values of earlier tokens. */
  readonly past: KeyValue | undefined;
}

/** Output of an attention or of a layer, its attention weights, and what is kept of its tokens. */
export type LayerOutput = [output: Tensor, weights: Tensor, cache: KeyValue];

/** How queries look at keys. */
export interface AttendOptions {
  /** Factor of the scores. */
  readonly scale: number;
  /** Passes the weights on: its input is the site of the attention weights. */
  readonly dropout: Dropout;
  /** Scores are squeezed smoothly between plus and minus this. @default not */
  readonly softcap?: number | null;
  /** [heads]: the score of looking nowhere. @default none */
  readonly sinks?: Tensor | undefined;
}

/** [batch, sequence, heads * headDim] -> [batch, heads, sequence, headDim] */
export function splitHeads(x: Tensor, headDim: number): Tensor {
  const [b = 1, s = 1, d = 1] = x.shape;
  return x.reshape([b, s, d / headDim, headDim]).permute([0, 2, 1, 3]);
}

/** The inverse of {@link splitHeads}. */
export function mergeHeads(x: Tensor): Tensor {
  const [b = 1, h = 1, s = 1, d = 1] = x.shape;
  return x.permute([0, 2, 1, 3]).reshape([b, s, h * d]);
}

/**
 * Appends keys and values to those of earlier tokens, and mixes values by the softmax of the
 * scaled scores. Query heads share keys and values in groups where there are fewer of these.
 *
 * @param query - [batch, heads, sequence, headDim]
 * @param added - [batch, keyValueHeads, sequence, headDim] each
 * @returns the mixed values [batch, sequence, heads * headDim].
 */
export function attend(
  query: Tensor,
  added: KeyValue,
  { mask, past }: LayerContext,
  { scale, dropout, softcap, sinks }: AttendOptions,
): LayerOutput {
  const key = past === undefined ? added.key : cat([past.key, added.key], 2);
  const value = past === undefined ? added.value : cat([past.value, added.value], 2);
  // In this form ONNX Runtime has one kernel for all of it.
  const products = byGroups(query, key, (q, k) => {
    const product = q.matmul(k.transpose(-1, -2));
    return scale === 1 ? product : product.mul(constant(scale));
  });
  const scores = capped(products, softcap).add(mask);
  const weights = dropout.forward(softmaxWithSinks(scores, sinks));
  const mixed = byGroups(weights, value, (w, v) => w.matmul(v));
  return [mergeHeads(mixed), weights, { key, value }];
}

/**
 * A product of a [batch, heads, n, k] and b [batch, keyValueHeads, ...], each head of which serves a
 * group of heads.
 */
function byGroups(a: Tensor, b: Tensor, product: (a: Tensor, b: Tensor) => Tensor): Tensor {
  const [batch = 1, heads = 1, n = 1, k = 1] = a.shape;
  const shared = b.size(1);
  if (shared === heads) return product(a, b);
  const result = product(a.reshape([batch, shared, heads / shared, n, k]), b.unsqueeze(2));
  return result.reshape([batch, heads, n, result.size(-1)]);
}

/** cap tanh(x / cap) */
export function capped(x: Tensor, cap: number | null | undefined): Tensor {
  if (cap === null || cap === undefined) return x;
  return x
    .mul(constant(1 / cap))
    .tanh()
    .mul(constant(cap));
}

/** Softmax over the keys and, if there is one, the sink, whose share is then left out. */
function softmaxWithSinks(scores: Tensor, sinks: Tensor | undefined): Tensor {
  if (sinks === undefined) return scores.softmax(-1);
  const [b = 1, h = 1, s = 1, keys = 1] = scores.shape;
  const column = sinks.reshape([1, h, 1, 1]).expand([b, h, s, 1]);
  return cat([scores, column], -1).softmax(-1).slice(-1, 0, keys);
}
