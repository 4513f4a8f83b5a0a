import { type Axis, isGiven, onRows, operandAxes } from "../../runtime/program/row-axes.ts";
import { rowsOf, valuesOf, withRows } from "../../runtime/program/row-values.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { internal } from "../../base/errors.ts";
import type { Structure } from "./structure.ts";

/** How a tensor comes from the data of its examples. */
export interface RowUse {
  /** The dimension of the tensor whose places are examples; `"whole"` for what is the same for all. */
  readonly axis: number | "whole";
  /** Which data each example has its own part of, and along which dimension; or all of which is read. */
  readonly uses: readonly (readonly [slot: number, axis: Axis])[];
  /** Whether the size of the batch has a part in it. */
  readonly readsBatchSize: boolean;
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
      if (isGiven(t)) {
        added(this.uses, t, at);
        continue;
      }
      if (at === "whole" && this.#structure.isOpen(t)) this.readsBatchSize = true;
      const inputs = t.origin?.inputs ?? [];
      const { rows } = this.#structure;
      const axes =
        typeof at === "number" ? operandAxes(t, at, rows) : inputs.map((): Axis => "whole");
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
  readonly #total: number;
  readonly #made = new Map<Tensor, Map<Axis, Tensor>>();

  /**
   * @param rows - The examples.
   * @param total - How many there are.
   */
  constructor(rows: readonly number[], total: number) {
    this.#rows = rows;
    this.#total = total;
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
    if (isGiven(t) || axis === "coordinates") return this.#keep(t, axis, this.#leaf(t, axis));
    const { origin } = t;
    const axes = operandAxes(t, axis, this.#total);
    if (origin === undefined || axes === undefined) return internal("rows that are not their own");
    const places = origin.inputs.map((u, i): [Tensor, Axis] => [u, axes[i] ?? "whole"]);
    const waiting = places.filter(([u, at]) => this.#get(u, at) === undefined);
    if (waiting.length > 0) return waiting;
    const operands = places.map(([u, at]) => this.#get(u, at) ?? internal("no operand"));
    const change = { axis, from: this.#total, to: this.#rows.length };
    return this.#keep(t, axis, onRows(t, operands, change));
  }

  #keep(t: Tensor, axis: Axis, made: Tensor): readonly [Tensor, Axis][] {
    this.#made.set(t, (this.#made.get(t) ?? new Map<Axis, Tensor>()).set(axis, made));
    return [];
  }

  #leaf(t: Tensor, kind: number | "coordinates"): Tensor {
    const axis = kind === "coordinates" ? 0 : kind;
    const [rows, total] = [this.#rows, this.#total];
    const values = rowsOf(valuesOf(t), t, axis, { rows, total });
    const shape = withRows(t.shape, axis, total, rows.length);
    // Coordinates count the rows that are there now.
    if (kind === "coordinates") {
      const depth = shape.at(-1) ?? 1;
      const each = values.length / this.#rows.length;
      for (let i = 0; i < values.length; i += depth) values[i] = BigInt(Math.floor(i / each));
    }
    return Tensor.fromData(values, shape, t.dtype);
  }
}
