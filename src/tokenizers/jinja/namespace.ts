import { iterate, pairOf } from "./iterate.ts";
import { print } from "./print.ts";
import { TemplateError } from "./template-error.ts";
import {
  type Arguments,
  Callable,
  Dict,
  isDict,
  ObjectWithAttributes,
  type Run,
  type Value,
} from "./values.ts";

/** The pairs that `dict(...)` and `namespace(...)` are made of. */
export function pairsOf(run: Run, { positional, named }: Arguments): [Value, Value][] {
  if (positional.length > 1) throw new TemplateError("expected at most 1 argument");
  const [from] = positional;
  const pairs: [Value, Value][] = [];
  if (from !== undefined && isDict(from)) {
    pairs.push(...[...from.entries()].map(([k, v]): [Value, Value] => [k, v]));
  } else if (from !== undefined) {
    for (const item of iterate(run, from)) pairs.push([...pairOf(run, item)]);
  }
  run.budget.spend(pairs.length + named.size);
  return [...pairs, ...named];
}

/** Jinja's `namespace`: what a loop may set for what comes after it. */
export class Namespace extends ObjectWithAttributes {
  override readonly typeName = "Namespace";
  readonly #values: Map<string, Value>;

  constructor(run: Run, given: Arguments) {
    super();
    this.#values = new Map(pairsOf(run, given).map(([key, value]) => [print(run, key), value]));
  }

  override attribute(name: string): Value | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }

  override printed(repr: (value: Value) => string): string {
    return `<Namespace ${repr(new Dict(this.#values))}>`;
  }
}

/** Jinja's `cycler`: its values one after the other, again and again. */
export class Cycler extends ObjectWithAttributes {
  override readonly typeName = "Cycler";
  readonly #items: readonly Value[];
  #at = 0;

  constructor({ positional, named }: Arguments) {
    super();
    if (positional.length === 0 || named.size > 0) {
      throw new TemplateError("at least one item has to be provided");
    }
    this.#items = positional;
  }

  override attribute(name: string): Value | undefined {
    if (name === "current") return this.#current();
    if (name === "items") return [...this.#items];
    if (name === "pos") return BigInt(this.#at);
    if (name === "next") {
      return new Callable(name, () => {
        const value = this.#current();
        this.#at = (this.#at + 1) % this.#items.length;
        return value;
      });
    }
    if (name !== "reset") return undefined;
    return new Callable(name, () => {
      this.#at = 0;
      return null;
    });
  }

  #current(): Value {
    return this.#items[this.#at] ?? null;
  }

  override printed(): undefined {
    return undefined;
  }
}

/** Jinja's `joiner`: nothing at its first call, its separator at each further one. */
export class Joiner extends ObjectWithAttributes {
  override readonly typeName = "Joiner";
  override readonly isCallable = true;
  readonly #separator: Value;
  #isUsed = false;

  constructor(separator: Value) {
    super();
    this.#separator = separator;
  }

  override attribute(name: string): Value | undefined {
    if (name === "sep") return this.#separator;
    return name === "used" ? this.#isUsed : undefined;
  }

  override call(): Value {
    const isFirst = !this.#isUsed;
    this.#isUsed = true;
    return isFirst ? "" : this.#separator;
  }

  override printed(): undefined {
    return undefined;
  }
}
