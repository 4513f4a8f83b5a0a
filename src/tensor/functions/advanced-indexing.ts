import { apply } from "../ops/apply.ts";
import { add, cast, type Operand, where } from "./arithmetic.ts";
import { fail } from "../errors.ts";
import { type Index, sourceLike, toIndex } from "./indexing.ts";
import { NONE } from "../ops/ops.ts";
import { broadcastShapes, show } from "../shape.ts";
import { expand, sizeAt, unsqueeze } from "./shaping.ts";
import type { Tensor } from "../tensor.ts";

/** One entry of an advanced index: positions, or `null` for a whole dimension. */
export type IndexEntry = Index | null;

interface AdvancedIndex {
  /** Indexed dimensions brought to the front, `[..points, coordinates]` over them. */
  readonly coordinates: Tensor;
  readonly order: readonly number[];
  /** First dimension of the points in the result. */
  readonly place: number;
  readonly points: readonly number[];
}

function advanced(op: string, x: Tensor, entries: readonly IndexEntry[]): AdvancedIndex {
  const dims = entries.flatMap((entry, d) => (entry === null ? [] : [d]));
  if (dims.length === 0) fail(op, "selects nothing: give positions for at least one dimension");
  if (entries.length > x.shape.length) fail(op, `${entries.length} indices for ${show(x.shape)}`);
  const given = dims.map((d) => {
    const size = sizeAt(x, d);
    const at = cast(toIndex(op, entries[d] ?? [], size), "int64");
    // ONNX reads negative positions as torch does, but not beside others in one point.
    return where(apply("lt", [at, zeroOf()], NONE), add(at, size), at);
  });
  const points = given.map((t) => t.shape).reduce((a, b) => broadcastShapes(op, a, b));
  const columns = given.map((t) => unsqueeze(expand(t, points), -1));
  const rest = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const adjacent = dims.every((d, i) => i === 0 || d === (dims[i - 1] ?? 0) + 1);
  return {
    coordinates:
      columns.length === 1
        ? (columns[0] as Tensor)
        : apply("concat", columns, { dim: points.length }),
    order: [...dims, ...rest],
    place: adjacent ? (dims[0] ?? 0) : 0,
    points,
  };
}

function zeroOf(): Tensor {
  return apply("constant", [], { value: 0, dtype: "int64" });
}

/** Takes the points' dimensions from the front to their place, or back. */
function placed(x: Tensor, count: number, place: number, back = false): Tensor {
  if (place === 0) return x;
  const dims = x.shape.map((_, d) => d);
  const order = back
    ? [...dims.slice(place, place + count), ...dims.slice(0, place), ...dims.slice(place + count)]
    : [...dims.slice(count, count + place), ...dims.slice(0, count), ...dims.slice(count + place)];
  return apply("permute", [x], { dims: order });
}

/**
 * NumPy's advanced indexing with integer positions: `x[i, j]`, `x[:, i]` as `[null, i]`. Indices
 * broadcast against each other; when they are not adjacent, their dimensions come first.
 */
export function index(x: Tensor, entries: readonly IndexEntry[]): Tensor {
  const { coordinates, order, place, points } = advanced("index", x, entries);
  const front = permuteTo(x, order);
  return placed(apply("gatherNd", [front, coordinates], NONE), points.length, place);
}

/** x with `value` (broadcast) written, or added, where `index` reads. */
export function indexPut(
  x: Tensor,
  entries: readonly IndexEntry[],
  value: Operand,
  accumulate = false,
): Tensor {
  const { coordinates, order, place, points } = advanced("indexPut", x, entries);
  const front = permuteTo(x, order);
  const shape = [...points, ...front.shape.slice(coordinates.shape.at(-1))];
  const target = placedShape(shape, points.length, place);
  const full =
    typeof value === "number" ? sourceLike(x, value, target) : expand(cast(value, x.dtype), target);
  const source = placed(full, points.length, place, true);
  const reduce = accumulate ? "add" : "none";
  const written = apply("scatterNd", [front, coordinates, source], { reduce });
  return permuteTo(written, inverseOrder(order));
}

function placedShape(shape: readonly number[], count: number, place: number): number[] {
  return [
    ...shape.slice(count, count + place),
    ...shape.slice(0, count),
    ...shape.slice(count + place),
  ];
}

/** `x` with its dimensions in another order; itself where the order is the same. */
export function permuteTo(x: Tensor, order: readonly number[]): Tensor {
  return order.every((d, i) => d === i) ? x : apply("permute", [x], { dims: order });
}

/** The order that undoes a permutation. */
export function inverseOrder(order: readonly number[]): number[] {
  const inverse = Array.from<number>({ length: order.length });
  order.forEach((d, i) => (inverse[d] = i));
  return inverse;
}
