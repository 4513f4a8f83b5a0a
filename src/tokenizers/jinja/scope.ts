import type { Value } from "./values.ts";

/** Names of a part of a template; what it does not have, the part around it may. */
export class Scope {
  /** A name that is declared without a value hides that of the part around it. */
  readonly #values = new Map<string, Value | undefined>();
  readonly #parent: Scope | undefined;

  constructor(parent: Scope | undefined, values: Iterable<readonly [string, Value]> = []) {
    this.#parent = parent;
    for (const [name, value] of values) this.#values.set(name, value);
  }

  get(name: string): Value | undefined {
    if (this.#values.has(name)) return this.#values.get(name);
    return this.#parent?.get(name);
  }

  set(name: string, value: Value | undefined): void {
    this.#values.set(name, value);
  }
}
