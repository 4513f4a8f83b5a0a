import type { Dropout } from "../../nn/layers/dropout.ts";
import { constant } from "../../tensor/arithmetic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { mergeHeads, splitHeads } from "../decoder/attend.ts";

/** How an encoder's queries look at keys. */
export interface AttendAllOptions {
  readonly heads: number;
  /** Passes the weights on: its input is the site of the attention weights. */
  readonly dropout: Dropout;
  /** Added to the scores, [1 or batch, 1 or heads, 1 or queries, keys]. @default nothing */
  readonly mask?: Tensor | undefined;
  /** Factor of the scores. @default one over the root of the heads' width */
  readonly scale?: number;
}

/**
 * Mixes values by the softmax of the scaled scores, head by head.
 *
 * @param query - [batch, queries, width]
 * @param key - [batch, keys, width]
 * @param value - [batch, keys, width]
 * @returns the mixed values [batch, queries, width] and the weights [batch, heads, queries, keys].
 */
export function attendAll(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { heads, dropout, mask, scale }: AttendAllOptions,
): [mixed: Tensor, weights: Tensor] {
  const headDim = query.size(-1) / heads;
  const factor = constant(scale ?? 1 / Math.sqrt(headDim));
  const scaled = splitHeads(query, headDim).mul(factor);
  const scores = scaled.matmul(splitHeads(key, headDim).transpose(-1, -2));
  const weights = dropout.forward((mask === undefined ? scores : scores.add(mask)).softmax(-1));
  return [mergeHeads(weights.matmul(splitHeads(value, headDim))), weights];
}
