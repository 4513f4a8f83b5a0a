import { CharSet, charSet, WHITESPACE } from "../char-set.ts";

/** Whether the character of a code point is in a class. */
export type Test = (code: number) => boolean;

const WORD_PATTERN = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]";
/** Outside of brackets, Oniguruma counts a few numbers of Latin-1 to the words, too. */
export const WORD_CHARACTER: CharSet = charSet(
  `(?:${WORD_PATTERN}|[\u00b2\u00b3\u00b9\u00bc-\u00be])`,
);
export const ANY_CHARACTER: CharSet = new CharSet(() => true);
export const NO_LINE_END: CharSet = new CharSet((code) => code !== 0x0a);

const DIGIT = charSet("\\p{Nd}");
const HEX_DIGIT = charSet("[0-9A-Fa-f]");

/** The classes that a letter after a backslash stands for; its capital for the rest. */
export const CLASS_LETTERS: Readonly<Record<string, CharSet>> = {
  d: DIGIT,
  h: HEX_DIGIT,
  s: WHITESPACE,
  w: charSet(WORD_PATTERN),
};

/** Names that POSIX gives classes, in brackets or as properties. */
const POSIX: Readonly<Record<string, string>> = {
  alnum: "[\\p{Alphabetic}\\p{Nd}]",
  alpha: "\\p{Alphabetic}",
  any: "[^]",
  ascii: "[\\0-\\x7f]",
  blank: "[\\p{Zs}\\t]",
  cntrl: "\\p{Cc}",
  digit: "\\p{Nd}",
  graph: "[^\\p{White_Space}\\p{Cc}\\p{Cn}\\p{Cs}]",
  lower: "\\p{Lowercase}",
  print: "(?:[^\\p{White_Space}\\p{Cc}\\p{Cn}\\p{Cs}]|\\p{Zs})",
  punct: "[\\p{P}\\p{S}]",
  space: "\\p{White_Space}",
  upper: "\\p{Uppercase}",
  word: WORD_PATTERN,
  xdigit: "[0-9A-Fa-f]",
};

const sets = new Map<string, CharSet | undefined>();

/** The set of a POSIX class; undefined when there is none of the name. */
export function posixClass(name: string): CharSet | undefined {
  const pattern = Object.hasOwn(POSIX, name) ? POSIX[name] : undefined;
  return pattern === undefined ? undefined : remembered(`posix ${name}`, [pattern]);
}

/** The set of a Unicode property, script or category, whose name may be written loosely. */
export function property(name: string): CharSet | undefined {
  const plain = name.replace(/[\s_-]/g, "").toLowerCase();
  if (plain === "punct") return remembered(plain, ["\\p{P}"]);
  if (plain === "word") return WORD_CHARACTER;
  const posix = posixClass(plain);
  if (posix !== undefined || !/^\w{1,40}$/.test(plain)) return posix;
  const words = name.trim().split(/[\s_-]+/);
  const titled = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());
  const spellings = [name.trim(), titled.join("_")];
  return remembered(
    name,
    spellings.flatMap((spelling) => [`\\p{${spelling}}`, `\\p{Script=${spelling}}`]),
  );
}

function remembered(key: string, patterns: readonly string[]): CharSet | undefined {
  if (!sets.has(key)) sets.set(key, firstValid(patterns));
  return sets.get(key);
}

function firstValid(patterns: readonly string[]): CharSet | undefined {
  for (const pattern of patterns) {
    try {
      const regex = new RegExp(`^${pattern}$`, "u");
      return new CharSet((code) => regex.test(String.fromCodePoint(code)));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}

let families: Map<number, number[]> | undefined;

/** One spelling for all characters that differ in case only. */
function folded(code: number): number {
  const char = String.fromCodePoint(code);
  const upper = char.toUpperCase();
  const lower = (Array.from(upper).length === 1 ? upper : char).toLowerCase();
  return Array.from(lower).length === 1 ? (lower.codePointAt(0) ?? code) : code;
}

/** Scripts with cases end before this. */
const LAST_CASED = 0x1_ffff;

function caseFamilies(): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let code = 0; code <= LAST_CASED; code++) {
    const key = folded(code);
    if (key === code) continue;
    const family = found.get(key) ?? [key];
    family.push(code);
    found.set(key, family);
  }
  return found;
}

/** The characters that differ from one in case only, itself included. */
function caseVariants(code: number): readonly number[] {
  families ??= caseFamilies();
  return families.get(folded(code)) ?? [code];
}

/** A class with the characters that differ from its own in case only. */
export function ignoringCase(test: Test): Test {
  return (code) => caseVariants(code).some(test);
}
