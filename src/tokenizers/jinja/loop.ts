import { bindArguments } from "./bind-arguments.ts";
import { equals } from "./compare.ts";
import { iterate, lengthOf } from "./iterate.ts";
import { TemplateError } from "./template-error.ts";
import {
  type Arguments,
  Callable,
  isIter,
  ObjectWithAttributes,
  type Run,
  Tuple,
  Undefined,
  type Value,
} from "./values.ts";

/** Renders the body of a recursive loop over other values. */
export type Recurse = (over: Value, depth: number) => Value;

/** Jinja's `loop`: where in its values a loop is. */
export class Loop extends ObjectWithAttributes {
  override readonly typeName = "LoopContext";
  override readonly isCallable = true;
  readonly #run: Run;
  readonly #over: Value;
  readonly #values: Iterator<Value>;
  readonly #depth: number;
  readonly #recurse: Recurse | undefined;
  /** Values taken from the iterator before their turn. */
  readonly #ahead: Value[] = [];
  #index = -1;
  #before: Value | undefined;
  #current: Value | undefined;
  #length: number | undefined;
  #changed: Value | undefined;

  constructor(run: Run, over: Value, depth: number, recurse: Recurse | undefined) {
    super();
    this.#run = run;
    this.#over = over;
    this.#values = iterate(run, over);
    this.#depth = depth;
    this.#recurse = recurse;
  }

  /** Steps on. @returns undefined at the end. */
  next(): Value | undefined {
    this.#peek();
    const value = this.#ahead.shift();
    if (value === undefined) return undefined;
    this.#index += 1;
    this.#before = this.#current;
    this.#current = value;
    return value;
  }

  #peek(): Value | undefined {
    if (this.#ahead.length === 0) {
      const next = this.#values.next();
      if (next.done !== true) this.#ahead.push(next.value);
    }
    return this.#ahead[0];
  }

  /** Of values that are made one by one, all that are left have to be made to count them. */
  get length(): number {
    if (this.#length !== undefined) return this.#length;
    if (isIter(this.#over)) {
      for (let next = this.#values.next(); next.done !== true; next = this.#values.next()) {
        this.#ahead.push(next.value);
      }
      this.#length = this.#index + 1 + this.#ahead.length;
    } else this.#length = lengthOf(this.#run, this.#over);
    return this.#length;
  }

  override attribute(name: string): Value | undefined {
    const get = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
    if (get !== undefined) return get(this);
    if (name === "cycle") return new Callable(name, (given) => this.#cycle(given));
    if (name === "changed") return new Callable(name, (given) => this.#hasChanged(given));
    return undefined;
  }

  get index(): number {
    return this.#index;
  }

  get depth(): number {
    return this.#depth;
  }

  get previous(): Value {
    const value = this.#before;
    return value === undefined ? new Undefined("there is no previous item") : value;
  }

  get following(): Value {
    const value = this.#peek();
    return value === undefined ? new Undefined("there is no next item") : value;
  }

  get isLast(): boolean {
    return this.#peek() === undefined;
  }

  #cycle({ positional, named }: Arguments): Value {
    const value = positional[this.#index % positional.length];
    if (value === undefined || named.size > 0) {
      throw new TemplateError("no items for cycling given");
    }
    return value;
  }

  #hasChanged({ positional }: Arguments): boolean {
    const values = new Tuple(positional);
    const isSame = this.#changed !== undefined && equals(this.#run, this.#changed, values);
    if (!isSame) this.#changed = values;
    return !isSame;
  }

  override printed(): string {
    return `<LoopContext ${this.#index + 1}/${this.length}>`;
  }

  override call(given: Arguments): Value {
    const [over = null] = bindArguments("loop", [["iterable"]], given);
    if (this.#recurse === undefined) {
      throw new TemplateError(
        "The loop must have the 'recursive' marker to be called recursively.",
      );
    }
    return this.#recurse(over, this.#depth + 1);
  }
}

const ATTRIBUTES: Readonly<Record<string, (loop: Loop) => Value>> = {
  index: (loop) => BigInt(loop.index + 1),
  index0: (loop) => BigInt(loop.index),
  first: (loop) => loop.index === 0,
  last: (loop) => loop.isLast,
  length: (loop) => BigInt(loop.length),
  revindex: (loop) => BigInt(loop.length - loop.index),
  revindex0: (loop) => BigInt(loop.length - loop.index - 1),
  depth: (loop) => BigInt(loop.depth + 1),
  depth0: (loop) => BigInt(loop.depth),
  previtem: (loop) => loop.previous,
  nextitem: (loop) => loop.following,
};
