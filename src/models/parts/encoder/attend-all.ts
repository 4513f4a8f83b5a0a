import type { Tensor } from "../../../tensor/tensor.ts";
import { splitHeads } from "../decoder/attend.ts";
import { attendHeads, type AttendHeadsOptions } from "./attend-heads.ts";

/** How an encoder's queries look at keys. */
export interface AttendAllOptions extends AttendHeadsOptions {
  readonly heads: number;
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
  { heads, ...options }: AttendAllOptions,
): [mixed: Tensor, weights: Tensor] {
  const split = (x: Tensor): Tensor => splitHeads(x, x.size(-1) / heads);
  return attendHeads(split(query), { key: split(key), value: split(value) }, options);
}
