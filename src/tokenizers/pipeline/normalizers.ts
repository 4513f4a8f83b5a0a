import { type Budget, spend } from "./budget.ts";
import { spellBytes } from "./bytes.ts";
import { CharSet, charSet, classOf, inRanges, WHITESPACE, without } from "./char-set.ts";
import type { Fields } from "./fields.ts";
import { checkGrowth } from "./growth.ts";
import { readPattern } from "./pattern.ts";
import { type Piece, prependTo, type Rewrite, rewritePiece, slicePiece } from "./piece.ts";
import { readPrecompiled } from "./precompiled.ts";
import { NEW_BERT_MARKS, NEW_COMPOSITES, NEW_FORMATS, NEW_MARKS } from "./unicode-versions.ts";

/** Changes a text before it is split. */
export type Normalizer = (piece: Piece) => Piece;

/** The types of normalizers that a tokenizer.json may name. */
export type NormalizerType =
  | "BertNormalizer"
  | "Strip"
  | "StripAccents"
  | "NFC"
  | "NFD"
  | "NFKC"
  | "NFKD"
  | "Sequence"
  | "Lowercase"
  | "Nmt"
  | "Precompiled"
  | "Replace"
  | "Prepend"
  | "ByteLevel";

export const NORMALIZERS: { readonly [K in NormalizerType]: (fields: Fields) => Normalizer } = {
  BertNormalizer: readBert,
  Strip: readStrip,
  StripAccents: () => byCharacter((char) => (COMBINING.has(codeOf(char)) ? "" : char)),
  NFC: () => unicodeForm("NFC"),
  NFD: () => unicodeForm("NFD"),
  NFKC: () => unicodeForm("NFKC"),
  NFKD: () => unicodeForm("NFKD"),
  Sequence: readSequence,
  Lowercase: () => LOWERCASE,
  Nmt: () => byCharacter(nmt),
  Precompiled: (fields) => {
    const rewrites = readPrecompiled(fields);
    return byRewrites(rewrites, fields.where);
  },
  Replace: readReplace,
  Prepend: (fields) => {
    const prefix = fields.text("prepend");
    return (piece) => (piece.text === "" ? piece : prependTo(piece, prefix));
  },
  ByteLevel: () => byCharacter(spellBytes),
};

/** What a piece costs besides its characters. */
const STEPS_PER_PIECE = 10;

export function readNormalizer(fields: Fields): Normalizer {
  const normalize = fields.component(NORMALIZERS)(fields);
  return (piece) => {
    const normalized = normalize(piece);
    const steps = STEPS_PER_PIECE + piece.text.length + normalized.text.length;
    spend(piece.budget, steps, fields.where);
    checkGrowth(piece.text.length, normalized.text.length, fields.where);
    return normalized;
  };
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0;
}

function byRewrites(
  rewrites: (text: string, budget: Budget) => Rewrite[],
  where: string,
): Normalizer {
  return (piece) => {
    const parts = rewrites(piece.text, piece.budget);
    const length = parts.reduce((sum, [, output]) => sum + output.length, 0);
    checkGrowth(piece.text.length, length, where);
    return rewritePiece(piece, parts.map(([, output]) => output).join(""), () => parts);
  };
}

/** A normalizer that looks at one character at a time. */
function byCharacter(change: (char: string) => string): Normalizer {
  return (piece) => {
    let text = "";
    for (const char of piece.text) text += change(char);
    return rewritePiece(piece, text, () =>
      Array.from(piece.text, (char): Rewrite => [char.length, change(char)]),
    );
  };
}

/** Characters that Rust's normaliser of Unicode takes for combining. */
const COMBINING = without(charSet("[\\p{M}\\u1cf2\\u1cf3]"), NEW_MARKS);

/** A character with the marks on it, or a syllable of Hangul: what composing may join. */
const COMPOSED = /[\u1100-\u11ff\uac00-\ud7a3]+\p{M}*|[^]\p{M}*/gu;

type UnicodeForm = "NFC" | "NFD" | "NFKC" | "NFKD";

const NEW_COMPOSITE = new RegExp(`([${classOf(NEW_COMPOSITES)}])`, "u");

function inForm(text: string, form: UnicodeForm): string {
  if (!NEW_COMPOSITE.test(text)) return text.normalize(form);
  const parts = text.split(NEW_COMPOSITE);
  return parts.map((part, i) => (i % 2 === 1 ? part : part.normalize(form))).join("");
}

/** Marks are put in order one by one, which takes the square of their number. */
const LONG_MARKS = /\p{M}{64,}/gu;

