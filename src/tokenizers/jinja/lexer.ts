import { isSpace, SPACE, stripEnd } from "./characters.ts";
import { TemplateError } from "./template-error.ts";
import { unescapeText } from "./unescape-text.ts";

export type Token =
  | { readonly type: "data" | "name" | "operator" | "string"; readonly text: string }
  | { readonly type: "integer"; readonly text: string; readonly value: bigint }
  | { readonly type: "float"; readonly text: string; readonly value: number }
  | {
      readonly type: "beginTag" | "endTag" | "beginOutput" | "endOutput" | "end";
      readonly text: string;
    };

/** Python takes no longer numbers from a text. */
const MAX_DIGITS = 4300;

const WHITE = new RegExp(`[${SPACE}]+`, "y");
const FLOAT =
  /(?<!\.)[0-9]+(?:_[0-9]+)*(?:(?:\.[0-9]+(?:_[0-9]+)*)?e[+-]?[0-9]+(?:_[0-9]+)*|\.[0-9]+(?:_[0-9]+)*)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?[0-9])*|0(?:_?0)*/iy;
const NAME = /[\p{L}\p{N}\p{M}\p{Pc}]+/uy;
const IDENTIFIER = /^[\p{ID_Start}_]\p{ID_Continue}*$/u;
const OPERATOR = /\*\*|\/\/|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y;
const RAW_BEGIN = new RegExp(`\\{%([-+]?)[${SPACE}]*raw[${SPACE}]*(?:-%\\}[${SPACE}]*|%\\})`, "y");
const RAW_END = new RegExp(
  `\\{%([-+]?)[${SPACE}]*endraw[${SPACE}]*(?:\\+%\\}|-%\\}[${SPACE}]*|%\\}\\n?)`,
  "g",
);
const TAG_END = new RegExp(`\\+%\\}|-%\\}[${SPACE}]*|%\\}\\n?`, "y");
const OUTPUT_END = new RegExp(`-\\}\\}[${SPACE}]*|\\}\\}`, "y");
const CLOSING: Readonly<Record<string, string>> = { "{": "}", "(": ")", "[": "]" };

/**
 * The tokens of a template, with Jinja's `trim_blocks` and `lstrip_blocks` as transformers sets
 * them: the line break after a tag goes, and so does white space between the start of a line and a tag.
 */
export class Lexer {
  readonly #source: string;
  #at = 0;
  /** Whether what was read last ended with a line break. */
  #lineStarts = true;
  #inside: "data" | "tag" | "output" = "data";
  readonly #open: string[] = [];
  readonly #pending: Token[] = [];

  constructor(source: string) {
    this.#source = source.replaceAll(/\r\n?/g, "\n").replace(/\n$/, "");
  }

  next(): Token {
    while (this.#pending.length === 0) {
      if (this.#inside === "data") this.#readData();
      else this.#readCode(this.#inside);
    }
    return this.#pending.shift() ?? { type: "end", text: "" };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    if (found !== undefined && found !== "") this.#take(found);
    return found;
  }

  #take(text: string): void {
    this.#at += text.length;
    this.#lineStarts = text.endsWith("\n");
  }

