import { TokenizerError } from "../tokenizer-error.ts";
import { CharSet } from "../char-set.ts";
import {
  ANY_CHARACTER,
  CLASS_LETTERS,
  ignoringCase,
  NO_LINE_END,
  posixClass,
  property,
  type Test,
  WORD_CHARACTER,
} from "./character-classes.ts";
import type { Assertion, Node, RepeatMode } from "./syntax.ts";

/** Groups and classes may lie within one another this deep. */
const MAX_DEPTH = 100;
const MAX_LENGTH = 20_000;

const CONTROL_LETTERS: Readonly<Record<string, number>> = {
  t: 0x09,
  n: 0x0a,
  v: 0x0b,
  f: 0x0c,
  r: 0x0d,
  a: 0x07,
  e: 0x1b,
};
const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: "textStart",
  z: "textEnd",
  Z: "lastLineEnd",
  b: "wordEdge",
  B: "noWordEdge",
};
/** What begins a group, and what it makes of what is in it. */
const GROUPS: readonly (readonly [RegExp, (item: Node) => Node])[] = [
  [/\?:/y, (item) => item],
  [/\?=/y, (item) => ({ kind: "look", item, ahead: true, negated: false })],
  [/\?!/y, (item) => ({ kind: "look", item, ahead: true, negated: true })],
  [/\?<=/y, (item) => ({ kind: "look", item, ahead: false, negated: false })],
  [/\?<!/y, (item) => ({ kind: "look", item, ahead: false, negated: true })],
  [/\?>/y, (item) => ({ kind: "atomic", item })],
  [/\?<[A-Za-z_]\w*>/y, (item) => item],
];
const OPTIONS = /\?([imx]*)(?:-([imx]*))?([:)])/y;
const INTERVAL = /\{(\d{1,6})?(,)?(\d{1,6})?\}/y;
const HEX = /x\{([0-9A-Fa-f]{1,8})\}|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})/y;
const PROPERTY = /([pP])\{(\^?)([^{}]{1,60})\}/y;
const POSIX_BRACKET = /\[:(\^?)([a-z]+):\]/y;

interface Options {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
  readonly extended: boolean;
}

/**
 * Reads a regular expression as Oniguruma does, which the tokenizers of Hugging Face use.
 * @throws TokenizerError for what it does not know: back references and the like.
 */
export function parseRegex(pattern: string): Node {
  return new RegexParser(pattern).parse();
}

