import { internal } from "../../base/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { remember } from "../remember.ts";
import { narrow } from "./narrow.ts";
import type { Program } from "./program.ts";
import { Sharings } from "./sharings.ts";
import { isStep, type Value } from "./step.ts";
import { fits, type Outline, outlineOf, readTrace, type Trace } from "./trace.ts";

/** Plans that are kept, and values in all of them together. */
const KNOWN = 64;
const KNOWN_VALUES = 60_000;

/** Traces that are remembered to have been seen. */
const SEEN = 512;

/** A program without the tensors that it was made of, and where in an equal trace others are found. */
interface Plan {
  /** What an equal trace is known by. */
  readonly outline: Outline;
  /** With tensors that say shapes and types only. */
  readonly program: Program;
  /** Ids of what comes from outside, and the places in the trace. */
  readonly inputs: readonly (readonly [id: number, place: number])[];
  /** Places of targets that were not asked for. */
  readonly kept: readonly number[];
}

/**
 * Programs of what is traced again and again, as a model is on batches of one size: of the third of
 * equal traces on, nothing is done but to see that they are equal.
 */
export class Plans {
  readonly #sharings = new Sharings();
  readonly #seen = new Map<number, true>();
  readonly #plans = new Map<number, Plan>();
  #values = 0;

  /** The program that computes tensors. */
  programOf(asked: readonly Tensor[]): Program {
    const trace = readTrace(asked);
    const { hash } = trace;
    const plan = this.#plans.get(hash);
    if (plan !== undefined && fits(plan.outline, trace)) {
      remember(this.#plans, hash, plan, KNOWN);
      return planned(plan, trace, asked);
    }
    const program = this.#sharings.programOf(narrow(asked));
    if (this.#seen.has(hash)) this.#keep(hash, planOf(program, trace, asked));
    remember(this.#seen, hash, true, SEEN);
    return program;
  }

  #keep(hash: number, plan: Plan): void {
    this.#forget(hash);
    this.#plans.set(hash, plan);
    this.#values += sizeOf(plan);
    for (const oldest of this.#plans.keys()) {
      if (this.#plans.size <= KNOWN && this.#values <= KNOWN_VALUES) return;
      this.#forget(oldest);
    }
  }

  #forget(hash: number): void {
    const plan = this.#plans.get(hash);
    if (plan === undefined) return;
    this.#values -= sizeOf(plan);
    this.#plans.delete(hash);
  }
}

/** What of a plan takes memory. */
function sizeOf({ outline, program }: Plan): number {
  return outline.marks.length + program.values.length;
}

function planOf(program: Program, trace: Trace, asked: readonly Tensor[]): Plan {
  const places = new Map(trace.tensors.map((t, place) => [t, place]));
  const placeOf = (t: Tensor): number => places.get(t) ?? internal("a tensor was not traced");
  const inputs = program.values.flatMap((value, id) =>
    isStep(value) ? [] : [[id, placeOf(value.tensor)] as const],
  );
  return {
    outline: outlineOf(trace),
    program: { ...program, values: hollow(program.values), targets: [] },
    inputs,
    kept: program.targets.slice(asked.length).map(placeOf),
  };
}

/** The same values, of tensors that say shapes and types, and hold nothing. */
function hollow(values: readonly Value[]): Value[] {
  const shells = values.map(({ tensor: { shape, dtype } }) => {
    return new Tensor({ shape, dtype, requiresGrad: false });
  });
  const shell = (id: number): Tensor => shells[id] ?? internal(`no value ${id}`);
  return values.map((value, id) => {
    if (!isStep(value)) return { tensor: shell(id) };
    const origin = { ...value.origin, inputs: value.inputs.map(shell) };
    return { ...value, tensor: shell(id), origin };
  });
}

/** The program of a plan with the tensors of a trace. */
function planned({ program, inputs, kept }: Plan, trace: Trace, asked: readonly Tensor[]): Program {
  const at = (place: number): Tensor => trace.tensors[place] ?? internal(`no tensor ${place}`);
  const values = [...program.values];
  for (const [id, place] of inputs) values[id] = { tensor: at(place) };
  return { ...program, values, targets: [...asked, ...kept.map(at)] };
}
