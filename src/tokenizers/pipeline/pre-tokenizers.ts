import { TokenizerError } from "./tokenizer-error.ts";
import { spend } from "./budget.ts";
import { spellBytes } from "./bytes.ts";
import { CharSet, NUMERIC, PUNCTUATION, WHITESPACE, WORD } from "./char-set.ts";
import type { Fields } from "./fields.ts";
import { checkGrowth } from "./growth.ts";
import { readPattern } from "./pattern.ts";
import { type Piece, prependTo, type Rewrite, rewritePiece, slicePiece } from "./piece.ts";
import { regexFinder } from "./regex/regex-finder.ts";
import {
  charFinder,
  type Finder,
  inverted,
  runFinder,
  SPLIT_BEHAVIORS,
  type SplitBehavior,
  splitPieces,
  textFinder,
  withGaps,
} from "./splitting.ts";
import { scriptBreaks } from "./unicode-scripts.ts";

/** Splits a normalized text into what the model sees one by one. */
export type PreTokenizer = (pieces: readonly Piece[]) => readonly Piece[];

/** The types of pre-tokenizers that a tokenizer.json may name. */
export type PreTokenizerType =
  | "BertPreTokenizer"
  | "ByteLevel"
  | "CharDelimiterSplit"
  | "Metaspace"
  | "Whitespace"
  | "Sequence"
  | "Split"
  | "Punctuation"
  | "WhitespaceSplit"
  | "Digits"
  | "UnicodeScripts"
  | "FixedLength";

export const PRE_TOKENIZERS: {
  readonly [K in PreTokenizerType]: (fields: Fields) => PreTokenizer;
} = {
  BertPreTokenizer: () => (pieces) =>
    splitPieces(splitPieces(pieces, SPACES, "Removed"), PUNCTUATIONS, "Isolated"),
  ByteLevel: readByteLevel,
  CharDelimiterSplit: (fields) => splitter(textFinder(fields.character("delimiter")), "Removed"),
  Metaspace: readMetaspace,
  Whitespace: () => splitter(WORDS, "Removed"),
  Sequence: readSequence,
  Split: readSplit,
  Punctuation: (fields) =>
    splitter(PUNCTUATIONS, fields.word("behavior", SPLIT_BEHAVIORS, "Isolated")),
  WhitespaceSplit: () => splitter(SPACES, "Removed"),
  Digits: (fields) =>
    splitter(DIGITS, fields.flag("individual_digits") ? "Isolated" : "Contiguous"),
  UnicodeScripts: () => (pieces) => pieces.flatMap((piece) => cut(piece, scriptBreaks(piece.text))),
  FixedLength: readFixedLength,
};

/** What a piece costs besides its characters. */
const STEPS_PER_PIECE = 10;

export function readPreTokenizer(fields: Fields): PreTokenizer {
  const split = fields.component(PRE_TOKENIZERS)(fields);
  return (pieces) => {
    const budget = pieces[0]?.budget;
    const steps = lengthOf(pieces) + STEPS_PER_PIECE * pieces.length;
    if (budget !== undefined) spend(budget, steps, fields.where);
    return split(pieces);
  };
}

const SPACES = charFinder(WHITESPACE);
const PUNCTUATIONS = charFinder(PUNCTUATION);
const DIGITS = charFinder(NUMERIC);
const NEITHER = new CharSet((code) => !WORD.has(code) && !WHITESPACE.has(code));

/** Runs of a word's characters, and runs of others; the spaces between them match. */
const WORDS: Finder = (text, budget) => {
  const runs = [...runFinder(WORD)(text, budget), ...runFinder(NEITHER)(text, budget)]
    .filter(([, , isMatch]) => isMatch)
    .toSorted(([a], [b]) => a - b);
  return inverted(() =>
    withGaps(
      text,
      runs.map(([begin, end]) => [begin, end] as const),
    ),
  )(text, budget);
};

function splitter(find: Finder, behavior: SplitBehavior): PreTokenizer {
  return (pieces) => splitPieces(pieces, find, behavior);
}

