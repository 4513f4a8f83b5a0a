import { range } from "../../base/lists.ts";
import { apply } from "../../tensor/ops/apply.ts";
import { fail } from "../../interventions/errors.ts";
import { NONE } from "../../tensor/ops/ops.ts";
import { show } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { inverseOrder } from "../../tensor/functions/advanced-indexing.ts";
import { eachRow, mapRows } from "./each-row.ts";
import { type Axis, type UnitAxes, unviewOf, viewOf } from "../sites/axes.ts";

/** Indices along one axis, [batch][unit]. Rows may have different numbers of them, or none. */
export type Rows = readonly (readonly number[])[];

const OP = "unitLocations";

/** One axis of a view with the indices taken along it. */
interface Indexed {
  /** The axis. */
  readonly axis: Axis;
  /** Indices along it, [batch][unit]. */
  readonly rows: Rows;
}

/** A value, seen so that units have dimensions of their own. */
interface Look {
  /** The tensor at the site. */
  readonly value: Tensor;
  /** The same numbers with a dimension for each axis. */
  readonly view: Tensor;
  /** The axes that are selected along, with their indices. */
  readonly indexed: readonly Indexed[];
}

/** Coordinates of units in a view. */
interface Points {
  /** [batch, ...units, dimensions of the view that are indexed] */
  readonly all: Tensor;
  /** Which of them are units, in that order; undefined when all are. */
  readonly real: Uint8Array | undefined;
}

/**
 * Units of the tensor at a site, possibly others in each row: reads them out, [batch, ...units,
 * width], and writes others in their place. Where a row has fewer units than another, one of its
 * units is read again to fill it up, and nothing is written for that.
 */
export class Selection {
  /** How the unit reads the tensor at the site. */
  readonly axes: UnitAxes;
  /** Locations along each selected axis. */
  readonly levels: readonly Rows[];
  /** Units of a part of a text are some of it, even where they are all there is: for any part's length. */
  readonly #of: "whole" | "part";
  #look: Look | undefined;
  /** Points of the last view written to or read, for views of one shape. */
  #points: { readonly view: string; readonly points: Points } | undefined;

  constructor(axes: UnitAxes, levels: readonly Rows[], of: "whole" | "part" = "whole") {
    this.axes = axes;
    this.levels = levels;
    this.#of = of;
  }

  /** Whether rows have different numbers of units. */
  get ragged(): boolean {
    return this.levels.some((rows) => rows.some((row) => row.length !== rows[0]?.length));
  }

  /** Which of the units that {@link read} gives are units, bool [batch, ...units, 1]. */
  maskOf(value: Tensor): Tensor | undefined {
    if (!this.ragged) return undefined;
    const { view, indexed } = this.#lookAt(value);
    const { all, real } = this.#pointsOf(view, indexed);
    const shape = [...all.shape.slice(0, -1), 1];
    return real && Tensor.fromData(Uint8Array.from(real), shape, "bool");
  }

  /** @throws InterventionError for locations that the tensor does not have. */
  read(value: Tensor): Tensor {
    const { view, indexed } = this.#lookAt(value);
    const ranges = indexed.map(rangeOf);
    // Slices move towards the inputs, so that no more positions are computed than are read.
    const units = ranges.every((range) => range !== undefined)
      ? this.#slice(view, ranges)
      : apply("gatherNd", [view, this.#pointsOf(view, indexed).all], NONE);
    return this.#settled(units);
  }

  /** `value` with `piece`, which has the shape that {@link read} gives, in place of the units. */
  write(value: Tensor, piece: Tensor): Tensor {
    const { view, indexed } = this.#lookAt(value);
    for (const { rows } of indexed) eachRow(rows, refuseDuplicates);
    const whole = this.#wholeOf(view, indexed, piece);
    if (whole !== undefined) return unviewOf(whole, value, this.axes);
    // Positions are data of the program: it serves all of them.
    const { all, real } = this.#pointsOf(view, indexed);
    const units = this.axes.turned === "elements" ? piece.unsqueeze(-1) : piece;
    const written =
      real === undefined
        ? apply("scatterNd", [view, all, units], { reduce: "none" })
        : writeSome(view, all, units, real);
    return unviewOf(written, value, this.axes);
  }

  /** The view that all units together are; undefined where there are others. */
  #wholeOf(view: Tensor, indexed: readonly Indexed[], piece: Tensor): Tensor | undefined {
    const ranges = indexed.map(rangeOf);
    const { part, turned } = this.axes;
    if (this.#of === "part") return undefined;
    if (part !== undefined || turned === "elements") return undefined;
    if (!ranges.every((range) => range?.start === 0 && range.end === view.shape[range.dim])) {
      return undefined;
    }
    return piece.permute(inverseOrder(this.#order(view, ranges as readonly Range[])));
  }

  /** Dimensions of the view in the order in which units have them. */
  #order(view: Tensor, ranges: readonly Range[]): number[] {
    const dims = ranges.map(({ dim }) => dim);
    return [0, ...dims, ...view.shape.map((_, d) => d).filter((d) => d > 0 && !dims.includes(d))];
  }

  /** Units without the dimension that makes single weights units. */
  #settled(units: Tensor): Tensor {
    return this.axes.turned === "elements" ? units.squeeze(-1) : units;
  }

  /** A value's view with its indices; what was read is looked at again when it is written. */
  #lookAt(value: Tensor): Look {
    if (this.#look?.value !== value) {
      const view = viewOf(value, this.axes);
      this.#look = { value, view, indexed: this.#indexed(view) };
    }
    return this.#look;
  }

  #indexed(view: Tensor): Indexed[] {
    const { selected, whole } = this.axes;
    const batch = view.size(0);
    const indexed = selected.map((axis, i) => {
      const rows = this.levels[i] ?? [];
      if (rows.length !== batch) {
        fail(OP, `there are locations for ${rows.length} rows, but the tensor has ${batch}`);
      }
      const size = axis.size ?? view.size(axis.dim);
      return { axis, rows: mapRows(rows, (row) => row.map((at) => resolve(at, size, axis))) };
    });
    const others = whole.map((axis): Indexed => {
      const all = range(axis.size ?? view.size(axis.dim)).map((at) => axis.offset + at);
      return { axis, rows: range(batch).map(() => all) };
    });
    return [...indexed, ...others];
  }

