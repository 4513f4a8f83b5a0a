import { describeValue, isPromise } from "../base/describe-value.ts";
import { fail, ModelError } from "./errors.ts";
import { type Device, DEVICES } from "../tensor/device.ts";
import { isFloat } from "../tensor/dtype.ts";
import { printsItself } from "../base/inspect.ts";
import { refuseOverflow } from "../tensor/overflow.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { Buffer } from "./buffer.ts";
import { checkWeightDType, Parameter, type WeightDType } from "./parameter.ts";
import { changeFirst, isWatched, passSite } from "./scope.ts";

type Forward = (...args: unknown[]) => unknown;

/** Options of {@link Module.loadStateDict}. */
export interface LoadOptions {
  /** Refuse names that are missing or unexpected. @default true */
  readonly strict?: boolean;
}

/**
 * Base of all models and layers, as torch.nn.Module: a subclass keeps parameters, buffers and
 * modules in its properties and writes `forward`. Calling `forward` passes input and output through
 * the site mechanism, so that every module can be read and edited without any registration.
 *
 * The tensor at a module's input is the first argument (or the first tensor in it, if that is an
 * object); at its output, the result (or the first tensor in it).
 *
 * @example
 * ```ts
 * import { Linear, Module, type Tensor } from "tsvene";
 * class Mlp extends Module {
 *   readonly up = new Linear(8, 32);
 *   readonly down = new Linear(32, 8);
 *   override forward(x: Tensor): Tensor {
 *     return this.down.forward(this.up.forward(x).relu());
 *   }
 * }
 * console.log([...new Mlp().namedParameters()].map(([name]) => name));
 * ```
 */
export abstract class Module {
  /** Whether layers such as dropout behave as in training; see {@link train}. */
  training = true;

  /** Own parameters that checkpoints hold transposed, such as those of GPT-2's Conv1D. */
  readonly transposedInCheckpoint: readonly string[] = [];

  /**
   * Computes the module's output from its inputs; a subclass writes it. Calling it passes inputs
   * and
   * output through the handlers of the trace that is open, if any.
   */
  abstract forward(...args: never[]): unknown;

  /**
   * @internal The module whose output a name means, in a model whose values have names of their own.
   * @throws TsveneError with the nearest names when there is none.
   */
  placeAt?(name: string): Module;

  /** @internal Refuses what `forward` would pass over in silence. */
  protected checkInputs?(inputs: unknown): void;

  /** @internal Takes note of what `forward` gave. */
  protected noteOutput?(output: unknown): void;

  constructor() {
    const inner: unknown = Reflect.get(this, "forward");
    const forward: Forward = (...args) => {
      if (isPromise(args[0])) {
        fail(this.constructor.name, `forward got ${describeValue(args[0])}`);
      }
      this.checkInputs?.(args[0]);
      const output = passThrough(this, inner as Forward, args);
      this.noteOutput?.(output);
      return output;
    };
    Object.defineProperty(this, "forward", { value: forward });
  }

