/** What one letter after a backslash stands for. */
const LETTERS: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** A character by its number; a half of a pair cannot be written as UTF-8, so no model reads it. */
function character(code: number, fail: (message: string) => never): string {
  if (code > 0x10ffff) fail("illegal Unicode character");
  if (code >= 0xd800 && code <= 0xdfff) {
    fail("a text has a surrogate, which is half a character and is not rendered here");
  }
  return String.fromCodePoint(code);
}

/** Python turns a character that is not ASCII into an escape before it looks for escapes. */
function asciiEscape(text: string): string {
  const code = text.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  if (code < 0x100) return `x${digits.padStart(2, "0")}`;
  return code < 0x10000 ? `u${digits.padStart(4, "0")}` : `U${digits.padStart(8, "0")}`;
}

/** What a text in a template means, as Python reads it: an unknown escape stays as it is. */
export function unescapeText(source: string, fail: (message: string) => never): string {
  if (!source.includes("\\")) return source;
  return source.replaceAll(
    /\\(?:([0-7]{1,3})|([xuU])([\da-fA-F]*)|(N)|([^]))/gu,
    (_, octal?: string, hex?: string, digits = "", named?: string, other = "") => {
      if (octal !== undefined) return character(Number.parseInt(octal, 8), fail);
      if (named !== undefined) fail("\\N{...} in a text is not rendered here; use \\u");
      if (hex === undefined) {
        return LETTERS[other] ?? `\\${other > "\x7f" ? asciiEscape(other) : other}`;
      }
      const length = HEX_DIGITS[hex] ?? 0;
      if (digits.length < length) fail(`truncated \\${hex} escape in a text`);
      const code = Number.parseInt(digits.slice(0, length), 16);
      return character(code, fail) + digits.slice(length);
    },
  );
}