function unicodeForm(form: UnicodeForm): Normalizer {
  return (piece) => {
    for (const [marks] of piece.text.matchAll(LONG_MARKS)) {
      spend(piece.budget, (marks.length * marks.length) / 64, form);
    }
    const text = inForm(piece.text, form);
    return rewritePiece(piece, text, () => {
      const parts = piece.text.match(COMPOSED) ?? [];
      const rewrites = parts.map((part): Rewrite => [part.length, inForm(part, form)]);
      const isWhole = rewrites.map(([, output]) => output).join("") === text;
      return isWhole ? rewrites : [[piece.text.length, text]];
    });
  };
}

const LOWERCASE = byCharacter((char) => char.toLowerCase());

function nmt(char: string): string {
  const code = codeOf(char);
  if (inRanges(NMT_REMOVED, code)) return "";
  return inRanges(NMT_SPACES, code) ? " " : char;
}

const NMT_REMOVED = [
  0x01, 0x08, 0x0b, 0x0b, 0x0e, 0x1f, 0x7f, 0x7f, 0x8f, 0x8f, 0x9f, 0x9f,
] as const;
const NMT_SPACES = [
  0x09, 0x0a, 0x0c, 0x0d, 0x1680, 0x1680, 0x200b, 0x200f, 0x2028, 0x2029, 0x2581, 0x2581, 0xfeff,
  0xfeff, 0xfffd, 0xfffd,
] as const;

/** Where the spaces begin that a text ends with. */
function endOfText(text: string): number {
  let end = text.length;
  while (end > 0 && WHITESPACE.has(text.charCodeAt(end - 1))) end--;
  return end;
}

function readStrip(fields: Fields): Normalizer {
  const left = fields.flag("strip_left");
  const right = fields.flag("strip_right");
  return (piece) => {
    const { text } = piece;
    const end = right ? endOfText(text) : text.length;
    let begin = 0;
    if (left) while (begin < end && WHITESPACE.has(text.charCodeAt(begin))) begin++;
    return slicePiece(piece, begin, end);
  };
}

function readReplace(fields: Fields): Normalizer {
  const find = readPattern(fields);
  const content = fields.text("content");
  return byRewrites((text, budget) => {
    const matches = find(text, budget);
    const replaced = matches.filter(([, , isMatch]) => isMatch).length;
    checkGrowth(text.length, replaced * content.length, fields.where);
    return matches.map(([begin, end, isMatch]): Rewrite => [
      end - begin,
      isMatch ? content : text.slice(begin, end),
    ]);
  }, fields.where);
}

function readSequence(fields: Fields): Normalizer {
  const normalizers = fields.children("normalizers").map(readNormalizer);
  return (whole) =>
    normalizers.reduce((piece, normalize) => {
      const next = normalize(piece);
      checkGrowth(whole.text.length, next.text.length, fields.where);
      return next;
    }, whole);
}

/** Controls, formats and what is for private use; tabs and line ends count as spaces. */
const CONTROL = new CharSet((code) => OTHER.has(code) && ![0x09, 0x0a, 0x0d].includes(code));
const OTHER = without(charSet("[\\p{Cc}\\p{Cf}\\p{Co}]"), NEW_FORMATS);
const NONSPACING = without(charSet("[\\p{Mn}\\u1734\\u{1171e}]"), NEW_BERT_MARKS);
const CHINESE = [
  0x4e00, 0x9fff, 0x3400, 0x4dbf, 0x20000, 0x2a6df, 0x2a700, 0x2b73f, 0x2b740, 0x2b81f, 0x2b920,
  0x2ceaf, 0xf900, 0xfaff, 0x2f800, 0x2fa1f,
] as const;

function cleaned(char: string): string {
  const code = codeOf(char);
  if (code === 0 || code === 0xfffd || CONTROL.has(code)) return "";
  return WHITESPACE.has(code) ? " " : char;
}

function readBert(fields: Fields): Normalizer {
  const lowercase = fields.flag("lowercase");
  const stripAccents = fields.has("strip_accents") ? fields.flag("strip_accents") : lowercase;
  const steps: Normalizer[] = [];
  if (fields.flag("clean_text")) steps.push(byCharacter(cleaned));
  if (fields.flag("handle_chinese_chars")) {
    steps.push(byCharacter((char) => (inRanges(CHINESE, codeOf(char)) ? ` ${char} ` : char)));
  }
  if (stripAccents) {
    steps.push(unicodeForm("NFD"));
    steps.push(byCharacter((char) => (NONSPACING.has(codeOf(char)) ? "" : char)));
  }
  if (lowercase) steps.push(LOWERCASE);
  return (whole) => steps.reduce((piece, step) => step(piece), whole);
}
