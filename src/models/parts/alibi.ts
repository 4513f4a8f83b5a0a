import { fail } from "../../nn/errors.ts";
import { arange } from "../../tensor/functions/creation.ts";
import { fromBFloat16, toBFloat16 } from "../../tensor/half.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { positionsOf } from "../model/mask.ts";
import type { CausalMaskOptions } from "./attention-mask.ts";

/** How steeply scores fall with the distance, by head (ALiBi, arXiv 2108.12409). */
export function alibiSlopes(heads: number): number[] {
  const whole = 2 ** Math.floor(Math.log2(heads));
  const series = (count: number): number[] => {
    const base = Math.fround(2 ** -(8 / count));
    return Array.from({ length: count }, (_, i) => Math.fround(base ** (i + 1)));
  };
  // Where there is no such number of heads, every other of twice as many slopes stands between.
  const between = series(2 * whole).filter((_, i) => i % 2 === 0);
  return [...series(whole), ...between].slice(0, heads);
}

/**
 * How many real tokens come before each, row by row, and undefined for padding; undefined as a whole
 * where that is not known before it is computed.
 */
function countsOf({
  past,
  queries,
  attentionMask,
}: CausalMaskOptions): (number | undefined)[][] | undefined {
  const keys = past + queries;
  const counted = (real: readonly boolean[]): (number | undefined)[] => {
    let count = 0;
    return real.map((isReal) => (isReal ? count++ : undefined));
  };
  if (attentionMask === undefined) return [counted(Array.from({ length: keys }, () => true))];
  const { values, shape } = attentionMask;
  if (values === undefined) return undefined;
  const all = Array.from<number | bigint, boolean>(values, (value) => Number(value) !== 0);
  const rows = Array.from({ length: shape[0] ?? 0 }, (_, row) => row * keys);
  return rows.map((first) => counted(all.slice(first, first + keys)));
}

/**
 * @param model what the message begins with.
 * @throws ModelError for positions that are not those that the mask counts, which would change nothing.
 */
export function requireCounted(
  model: string,
  positionIds: Tensor | undefined,
  tokens: CausalMaskOptions,
): void {
  const given = positionIds?.values;
  const counts = given === undefined ? undefined : countsOf(tokens);
  if (given === undefined || counts === undefined) return;
  const { past, queries } = tokens;
  const rows = Math.max(given.length / queries, counts.length);
  for (let i = 0; i < queries * rows; i++) {
    const counted = counts[Math.floor(i / queries) % counts.length]?.[past + (i % queries)];
    const id = Number(given[i % given.length]);
    if (counted === undefined || id === counted) continue;
    fail(
      model,
      `positionIds say ${id} where ${counted} real tokens stand before; distances are those of the ` +
        "tokens that the attentionMask counts, so leave positionIds out",
    );
  }
}

/** What {@link alibi} needs to know beside the tokens. */
export interface AlibiOptions {
  readonly heads: number;
  /** Round slopes, positions and products to bfloat16, as models do that were trained so. @default false */
  readonly rounded?: boolean;
}

/**
 * Added to attention scores, so that they fall with the distance of key and query: [1 or batch, heads,
 * 1, keys]. It is the keys' positions times a slope, which differs from distances by what is the same for
 * all keys of a query. Padding does not count.
 */
export function alibi(
  { past, queries, attentionMask }: CausalMaskOptions,
  { heads, rounded = false }: AlibiOptions,
): Tensor {
  const keys = past + queries;
  const positions =
    attentionMask === undefined
      ? arange(keys).unsqueeze(0)
      : positionsOf({ queries: keys, attentionMask });
  const slopes = alibiSlopes(heads).map((x) => (rounded ? fromBFloat16(toBFloat16(x)) : x));
  const column = Tensor.fromData(Float32Array.from(slopes), [heads, 1, 1]);
  const kept = (t: Tensor): Tensor => (rounded ? t.to("bfloat16").to("float32") : t);
  const places = kept(positions.to("float32")).unsqueeze(1).unsqueeze(1);
  return kept(column.mul(places));
}
