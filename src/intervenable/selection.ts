import { apply } from "../tensor/apply.ts";
import { fail } from "../tensor/errors.ts";
import { NONE } from "../tensor/ops.ts";
import { show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Axis, type UnitAxes, viewOf } from "./axes.ts";

/** Indices along one axis, [batch][unit]; all rows have the same number. */
export type Rows = readonly (readonly number[])[];

const OP = "unitLocations";

/** One axis of a view with the indices taken along it. */
interface Indexed {
  readonly axis: Axis;
  readonly rows: Rows;
}

/**
 * Units of the tensor at a site, possibly others in each row: reads them out, [batch, ...units,
 * width], and writes others in their place.
 */
export class Selection {
  readonly axes: UnitAxes;
  /** Locations along each selected axis. */
  readonly levels: readonly Rows[];
  /** Points of the last view written to or read, for views of one shape. */
  #points: { readonly view: string; readonly points: Tensor } | undefined;

  constructor(axes: UnitAxes, levels: readonly Rows[]) {
    this.axes = axes;
    this.levels = levels;
  }

  /** @throws TensorError for locations that the tensor does not have. */
  read(value: Tensor): Tensor {
    const view = viewOf(value, this.axes);
    const indexed = this.#indexed(view);
    const ranges = indexed.map(rangeOf);
    // Slices move towards the inputs, so that no more positions are computed than are read.
    if (ranges.every((range) => range !== undefined)) return this.#slice(view, ranges);
    return apply("gatherNd", [view, this.#pointsOf(view, indexed)], NONE);
  }

  /** `value` with `piece`, which has the shape that {@link read} gives, in place of the units. */
  write(value: Tensor, piece: Tensor): Tensor {
    const view = viewOf(value, this.axes);
    const indexed = this.#indexed(view);
    for (const { rows } of indexed) rows.forEach(refuseDuplicates);
    // Positions are data of the program: it serves all of them.
    const points = this.#pointsOf(view, indexed);
    return apply("scatterNd", [view, points, piece], { reduce: "none" }).reshape(value.shape);
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
      return { axis, rows: rows.map((row) => row.map((at) => resolve(at, size, axis))) };
    });
    if (whole === undefined) return indexed;
    const all = Array.from({ length: view.size(whole.dim) }, (_, i) => i);
    return [...indexed, { axis: whole, rows: Array.from({ length: batch }, () => all) }];
  }

  #slice(view: Tensor, ranges: readonly Range[]): Tensor {
    const { part } = this.axes;
    const fixed = part === undefined ? view : view.slice(2, part, part + 1);
    const sliced = ranges.reduce((t, { dim, start, end }) => t.slice(dim, start, end), fixed);
    if (part !== undefined) return sliced.reshape([...sliced.shape.slice(0, 2), sliced.size(-1)]);
    const dims = ranges.map(({ dim }) => dim);
    const rest = view.shape.map((_, d) => d).filter((d) => d > 0 && !dims.includes(d));
    return sliced.permute([0, ...dims, ...rest]);
  }

  /** Coordinates [batch, ...units, dimensions of the view that are indexed] of all units. */
  #pointsOf(view: Tensor, indexed: readonly Indexed[]): Tensor {
    const key = view.shape.slice(0, -1).join();
    if (this.#points?.view === key) return this.#points.points;
    const { part } = this.axes;
    const depth = indexed.length + (part === undefined ? 1 : 2);
    const counts = indexed.map(({ rows }) => rows[0]?.length ?? 0);
    const shape = [view.size(0), ...counts, depth];
    const data = new BigInt64Array(shape.reduce((a, b) => a * b, 1));
    const point: number[] = Array.from({ length: depth }, () => 0);
    if (part !== undefined) point[2] = part;
    let next = 0;
    const visit = (row: number, level: number): void => {
      const at = indexed[level];
      if (at === undefined) {
        for (const coordinate of point) data[next++] = BigInt(coordinate);
        return;
      }
      for (const index of at.rows[row] ?? []) {
        point[at.axis.dim] = index;
        visit(row, level + 1);
      }
    };
    for (let row = 0; row < view.size(0); row++) {
      point[0] = row;
      visit(row, 0);
    }
    const points = Tensor.fromData(data, shape);
    this.#points = { view: key, points };
    return points;
  }
}

function resolve(at: number, size: number, { offset, kind }: Axis): number {
  if (at >= -size && at < size) return offset + (at < 0 ? at + size : at);
  const what = kind === "other" ? "index" : kind;
  return fail(
    OP,
    `${what} ${at} is out of range: there are ${size}, numbered 0 to ${size - 1} (or -${size} to -1)`,
  );
}

interface Range {
  readonly dim: number;
  readonly start: number;
  readonly end: number;
}

/** The range that the indices are, if they are one range and the same in all rows. */
function rangeOf({ axis, rows }: Indexed): Range | undefined {
  const [first = []] = rows;
  const start = first[0] ?? 0;
  const isRange = (row: readonly number[]): boolean =>
    row.length === first.length && row.every((at, i) => at === start + i);
  return rows.every(isRange) ? { dim: axis.dim, start, end: start + first.length } : undefined;
}

function refuseDuplicates(row: readonly number[], batchRow: number): void {
  if (new Set(row).size === row.length) return;
  fail(
    OP,
    `row ${batchRow} names a place twice: ${show(row)}; which edit holds would be left to chance`,
  );
}