  #slice(view: Tensor, ranges: readonly Range[]): Tensor {
    const { part } = this.axes;
    const fixed = part === undefined ? view : view.slice(2, part, part + 1);
    const take = this.#of === "part" ? sliceOf : wholeOrSliceOf;
    const sliced = ranges.reduce(take, fixed);
    if (part !== undefined) return sliced.reshape([...sliced.shape.slice(0, 2), sliced.size(-1)]);
    return sliced.permute(this.#order(view, ranges));
  }

  #pointsOf(view: Tensor, indexed: readonly Indexed[]): Points {
    const key = view.shape.slice(0, -1).join();
    if (this.#points?.view === key) return this.#points.points;
    const points = pointsOf(view.size(0), indexed, this.axes.part);
    this.#points = { view: key, points };
    return points;
  }
}

/** Coordinates of all units, row by row; `part` is the coordinate along dimension 2. */
function pointsOf(batch: number, indexed: readonly Indexed[], part: number | undefined): Points {
  const depth = indexed.length + (part === undefined ? 1 : 2);
  const counts = indexed.map(({ rows }) => Math.max(...rows.map((row) => row.length)));
  const shape = [batch, ...counts, depth];
  const data = new BigInt64Array(shape.reduce((a, b) => a * b, 1));
  // The lower halves of the numbers, which are small: a BigInt for each would take most of the time.
  const low = new Int32Array(data.buffer);
  const real = new Uint8Array(data.length / depth);
  const point: number[] = Array.from({ length: depth }, () => 0);
  if (part !== undefined) point[2] = part;
  let next = 0;
  const visit = (row: number, level: number, isReal: boolean): void => {
    const at = indexed[level];
    if (at === undefined) {
      real[next] = Number(isReal);
      for (let d = 0; d < depth; d++) low[2 * (next * depth + d)] = point[d] ?? 0;
      next++;
      return;
    }
    const places = at.rows[row] ?? [];
    for (let unit = 0; unit < (counts[level] ?? 0); unit++) {
      point[at.axis.dim] = places[unit] ?? places.at(-1) ?? at.axis.offset;
      visit(row, level + 1, isReal && unit < places.length);
    }
  };
  for (let row = 0; row < batch; row++) {
    point[0] = row;
    visit(row, 0, true);
  }
  const all = Tensor.fromData(data, shape);
  return { all, real: real.includes(0) ? real : undefined };
}

/** `view` with those units written that are real. */
function writeSome(view: Tensor, all: Tensor, units: Tensor, real: Uint8Array): Tensor {
  const kept = [...real.keys()].filter((unit) => real[unit] === 1);
  const levels = all.ndim - 1;
  const points = all.reshape([real.length, all.size(-1)]).indexSelect(0, kept);
  const some = units.reshape([real.length, ...units.shape.slice(levels)]).indexSelect(0, kept);
  return apply("scatterNd", [view, points, some], { reduce: "none" });
}

function resolve(at: number, size: number, { offset, kind }: Axis): number {
  if (at >= -size && at < size) return offset + (at < 0 ? at + size : at);
  const what = kind === "other" ? "index" : kind;
  return fail(
    OP,
    `${what} ${at} is out of range: there are ${size}, numbered 0 to ${size - 1} (or -${size} to -1)`,
  );
}

/** Consecutive indices along one dimension, which are read as a slice. */
interface Range {
  /** Dimension of the view. */
  readonly dim: number;
  /** The first index. */
  readonly start: number;
  /** The index after the last. */
  readonly end: number;
}

/** The range that the indices are, if they are one range and the same in all rows. */
function rangeOf({ axis, rows }: Indexed): Range | undefined {
  const [first = []] = rows;
  const start = first[0] ?? 0;
  let isRange = true;
  eachRow(rows, (row) => {
    isRange &&= row.length === first.length && row.every((at, i) => at === start + i);
  });
  return isRange ? { dim: axis.dim, start, end: start + first.length } : undefined;
}

function wholeOrSliceOf(t: Tensor, { dim, start, end }: Range): Tensor {
  return t.slice(dim, start, end);
}

/** The same operation of a range that is all there is as of any other. */
function sliceOf(t: Tensor, { dim, start, end }: Range): Tensor {
  return apply("slice", [t], { dims: [dim], steps: [1] }, [[start], [end]]);
}

function refuseDuplicates(row: readonly number[], batchRow: number): void {
  if (new Set(row).size === row.length) return;
  fail(
    OP,
    `row ${batchRow} names a place twice: ${show(row)}; which edit holds would be left to chance`,
  );
}
