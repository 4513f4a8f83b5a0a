import type { Dropout } from "../../../nn/layers/dropout.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { mergeHeads } from "../decoder/attend.ts";
import type { KeyValue } from "../outputs.ts";

/** How queries look at keys where none are hidden but by a mask. */
export interface AttendHeadsOptions {
  /** Passes the weights on: its input is the site of the attention weights. */
  readonly dropout: Dropout;
  /** Added to the scores, [1 or batch, 1 or heads, 1 or queries, keys]. @default nothing */
  readonly mask?: Tensor | undefined;
  /** Factor of the scores. @default one over the root of the heads' width */
  readonly scale?: number;
}

/**
 * Mixes values by the softmax of the scaled scores.
 *
 * @param query - [batch, heads, queries, headDim]
 * @param from - [batch, heads, keys, headDim] each
 * @returns the mixed values [batch, queries, heads * headDim] and the weights [batch, heads,
 * queries, keys].
 */
export function attendHeads(
  query: Tensor,
  { key, value }: KeyValue,
  { dropout, mask, scale = 1 / Math.sqrt(query.size(-1)) }: AttendHeadsOptions,
): [mixed: Tensor, weights: Tensor] {
  const scores = query.matmul(key.transpose(-1, -2)).mul(constant(scale));
  const weights = dropout.forward((mask === undefined ? scores : scores.add(mask)).softmax(-1));
  return [mergeHeads(weights.matmul(value)), weights];
}