function readSequence(fields: Fields): PreTokenizer {
  const steps = fields.children("pretokenizers").map(readPreTokenizer);
  return (whole) =>
    steps.reduce((pieces, step) => {
      const next = step(pieces);
      checkGrowth(lengthOf(whole), lengthOf(next), fields.where);
      return next;
    }, whole);
}

function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { text }) => sum + text.length, 0);
}

function readSplit(fields: Fields): PreTokenizer {
  const find = readPattern(fields);
  const behavior = fields.word("behavior", SPLIT_BEHAVIORS);
  return splitter(fields.flag("invert") ? inverted(find) : find, behavior);
}

/** GPT-2's words. */
const GPT2_WORDS = regexFinder(
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
);

function readByteLevel(fields: Fields): PreTokenizer {
  const addsSpace = fields.flag("add_prefix_space");
  const usesRegex = fields.flag("use_regex", true);
  fields.flag("trim_offsets", true);
  return (pieces) => {
    const begun = addsSpace ? pieces.map((piece) => withSpace(piece)) : pieces;
    const split = usesRegex ? splitPieces(begun, GPT2_WORDS, "Isolated") : begun;
    return split.map(spelled);
  };
}

function withSpace(piece: Piece): Piece {
  return piece.text.startsWith(" ") ? piece : prependTo(piece, " ");
}

function spelled(piece: Piece): Piece {
  return rewritePiece(piece, spellBytes(piece.text), () =>
    Array.from(piece.text, (char): Rewrite => [char.length, spellBytes(char)]),
  );
}

/** When a word gets the mark of a space before it, though none is there. */
export const PREPEND_SCHEMES = ["always", "first", "never"] as const;
export type PrependScheme = (typeof PREPEND_SCHEMES)[number];

/** What Metaspace says, as a pre-tokenizer or as a decoder. */
export function readMetaspaceFields(fields: Fields): {
  readonly mark: string;
  readonly scheme: PrependScheme;
  readonly splits: boolean;
} {
  const mark = fields.character("replacement");
  const scheme = fields.word("prepend_scheme", PREPEND_SCHEMES, "always");
  const never = fields.has("add_prefix_space") && !fields.flag("add_prefix_space");
  if (never && scheme !== "never") {
    throw new TokenizerError(
      `${fields.where}: add_prefix_space is false, which contradicts prepend_scheme ` +
        `${JSON.stringify(scheme)}; "never" was expected`,
    );
  }
  return { mark, scheme, splits: fields.flag("split", true) };
}

function readMetaspace(fields: Fields): PreTokenizer {
  const { mark, scheme, splits } = readMetaspaceFields(fields);
  const marks = textFinder(mark);
  return (pieces) => {
    const marked = pieces.map((piece) => {
      const spaced = rewritePiece(piece, piece.text.replaceAll(" ", mark), () =>
        Array.from(piece.text, (char): Rewrite => [char.length, char === " " ? mark : char]),
      );
      const begins = scheme === "always" || (scheme === "first" && piece.first);
      return begins && !spaced.text.startsWith(mark) ? prependTo(spaced, mark) : spaced;
    });
    return splits ? splitPieces(marked, marks, "MergedWithNext") : marked;
  };
}

function readFixedLength(fields: Fields): PreTokenizer {
  const length = fields.count("length", 5);
  if (length === 0) throw fields.wrong("length", "a whole number of at least 1");
  return (pieces) =>
    pieces.flatMap((piece) => {
      const breaks: number[] = [];
      let [at, count] = [0, 0];
      for (const char of piece.text) {
        if (count++ % length === 0) breaks.push(at);
        at += char.length;
      }
      return cut(piece, breaks);
    });
}

/** Cuts a piece where each part begins. */
function cut(piece: Piece, breaks: readonly number[]): Piece[] {
  return breaks
    .map((begin, i) => slicePiece(piece, begin, breaks[i + 1] ?? piece.text.length))
    .filter(({ text }) => text !== "");
}
