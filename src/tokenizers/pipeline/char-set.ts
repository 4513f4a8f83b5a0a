/** Pages of 256 characters: 0 where nothing is known yet, 1 outside, 2 inside. */
const PAGE = 8;

/** A set of characters that remembers its answers, so that asking is cheap. */
export class CharSet {
  readonly #test: (code: number) => boolean;
  readonly #pages: (Uint8Array | undefined)[] = [];

  /** @param test whether the character of a code point is in the set. */
  constructor(test: (code: number) => boolean) {
    this.#test = test;
  }

  has(code: number): boolean {
    const page = (this.#pages[code >> PAGE] ??= new Uint8Array(1 << PAGE));
    const known = page[code & 0xff];
    if (known !== 0) return known === 2;
    const inside = this.#test(code);
    page[code & 0xff] = inside ? 2 : 1;
    return inside;
  }
}

/** Inclusive ranges of code points, two numbers each. */
export type CodeRanges = readonly number[];

export function inRanges(ranges: CodeRanges, code: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (code >= (ranges[i] ?? 0) && code <= (ranges[i + 1] ?? 0)) return true;
  }
  return false;
}

/** The characters that a JavaScript class such as `\p{L}` matches. */
export function charSet(pattern: string): CharSet {
  const regex = new RegExp(`^${pattern}$`, "u");
  return new CharSet((code) => regex.test(String.fromCodePoint(code)));
}

/** A set without some characters. */
export function without(set: CharSet, ranges: CodeRanges): CharSet {
  return new CharSet((code) => set.has(code) && !inRanges(ranges, code));
}

/** Ranges as they stand in the brackets of a regular expression. */
export function classOf(ranges: CodeRanges): string {
  const spelled = ranges.map((code) => `\\u{${code.toString(16)}}`);
  return spelled.map((code, i) => (i % 2 === 1 ? `-${code}` : code)).join("");
}

/** Unicode's White_Space, which is not JavaScript's `\s`: U+0085 is in it, and U+FEFF is not. */
export const WHITESPACE: CharSet = charSet("\\p{White_Space}");
/** Numbers of any kind: decimal digits, letters and others, such as "½". */
export const NUMERIC: CharSet = charSet("\\p{N}");
/** A character of a word, as Rust's regular expressions see it. */
export const WORD: CharSet = charSet("[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]");
export const PUNCTUATION: CharSet = charSet("[\\p{P}!-/:-@\\[-`{-~]");
