import { where } from "../tensor/functions/arithmetic.ts";
import { fail } from "./errors.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { resolveSubspaces } from "./subspaces.ts";

/** How source and base combine in the dimensions that are changed. */
export type SwapMode = "interchange" | "add" | "subtract";

/** Which dimensions take part, for all kinds that work on some of them. */
export interface SwapOptions {
  /** Width that the intervention is made for, which is what `interchangeDim` is at first. */
  readonly embedDim?: number | undefined;
  /** How many leading dimensions are changed, or which ones; undefined for all. */
  readonly interchangeDim?: number | readonly number[] | undefined;
  /** Groups of dimensions that `subspaces` names by number. */
  readonly subspacePartition?: readonly (readonly number[])[] | undefined;
  /** Which dimensions or groups are changed; undefined for `interchangeDim`. */
  readonly subspaces?: unknown;
}

/**
 * `base` with the selected dimensions replaced by `source`, or with source added or subtracted
 * there; the one primitive of all interventions that work on dimensions.
 *
 * `source` has base's shape, or a batch of 1, or is one vector (or number) for all rows.
 */
export function swap(
  op: string,
  mode: SwapMode,
  base: Tensor,
  source: Tensor,
  options: SwapOptions = {},
): Tensor {
  const fitted = inDtypeOf(op, base, fitSource(op, base, source));
  const changed = combine(mode, base, fitted);
  const rows = selectedRows(op, base, options);
  if (rows === undefined) return changed.expand(base.shape);
  return where(maskOf(op, base, rows), changed, base);
}

/** The selected dimensions of `base`, in the order asked for. */
export function takeDimensions(op: string, base: Tensor, options: SwapOptions = {}): Tensor {
  const rows = selectedRows(op, base, options);
  if (rows === undefined) return base;
  const [first = []] = rows;
  if (rows.length === 1) {
    const prefix = first.every((dim, i) => dim === i);
    return prefix ? base.slice(-1, 0, first.length) : base.indexSelect(-1, first);
  }
  if (rows.some((row) => row.length !== first.length)) {
    fail(
      op,
      `subspaces of ${rows.map((r) => r.length).join(", ")} dimensions do not make one tensor; ` +
        `collect them without subspaces and select from the result`,
    );
  }
  const index = Tensor.fromData(BigInt64Array.from(rows.flat(), BigInt), [
    ...rowShape(op, base, rows.length),
    first.length,
  ]);
  return base.gather(-1, index.expand([...base.shape.slice(0, -1), first.length]));
}

const LARGEST_FLOAT16 = 65504;

/** The source in the base's dtype. What would turn into infinity, and then into NaN, is refused. */
function inDtypeOf(op: string, base: Tensor, source: Tensor): Tensor {
  const { values, dtype } = source;
  if (base.dtype === "float16" && (dtype === "float32" || dtype === "float64")) {
    const large = (values as Float32Array | undefined)?.find((v) => Math.abs(v) > LARGEST_FLOAT16);
    if (large !== undefined) {
      fail(op, `a source of ${large} is more than float16 holds, which the base is in; scale it`);
    }
  }
  return source.to(base.dtype);
}

function combine(mode: SwapMode, base: Tensor, source: Tensor): Tensor {
  if (mode === "interchange") return source;
  return mode === "add" ? base.add(source) : base.sub(source);
}

/** A source that broadcasts over base in the ways that can be meant, and in no other. */
export function fitSource(op: string, base: Tensor, source: Tensor): Tensor {
  const width = base.shape.at(-1) ?? 1;
  if (sameShape(source.shape, base.shape) || source.ndim === 0) return source;
  const oneRow = [1, ...base.shape.slice(1)];
  if (sameShape(source.shape, oneRow)) return source;
  if (source.numel === width && source.shape.at(-1) === width) return source.reshape([width]);
  return fail(
    op,
    `a source of shape ${show(source.shape)} does not fit a base of ${show(base.shape)}; wanted that ` +
      `shape, ${show(oneRow)}, or one vector [${width}]`,
  );
}

/** Dimensions for each row (one entry: for all), or undefined for all dimensions. */
export function selectedRows(
  op: string,
  base: Pick<Tensor, "shape">,
  { embedDim, interchangeDim, subspacePartition, subspaces }: SwapOptions,
): readonly (readonly number[])[] | undefined {
  const width = base.shape.at(-1) ?? 1;
  if (subspaces !== undefined && subspaces !== null) {
    return resolveSubspaces(op, subspaces, { width, partition: subspacePartition });
  }
  if (interchangeDim === undefined) return undefined;
  if (typeof interchangeDim === "number") {
    // What it is at first: all of several units, or of a space with fewer directions.
    if (interchangeDim === width || (interchangeDim > width && interchangeDim === embedDim)) {
      return undefined;
    }
    if (interchangeDim > width) {
      fail(op, `interchangeDim ${interchangeDim} is more than the ${width} dimensions there are`);
    }
    return [Array.from({ length: interchangeDim }, (_, i) => i)];
  }
  return resolveSubspaces(op, interchangeDim, { width, partition: undefined });
}

/** The selected dimensions as a mask that broadcasts over the base. */
export function maskOf(
  op: string,
  base: Pick<Tensor, "shape">,
  rows: readonly (readonly number[])[],
): Tensor {
  const width = base.shape.at(-1) ?? 1;
  const mask = new Uint8Array(rows.length * width);
  for (const [r, row] of rows.entries()) for (const dim of row) mask[r * width + dim] = 1;
  const shape = rows.length === 1 ? [width] : [...rowShape(op, base, rows.length), width];
  return Tensor.fromData(mask, shape, "bool");
}

/** Shape over which one list a row is laid: rows are those of the batch, dimension 0. */
function rowShape(op: string, base: Pick<Tensor, "shape">, rows: number): number[] {
  const leading = base.shape.slice(0, -1);
  if (leading[0] === rows) return leading.map((_, d) => (d === 0 ? rows : 1));
  return fail(
    op,
    `subspaces for ${rows} rows do not fit ${show(base.shape)}; give one list for each of the ` +
      `${leading[0] ?? 1} rows of the batch, or one for all`,
  );
}
