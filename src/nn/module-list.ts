import { didYouMean } from "../base/nearest.ts";
import type { Tensor } from "../tensor/tensor.ts";
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

/**
 * Modules applied one after another, named "0", "1", ....
 *
 * @typeParam In - What the first one takes.
 * @typeParam Out - What the last one gives.
 *
 * @example
 * ```ts
 * import { Linear, ones, ReLU, Sequential } from "tsvene";
 * const mlp = new Sequential(new Linear(4, 16), new ReLU(), new Linear(16, 2));
 * console.log(mlp.forward(ones([3, 4])).shape); // [3, 2]
 * ```
 */
export class Sequential<In = Tensor, Out = Tensor> extends Module {
  readonly #modules: readonly Module[];

  constructor(...modules: readonly Module[]) {
    super();
    this.#modules = modules;
  }

  override *namedChildren(): Generator<[name: string, module: Module]> {
    for (const [i, module] of this.#modules.entries()) yield [String(i), module];
  }

  /** Passes `x` through all modules, each taking what the one before gives. */
  override forward(x: In): Out {
    return this.#modules.reduce<unknown>(
      (value, module) => (module.forward as (x: unknown) => unknown)(value),
      x,
    ) as Out;
  }
}

/**
 * Modules by name, as torch.nn.ModuleDict. Not callable itself.
 *
 * @example
 * ```ts
 * import { Linear, ModuleDict, ones } from "tsvene";
 * const heads = new ModuleDict({ color: new Linear(8, 3), shape: new Linear(8, 5) });
 * console.log(heads.get("shape").forward(ones([2, 8])).shape); // [2, 5]
 * ```
 */
export class ModuleDict<Modules extends Readonly<Record<string, Module>>> extends Module {
  readonly #modules: Modules;

  constructor(modules: Modules) {
    super();
    for (const name of Object.keys(modules)) {
      if (name !== "" && !name.includes(".")) continue;
      fail("ModuleDict", `a name must have a character and no dot, got ${JSON.stringify(name)}`);
    }
    this.#modules = { ...modules };
  }

  /** The names in order. */
  keys(): string[] {
    return Object.keys(this.#modules);
  }

  /** The module of a name. */
  get<Name extends keyof Modules & string>(name: Name): Modules[Name] {
    if (Object.hasOwn(this.#modules, name)) return this.#modules[name];
    return fail("ModuleDict.get", `there is no ${JSON.stringify(name)}; ${didYouMean(name, this.keys())}`); // prettier-ignore
  }

  override *namedChildren(): Generator<[name: string, module: Module]> {
    yield* Object.entries(this.#modules);
  }

  /**
   * Modules by name cannot be called.
   * @throws ModelError always: call one of them.
   */
  override forward(): never {
    fail("ModuleDict", "modules by name cannot be called; call one of them, with get()");
  }
}
