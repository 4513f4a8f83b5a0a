import type {
  Backend,
  BoundProgram,
  CompileOptions,
  Executable,
  HostValue,
  Program,
  Tensor,
  Weights,
} from "tsvene";
import type { Interpret } from "./call.ts";
import { count, entry, type HostArray, type Sizes } from "./host-array.ts";
import { interpreters } from "./interpreters.ts";
import { fromStorage, toStorage } from "./storage.ts";

/** What a value is: computed from others, held inside, or to be given. */
type Instruction =
  | {
      readonly interpret: Interpret<unknown>;
      readonly attributes: unknown;
      readonly inputs: readonly number[];
      /** Slots of the sizes, or the sizes that are built in. */
      readonly sizes: readonly (number | Sizes)[];
      readonly dtype: HostArray["dtype"];
    }
  | { readonly held: HostArray }
  | { readonly given: number };

function arrayOf({ shape, dtype, values }: Tensor): HostArray {
  if (values === undefined) throw new Error("internal: a tensor from outside has no values");
  return fromStorage(shape, dtype, values);
}

/** The program's steps, with nothing in them but what its signature and its weights' key cover. */
function instructionsOf(program: Program, weights: Weights | undefined): Instruction[] {
  return program.values.map((value, id) => {
    if (!("origin" in value)) {
      return weights?.ids.has(id) === true ? { held: arrayOf(value.tensor) } : { given: id };
    }
    const { op, attributes } = value.origin;
    const sized = weights?.sized === "all" || weights?.sized.has(id) === true;
    return {
      interpret: interpreters[op] as Interpret<unknown>,
      attributes,
      inputs: value.inputs,
      sizes: value.sizes.map((slot) => (sized ? entry(program.sizes, slot) : slot)),
      dtype: value.tensor.dtype,
    };
  });
}

/** Values from outside, by their ids. */
type Given = ReadonlyMap<number, HostArray>;

class ReferenceExecutable implements Executable {
  readonly #instructions: readonly Instruction[];
  readonly #outputs: readonly number[];
  readonly #feedback: Program["feedback"];
  readonly #onRelease: () => void;
  #released = false;

  constructor(program: Program, weights: Weights | undefined, onRelease: () => void) {
    this.#instructions = instructionsOf(program, weights);
    this.#outputs = program.outputs;
    this.#feedback = program.feedback;
    this.#onRelease = onRelease;
  }

  bind({ values, sizes, each = [] }: Program, open: ReadonlySet<number>): BoundProgram {
    const fixed = new Map<number, HostArray>();
    this.#instructions.forEach((instruction, id) => {
      if ("given" in instruction && !open.has(id)) fixed.set(id, arrayOf(entry(values, id).tensor));
    });
    return {
      run: async (inputs, times) => {
        // Others may run, and release what they hold, in between.
        await new Promise((resolve) => setTimeout(resolve));
        this.#requireAlive();
        const given = new Map(fixed);
        for (const [id, tensor] of inputs) given.set(id, arrayOf(tensor));
        return this.#steps(given, { sizes, each }, times);
      },
    };
  }

  async release(): Promise<void> {
    this.#requireAlive();
    this.#released = true;
    this.#onRelease();
  }

  #requireAlive(): void {
    if (this.#released) throw new Error("internal: the program was released");
  }

  /** All steps of a loop, or the only run. */
  #steps(
    given: Map<number, HostArray>,
    { sizes, each }: { readonly sizes: readonly Sizes[]; readonly each: readonly number[] },
    times: number,
  ): HostValue[] {
    const steps: HostArray[][] = [];
    const stacks = each.map((id) => [id, given.get(id)] as const);
    for (let i = 0; i < times; i++) {
      for (const [id, stack] of stacks) if (stack !== undefined) given.set(id, partOf(stack, i));
      const outputs = this.#once(given, sizes);
      steps.push(outputs);
      this.#feedback?.forEach(({ input, output }) => given.set(input, entry(outputs, output)));
    }
    return this.#outputs.map((_, i) => {
      const all = steps.map((outputs) => entry(outputs, i));
      const last = entry(all, times - 1);
      const isState = this.#feedback?.some(({ output }) => output === i) ?? true;
      return hostValue(isState ? last : stacked(all));
    });
  }

  #once(given: Given, sizes: readonly Sizes[]): HostArray[] {
    const computed: HostArray[] = [];
    this.#instructions.forEach((instruction, id) => {
      computed.push(compute(instruction, id, { given, computed, sizes }));
    });
    return this.#outputs.map((id) => entry(computed, id));
  }
}

interface State {
  readonly given: Given;
  readonly computed: readonly HostArray[];
  readonly sizes: readonly Sizes[];
}

function compute(instruction: Instruction, id: number, state: State): HostArray {
  if ("held" in instruction) return instruction.held;
  if ("given" in instruction) {
    const value = state.given.get(id);
    if (value === undefined) throw new Error(`internal: value ${id} was not given`);
    return value;
  }
  const { interpret, attributes, dtype } = instruction;
  return interpret({
    attributes,
    dtype,
    inputs: instruction.inputs.map((input) => entry(state.computed, input)),
    sizes: instruction.sizes.map((size) =>
      typeof size === "number" ? entry(state.sizes, size) : size,
    ),
  });
}

function stacked(arrays: readonly HostArray[]): HostArray {
  const { shape, dtype } = entry(arrays, 0);
  return { shape: [arrays.length, ...shape], dtype, values: arrays.flatMap((x) => x.values) };
}

/** One of those that were stacked. */
function partOf({ shape: [, ...shape], dtype, values }: HostArray, i: number): HostArray {
  const size = count(shape);
  return { shape, dtype, values: values.slice(i * size, (i + 1) * size) };
}

function hostValue(x: HostArray): HostValue {
  return { shape: x.shape, data: toStorage(x) };
}

/**
 * Computes programs one operation after another, on plain lists of numbers: slow, and as obvious as
 * can be, to say what the results of another backend have to be.
 */
export class ReferenceBackend implements Backend {
  readonly name = "reference";
  readonly weightBytes: number = 2 ** 30;
  #alive = 0;

  /** Programs that were compiled and not released. */
  get alive(): number {
    return this.#alive;
  }

  async compile(program: Program, { weights }: CompileOptions): Promise<Executable> {
    this.#alive++;
    return new ReferenceExecutable(program, weights, () => this.#alive--);
  }
}
