import { cat, Tensor } from "tsvene";

type Value = Tensor | number;

/** Values by name. */
export type Scope = Readonly<Record<string, Tensor>>;

const TOKEN = /\s*(\d+(?:\.\d+)?(?:e-?\d+)?|[A-Za-z_]\w*|\.\.\.|[-+*/()[\],:])/y;

/**
 * Computes an expression over tensors as case files hold them: numbers, `+ - * /`, parentheses,
 * `x[..., a:b]` on the last dimension and `concat(a, b)` along it.
 */
export function evaluateExpression(source: string, scope: Scope): Tensor {
  const parser = new Parser(tokens(source), scope);
  const value = parser.sum();
  parser.end();
  if (value instanceof Tensor) return value;
  throw new Error(`the expression ${source} is not a tensor`);
}

function tokens(source: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(source)?.[1];
    if (match === undefined) throw new Error(`not understood: ${source.slice(at)} in ${source}`);
    found.push(match);
  }
  return found;
}

class Parser {
  readonly #tokens: readonly string[];
  readonly #scope: Scope;
  #next = 0;

  constructor(found: readonly string[], scope: Scope) {
    this.#tokens = found;
    this.#scope = scope;
  }

  sum(): Value {
    let value = this.#product();
    for (;;) {
      if (this.#take("+")) value = combine(value, this.#product(), "add");
      else if (this.#take("-")) value = combine(value, this.#product(), "sub");
      else return value;
    }
  }

  end(): void {
    if (this.#next < this.#tokens.length) throw new Error(`not understood: ${this.#peek()}`);
  }

  #product(): Value {
    let value = this.#factor();
    for (;;) {
      if (this.#take("*")) value = combine(value, this.#factor(), "mul");
      else if (this.#take("/")) value = combine(value, this.#factor(), "div");
      else return value;
    }
  }

  #factor(): Value {
    if (this.#take("-")) {
      const value = this.#factor();
      return value instanceof Tensor ? value.neg() : -value;
    }
    let value = this.#atom();
    while (this.#take("[")) value = this.#slice(value);
    return value;
  }

  #atom(): Value {
    if (this.#take("(")) {
      const value = this.sum();
      this.#need(")");
      return value;
    }
    const token = this.#tokens[this.#next++] ?? "the end";
    if (/^\d/.test(token)) return Number(token);
    if (token === "concat") return this.#concat();
    const value = Object.hasOwn(this.#scope, token) ? this.#scope[token] : undefined;
    if (value === undefined) throw new Error(`not understood: ${token}`);
    return value;
  }

  #concat(): Tensor {
    this.#need("(");
    const parts = [this.sum()];
    while (this.#take(",")) parts.push(this.sum());
    this.#need(")");
    return cat(parts.map(asTensor), -1);
  }

  #slice(value: Value): Tensor {
    this.#need("...");
    this.#need(",");
    const start = this.#bound() ?? 0;
    this.#need(":");
    const end = this.#bound() ?? Infinity;
    this.#need("]");
    return asTensor(value).slice(-1, start, end);
  }

  #bound(): number | undefined {
    if (this.#peek() === ":" || this.#peek() === "]") return undefined;
    const negative = this.#take("-");
    const value = Number(this.#tokens[this.#next++]);
    return negative ? -value : value;
  }

  #peek(): string {
    return this.#tokens[this.#next] ?? "the end";
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#next++;
    return true;
  }

  #need(token: string): void {
    if (!this.#take(token)) throw new Error(`expected ${token}, got ${this.#peek()}`);
  }
}

function asTensor(value: Value): Tensor {
  if (value instanceof Tensor) return value;
  throw new Error(`expected a tensor, got ${value}`);
}

function combine(a: Value, b: Value, op: "add" | "sub" | "mul" | "div"): Value {
  if (a instanceof Tensor) return a[op](b);
  if (!(b instanceof Tensor)) return { add: a + b, sub: a - b, mul: a * b, div: a / b }[op];
  if (op === "add" || op === "mul") return b[op](a);
  return op === "sub" ? b.neg().add(a) : b.reciprocal().mul(a);
}
