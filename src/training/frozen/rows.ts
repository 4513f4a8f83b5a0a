import { narrowings, type Narrowing } from "../../runtime/program/narrowings.ts";
import { apply } from "../../tensor/ops/apply.ts";
import { traits } from "../../tensor/ops/traits.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { internal } from "../../base/errors.ts";
import { rowsOf } from "./row-values.ts";
import { coordinatesOf, countsRows, type Structure } from "./structure.ts";

/**
 * The dimension whose places are examples, each computed from its own data; or all of a tensor; or rows of
 * coordinates, which begin with the number of their row.
 */
export type Axis = number | "whole" | "coordinates";

/** How a tensor comes from the data of its examples. */
export interface RowUse {
  /** The dimension of the tensor whose places are examples; `"whole"` for what is the same for all. */
  readonly axis: number | "whole";
  /** Which data each example has its own part of, and along which dimension; or all of which is read. */
  readonly uses: readonly (readonly [slot: number, axis: Axis])[];
  /** Whether the size of the batch has a part in it. */
  readonly readsBatchSize: boolean;
}

function isLeaf(t: Tensor): boolean {
  return t.lasting || t.values !== undefined || t.origin === undefined;
}

/**
 * The dimensions of the operands in which the places of a dimension of a result are; undefined where it is
 * not known that each place is computed by itself.
 */
function operandAxes(t: Tensor, axis: number): readonly Axis[] | undefined {
  const { origin } = t;
  if (origin === undefined) return undefined;
  const { op, inputs } = origin;
  const points = coordinatesOf(t);
  if (points !== undefined) {
    // Coordinates that begin with the row read and write within it.
    const own = axis === 0 && isLeaf(points) && countsRows(points);
    if (!own || points.shape[0] !== inputs[0]?.shape[0]) return undefined;
    return inputs.map((_, i) => (i === 1 ? "coordinates" : 0));
  }
  const part = { dim: axis, start: 0, end: 1, step: 1 };
  const narrowing = narrowings[op] as Narrowing<unknown> | null;
  const parts = narrowing?.({ result: t, part, ...origin });
  const axes = parts && inputs.map((_, i): Axis => parts[i]?.dim ?? "whole");
  const size = t.shape[axis];
  const fits = (at: Axis, i: number): boolean =>
    typeof at !== "number" || inputs[i]?.shape[at] === size;
  return axes?.every(fits) === true ? axes : undefined;
}

/** Follows tensors to the data that they come from. */
class Follower {
  readonly uses = new Map<Tensor, Set<Axis>>();
  readsBatchSize = false;
  readonly #structure: Structure;
  readonly #seen = new Map<Tensor, Set<Axis>>();

  constructor(structure: Structure) {
    this.#structure = structure;
  }

