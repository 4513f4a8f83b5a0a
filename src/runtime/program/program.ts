import type { Origin } from "../../tensor/ops/apply.ts";
import { internal } from "../../base/errors.ts";
import { upstream } from "../../tensor/graph.ts";
import { NONE, type OpName } from "../../tensor/ops/ops.ts";
import { sameShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { varyingPart } from "../../tensor/varying.ts";
import { AttentionFinder } from "./fuse.ts";
import { traits } from "../../tensor/ops/traits.ts";
import { kernels } from "./kernels.ts";
import { spelled } from "./spelled.ts";
import { isStep, type Value } from "./step.ts";
import { findWidenings, spelledWidening } from "./widenings.ts";
import { sumUp, type Work } from "./work.ts";

/** A graph in canonical form: equal subgraphs are one, sizes are operands. */
export interface Program {
  /** Inputs and steps; a step reads only values before it. */
  readonly values: readonly Value[];
  /** int64 operands, by slot. */
  readonly sizes: readonly (readonly number[])[];
  /** Which operands are 0-d. */
  readonly scalarSizes: ReadonlySet<number>;
  /** The tensors to be computed: those asked for, and those that keep their values. */
  readonly targets: readonly Tensor[];
  /** Ids of the targets' values. */
  readonly outputs: readonly number[];
  /** What it does, or each of its steps. */
  readonly work: Work;
  /** Equal for programs that differ in sizes and data only. */
  readonly signature: string;
  /** Which of the traced tensors are the same value, and which sizes the same operand. */
  readonly sharing: Sharing;
  /** What one step hands to the next, if the program is run as the steps of a loop. */
  readonly feedback?: readonly Feedback[];
  /** Ids of values from outside that are others in each step of a loop. */
  readonly each?: readonly number[];
}

/** What of a trace is one and the same in a program, by the places of tensors in the trace. */
export interface Sharing {
  /** Ids of the values. */
  readonly ids: readonly number[];
  /** Slots of their sizes, by ids. */
  readonly slots: readonly (readonly number[])[];
}

/** A value from outside that is, from the second step on, an output of the step before. */
export interface Feedback {
  /** Id of the value. */
  readonly input: number;
  /** Place among the outputs. */
  readonly output: number;
}

/** Whether an output of a loop is that of all steps, and not what the last one hands on. */
export function isStacked({ feedback }: Program, output: number): boolean {
  return feedback !== undefined && !feedback.some((state) => state.output === output);
}

/**
 * The program as the body of a loop, each step of which goes on from the one before.
 *
 * @param each - Ids of values from outside of which there is one for each step.
 */
export function looped(
  program: Program,
  feedback: readonly Feedback[],
  each: readonly number[],
): Program {
  const places = feedback.map(({ input, output }) => `${input}<${output}`).join(",");
  const signature = `loop ${places} each ${each.join(",")}\n${program.signature}`;
  return { ...program, feedback, each, signature };
}

const NO_SLOTS: readonly number[] = [];

class ProgramBuilder {
  /** What may be shared at most. */
  readonly #known: Sharing | undefined;
  readonly #places = new Map<Tensor, number>();
  readonly #ids: number[] = [];
  readonly #byKey = new Map<string, number>();
  readonly #slots = new Map<string, number>();
  readonly #values: Value[] = [];
  readonly #sizes: (readonly number[])[] = [];
  readonly #scalarSizes = new Set<number>();
  readonly #signature: string[] = [];
  readonly #kept: Tensor[] = [];
  #hasSoftmax = false;
  #hasHalves = false;
  /** Whether sizes are only by accident what they are: then none are shared, and nothing rests on them. */
  #varies = false;
  /** Ids of what is computed from the rest of a text. */
  readonly #rest = new Set<number>();

  constructor(known: Sharing | undefined) {
    this.#known = known;
  }

  build(asked: readonly Tensor[]): Program {
    const order = upstream(asked);
    for (const t of order) this.#varies ||= varyingPart(t) !== undefined;
    for (const t of order) this.#add(t);
    const targets = [...asked, ...this.#kept];
    const ids = targets.map((t) => this.#id(t));
    this.#fuse(ids);
    this.#widen();
    return {
      targets,
      values: this.#values,
      sizes: this.#sizes,
      scalarSizes: this.#scalarSizes,
      outputs: ids,
      work: sumUp(this.#values),
      signature: `${this.#signature.join("\n")}\n>${ids.join(",")}`,
      sharing: { ids: this.#ids, slots: this.#values.map((v) => (isStep(v) ? v.sizes : NO_SLOTS)) },
    };
  }

  /** Marks what one kernel computes although several operations write it out. */
  #fuse(outputs: readonly number[]): void {
    if (!this.#hasSoftmax) return;
    const finder = new AttentionFinder(this.#values, outputs);
    this.#values.forEach((value, id) => {
      if (!isStep(value) || kernels[value.origin.op].attention !== "end") return;
      const attention = finder.find(id);
      if (attention === undefined) return;
      this.#values[id] = { ...value, attention };
      this.#signature.push(`attention ${id}`);
    });
  }

  /** Says who reads which copies of weights in 16 bits. */
  #widen(): void {
    if (!this.#hasHalves) return;
    for (const [id, widenings] of findWidenings(this.#values)) {
      const step = this.#values[id];
      if (step === undefined || !isStep(step)) return internal("no step reads a weight");
      this.#values[id] = { ...step, widenings };
      for (const [operand, widening] of widenings) {
        this.#signature.push(spelledWidening(id, operand, widening));
      }
    }
  }

  #id(t: Tensor): number {
    return this.#ids[this.#place(t)] ?? internal("a tensor has no number");
  }

  #place(t: Tensor): number {
    return this.#places.get(t) ?? internal("a tensor was not visited");
  }

  /** Of things that are the same by their keys, tells apart those that are not to be shared. */
  #apart(key: string): string {
    return this.#known === undefined ? key : `${this.#known.ids[this.#ids.length]}|${key}`;
  }

  /** Numbers a tensor, whose operands have their numbers. */
  #add(t: Tensor): void {
    const origin = t.values === undefined ? t.origin : undefined;
    this.#places.set(t, this.#ids.length);
    this.#ids.push(origin === undefined ? this.#addInput(t) : this.#addStep(t, origin));
  }

  #addInput(t: Tensor): number {
    if (t.values === undefined) internal("a tensor has neither values nor an origin");
    // Plain numbers are equal when their values are, so that separate traces share what they feed.
    const key =
      t.shape.length === 0 ? this.#apart(`=${t.dtype}${spelled(t.values[0])}`) : undefined;
    const known = key === undefined ? undefined : this.#byKey.get(key);
    if (known !== undefined) return known;
    const id = this.#values.length;
    this.#values.push({ tensor: t });
    this.#hasHalves ||= t.dtype === "float16" || t.dtype === "bfloat16";
    if (varyingPart(t) === "rest") this.#rest.add(id);
    this.#signature.push(`${t.dtype}:${t.shape.length}`);
    if (key !== undefined) this.#byKey.set(key, id);
    return id;
  }

  #addStep(t: Tensor, origin: Origin): number {
    const inputs = origin.inputs.map((u) => this.#id(u));
    if (origin.op === "detach") {
      if (origin.keep === true) this.#kept.push(t);
      return inputs[0] ?? internal("detach without an operand");
    }
    if (origin.op === "reshape") {
      const before = reshapedFrom(t);
      if (before !== undefined && this.#mayBe(before)) return this.#id(before);
    }
    const { op, sizes } = origin;
    const named = origin.attributes === NONE ? op : `${op}${spelled(origin.attributes)}`;
    const head = `${named}(${inputs.join(",")})`;
    const key = sizes.length === 0 ? head : this.#sizedKey(head, sizes);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const slots = sizes.length === 0 ? NO_SLOTS : this.#slotsOf(origin, named);
    const id = this.#values.length;
    const variant = this.#variantOf(t, origin, inputs);
    this.#hasSoftmax ||= kernels[op].attention === "weights";
    this.#values.push({ tensor: t, origin, inputs, sizes: slots, variant });
    this.#byKey.set(key, id);
    const rest = slots.length === 0 ? variant : `${slots.join(",")}${variant}${rankOf(t, origin)}`;
    this.#signature.push(`${head}${rest}`);
    return id;
  }

  #variantOf(t: Tensor, { op, inputs }: Origin, ids: readonly number[]): string {
    const { variant, ofPart } = kernels[op];
    if (!this.#varies) return variant(t, inputs);
    const isRest = ids.some((id) => this.#rest.has(id));
    if (isRest) this.#rest.add(this.#values.length);
    return ofPart?.(isRest ? "rest" : "start", inputs) ?? variant(t, inputs);
  }

  /** Whether the tensor that is being added may be the same as an earlier one. */
  #mayBe(earlier: Tensor): boolean {
    if (this.#varies) return false;
    const ids = this.#known?.ids;
    return ids === undefined || ids[this.#ids.length] === ids[this.#place(earlier)];
  }

  #sizedKey(head: string, sizes: Origin["sizes"]): string {
    return this.#varies ? `${this.#ids.length}|${head}` : this.#apart(`${head}${sizes.join(";")}`);
  }

  #slotsOf({ op, inputs, sizes }: Origin, named: string): readonly number[] {
    const role = `${named}<${inputs[0]?.origin?.op ?? ""}`;
    const known = this.#known?.slots[this.#known.ids[this.#ids.length] ?? -1];
    return sizes.map((values, i) => {
      const apart = this.#varies ? `${this.#ids.length}|` : ownSlot(known, i);
      return this.#slot(op, `${apart}${role}${i}`, values);
    });
  }

  /**
   * Equal operands in the same role share a slot: of the same operation with the same attributes, on
   * the result of the same operation, as in each layer. Sharing between roles would make sizes that
   * are equal by accident look like another program.
   */
  #slot(op: OpName, role: string, values: readonly number[]): number {
    const key = `${role}:${values.join(",")}`;
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const slot = this.#sizes.length;
    this.#sizes.push(values);
    if (traits[op].sizes === "numbers") this.#scalarSizes.add(slot);
    this.#slots.set(key, slot);
    return slot;
  }
}

/** Tells a slot apart from those that it is not known to be one with. */
function ownSlot(known: readonly number[] | undefined, i: number): string {
  return known === undefined ? "" : `${known[i]}|`;
}

/** The tensor that reshapes, one after another, have brought back to its own shape. */
function reshapedFrom(t: Tensor): Tensor | undefined {
  let source = t;
  while (source.values === undefined && source.origin?.op === "reshape") {
    const [before] = source.origin.inputs;
    if (before === undefined || sameShape(before.shape, t.shape)) return before;
    source = before;
  }
  return undefined;
}

/** Ranks follow from the operands but where sizes make the shape. */
function rankOf(t: Tensor, origin: Origin): string {
  return traits[origin.op].sizes === "shape" ? `:${t.shape.length}` : "";
}

/**
 * The canonical program that computes `outputs`.
 * @param known What may be shared at most, of a trace with the same outline. @default all that is equal
 */
export function buildProgram(outputs: readonly Tensor[], known?: Sharing): Program {
  return new ProgramBuilder(known).build(outputs);
}
