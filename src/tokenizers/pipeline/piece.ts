import { type Budget, budgetFor } from "./budget.ts";

/**
 * A part of a text on its way through a tokenizer. `spans` says for every UTF-16 unit of `text`
 * where in the original text it comes from (begin and end, two numbers a unit); it is there only
 * when positions are asked for.
 */
export interface Piece {
  /** The text, after normalising. */
  readonly text: string;
  /**
   * Begin and end in the original text of each UTF-16 unit; undefined where they are the unit's
   * own.
   */
  readonly spans: Int32Array | undefined;
  /** Whether the piece begins where the original text does. */
  readonly first: boolean;
  /** Steps that are left for the whole text, which all of its pieces share. */
  readonly budget: Budget;
}

/** A part of a text and what it becomes: how many units of the text, and what is there instead. */
export type Rewrite = readonly [length: number, output: string];

/** A whole text; with `tracked`, its units know where they come from. */
export function wholePiece(
  text: string,
  tracked: boolean,
  budget: Budget = budgetFor(text.length),
): Piece {
  if (!tracked) return { text, spans: undefined, first: true, budget };
  const spans = Int32Array.from({ length: text.length * 2 }, (_, i) => (i + 1) >> 1);
  return { text, spans, first: true, budget };
}

/** @param begin the first unit; @param end after the last one. */
export function slicePiece(piece: Piece, begin: number, end: number): Piece {
  if (begin === 0 && end === piece.text.length) return piece;
  return {
    text: piece.text.slice(begin, end),
    spans: piece.spans?.subarray(begin * 2, end * 2),
    first: piece.first && begin === 0,
    budget: piece.budget,
  };
}

/** The original text that units `begin` to `end` come from. */
export function originOf(
  spans: Int32Array,
  begin: number,
  end: number,
): readonly [begin: number, end: number] {
  if (begin < end) {
    let [first, last] = [spans[begin * 2] ?? 0, 0];
    for (let i = begin; i < end; i++) {
      first = Math.min(first, spans[i * 2] ?? 0);
      last = Math.max(last, spans[i * 2 + 1] ?? 0);
    }
    return [first, last];
  }
  const at = begin * 2 < spans.length ? (spans[begin * 2] ?? 0) : (spans.at(-1) ?? 0);
  return [at, at];
}

/** The piece with another text, made of its own by `rewrites` in order. */
export function rewritePiece(piece: Piece, text: string, rewrites: () => Rewrite[]): Piece {
  const { spans } = piece;
  if (spans === undefined || text === piece.text) return { ...piece, text };
  const rewritten = new Int32Array(text.length * 2);
  let [from, to] = [0, 0];
  for (const [length, output] of rewrites()) {
    const kept = length === output.length && piece.text.startsWith(output, from);
    if (kept) rewritten.set(spans.subarray(from * 2, (from + length) * 2), to * 2);
    else fillSpans(rewritten, to, output.length, originOf(spans, from, from + length));
    from += length;
    to += output.length;
  }
  return { ...piece, text, spans: rewritten };
}

function fillSpans(
  spans: Int32Array,
  at: number,
  length: number,
  [begin, end]: readonly [number, number],
): void {
  for (let i = at; i < at + length; i++) {
    spans[i * 2] = begin;
    spans[i * 2 + 1] = end;
  }
}

/** The piece with text put before it that comes from nowhere. */
export function prependTo(piece: Piece, prefix: string): Piece {
  return rewritePiece(piece, prefix + piece.text, () => [
    [0, prefix],
    [piece.text.length, piece.text],
  ]);
}
