import { characters, isSpace } from "./characters.ts";

/** Letters that Python writes otherwise at the start of a word than in capitals. */
const TITLE_CASES: ReadonlyMap<string, string> = new Map([
  ["\u01c4", "\u01c5"],
  ["\u01c5", "\u01c5"],
  ["\u01c6", "\u01c5"],
  ["\u01c7", "\u01c8"],
  ["\u01c8", "\u01c8"],
  ["\u01c9", "\u01c8"],
  ["\u01ca", "\u01cb"],
  ["\u01cb", "\u01cb"],
  ["\u01cc", "\u01cb"],
  ["\u01f1", "\u01f2"],
  ["\u01f2", "\u01f2"],
  ["\u0149", "\u02bcN"],
  ["\u1fb7", "\u0391\u0342\u0345"],
  ["\u1fc7", "\u0397\u0342\u0345"],
  ["\u1ff7", "\u03a9\u0342\u0345"],
  ["\u01f3", "\u01f2"],
]);

/** A letter as it begins a word. */
export function titleCase(letter: string): string {
  const known = TITLE_CASES.get(letter);
  if (known !== undefined) return known;
  // Georgian and titled Greek letters keep their form.
  if (/[\p{Lt}\u10d0-\u10ff]/u.test(letter)) return letter;
  const upper = letter.toUpperCase();
  const [first = "", ...rest] = upper;
  if (rest.length === 0) return upper;
  const greek = titledGreek(letter);
  return greek ?? first + rest.join("").toLowerCase();
}

/** Greek letters with a iota below have a form of their own. */
function titledGreek(letter: string): string | undefined {
  const [base = "", ...marks] = letter.normalize("NFD");
  if (!marks.includes("\u0345")) return undefined;
  return (base.toUpperCase() + marks.join("")).normalize("NFC");
}

/** `text.title()`: every run of letters begins with a capital. */
export function titled(text: string): string {
  const cased = /[\p{Lu}\p{Ll}\p{Lt}\p{Lowercase}\p{Uppercase}]/u;
  let inWord = false;
  return characters(text)
    .map((letter) => {
      const written = inWord ? letter.toLowerCase() : titleCase(letter);
      inWord = cased.test(letter);
      return written;
    })
    .join("");
}

/** `text.capitalize()`. */
export function capitalized(text: string): string {
  const [first = "", ...rest] = characters(text);
  return titleCase(first) + rest.join("").toLowerCase();
}

/** `text.swapcase()`. */
export function swappedCase(text: string): string {
  return characters(text)
    .map((letter) => {
      if (/\p{Uppercase}/u.test(letter)) return letter.toLowerCase();
      return /\p{Lowercase}/u.test(letter) ? letter.toUpperCase() : letter;
    })
    .join("");
}

function every(text: string, pattern: RegExp): boolean {
  return text !== "" && characters(text).every((character) => pattern.test(character));
}

/** Numbers that are digits without being decimal ones, such as superscripts. */
const DIGITS =
  /[\p{Nd}\u00b2\u00b3\u00b9\u1369-\u1371\u19da\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}\u{1f100}-\u{1f10a}]/u;
/** Han characters that mean numbers. */
const HAN_NUMBERS =
  /[\u3405\u3483\u382a\u3b4d\u4e00\u4e03\u4e07\u4e09\u4e5d\u4e8c\u4e94\u4e96\u4ebf\u4ec0\u4edf\u4ee8\u4f0d\u4f70\u5104\u5146\u5169\u516b\u516d\u5341\u5343\u5344\u5345\u534c\u53c1-\u53c4\u56db\u58f1\u58f9\u5e7a\u5efe\u5eff\u5f0c-\u5f0e\u5f10\u62fe\u634c\u67d2\u6f06\u7396\u767e\u8086\u842c\u8cae\u8cb3\u8d30\u9621\u9646\u964c\u9678\u96f6\uf96b\uf973\uf978\uf9b2\uf9d1\uf9d3\uf9fd\u{20001}\u{20064}\u{200e2}\u{20121}\u{2092a}\u{20983}\u{2098c}\u{2099c}\u{20aea}\u{20afd}\u{20b19}\u{22390}\u{22998}\u{23b1b}\u{2626d}\u{2f890}]/u;

function isCased(text: string, wanted: RegExp, other: RegExp): boolean {
  return wanted.test(text) && !other.test(text) && !/\p{Lt}/u.test(text);
}

function isTitled(text: string): boolean {
  let inWord = false;
  let found = false;
  for (const letter of text) {
    const isUpper = /[\p{Uppercase}\p{Lt}]/u.test(letter);
    const isLower = /\p{Lowercase}/u.test(letter);
    if ((isUpper && inWord) || (isLower && !inWord)) return false;
    inWord = isUpper || isLower;
    found ||= inWord;
  }
  return found;
}

type CharacterTest = `is${
  | "alnum"
  | "alpha"
  | "ascii"
  | "decimal"
  | "digit"
  | "identifier"
  | "lower"
  | "numeric"
  | "printable"
  | "space"
  | "title"
  | "upper"}`;

/** What Python's `text.is...()` ask. */
export const CHARACTER_TESTS: {
  readonly [K in CharacterTest]: (text: string) => boolean;
} = {
  isalnum: (text) =>
    text !== "" &&
    characters(text).every((one) => /[\p{L}\p{N}]/u.test(one) || HAN_NUMBERS.test(one)),
  isalpha: (text) => every(text, /\p{L}/u),
  // oxlint-disable-next-line no-control-regex -- ASCII begins with control characters
  isascii: (text) => /^[\x00-\x7f]*$/.test(text),
  isdecimal: (text) => every(text, /\p{Nd}/u),
  isdigit: (text) => every(text, DIGITS),
  isidentifier: (text) => /^[\p{ID_Start}_]\p{ID_Continue}*$/u.test(text),
  islower: (text) => isCased(text, /\p{Lowercase}/u, /\p{Uppercase}/u),
  isnumeric: (text) =>
    text !== "" && characters(text).every((one) => /\p{N}/u.test(one) || HAN_NUMBERS.test(one)),
  isprintable: (text) => !/[\p{C}\p{Z}]/u.test(text.replaceAll(" ", "")),
  isspace: (text) => text !== "" && characters(text).every((one) => isSpace(one)),
  istitle: isTitled,
  isupper: (text) => isCased(text, /\p{Uppercase}/u, /\p{Lowercase}/u),
};
