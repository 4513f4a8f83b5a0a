/** The bytes that byte-level BPE writes as themselves: those that print. */
const PRINTABLE: readonly (readonly [first: number, last: number])[] = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
];

/**
 * GPT-2's 256 stand-ins for bytes, in the order of its vocabulary: first the bytes that print, as
 * themselves, then the others as the characters from U+0100 on.
 */
function byteAlphabet(): Map<number, string> {
  const alphabet = new Map<number, string>();
  for (const [first, last] of PRINTABLE) {
    for (let byte = first; byte <= last; byte += 1) alphabet.set(byte, String.fromCharCode(byte));
  }
  let next = 0x100;
  for (let byte = 0; byte < 256; byte += 1) {
    if (!alphabet.has(byte)) alphabet.set(byte, String.fromCharCode(next++));
  }
  return alphabet;
}

/** GPT-2's rule for the pieces of text that merges never cross. */
const PIECES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Two neighbouring tokens that become one. */
export type Merge = readonly [left: string, right: string];

/** What {@link trainBpe} learns. */
export interface Bpe {
  /** All tokens, in byte-level letters; a token's index is its id. */
  readonly vocabulary: readonly string[];
  /** In the order in which an encoder applies them. */
  readonly merges: readonly Merge[];
}

/** Settings of {@link trainBpe}. */
export interface BpeOptions {
  /** Upper bound on the number of tokens, the 256 bytes included. */
  readonly vocabularySize: number;
  /** Pairs that occur less often than this are not merged. */
  readonly minimumCount: number;
}

interface Piece {
  symbols: string[];
  readonly count: number;
}

function countPieces(texts: Iterable<string>): Piece[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const piece of text.match(PIECES) ?? []) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  const alphabet = byteAlphabet();
  const encoder = new TextEncoder();
  return [...counts].map(([piece, count]) => ({
    symbols: Array.from(encoder.encode(piece), (byte) => alphabet.get(byte) ?? ""),
    count,
  }));
}

// Byte-level letters never include a space, so it can join the two halves of a pair.
function countPairs(pieces: readonly Piece[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { symbols, count } of pieces) {
    for (let index = 1; index < symbols.length; index += 1) {
      const pair = `${symbols[index - 1] ?? ""} ${symbols[index] ?? ""}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  return counts;
}

/** The most frequent pair; of equals the first in code order, so that the result never varies. */
function mostFrequent(counts: ReadonlyMap<string, number>, minimum: number): string | undefined {
  let best: string | undefined;
  let bestCount = minimum;
  for (const [pair, count] of counts) {
    if (count < bestCount || (count === bestCount && best !== undefined && pair > best)) continue;
    best = pair;
    bestCount = count;
  }
  return best;
}

function applyMerge(symbols: string[], left: string, right: string): string[] {
  const merged: string[] = [];
  for (let index = 0; index < symbols.length; index += 1) {
    const symbol = symbols[index] ?? "";
    const isPair = symbol === left && symbols[index + 1] === right;
    merged.push(isPair ? left + right : symbol);
    if (isPair) index += 1;
  }
  return merged;
}

/**
 * Learns a byte-level BPE as GPT-2's: the 256 bytes, then again and again the most frequent pair
 * of neighbouring tokens inside a piece of text, until the vocabulary is full or every frequent
 * piece is one token.
 *
 * @param texts The training text, without special tokens.
 */
export function trainBpe(texts: Iterable<string>, options: BpeOptions): Bpe {
  const pieces = countPieces(texts);
  const vocabulary = [...byteAlphabet().values()];
  const merges: Merge[] = [];
  while (vocabulary.length < options.vocabularySize) {
    const pair = mostFrequent(countPairs(pieces), options.minimumCount);
    if (pair === undefined) break;
    const [left = "", right = ""] = pair.split(" ");
    merges.push([left, right]);
    vocabulary.push(left + right);
    for (const piece of pieces) piece.symbols = applyMerge(piece.symbols, left, right);
  }
  return { vocabulary, merges };
}
