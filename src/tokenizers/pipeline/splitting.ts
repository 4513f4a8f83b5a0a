import type { Budget } from "./budget.ts";
import type { CharSet } from "./char-set.ts";
import { type Piece, slicePiece } from "./piece.ts";

/** A part of a text, and whether the pattern matches it. Together they make the text. */
export type Match = readonly [begin: number, end: number, matches: boolean];

/** Finds where a pattern matches. */
export type Finder = (text: string, budget: Budget) => Match[];

/** What becomes of the matches when a text is split at them. */
export const SPLIT_BEHAVIORS = [
  "Removed",
  "Isolated",
  "MergedWithPrevious",
  "MergedWithNext",
  "Contiguous",
] as const;
export type SplitBehavior = (typeof SPLIT_BEHAVIORS)[number];

/** Fills what lies between the ranges that match. */
export function withGaps(text: string, ranges: Iterable<readonly [number, number]>): Match[] {
  const matches: Match[] = [];
  let end = 0;
  for (const [begin, next] of ranges) {
    if (begin > end) matches.push([end, begin, false]);
    matches.push([begin, next, true]);
    end = next;
  }
  if (end < text.length) matches.push([end, text.length, false]);
  return matches;
}

/** Every character of a set is a match of its own. */
export function charFinder(set: CharSet): Finder {
  return (text) => withGaps(text, charRanges(text, set));
}

function* charRanges(text: string, set: CharSet): Generator<readonly [number, number]> {
  for (let i = 0; i < text.length;) {
    const code = text.codePointAt(i) ?? 0;
    const next = i + (code > 0xffff ? 2 : 1);
    if (set.has(code)) yield [i, next];
    i = next;
  }
}

/** Every run of characters that the set has is a match. */
export function runFinder(set: CharSet): Finder {
  return (text) => withGaps(text, joined(charRanges(text, set)));
}

function* joined(
  ranges: Iterable<readonly [number, number]>,
): Generator<readonly [number, number]> {
  let open: readonly [number, number] | undefined;
  for (const range of ranges) {
    if (open !== undefined && open[1] !== range[0]) yield open;
    open = open !== undefined && open[1] === range[0] ? [open[0], range[1]] : range;
  }
  if (open !== undefined) yield open;
}

/** Every occurrence of a text that is not empty is a match. */
export function textFinder(part: string): Finder {
  return (text) => withGaps(text, occurrences(text, part));
}

function* occurrences(text: string, part: string): Generator<readonly [number, number]> {
  let at = text.indexOf(part);
  while (at >= 0) {
    yield [at, at + part.length];
    at = text.indexOf(part, at + part.length);
  }
}

export function inverted(find: Finder): Finder {
  return (text, budget) =>
    find(text, budget).map(([begin, end, matches]) => [begin, end, !matches]);
}

type Range = [begin: number, end: number];

/** Which ranges a text falls into, for each behaviour. */
const RANGES: { readonly [K in SplitBehavior]: (matches: readonly Match[]) => Range[] } = {
  Removed: (matches) => matches.filter((match) => !match[2]).map(([begin, end]) => [begin, end]),
  Isolated: (matches) => matches.map(([begin, end]) => [begin, end]),
  MergedWithPrevious: (matches) => merged(matches),
  MergedWithNext: (matches) => merged(matches.toReversed()).toReversed(),
  Contiguous: (matches) => {
    const ranges: Range[] = [];
    matches.forEach(([begin, end, isMatch], i) => {
      const last = ranges.at(-1);
      if (last !== undefined && matches[i - 1]?.[2] === isMatch) last[1] = end;
      else ranges.push([begin, end]);
    });
    return ranges;
  },
};

/** A match joins what was seen before it, unless that is a match too. */
function merged(matches: readonly Match[]): Range[] {
  const ranges: Range[] = [];
  let wasMatch = false;
  for (const [begin, end, isMatch] of matches) {
    const last = ranges.at(-1);
    if (isMatch && !wasMatch && last !== undefined) {
      last[0] = Math.min(last[0], begin);
      last[1] = Math.max(last[1], end);
    } else {
      ranges.push([begin, end]);
    }
    wasMatch = isMatch;
  }
  return ranges;
}

/** Splits pieces where a pattern matches; empty parts are left out. */
export function splitPieces(
  pieces: readonly Piece[],
  find: Finder,
  behavior: SplitBehavior,
): Piece[] {
  return pieces.flatMap((piece) =>
    RANGES[behavior](find(piece.text, piece.budget))
      .filter(([begin, end]) => begin < end)
      .map(([begin, end]) => slicePiece(piece, begin, end)),
  );
}
