import { Module } from "../nn/module.ts";
import type { Intervention } from "../interventions/intervention.ts";
import { fail } from "../tensor/errors.ts";
import { didYouMean } from "../tensor/nearest.ts";

/** Interventions by key, as parts of a module. Linked keys hold the same one. */
export class InterventionDict extends Module implements Iterable<[string, Intervention]> {
  readonly #byKey: ReadonlyMap<string, Intervention>;

  constructor(entries: Iterable<readonly [string, Intervention]>) {
    super();
    this.#byKey = new Map(entries);
  }

  get keys(): readonly string[] {
    return [...this.#byKey.keys()];
  }

  /** @throws TensorError with the nearest keys when there is none such. */
  get(key: string): Intervention {
    const found = this.#byKey.get(key);
    if (found !== undefined) return found;
    return fail("interventions.get", `there is no ${key}; ${didYouMean(key, this.#byKey.keys())}`);
  }

  [Symbol.iterator](): Iterator<[string, Intervention]> {
    return this.#byKey[Symbol.iterator]();
  }

  override *namedChildren(): Generator<[name: string, module: Module]> {
    yield* this.#byKey;
  }

  override forward(): never {
    fail("interventions", "they cannot be called; call the IntervenableModel, or one of them");
  }
}