class RegexParser {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    if (pattern.length > MAX_LENGTH) throw this.#wrong(`is ${pattern.length} characters long`);
  }

  parse(): Node {
    const node = this.#choice({ ignoreCase: false, dotAll: false, extended: false });
    if (this.#at < this.#pattern.length) throw this.#wrong('has a ")" that closes nothing');
    return node;
  }

  #wrong(reason: string): TokenizerError {
    const { length } = this.#pattern;
    const shown = length > 60 ? `${this.#pattern.slice(0, 57)}...` : this.#pattern;
    return new TokenizerError(
      `the regular expression ${JSON.stringify(shown)} ${reason} (at character ${this.#at})`,
    );
  }

  #peek(): string {
    return this.#pattern.charAt(this.#at);
  }

  #take(text: string): boolean {
    if (!this.#pattern.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #takeMatch(regex: RegExp): RegExpExecArray | undefined {
    regex.lastIndex = this.#at;
    const match = regex.exec(this.#pattern) ?? undefined;
    if (match !== undefined) this.#at += match[0].length;
    return match;
  }

  #matches(regex: RegExp): boolean {
    regex.lastIndex = this.#at;
    return regex.test(this.#pattern);
  }

  #takeCode(): number {
    const code = this.#pattern.codePointAt(this.#at);
    if (code === undefined) throw this.#wrong("ends too early");
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw this.#wrong(`has more than ${MAX_DEPTH} levels`);
    const result = read();
    this.#depth--;
    return result;
  }

  #choice(options: Options): Node {
    const choices = [this.#sequence(options)];
    while (this.#take("|")) choices.push(this.#sequence(options));
    const [only] = choices;
    return choices.length === 1 && only !== undefined ? only : { kind: "choice", options: choices };
  }

  #sequence(options: Options): Node {
    const items: Node[] = [];
    for (;;) {
      if (options.extended) this.#skipSpace();
      const char = this.#peek();
      if (char === "" || char === "|" || char === ")") break;
      const atom = this.#atom(options);
      if (atom !== undefined) items.push(this.#repeated(atom, options));
    }
    return { kind: "sequence", items };
  }

  #skipSpace(): void {
    this.#takeMatch(/(?:\s|#[^\n]*(?:\n|$))*/y);
  }

  #atom(options: Options): Node | undefined {
    const char = this.#peek();
    if (char === "(") return this.#nested(() => this.#group(options));
    if (char === "[") return this.#nested(() => this.#class(options));
    if (char === "\\") return this.#escape(options);
    if ("*+?".includes(char)) throw this.#wrong("repeats nothing");
    if (this.#take("^")) return { kind: "assert", at: "lineStart" };
    if (this.#take("$")) return { kind: "assert", at: "lineEnd" };
    if (this.#take(".")) return { kind: "set", set: options.dotAll ? ANY_CHARACTER : NO_LINE_END };
    return this.#literal(this.#takeCode(), options);
  }

  #literal(code: number, options: Options): Node {
    if (options.ignoreCase && hasLongCase(code)) {
      throw this.#wrong(`ignores the case of ${String.fromCodePoint(code)}, which has two letters`);
    }
    return literal(code, options);
  }

  #group(options: Options): Node | undefined {
    this.#take("(");
    if (this.#takeMatch(/\?#[^)]*\)/y) !== undefined) return undefined;
    const switched = this.#takeMatch(OPTIONS);
    if (switched !== undefined) return this.#optionGroup(options, switched);
    for (const [begin, make] of GROUPS) {
      if (this.#takeMatch(begin) !== undefined) return make(this.#groupBody(options));
    }
    if (this.#peek() === "?") {
      throw this.#wrong(`has a group of a kind that is not known here: (${this.#peekGroup()}`);
    }
    return this.#groupBody(options);
  }

  #peekGroup(): string {
    return this.#pattern.slice(this.#at, this.#at + 3);
  }

  #groupBody(options: Options): Node {
    const node = this.#choice(options);
    if (!this.#take(")")) throw this.#wrong('lacks a ")"');
    return node;
  }

  /** `(?i:...)`, or `(?i)`, which holds until the end of the group that it is in. */
  #optionGroup(options: Options, [, on = "", off = "", end]: RegExpExecArray): Node {
    const inside = {
      ignoreCase: (options.ignoreCase || on.includes("i")) && !off.includes("i"),
      dotAll: (options.dotAll || on.includes("m")) && !off.includes("m"),
      extended: (options.extended || on.includes("x")) && !off.includes("x"),
    };
    return end === ":" ? this.#groupBody(inside) : this.#choice(inside);
  }

  #escape(options: Options): Node {
    this.#take("\\");
    const char = this.#peek();
    const at = Object.hasOwn(ASSERTIONS, char) ? ASSERTIONS[char] : undefined;
    if (at !== undefined) {
      this.#at++;
      return { kind: "assert", at };
    }
    if (this.#take("R")) return lineBreak();
    if (this.#take("w")) return { kind: "set", set: WORD_CHARACTER };
    if (this.#take("W")) return { kind: "set", set: new CharSet(membership(WORD_CHARACTER, true)) };
    const isReference = this.#matches(/[1-9](?![0-7])|[89]/y);
    if (isReference || /[kgGKXyYOcCM]/.test(char)) {
      throw this.#wrong(`has \\${char}, which is not known here`);
    }
    const test = this.#classEscape();
    if (test !== undefined) return { kind: "set", set: new CharSet(test) };
    return this.#literal(this.#characterEscape(), options);
  }

  /** A class such as `\d` or `\p{L}`, from what stands next; undefined when it is a character. */
  #classEscape(): Test | undefined {
    const char = this.#peek();
    const letter = char.toLowerCase();
    const set = Object.hasOwn(CLASS_LETTERS, letter) ? CLASS_LETTERS[letter] : undefined;
    if (set !== undefined) {
      this.#at++;
      return membership(set, char !== letter);
    }
    const match = this.#takeMatch(PROPERTY);
    if (match === undefined) return undefined;
    const [, kind, not, name = ""] = match;
    const named = property(name);
    if (named === undefined) throw this.#wrong(`names a property that is not known: ${name}`);
    return membership(named, (kind === "P") !== (not === "^"));
  }

  #characterEscape(): number {
    const hex = this.#takeMatch(HEX);
    if (hex !== undefined) return this.#validCode(parseInt(hex[1] ?? hex[2] ?? hex[3] ?? "", 16));
    const octal = this.#takeMatch(/[0-7]{1,3}/y);
    if (octal !== undefined) return parseInt(octal[0], 8);
    const char = String.fromCodePoint(this.#takeCode());
    const control = Object.hasOwn(CONTROL_LETTERS, char) ? CONTROL_LETTERS[char] : undefined;
    return control ?? char.codePointAt(0) ?? 0;
  }

  #validCode(code: number): number {
    if (code <= 0x10ffff) return code;
    throw this.#wrong(`names a character past U+10FFFF`);
  }

  #repeated(atom: Node, options: Options): Node {
    let node = atom;
    for (;;) {
      if (options.extended) this.#skipSpace();
      const bounds = this.#bounds();
      if (bounds === undefined) return node;
      if (atom.kind === "look" || atom.kind === "assert") throw this.#wrong("repeats a place");
      const [least, most, isInterval] = bounds;
      const mode = this.#mode(isInterval, least === most);
      node = { kind: "repeat", item: node, least, most, mode };
    }
  }

  #bounds(): readonly [least: number, most: number, isInterval: boolean] | undefined {
    if (this.#take("*")) return [0, Infinity, false];
    if (this.#take("+")) return [1, Infinity, false];
    if (this.#take("?")) return [0, 1, false];
    const begin = this.#at;
    const match = this.#takeMatch(INTERVAL);
    if (match === undefined) return undefined;
    const [, least, comma, most] = match;
    if (least === undefined && most === undefined) {
      this.#at = begin;
      return undefined;
    }
    const low = Number(least ?? 0);
    const high = comma === undefined ? low : Number(most ?? Infinity);
    if (low > high) throw this.#wrong("repeats at least more often than at most");
    return [low, high, true];
  }

  /** Intervals have no possessive form, and those of one number no lazy one. */
  #mode(isInterval: boolean, isFixed: boolean): RepeatMode {
    if (!(isInterval && isFixed) && this.#take("?")) return "lazy";
    if (!isInterval && this.#take("+")) return "possessive";
    return "greedy";
  }

  #class(options: Options): Node {
    return { kind: "set", set: new CharSet(this.#classTest(options)) };
  }

  #classTest(options: Options): Test {
    this.#take("[");
    const negated = this.#take("^");
    const operands: Test[][] = [[]];
    for (let isFirst = true; !(this.#peek() === "]" && !isFirst); isFirst = false) {
      if (this.#take("&&")) operands.push([]);
      else operands.at(-1)?.push(this.#classItem(options));
    }
    this.#take("]");
    const united = operands.map((tests) => union(tests));
    const both: Test = (code) => united.every((test) => test(code));
    const test = options.ignoreCase ? ignoringCase(both) : both;
    return negated ? (code) => !test(code) : test;
  }

  #classItem(options: Options): Test {
    const posix = this.#takeMatch(POSIX_BRACKET);
    if (posix !== undefined) {
      const [, not, name = ""] = posix;
      const set = posixClass(name);
      if (set === undefined) throw this.#wrong(`names a class that is not known: [:${name}:]`);
      return membership(set, not === "^");
    }
    if (this.#peek() === "[") return this.#nested(() => this.#classTest(options));
    if (this.#peek() === "\\") {
      this.#at++;
      const test = this.#classEscape();
      if (test === undefined) return this.#range(this.#classCharacter(true));
      if (this.#matches(/-(?!\])/y)) throw this.#wrong("has a range that begins with a class");
      return test;
    }
    return this.#range(this.#classCharacter(false));
  }

  #classCharacter(escaped: boolean): number {
    if (escaped && this.#take("b")) return 0x08;
    return escaped ? this.#characterEscape() : this.#takeCode();
  }

  /** One character, or all from it to another. */
  #range(low: number): Test {
    const next = this.#pattern.charAt(this.#at + 1);
    if (this.#peek() !== "-" || next === "]" || next === "") return (code) => code === low;
    this.#take("-");
    if (this.#peek() === "[" || this.#matches(/\\[dDwWsShHpP]/y)) {
      throw this.#wrong("has a range that ends with a class");
    }
    const high = this.#classCharacter(this.#take("\\"));
    if (low > high) throw this.#wrong("has a range that ends before it begins");
    return (code) => code >= low && code <= high;
  }
}

function membership(set: CharSet, negated: boolean): Test {
  return negated ? (code) => !set.has(code) : (code) => set.has(code);
}

/** Classes of thousands of characters are looked at once a character, and remembered. */
function union(tests: readonly Test[]): Test {
  return (code) => tests.some((test) => test(code));
}

/** "ß" and "ss" differ in case only, which a class of single characters cannot say. */
function hasLongCase(code: number): boolean {
  const char = String.fromCodePoint(code);
  return char.toUpperCase().length > char.length || char.toLowerCase().length > char.length;
}

function literal(code: number, { ignoreCase }: Options): Node {
  const test: Test = (other) => other === code;
  if (!ignoreCase) return { kind: "set", set: new CharSet(test), code };
  return { kind: "set", set: new CharSet(ignoringCase(test)) };
}

/** `\R`: one line break of any system. */
function lineBreak(): Node {
  const code = (value: number): Node => ({
    kind: "set",
    set: new CharSet((other) => other === value),
    code: value,
  });
  const single = new CharSet(
    (value) => (value >= 0x0a && value <= 0x0d) || [0x85, 0x2028, 0x2029].includes(value),
  );
  const both: Node = { kind: "sequence", items: [code(0x0d), code(0x0a)] };
  return {
    kind: "atomic",
    item: { kind: "choice", options: [both, { kind: "set", set: single }] },
  };
}
