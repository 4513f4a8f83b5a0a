import { Module } from "../../nn/module.ts";
import type { Intervention } from "../../interventions/intervention.ts";
import { fail } from "../../interventions/errors.ts";
import { requireNamed } from "./names.ts";
import { refuseWaiting, type Targets } from "../sites/targets.ts";

/**
 * Interventions by name, as parts of a module. Those that are linked are the same one. Those that wait for a
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

  /** Their names, in the order of declaration. */
  get names(): readonly string[] {
    return this.#targets.all.map(({ name }) => name);
  }

  /** @throws InterventionError with the nearest names when there is none such. */
  get(name: string): Intervention {
    const found = requireNamed("interventions.get", name, this.#targets.all);
    return found.intervention ?? refuseWaiting(found);
  }

  /** Keys and interventions, in order of declaration. */
  *[Symbol.iterator](): Generator<[string, Intervention]> {
    for (const name of this.names) yield [name, this.get(name)];
  }

  override *namedChildren(): Generator<[name: string, module: Module]> {
    yield* this;
  }

  override forward(): never {
    fail("interventions", "they cannot be called; call the IntervenableModel, or one of them");
  }
}
