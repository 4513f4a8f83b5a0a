import { describeValue, isPromise, shown } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import type { Generator } from "../tensor/random/generator.ts";
import { keyOf } from "../base/same-value.ts";

/** The values that one variable takes. */
export class VariableDomain {
  readonly #name: string;
  /** All values, where they are listed. */
  readonly list: readonly unknown[] | undefined;
  readonly #draw: ((generator: Generator) => unknown) | undefined;
  readonly #places = new Map<unknown, number>();

  /** @throws TsveneError for what is no domain. */
  constructor(name: string, domain: unknown) {
    this.#name = name;
    if (Array.isArray(domain)) this.list = this.#numbered(domain);
    else if (typeof domain === "function") this.#draw = domain as (generator: Generator) => unknown;
    else if (domain !== "any") {
      fail(
        "CausalModel",
        `values.${name} must be a list of values, a function that draws one, or "any"; got ${shown(domain)}`,
      );
    }
  }

  #numbered(domain: readonly unknown[]): readonly unknown[] {
    if (domain.length === 0) fail("CausalModel", `values.${this.#name} has no values`);
    for (const [place, value] of domain.entries()) {
      const key = lookUpBy(value);
      if (value === undefined || this.#places.has(key)) {
        const what = value === undefined ? "has undefined in it" : `has ${shown(value)} twice`;
        fail("CausalModel", `values.${this.#name} ${what}; list each value once`);
      }
      this.#places.set(key, place);
    }
    return Object.freeze([...domain]);
  }

  /** The place of a value in the list, or undefined where it is not in one. */
  placeOf(value: unknown): number | undefined {
    return this.#places.get(lookUpBy(value));
  }

  /** Whether values can be drawn. */
  get canDraw(): boolean {
    return this.list !== undefined || this.#draw !== undefined;
  }

  /** A value, each as likely as any other where they are listed. */
  draw(op: string, generator: Generator): unknown {
    if (this.list !== undefined) return this.list[generator.integer(this.list.length)];
    if (this.#draw !== undefined) return this.#draw(generator);
    return fail(
      op,
      `values.${this.#name} is "any", which nothing can be drawn from; give a list, a function of a ` +
        "Generator that draws a value, or a sampler of your own",
    );
  }

  /** @throws TsveneError where values are not listed. */
  requireList(op: string, what: string): readonly unknown[] {
    return (
      this.list ??
      fail(
        op,
        `${what} needs a list of all values of ${this.#name}, and values.${this.#name} is none`,
      )
    );
  }

  /**
   * @param what - Who gave the value, such as "the setting".
   * @throws TsveneError for a value that is not one of the variable's.
   */
  check(op: string, value: unknown, what: string): void {
    if (this.list !== undefined && this.placeOf(value) !== undefined) return;
    if (this.list === undefined && value !== undefined && !isPromise(value)) return;
    const wanted = this.list === undefined ? "a value" : `one of ${listed(this.list)}`;
    const got = isPromise(value) ? describeValue(value) : shown(value);
    fail(op, `${what} gives ${this.#name} = ${got}, expected ${wanted}`);
  }
}

/** Lists and plain objects are looked up by what is in them, which no string is. */
function lookUpBy(value: unknown): unknown {
  if (typeof value !== "object") return value;
  const key = keyOf(value);
  return key === undefined ? value : `\0${key}`;
}

const MOST_LISTED = 8;

function listed(values: readonly unknown[]): string {
  const more = values.length > MOST_LISTED ? `, ... (${values.length} values)` : "";
  return values.slice(0, MOST_LISTED).map(shown).join(", ") + more;
}
