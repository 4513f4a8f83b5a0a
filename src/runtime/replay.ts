import { leaf } from "../tensor/apply.ts";
import { fail, internal } from "../tensor/errors.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { inputName } from "./compile.ts";
import { narrow } from "./narrow.ts";
import { type Weights, weightsOf } from "./packing.ts";
import { buildProgram, type Program } from "./program.ts";
import { type Feeds, feedsOf, runProgram, wrap } from "./run.ts";
import { isStep } from "./step.ts";

/** Larger values are taken for different ones rather than compared. */
const COMPARED = 65_536;

/**
 * A computation that was traced once, to be run with other tensors in the place of those it was
 * traced with: what is the same in each step of a loop costs no more than running its program.
 * Everything else that was read, weights included, stays what it was when it was traced.
 */
export class Replay {
  readonly #inputs: readonly Tensor[];
  readonly #ids: readonly (number | undefined)[];
  readonly #program: Program;
  readonly #weights: Weights | undefined;
  readonly #outputs: number;
  #feeds: { readonly within: Weights | undefined; readonly feeds: Feeds } | undefined;

  /**
   * @param inputs Tensors that hold values, of one dimension or more, and that others of their
   * shapes and types are to take the places of.
   * @param outputs What was computed from them, and is to be computed from those others.
   */
  constructor(inputs: readonly Tensor[], outputs: readonly Tensor[]) {
    this.#inputs = inputs;
    this.#outputs = outputs.length;
    this.#program = buildProgram(narrow(outputs));
    this.#weights = weightsOf(this.#program, { sized: true });
    const ids = new Map(this.#program.values.map(({ tensor }, id) => [tensor, id]));
    this.#ids = inputs.map((t) => ids.get(t));
  }

  /**
   * Whether another trace with the same inputs is the same computation on the same values, as it is
   * where nothing but the inputs decides what is traced: no random numbers, and no state.
   */
  equals(other: Replay): boolean {
    const [own, others] = [this.#program, other.#program];
    if (own.signature !== others.signature) return false;
    if (!own.sizes.every((sizes, slot) => sameShape(sizes, others.sizes[slot] ?? []))) return false;
    return own.values.every((value, id) => {
      const counterpart = others.values[id] ?? internal(`no value ${id}`);
      return isStep(value) || sameValues(value.tensor, counterpart.tensor);
    });
  }

  /**
   * The outputs for these inputs.
   * @throws TensorError for inputs of another number, shape or type.
   */
  async run(inputs: readonly Tensor[]): Promise<readonly Tensor[]> {
    this.#check(inputs);
    const values = await runProgram(this.#program, this.#weights, (within) =>
      this.#feedsFor(within, inputs),
    );
    return this.#program.targets.slice(0, this.#outputs).map(({ shape, dtype }, i) => {
      return leaf(values[i] ?? internal(`no values for output ${i}`), shape, dtype);
    });
  }

  #check(inputs: readonly Tensor[]): void {
    if (inputs.length !== this.#inputs.length) {
      fail("Replay.run", `expected ${this.#inputs.length} tensors, got ${inputs.length}`);
    }
    this.#inputs.forEach(({ shape, dtype }, i) => {
      const given = inputs[i] ?? internal(`no input ${i}`);
      if (sameShape(given.shape, shape) && given.dtype === dtype) return;
      const got = `${given.dtype} ${show(given.shape)}`;
      fail("Replay.run", `input ${i} was traced as ${dtype} ${show(shape)}, got ${got}`);
    });
  }

  #feedsFor(within: Weights | undefined, inputs: readonly Tensor[]): Feeds {
    if (this.#feeds === undefined || this.#feeds.within !== within) {
      this.#feeds = { within, feeds: feedsOf(this.#program, within) };
    }
    const feeds = { ...this.#feeds.feeds };
    this.#ids.forEach((id, i) => {
      const input = inputs[i] ?? internal(`no input ${i}`);
      if (id !== undefined) feeds[inputName(id)] = wrap(input);
    });
    return feeds;
  }
}

function sameValues(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  const [x, y] = [a.values, b.values];
  if (x === undefined || y === undefined || x.length !== y.length) return false;
  return x.length <= COMPARED && x.every((value, i) => Object.is(value, y[i]));
}
