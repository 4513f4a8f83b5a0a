import { Lexer, type Token } from "./lexer.ts";
import { TemplateError } from "./template-error.ts";

/** Python's parser ends at about a third of it. */
const MAX_NESTING = 200;
/** Longest chain such as `a + b + c`, each link of which nests the ones before it. */
const MAX_CHAIN = 400;

const NAMES: Readonly<Record<string, string>> = {
  beginTag: "begin of statement block",
  endTag: "end of statement block",
  beginOutput: "begin of print statement",
  endOutput: "end of print statement",
  end: "end of template",
};

/** The tokens of a template one after the other, with one to look ahead. */
export class TokenStream {
  current: Token;
  readonly #lexer: Lexer;
  #ahead: Token | undefined;
  #nesting = 0;

  constructor(source: string) {
    this.#lexer = new Lexer(source);
    this.current = this.#lexer.next();
  }

  /** Steps on and gives the token stepped over. */
  next(): Token {
    const token = this.current;
    this.current = this.#ahead ?? this.#lexer.next();
    this.#ahead = undefined;
    return token;
  }

  look(): Token {
    this.#ahead ??= this.#lexer.next();
    return this.#ahead;
  }

  isName(...names: readonly string[]): boolean {
    return this.current.type === "name" && names.includes(this.current.text);
  }

  isOperator(...operators: readonly string[]): boolean {
    return this.current.type === "operator" && operators.includes(this.current.text);
  }

  /** The operator that comes next, if it is one of those. */
  operatorAmong<T extends string>(operators: readonly T[]): T | undefined {
    const { type, text } = this.current;
    return type === "operator" ? operators.find((operator) => operator === text) : undefined;
  }

  skipName(name: string): boolean {
    const found = this.current.type === "name" && this.current.text === name;
    if (found) this.next();
    return found;
  }

  skipOperator(operator: string): boolean {
    const found = this.current.type === "operator" && this.current.text === operator;
    if (found) this.next();
    return found;
  }

  expectOperator(operator: string): void {
    if (!this.skipOperator(operator)) this.#expected(operator);
  }

  expectName(): string {
    if (this.current.type !== "name") this.#expected("name");
    return this.next().text;
  }

  expect(type: Token["type"]): void {
    if (this.current.type !== type) this.#expected(NAMES[type] ?? type);
    this.next();
  }

  describe(): string {
    return NAMES[this.current.type] ?? this.current.text;
  }

  fail(message: string): never {
    throw new TemplateError(message);
  }

  #expected(what: string): never {
    if (this.current.type === "end") this.fail(`unexpected end of template, expected '${what}'.`);
    this.fail(`expected token '${what}', got '${this.describe()}'`);
  }

  /** Parses one level deeper. */
  nested<T>(parse: () => T): T {
    this.#nesting += 1;
    if (this.#nesting > MAX_NESTING) this.fail(`it nests deeper than ${MAX_NESTING} levels`);
    const result = parse();
    this.#nesting -= 1;
    return result;
  }

  /** @param links - Number of links so far. */
  checkChain(links: number): void {
    if (links > MAX_CHAIN) this.fail(`an expression chains more than ${MAX_CHAIN} parts`);
  }
}