  /** Whether each place of the dimension is computed from places of data, and what is read whole. */
  follows(from: Tensor, axis: Axis): boolean {
    const stack: [Tensor, Axis][] = [[from, axis]];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const [t, at] = next;
      if (!added(this.#seen, t, at)) continue;
      if (isLeaf(t)) {
        added(this.uses, t, at);
        continue;
      }
      if (at === "whole" && this.#structure.isOpen(t)) this.readsBatchSize = true;
      const inputs = t.origin?.inputs ?? [];
      const axes = typeof at === "number" ? operandAxes(t, at) : inputs.map((): Axis => "whole");
      if (axes === undefined) return false;
      for (const [i, u] of inputs.entries()) stack.push([u, axes[i] ?? "whole"]);
    }
    return true;
  }
}

function added(map: Map<Tensor, Set<Axis>>, t: Tensor, axis: Axis): boolean {
  const axes = map.get(t) ?? new Set<Axis>();
  map.set(t, axes);
  if (axes.has(axis)) return false;
  axes.add(axis);
  return true;
}

/**
 * How a tensor comes from its examples: the first of its dimensions of which every place is known to be
 * computed from the same place of data; undefined where there is none.
 */
export function rowUseOf(t: Tensor, structure: Structure): RowUse | undefined {
  for (const axis of [...t.shape.keys(), "whole" as const]) {
    if (axis !== "whole" && t.shape[axis] !== structure.rows) continue;
    const follower = new Follower(structure);
    if (!follower.follows(t, axis)) continue;
    const uses = [...follower.uses].flatMap(([leaf, axes]) => {
      const slot = structure.slotOf(leaf);
      // A weight of which each example reads its own place is nothing that the examples know.
      if (slot === undefined) return axes.size === 1 && axes.has("whole") ? [] : [undefined];
      return [...axes].map((at) => [slot, at] as const);
    });
    const known = uses.flatMap((use) => (use === undefined ? [] : [use]));
    if (known.length < uses.length) continue;
    const reads = known.filter(([, at]) => at !== "whole").length;
    if (axis === "whole" ? known.length === 0 : reads > 0) {
      const ordered = known.sort(([a, x], [b, y]) => a - b || String(x).localeCompare(String(y)));
      return { axis, uses: ordered, readsBatchSize: follower.readsBatchSize };
    }
  }
  return undefined;
}

/** The same computation for some of the examples. */
export class SomeRows {
  readonly #rows: readonly number[];
  readonly #made = new Map<Tensor, Map<Axis, Tensor>>();

  constructor(rows: readonly number[]) {
    this.#rows = rows;
  }

  /** A tensor with the places of these examples along the dimension. */
  of(target: Tensor, axis: Axis): Tensor {
    const stack: [Tensor, Axis][] = [[target, axis]];
    while (stack.length > 0) {
      const [t, at] = stack.at(-1) ?? internal("an empty stack");
      const waiting = this.#make(t, at);
      if (waiting.length === 0) stack.pop();
      else stack.push(...waiting);
    }
    return this.#get(target, axis) ?? internal("no rows were made");
  }

  #get(t: Tensor, axis: Axis): Tensor | undefined {
    return axis === "whole" ? t : this.#made.get(t)?.get(axis);
  }

  /** Makes the tensor, or says which operands have to be made before. */
  #make(t: Tensor, axis: Axis): readonly [Tensor, Axis][] {
    if (axis === "whole" || this.#get(t, axis) !== undefined) return [];
    if (isLeaf(t) || axis === "coordinates") return this.#keep(t, axis, this.#leaf(t, axis));
    const { origin } = t;
    const axes = operandAxes(t, axis);
    if (origin === undefined || axes === undefined) return internal("rows that are not their own");
    const places = origin.inputs.map((u, i): [Tensor, Axis] => [u, axes[i] ?? "whole"]);
    const waiting = places.filter(([u, at]) => this.#get(u, at) === undefined);
    if (waiting.length > 0) return waiting;
    const operands = places.map(([u, at]) => this.#get(u, at) ?? internal("no operand"));
    const shape = t.shape.map((n, dim) => (dim === axis ? this.#rows.length : n));
    const isShape = traits[origin.op].sizes === "shape";
    const sizes = isShape ? origin.sizes.map(() => shape) : origin.sizes;
    return this.#keep(t, axis, apply(origin.op, operands, origin.attributes, sizes));
  }

  #keep(t: Tensor, axis: Axis, made: Tensor): readonly [Tensor, Axis][] {
    this.#made.set(t, (this.#made.get(t) ?? new Map<Axis, Tensor>()).set(axis, made));
    return [];
  }

  #leaf(t: Tensor, kind: number | "coordinates"): Tensor {
    const axis = kind === "coordinates" ? 0 : kind;
    const values = rowsOf(t, axis, this.#rows);
    const shape = t.shape.map((n, dim) => (dim === axis ? this.#rows.length : n));
    // Coordinates count the rows that are there now.
    if (kind === "coordinates") {
      const depth = shape.at(-1) ?? 1;
      const each = values.length / this.#rows.length;
      for (let i = 0; i < values.length; i += depth) values[i] = BigInt(Math.floor(i / each));
    }
    return Tensor.fromData(values, shape, t.dtype);
  }
}
