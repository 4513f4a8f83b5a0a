/** What Python takes for white space in a text; JavaScript's `\s` differs in eight characters. */
export const SPACE =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const SPACES = new RegExp(`[${SPACE}]`);
const SURROGATES = /[\ud800-\udfff]/;

export function isSpace(character: string): boolean {
  return SPACES.test(character);
}

/** Whether UTF-16 units and Python's characters are the same in the text. */
export function isPlain(text: string): boolean {
  return !SURROGATES.test(text);
}

/** Python's characters: code points. */
export function characters(text: string): string[] {
  return isPlain(text) ? text.split("") : Array.from(text);
}

/** Number of code points. */
export function textLength(text: string): number {
  if (isPlain(text)) return text.length;
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** Part of a text from one code point up to another. */
export function textSlice(text: string, begin: number, end: number): string {
  if (isPlain(text)) return text.slice(begin, end);
  return characters(text).slice(begin, end).join("");
}

/** The index in code points of one in UTF-16 units. */
export function codePointIndex(text: string, index: number): number {
  return index <= 0 ? index : textLength(text.slice(0, index));
}

/** Less than, equal or greater than 0, as texts are ordered by code points. */
export function compareTexts(a: string, b: string): number {
  if (isPlain(a) || isPlain(b)) return compareUnits(a, b);
  const [left, right] = [characters(a), characters(b)];
  const at = left.findIndex((character, i) => character !== right[i]);
  if (at === -1) return left.length - right.length;
  return (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? -1);
}

/** In one of the texts, units are code points; only the other's surrogates sort too low. */
function compareUnits(a: string, b: string): number {
  if (isPlain(a) && isPlain(b)) return Number(a > b) - Number(a < b);
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1;
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1);
}

function spacesAtStart(text: string, isStripped: (character: string) => boolean): number {
  let begin = 0;
  for (const character of text) {
    if (!isStripped(character)) break;
    begin += character.length;
  }
  return begin;
}

export function stripStart(
  text: string,
  isStripped: (character: string) => boolean = isSpace,
): string {
  return text.slice(spacesAtStart(text, isStripped));
}

export function stripEnd(
  text: string,
  isStripped: (character: string) => boolean = isSpace,
): string {
  let end = text.length;
  while (end > 0) {
    const pair = end > 1 ? (text.codePointAt(end - 2) ?? 0) : 0;
    const begin = pair > 0xffff ? end - 2 : end - 1;
    if (!isStripped(text.slice(begin, end))) break;
    end = begin;
  }
  return text.slice(0, end);
}

/** As Python's `str.splitlines`. */
export function splitLines(text: string, keepEnds = false): string[] {
  const lines: string[] = [];
  // oxlint-disable-next-line no-control-regex -- Python takes separators for ends of lines
  const breaks = /\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/g;
  let begin = 0;
  for (const { index, 0: end } of text.matchAll(breaks)) {
    lines.push(text.slice(begin, keepEnds ? index + end.length : index));
    begin = index + end.length;
  }
  if (begin < text.length) lines.push(text.slice(begin));
  return lines;
}
