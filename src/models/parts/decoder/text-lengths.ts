import type { Tensor } from "../../../tensor/tensor.ts";

/** Whether what was made of texts of `before` tokens is of no use for texts of `after` tokens. */
export type Changes = (before: number, after: number) => boolean;

/** Tokens as far as their number is known. */
interface Tokens {
  /** Places in the cache. */
  readonly past: number;
  /** New places. */
  readonly queries: number;
  readonly attentionMask: Tensor | undefined;
  /** As given. */
  readonly positionIds: Tensor | undefined;
}

/** Whether, in some row, the new tokens make the text so long that something changes. */
export function somethingChanges(changes: Changes, tokens: Tokens): boolean {
  if (tokens.past === 0) return false;
  return lengthsOf(tokens).some(([before, after]) => changes(before, after));
}

/** Lengths of the rows' texts without and with the new tokens; all that could be, if they are unknown. */
function lengthsOf({ past, queries, attentionMask, positionIds }: Tokens): [number, number][] {
  const given = positionIds?.values;
  if (positionIds !== undefined && given !== undefined) {
    return rowsOf(positionIds).map((row): [number, number] => [
      Math.min(...row),
      Math.max(...row) + 1,
    ]);
  }
  const known = positionIds === undefined && attentionMask?.values !== undefined;
  if (known) {
    return rowsOf(attentionMask).map((row): [number, number] => {
      const real = (places: readonly number[]): number => places.filter((v) => v !== 0).length;
      return [real(row.slice(0, past)), real(row)];
    });
  }
  if (positionIds === undefined && attentionMask === undefined) return [[past, past + queries]];
  return Array.from({ length: past }, (_, i) => [i + 1, past + queries]);
}

function rowsOf({ values, shape }: Tensor): number[][] {
  const [rows = 0, length = 0] = shape;
  const all = Array.from<number | bigint, number>(values ?? [], Number);
  return Array.from({ length: rows }, (_, i) => all.slice(i * length, (i + 1) * length));
}