  /** Modules directly inside, by property name. */
  *namedChildren(): Generator<[name: string, module: Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module) yield [name, value];
    }
  }

  /** This module (named "") and all modules inside, each once, with dotted names. */
  *namedModules(
    prefix = "",
    seen: Set<Module> = new Set(),
  ): Generator<[name: string, module: Module]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) {
      yield* child.namedModules(join(prefix, name), seen);
    }
  }

  /** All parameters, each once (a shared one under its first name), with dotted names. */
  *namedParameters(): Generator<[name: string, parameter: Parameter]> {
    const seen = new Set<Parameter>();
    for (const [name, value] of this.#namedState()) {
      if (!(value instanceof Parameter) || seen.has(value)) continue;
      seen.add(value);
      yield [name, value];
    }
  }

  /** All parameters, each once. */
  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }

  /** All buffers, each once, with dotted names. */
  *namedBuffers(): Generator<[name: string, buffer: Buffer]> {
    const seen = new Set<Buffer>();
    for (const [name, value] of this.#namedState()) {
      if (!(value instanceof Buffer) || seen.has(value)) continue;
      seen.add(value);
      yield [name, value];
    }
  }

  /**
   * Parameters and persistent buffers by name, in checkpoint form: what
   * {@link loadStateDict} takes and files hold. Shared ones appear under each name.
   */
  stateDict(): Record<string, Tensor> {
    const dict: Record<string, Tensor> = {};
    for (const [name, holder, owner] of this.#namedState()) {
      if (holder instanceof Buffer && !holder.persistent) continue;
      dict[name] = isTransposed(owner, name) ? holder.stored.t() : holder.stored;
    }
    return dict;
  }

  /**
   * Takes values by name. Shapes must fit; dtypes are converted. On an error nothing is changed.
   * @throws ModelError listing every missing, unexpected and unfitting name.
   */
  loadStateDict(dict: Readonly<Record<string, Tensor>>, { strict = true }: LoadOptions = {}): void {
    requireStateDict(dict);
    const state = [...this.#namedState()].filter(
      ([, holder]) => !(holder instanceof Buffer) || holder.persistent,
    );
    const known = new Map(state.map(([name, holder, owner]) => [name, { holder, owner }]));
    const problems: string[] = [];
    // A shared parameter may be stored under one of its names only.
    const given = new Set(state.filter(([name]) => name in dict).map(([, holder]) => holder));
    const missing = state.filter(([, holder]) => !given.has(holder)).map(([name]) => name);
    const unexpected = Object.keys(dict).filter((name) => !known.has(name));
    if (strict && missing.length > 0) problems.push(`missing: ${missing.join(", ")}`);
    if (strict && unexpected.length > 0) problems.push(`unexpected: ${unexpected.join(", ")}`);
    const updates: [Parameter | Buffer, Tensor][] = [];
    for (const [name, { holder, owner }] of known) {
      const value = dict[name];
      if (value === undefined) continue;
      const turned = isTransposed(owner, name) && value.ndim === 2 ? value.t() : value;
      const { shape, dtype } = holder.stored;
      if (!sameShape(turned.shape, shape)) {
        const wanted = isTransposed(owner, name) ? [...shape].reverse() : shape;
        problems.push(`${name} has shape ${show(value.shape)}, wanted ${show(wanted)}`);
      }
      updates.push([holder, turned.to(dtype)]);
    }
    if (problems.length > 0) {
      throw new ModelError(
        `loadStateDict: the values do not fit the model:\n  ${problems.join("\n  ")}`,
      );
    }
    for (const [holder, value] of updates) holder.set(value);
  }

  /** Puts this module and all inside in training mode, or back in evaluation mode. */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  /** Puts this module and all inside in evaluation mode. */
  eval(): this {
    return this.train(false);
  }

  /** Whether gradients are wanted of the parameters. */
  requiresGrad(wanted = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = wanted;
    return this;
  }

  /**
   * Keeps the floating-point parameters in another element type from now on, as torch's
   * `module.to(dtype)`: in 16 bits they take half the memory, and each program widens what it
   * computes with to float32. Buffers stay as they are.
   *
   * Or puts the parameters on a device, where all is computed from then on that they take part in, as
   * `module.to("webgpu")`; the first program that needs a device which is not there says so.
   *
   * @throws TensorError, before anything is changed, for a weight that the element type cannot hold.
   *
   * @example
   * ```ts
   * import { Linear } from "tsvene";
   * const layer = new Linear(64, 64).to("bfloat16");
   * console.log(layer.weight.stored.dtype, layer.weight.value.dtype); // bfloat16 float32
   * ```
   */
  to(target: WeightDType | Device): this {
    const parameters = [...this.namedParameters()];
    const device = DEVICES.find((known) => known === target);
    if (device !== undefined) {
      for (const [, parameter] of parameters) parameter.moveTo(device);
      return this;
    }
    const dtype: string = target;
    checkWeightDType(`${this.constructor.name}.to`, dtype);
    for (const [name, { stored }] of parameters) {
      const { values, dtype: from } = stored;
      if (values === undefined || !isFloat(from)) continue;
      refuseOverflow(`${this.constructor.name}.to`, name, { values, dtype: from, to: dtype });
    }
    for (const [, parameter] of parameters) parameter.keepIn(dtype);
    return this;
  }

  /** The tree of modules inside, one a line. */
  toString(): string {
    const children = [...this.namedChildren()];
    const own = this.describe();
    if (children.length === 0) return `${this.constructor.name}(${own})`;
    const inside = children.map(([name, child]) => `(${name}): ${child.toString()}`);
    const lines = own === "" ? inside : [own, ...inside];
    const body = lines.join("\n").replaceAll("\n", "\n  ");
    return `${this.constructor.name}(\n  ${body}\n)`;
  }

  /**
   * Size of the last dimension at the module's input or output, for modules that know it before they
   * run: interventions with parameters are made for it.
   * @returns undefined where only a trace can say it.
   */
  widthAt(_side: "input" | "output"): number | undefined {
    return undefined;
  }

  /** What distinguishes this module in a printed tree, such as its sizes. */
  describe(): string {
    return "";
  }

  *#namedState(): Generator<[name: string, holder: Parameter | Buffer, owner: Module]> {
    for (const [prefix, module] of allModules(this, "")) {
      for (const [name, value] of Object.entries(module)) {
        if (value instanceof Parameter || value instanceof Buffer) {
          yield [join(prefix, name), value, module];
        }
      }
    }
  }
}

printsItself(Module.prototype);

function join(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

/** All modules with all their names, shared ones under each. */
function* allModules(module: Module, prefix: string): Generator<[name: string, module: Module]> {
  yield [prefix, module];
  for (const [name, child] of module.namedChildren()) yield* allModules(child, join(prefix, name));
}

function isTransposed(owner: Module, name: string): boolean {
  return owner.transposedInCheckpoint.includes(name.slice(name.lastIndexOf(".") + 1));
}

function passThrough(module: Module, inner: Forward, args: unknown[]): unknown {
  if (!isWatched(module)) return inner.apply(module, args);
  const [first, ...rest] = args;
  const input = changeFirst(first, (t) => passSite(module, "input", t, args));
  const output = inner.apply(module, [input, ...rest]);
  return changeFirst(output, (t) => passSite(module, "output", t, [input, ...rest]));
}

/** A state dict has tensors by name; from JavaScript it may be a promise, or have lists. */
function requireStateDict(dict: unknown): void {
  const op = "loadStateDict";
  if (typeof dict !== "object" || dict === null || isPromise(dict)) {
    fail(op, `expected tensors by name, as stateDict() gives, got ${describeValue(dict)}`);
  }
  for (const [name, value] of Object.entries(dict)) {
    if (value instanceof Tensor) continue;
    fail(op, `${name} must be a Tensor, got ${describeValue(value)}`);
  }
}
