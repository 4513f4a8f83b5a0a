import { Module } from "../../nn/module.ts";
import type { Intervention } from "../../interventions/intervention.ts";
import { fail } from "../../interventions/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import { refuseWaiting, type Targets } from "../sites/targets.ts";

/**
 * Interventions by key, as parts of a module. Linked keys hold the same one. Those that wait for a
 * width are there once the model has been traced; until then, asking for them, or for all, is an
 * error that says what to do.
 */
export class InterventionDict extends Module implements Iterable<[string, Intervention]> {
  readonly #targets: Targets;

  /** @internal */
  constructor(targets: Targets) {
    super();
    this.#targets = targets;
  }

  /** Keys of all interventions, in order of declaration. */
  get keys(): readonly string[] {
    return this.#targets.all.map(({ key }) => key);
  }

  /** @throws InterventionError with the nearest keys when there is none such. */
  get(key: string): Intervention {
    const found = this.#targets.all.find((target) => target.key === key);
    if (found === undefined) {
      fail("interventions.get", `there is no ${key}; ${didYouMean(key, this.keys)}`);
    }
    return found.intervention ?? refuseWaiting(found);
  }

  *[Symbol.iterator](): Generator<[string, Intervention]> {
    for (const key of this.keys) yield [key, this.get(key)];
  }

  override *namedChildren(): Generator<[name: string, module: Module]> {
    yield* this;
  }

  override forward(): never {
    fail("interventions", "they cannot be called; call the IntervenableModel, or one of them");
  }
}
