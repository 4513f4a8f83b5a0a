import { leaf } from "../tensor/ops/apply.ts";
import { fail, internal } from "../base/errors.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { BoundProgram, Executable, HostValue } from "./backend.ts";
import { runtimeFor } from "./default-runtime.ts";
import { narrow } from "./program/narrow.ts";
import { type Weights, weightsOf } from "./emit/packing.ts";
import { buildProgram, type Feedback, isStacked, looped, type Program } from "./program/program.ts";
import type { Runtime } from "./runtime.ts";
import { isStep } from "./program/step.ts";

/** How the inputs of one step of a loop become those of the next. */
export interface Loop {
  /** Which output, by its place, an input is in the next step, by its place. */
  readonly states: ReadonlyMap<number, number>;
  /** Places of inputs that are given for each step, stacked: [steps, ...]. @default none */
  readonly each?: readonly number[];
}

/** Multiply-adds that steps are run together for: some milliseconds' of so small ones. */
const TOGETHER = 8_000_000;

/** Steps at most that are run together, for their results come together. */
const MOST_STEPS = 32;

/** Steps of so little work that bringing results out and in between them takes as long. */
function stepsTogether(program: Program): number {
  const steps = Math.floor(TOGETHER / Math.max(1, program.work.multiplyAdds));
  return Math.max(1, Math.min(MOST_STEPS, steps));
}

/** Larger values are taken for different ones rather than compared. */
const COMPARED = 65_536;

/**
 * A computation that was traced once, to be run with other tensors in the place of those it was
 * traced with: what is the same in each step of a loop costs no more than running its program.
 * Everything else that was read, weights included, stays what it was when it was traced.
 */
export class Replay {
  /** Steps that one run should make at most; 1 if it is no loop. */
  readonly mostSteps: number;
  readonly #inputs: readonly Tensor[];
  /** Places of the inputs that a run is given for each of its steps. */
  readonly #each: ReadonlySet<number>;
  readonly #ids: readonly (number | undefined)[];
  readonly #program: Program;
  readonly #weights: Weights | undefined;
  readonly #outputs: readonly Tensor[];
  readonly #lasting: readonly Tensor[];
  readonly #runtime: Runtime;
  #bound: { readonly executable: Executable; readonly program: BoundProgram } | undefined;

  /**
   * @param inputs Tensors that hold values, of one dimension or more, and that others of their
   * shapes and types are to take the places of.
   * @param outputs What was computed from them, and will be computed from those others.
   * @param options.loop Makes it the step of a loop, where it does so little that this pays, as
   * {@link mostSteps} says.
   * @param options.runtime What runs it. @default the one that computes tensors
   */
  constructor(
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    {
      loop,
      runtime = runtimeFor(outputs),
    }: { readonly loop?: Loop | undefined; readonly runtime?: Runtime } = {},
  ) {
    this.#runtime = runtime;
    this.#inputs = inputs;
    this.#outputs = outputs;
    const program = buildProgram(narrow(outputs));
    const ids = new Map(program.values.map(({ tensor }, id) => [tensor, id]));
    this.#ids = inputs.map((t) => ids.get(t));
    this.mostSteps = loop === undefined ? 1 : stepsTogether(program);
    const repeated = this.mostSteps > 1 ? loop : undefined;
    this.#each = new Set(repeated?.each);
    this.#program = repeated === undefined ? program : this.#looped(program, repeated);
    this.#weights = weightsOf(this.#program, { sized: true, open: this.#open });
    this.#lasting = program.values.flatMap(({ tensor }) => (tensor.lasting ? [tensor] : []));
  }

  /** Whether the modules that were traced still hold the weights that they held then. */
  get isCurrent(): boolean {
    return this.#lasting.every((t) => t.lasting);
  }

  /**
   * Whether another trace is the same computation with the same values besides its inputs, as it is
   * where nothing but the inputs' shapes decides what is traced: no random numbers, and no state.
   */
  equals(other: Replay): boolean {
    const [own, others] = [this.#program, other.#program];
    if (own.signature !== others.signature) return false;
    if (!own.sizes.every((sizes, slot) => sameShape(sizes, others.sizes[slot] ?? []))) return false;
    const inputs = new Set(this.#ids);
    return own.values.every((value, id) => {
      if (inputs.has(id)) return other.#ids.includes(id);
      const counterpart = others.values[id] ?? internal(`no value ${id}`);
      return isStep(value) || sameValues(value.tensor, counterpart.tensor);
    });
  }

  /**
   * The outputs for these inputs; of a loop of `times` steps, what the last one hands on, and all
   * other outputs stacked: [times, ...], as the inputs that are given for each step.
   *
   * @throws TensorError for inputs of another number, shape or type.
   */
  async run(inputs: readonly Tensor[], times = 1): Promise<readonly Tensor[]> {
    this.#check(inputs, times);
    const call = (executable: Executable): Promise<readonly HostValue[]> =>
      this.#boundTo(executable).run(this.#byId(inputs), times);
    const values = await this.#runtime.run(this.#program, this.#weights, call, times);
    return this.#outputs.map(({ shape, dtype }, i) => {
      const own = isStacked(this.#program, i) ? [times, ...shape] : shape;
      return leaf(values[i] ?? internal(`no values for output ${i}`), own, dtype);
    });
  }

  /** Ids of the inputs that something is computed from. */
  get #open(): ReadonlySet<number> {
    return new Set(this.#ids.flatMap((id) => id ?? []));
  }

  #looped(program: Program, { states, each = [] }: Loop): Program {
    const feedback = [...states].flatMap(([input, output]): Feedback[] => {
      const id = this.#ids[input];
      return id === undefined ? [] : [{ input: id, output }];
    });
    const stacked = each.flatMap((input) => this.#ids[input] ?? []);
    return looped(program, feedback, stacked);
  }

  #check(inputs: readonly Tensor[], times: number): void {
    if (inputs.length !== this.#inputs.length) {
      fail("Replay.run", `expected ${this.#inputs.length} tensors, got ${inputs.length}`);
    }
    this.#inputs.forEach(({ shape, dtype }, i) => {
      const given = inputs[i] ?? internal(`no input ${i}`);
      const wanted = this.#each.has(i) ? [times, ...shape] : shape;
      if (sameShape(given.shape, wanted) && given.dtype === dtype) return;
      const got = `${given.dtype} ${show(given.shape)}`;
      fail("Replay.run", `input ${i} was traced as ${dtype} ${show(wanted)}, got ${got}`);
    });
  }

  /** The program with all that is the same in every run, put together once. */
  #boundTo(executable: Executable): BoundProgram {
    if (this.#bound?.executable !== executable) {
      const program = executable.bind(this.#program, this.#open);
      this.#bound = { executable, program };
    }
    return this.#bound.program;
  }

  #byId(inputs: readonly Tensor[]): ReadonlyMap<number, Tensor> {
    const byId = new Map<number, Tensor>();
    this.#ids.forEach((id, i) => {
      if (id !== undefined) byId.set(id, inputs[i] ?? internal(`no input ${i}`));
    });
    return byId;
  }
}

function sameValues(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  const [x, y] = [a.values, b.values];
  if (x === undefined || y === undefined || x.length !== y.length) return false;
  return x.length <= COMPARED && x.every((value, i) => Object.is(value, y[i]));
}
