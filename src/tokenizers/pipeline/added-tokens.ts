import { type Budget, spend } from "./budget.ts";
import { WHITESPACE, WORD } from "./char-set.ts";
import type { Fields } from "./fields.ts";
import { PieceTrie } from "./piece-trie.ts";

/** A token that is found in a text before the model sees it. */
export interface AddedToken {
  /** Its text. */
  readonly content: string;
  /** Only where no character of a word is beside it. */
  readonly singleWord: boolean;
  /** Takes the spaces before it. */
  readonly stripsLeft: boolean;
  /** Takes the spaces after it. */
  readonly stripsRight: boolean;
  /** Looked for in the normalized text, itself normalized. */
  readonly normalized: boolean;
  /** Whether decoding can skip it. */
  readonly special: boolean;
}

/** Reads a token as tokenizer.json and `added_tokens_decoder` write it. */
export function readAddedToken(fields: Fields, special = false): AddedToken {
  const isSpecial = fields.flag("special", special);
  return {
    content: fields.text("content"),
    singleWord: fields.flag("single_word", false),
    stripsLeft: fields.flag("lstrip", false),
    stripsRight: fields.flag("rstrip", false),
    normalized: fields.flag("normalized", !isSpecial),
    special: isSpecial,
  };
}

/** A token of which only the text is written. */
export function plainToken(content: string, special: boolean): AddedToken {
  return {
    content,
    singleWord: false,
    stripsLeft: false,
    stripsRight: false,
    normalized: !special,
    special,
  };
}

/** A part of a text: an added token, or the text between two. */
export interface Found {
  /** First UTF-16 unit of the text. */
  readonly begin: number;
  /** The unit after the last. */
  readonly end: number;
  /** Of the added token; undefined for text between two. */
  readonly id: number | undefined;
}

/** Looks for added tokens in texts: the longest of those that begin first. */
export class AddedTokenFinder {
  readonly #trie = new PieceTrie();
  readonly #tokens: ReadonlyMap<number, AddedToken>;
  readonly #firstUnits = new Set<number>();

  readonly #isText: (token: AddedToken) => boolean;

  /**
   * @param spelling what a token looks like in the text.
   * @param isText whether a token that is found stays text.
   */
  constructor(
    tokens: Iterable<readonly [id: number, token: AddedToken]>,
    spelling: (id: number, token: AddedToken) => string,
    isText: (token: AddedToken) => boolean,
  ) {
    this.#isText = isText;
    this.#tokens = new Map(tokens);
    for (const [id, token] of this.#tokens) {
      const text = spelling(id, token);
      if (text !== "") this.#trie.add(text, id);
      this.#firstUnits.add(text.charCodeAt(0));
    }
  }

  /** Parts of a text in order; together they are the text. */
  find(text: string, budget: Budget): Found[] {
    const found: Found[] = [];
    let last = 0;
    for (const [begin, end, id] of this.#matches(text, budget)) {
      const token = this.#tokens.get(id);
      if (token === undefined || this.#isText(token)) continue;
      if (token.singleWord && !standsAlone(text, begin, end)) continue;
      const from = token.stripsLeft ? Math.max(last, spacesBefore(text, begin)) : begin;
      const to = token.stripsRight ? spacesAfter(text, end) : end;
      if (last < from) found.push({ begin: last, end: from, id: undefined });
      found.push({ begin: from, end: to, id });
      last = to;
    }
    if (last < text.length) found.push({ begin: last, end: text.length, id: undefined });
    return found;
  }

  *#matches(
    text: string,
    budget: Budget,
  ): Generator<readonly [begin: number, end: number, id: number]> {
    for (let begin = 0; begin < text.length;) {
      let [next, found] = [begin + 1, -1];
      if (this.#firstUnits.has(text.charCodeAt(begin))) {
        const steps = this.#trie.forEachAt(text, begin, (id, end) => {
          [next, found] = [end, id];
        });
        spend(budget, steps, "looking for added tokens");
      }
      if (found >= 0) yield [begin, next, found];
      begin = next;
    }
  }
}

function isWordAt(text: string, at: number): boolean {
  const code = text.codePointAt(at);
  return code !== undefined && WORD.has(code);
}

function standsAlone(text: string, begin: number, end: number): boolean {
  const previous = (text.charCodeAt(begin - 1) & 0xfc00) === 0xdc00 ? begin - 2 : begin - 1;
  return !(begin > 0 && isWordAt(text, previous)) && !isWordAt(text, end);
}

function spacesBefore(text: string, begin: number): number {
  let at = begin;
  while (at > 0 && WHITESPACE.has(text.charCodeAt(at - 1))) at--;
  return at;
}

function spacesAfter(text: string, end: number): number {
  let at = end;
  while (at < text.length && WHITESPACE.has(text.charCodeAt(at))) at++;
  return at;
}
