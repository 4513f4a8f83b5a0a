import { arange, onesLike } from "../../tensor/functions/creation.ts";
import { fail } from "../../nn/errors.ts";
import { show } from "../../tensor/shape.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import { Tensor } from "../../tensor/tensor.ts";

/**
 * How the padding of a mask stands: nowhere, after the texts only, before them (and perhaps after),
 * within one, or not known before the mask is computed.
 */
export type Padding = "none" | "after" | "before" | "within" | "unknown";

const looked = new WeakMap<Tensor, Padding>();

/** How the padding of a mask [batch, sequence] stands, as far as its numbers are known. */
export function paddingOf(mask: Tensor | undefined): Padding {
  if (mask === undefined) return "none";
  if (mask.values === undefined) return "unknown";
  const found = looked.get(mask) ?? look(mask);
  looked.set(mask, found);
  return found;
}

const WORST: readonly Padding[] = ["within", "before", "after"];

function look({ values, shape }: Tensor): Padding {
  const length = shape.at(-1) ?? 1;
  const reals = Array.from<number | bigint, boolean>(values ?? [], (v) => Number(v) !== 0);
  const found = new Set<Padding>();
  for (let row = 0; row < reals.length; row += length) {
    found.add(paddingOfRow(reals.slice(row, row + length)));
  }
  return WORST.find((padding) => found.has(padding)) ?? "none";
}

function paddingOfRow(real: readonly boolean[]): Padding {
  const [first, last] = [real.indexOf(true), real.lastIndexOf(true)];
  if (first < 0) return "after";
  if (real.slice(first, last).includes(false)) return "within";
  if (first > 0) return "before";
  return last < real.length - 1 ? "after" : "none";
}

/** @throws ModelError for a mask that is not [batch, tokens]. */
export function checkMask(mask: Tensor, tokens: number): void {
  if (mask.ndim === 2 && mask.shape[1] === tokens) return;
  fail(
    "attentionMask",
    `expected [batch, ${tokens}] (cached and new tokens), got ${show(mask.shape)}`,
  );
}

/** How many real tokens there are up to each one, itself included: int64 [batch, sequence]. */
export function countReal(mask: Tensor): Tensor {
  return mask.to("bool").to("int64").cumsum(1);
}

/** Tokens of which positions are wanted. */
export interface NewTokens {
  /** Tokens before them, in the cache. @default 0 */
  readonly past?: number;
  readonly queries: number;
  /** [batch, past + queries], 1 for real tokens and 0 for padding. @default all real */
  readonly attentionMask?: Tensor | undefined;
}

/**
 * Positions [1 or batch, queries] int64: how many real tokens come before each, which is where it
 * stands in its text without the padding. Padding before a text has position 0.
 */
export function positionsOf({ past = 0, queries, attentionMask }: NewTokens): Tensor {
  const padding = paddingOf(attentionMask);
  if (attentionMask === undefined || padding === "none" || padding === "after") {
    return arange(past, past + queries).unsqueeze(0);
  }
  checkMask(attentionMask, past + queries);
  const all = countReal(attentionMask).sub(1).clamp({ min: 0 });
  return past === 0 ? all : all.slice(1, past);
}

/** Whether places in the batch are as far from each other as in the text: no padding between. */
export function isContiguous(mask: Tensor | undefined): boolean {
  const padding = paddingOf(mask);
  return padding !== "within" && padding !== "unknown";
}

/** Hidden states [batch, width] of the first token that is not padding. */
export function firstReal(hidden: Tensor, mask: Tensor | undefined): Tensor {
  const padding = paddingOf(mask);
  if (mask === undefined || padding === "none" || padding === "after") return hidden.select(1, 0);
  checkMask(mask, hidden.size(1));
  const first = mask.to("bool").to("int64").argmax(-1);
  return hidden.index([arange(hidden.size(0)), first]);
}

/** Whether some row is known to end in padding. */
export function endsInPadding(mask: Tensor | undefined): boolean {
  const [batch = 0, length = 0] = mask?.shape ?? [];
  const rows = Array.from({ length: batch }, (_, row) => row);
  return rows.some((row) => Number(mask?.values?.[(row + 1) * length - 1] ?? 1) === 0);
}

/** A mask with as many real tokens after it; its numbers are known where those of the mask are. */
export function withReal(mask: Tensor, count: number): Tensor {
  const [batch = 0, length = 0] = mask.shape;
  if (mask.values === undefined) {
    const one = onesLike(mask.slice(1, 0, 1));
    return cat([mask, one.expand([batch, count])], 1);
  }
  const all = new BigInt64Array(batch * (length + count)).fill(1n);
  Array.from(mask.values, Number).forEach((value, i) => {
    if (value === 0) all[i + Math.floor(i / length) * count] = 0n;
  });
  return Tensor.fromData(all, [batch, length + count]);
}
