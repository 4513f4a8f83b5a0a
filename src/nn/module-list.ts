import { fail } from "./errors.ts";
import { Module } from "./module.ts";

/** Modules in a row, named "0", "1", ...; `at(-1)` is the last. Not callable itself. */
export class ModuleList<M extends Module = Module> extends Module implements Iterable<M> {
  readonly #modules: readonly M[];

  constructor(modules: Iterable<M>) {
    super();
    this.#modules = [...modules];
  }

  /** How many modules there are. */
  get length(): number {
    return this.#modules.length;
  }

  /** The modules in order. */
  [Symbol.iterator](): Iterator<M> {
    return this.#modules[Symbol.iterator]();
  }

  /** The module at an index, negative from the end. */
  at(index: number): M {
    const module = this.#modules.at(index);
    if (module === undefined) {
      fail("ModuleList.at", `index ${index} is out of range for ${this.length} modules`);
    }
    return module;
  }

  override *namedChildren(): Generator<[name: string, module: Module]> {
    for (const [i, module] of this.#modules.entries()) yield [String(i), module];
  }

  /**
   * A list cannot be called.
   * @throws ModelError always: call the modules in it.
   */
  override forward(): never {
    fail("ModuleList", "a list of modules cannot be called; call the modules in it");
  }
}

/** Modules applied one after another, named "0", "1", .... */
export class Sequential extends Module {
  readonly #modules: readonly Module[];

  constructor(...modules: readonly Module[]) {
    super();
    this.#modules = modules;
  }

  override *namedChildren(): Generator<[name: string, module: Module]> {
    for (const [i, module] of this.#modules.entries()) yield [String(i), module];
  }

  /** Passes `x` through all modules, each taking what the one before gives. */
  override forward(x: unknown): unknown {
    return this.#modules.reduce(
      (value, module) => (module.forward as (x: unknown) => unknown)(value),
      x,
    );
  }
}