  #fail(message: string, at = this.#at): never {
    const line = this.#source.slice(0, at).split("\n").length;
    throw new TemplateError(`line ${line}: ${message}`);
  }

  #findTag(): number {
    let at = this.#source.indexOf("{", this.#at);
    while (at !== -1 && !"{%#".includes(this.#source[at + 1] ?? " ")) {
      at = this.#source.indexOf("{", at + 1);
    }
    return at;
  }

  #pushData(text: string): void {
    if (text !== "") this.#pending.push({ type: "data", text });
  }

  /** Text before a tag, without the white space that the tag takes away. */
  #trimmed(text: string, sign: string, isOutput: boolean): string {
    if (sign === "-") return stripEnd(text);
    if (sign === "+" || isOutput) return text;
    const line = text.lastIndexOf("\n") + 1;
    if (line === 0 && !this.#lineStarts) return text;
    const isBlank = stripEnd(text.slice(line)) === "";
    return isBlank ? text.slice(0, line) : text;
  }

  #readData(): void {
    const begin = this.#at;
    const tag = this.#findTag();
    if (tag === -1) {
      this.#pushData(this.#source.slice(begin));
      this.#at = this.#source.length;
      this.#pending.push({ type: "end", text: "" });
      return;
    }
    const text = this.#source.slice(begin, tag);
    RAW_BEGIN.lastIndex = tag;
    const raw = RAW_BEGIN.exec(this.#source);
    const mark = this.#source[tag + 1] ?? "";
    const after = this.#source[tag + 2] ?? "";
    const sign = raw?.[1] ?? (after === "-" || after === "+" ? after : "");
    this.#pushData(this.#trimmed(text, sign, mark === "{"));
    this.#at = tag;
    this.#take(raw?.[0] ?? `{${mark}${sign}`);
    if (raw !== null) this.#readRaw();
    else if (mark === "#") this.#skipComment();
    else this.#beginCode(mark === "{" ? "output" : "tag");
  }

  #beginCode(inside: "output" | "tag"): void {
    this.#inside = inside;
    this.#pending.push({ type: inside === "tag" ? "beginTag" : "beginOutput", text: "" });
  }

  #readRaw(): void {
    RAW_END.lastIndex = this.#at;
    const end = RAW_END.exec(this.#source);
    if (end === null) this.#fail("Missing end of raw directive");
    this.#pushData(this.#trimmed(this.#source.slice(this.#at, end.index), end[1] ?? "", false));
    this.#at = end.index;
    this.#take(end[0]);
  }

  #skipComment(): void {
    const end = this.#source.indexOf("#}", this.#at);
    if (end === -1) this.#fail("Missing end of comment tag");
    const sign = end > this.#at ? this.#source[end - 1] : "";
    this.#at = end;
    this.#take("#}");
    if (sign === "-") this.#match(WHITE);
    else if (sign !== "+" && this.#source[this.#at] === "\n") this.#take("\n");
  }

  #readCode(inside: "tag" | "output"): void {
    if (this.#open.length === 0) {
      const end = this.#match(inside === "tag" ? TAG_END : OUTPUT_END);
      if (end !== undefined) {
        this.#inside = "data";
        this.#pending.push({ type: inside === "tag" ? "endTag" : "endOutput", text: end });
        return;
      }
    }
    if (isSpace(this.#source[this.#at] ?? "")) this.#match(WHITE);
    else this.#pending.push(this.#readToken());
  }

  #readToken(): Token {
    if (this.#at >= this.#source.length) {
      return { type: "end", text: "" };
    }
    const float = this.#match(FLOAT);
    if (float !== undefined) return { type: "float", text: float, value: this.#float(float) };
    const integer = this.#match(INTEGER);
    if (integer !== undefined) {
      return { type: "integer", text: integer, value: this.#integer(integer) };
    }
    const name = this.#match(NAME);
    if (name !== undefined) return { type: "name", text: this.#checkName(name) };
    const quote = this.#source[this.#at];
    if (quote === "'" || quote === '"') return { type: "string", text: this.#readString(quote) };
    const operator = this.#match(OPERATOR);
    if (operator === undefined) this.#fail(`unexpected char '${quote}'`);
    this.#balance(operator);
    return { type: "operator", text: operator };
  }

  #float(text: string): number {
    const value = Number(text.replaceAll("_", ""));
    if (!Number.isFinite(value)) this.#fail(`the number ${text.slice(0, 40)} is too large`);
    return value;
  }

  #integer(text: string): bigint {
    if (text.length > MAX_DIGITS) this.#fail(`a number has more than ${MAX_DIGITS} digits`);
    return BigInt(text.replaceAll("_", ""));
  }

  /** Python takes two spellings of one name for the same; which they are is not looked at here. */
  #checkName(name: string): string {
    if (!IDENTIFIER.test(name) || name.normalize("NFKC") !== name) {
      this.#fail("Invalid character in identifier");
    }
    return name;
  }

  #readString(quote: string): string {
    const begin = this.#at + 1;
    let end = begin;
    while (this.#source[end] !== quote) {
      if (end >= this.#source.length) this.#fail(`unexpected char '${quote}'`);
      end += this.#source[end] === "\\" ? 2 : 1;
    }
    const text = this.#source.slice(begin, end);
    this.#take(this.#source.slice(this.#at, end + 1));
    return unescapeText(text, (message) => this.#fail(message, begin));
  }

  #balance(operator: string): void {
    const closing = CLOSING[operator];
    if (closing !== undefined) this.#open.push(closing);
    if (!"})]".includes(operator)) return;
    const expected = this.#open.pop();
    if (expected === operator) return;
    const instead = expected === undefined ? "" : `, expected '${expected}'`;
    this.#fail(`unexpected '${operator}'${instead}`);
  }
}
