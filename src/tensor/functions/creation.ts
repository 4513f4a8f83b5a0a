import { isTensor } from "../require-tensors.ts";
import { type OptionNames, wrongOptions } from "../../base/known-options.ts";
import { describeValue } from "../../base/describe-value.ts";
import { apply, encodeNumbers } from "../ops/apply.ts";
import { cast, constant } from "./arithmetic.ts";
import type { DType, TypedArray } from "../dtype.ts";
import { fail } from "../errors.ts";
import { NONE } from "../ops/ops.ts";
import type { OfShape, OfValues, RankedTensor } from "../ranked.ts";
import { checkShape, type Shape } from "../shape.ts";
import { expand, unsqueeze } from "./shaping.ts";
import type { NestedArray } from "../tensor-core.ts";
import { Tensor } from "../tensor.ts";

/** What a new tensor looks like. */
export interface TensorOptions {
  /** @default float32; bool for booleans; that of a typed array */
  readonly dtype?: DType;
  /** Count what is computed from it as depending on it. @default false */
  readonly requiresGrad?: boolean;
}

/** What {@link tensor} takes. */
type Values = NestedArray | readonly NestedArray[] | TypedArray;

/**
 * A tensor of given numbers: a number, nested arrays of one length per level, or a typed array
 * with a shape (which is wrapped, not copied).
 *
 * Plain numbers are float32 unless a dtype is given (torch would take whole numbers as int64).
 * @throws TensorError for ragged arrays, or values that do not fill the shape.
 *
 * @example
 * ```ts
 * import { tensor } from "tsvene";
 * const ids = tensor([[5, 7, 9]], { dtype: "int64" });
 * const x = tensor(new Float32Array(6), { shape: [2, 3] });
 * ```
 */
export function tensor<
  V extends Values,
  const S extends Shape | undefined = undefined,
  D extends DType = "float32",
>(
  values: V,
  options?: Omit<TensorOptions, "dtype"> & { readonly dtype?: D; readonly shape?: S },
): OfValues<V, D, S>;
export function tensor(
  values: Values,
  options: TensorOptions & { readonly shape?: Shape } = {},
): Tensor {
  requireOptions("tensor", options);
  if (ArrayBuffer.isView(values)) {
    return Tensor.fromData(
      values,
      options.shape ?? [values.length],
      options.dtype,
      options.requiresGrad,
    );
  }
  const nested = values as NestedArray;
  const shape = nestedShape(nested);
  const flat: (number | boolean)[] = [];
  flatten(nested, shape, 0, flat);
  const truth = flat.length > 0 && flat.every((v) => typeof v === "boolean");
  const dtype = options.dtype ?? (truth ? "bool" : "float32");
  const data = encodeNumbers(flat.map(Number), dtype);
  return Tensor.fromData(data, options.shape ?? shape, dtype, options.requiresGrad);
}

const OPTIONS: OptionNames<TensorOptions & { readonly shape?: Shape }> = {
  dtype: true,
  requiresGrad: true,
  shape: true,
};

function requireOptions(op: string, options: object): void {
  const wrong = wrongOptions(options, OPTIONS);
  if (wrong !== undefined) fail(op, wrong);
}

function nestedShape(values: NestedArray): number[] {
  const shape: number[] = [];
  for (let v: NestedArray | undefined = values; Array.isArray(v); v = v[0]) shape.push(v.length);
  return shape;
}

function flatten(
  values: NestedArray,
  shape: Shape,
  depth: number,
  out: (number | boolean)[],
): void {
  if (!Array.isArray(values)) {
    if (depth !== shape.length) {
      fail("tensor", `a number came where an array of ${shape[depth] ?? 0} was expected`);
    }
    if (typeof values !== "number" && typeof values !== "boolean") {
      const join = isTensor(values) ? "; join tensors with stack(list) or cat(list)" : "";
      fail("tensor", `expected numbers or booleans, got ${describeValue(values)}${join}`);
    }
    out.push(values);
    return;
  }
  if (depth === shape.length || values.length !== shape[depth]) {
    fail(
      "tensor",
      `arrays at depth ${depth} differ in length (${values.length} and ${shape[depth] ?? "a number"}); ` +
        `pad them to one length`,
    );
  }
  for (const v of values) flatten(v, shape, depth + 1, out);
}

/** A tensor filled with one number. */
export function full(shape: Shape, value: number, options: { dtype?: DType } = {}): Tensor {
  return filled("full", shape, value, options);
}

function filled(op: string, shape: Shape, value: number, options: { dtype?: DType }): Tensor {
  const { dtype = "float32" } = options;
  checkShape(op, shape);
  requireOptions(op, options);
  return expand(constant(value, dtype), shape);
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options: { dtype?: DType } = {}): Tensor {
  return filled("zeros", shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: { dtype?: DType } = {}): Tensor {
  return filled("ones", shape, 1, options);
}

/** Zeros of another tensor's shape and dtype. */
export function zerosLike(x: Tensor): Tensor {
  return zeros(x.shape, { dtype: x.dtype });
}

/** Ones of another tensor's shape and dtype. */
export function onesLike(x: Tensor): Tensor {
  return ones(x.shape, { dtype: x.dtype });
}

/**
 * start, start + step, ... before end; `arange(end)` counts from 0. int64 for whole numbers,
 * float32 otherwise.
 */
export function arange(start: number, end?: number, step?: number): RankedTensor<1>;
export function arange(start: number, end?: number, step = 1): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  const other = [start, to, step].find((value) => typeof value !== "number");
  if (other !== undefined || start === undefined) {
    fail("arange", `expected numbers, as arange(0, 6, 2), got ${describeValue(other)}`);
  }
  if (!(Math.abs(step) > 0) || !Number.isFinite(step) || (to - from) / step < 0) {
    fail("arange", `step ${step} does not lead from ${from} to ${to}`);
  }
  if ([from, to, step].every(Number.isInteger)) {
    return apply("range", [], NONE, [[from], [to], [step]]);
  }
  const count = Math.ceil((to - from) / step);
  return Tensor.fromData(
    Float32Array.from({ length: count }, (_, i) => from + i * step),
    [count],
  );
}

/** `steps` numbers from start to end, both included. */
export function linspace(start: number, end: number, steps: number): RankedTensor<1>;
export function linspace(start: number, end: number, steps: number): Tensor {
  if (!Number.isInteger(steps) || steps < 1) {
    fail("linspace", `steps must be 1 or more, got ${steps}`);
  }
  const step = steps === 1 ? 0 : (end - start) / (steps - 1);
  const value = (i: number): number =>
    i < steps / 2 ? start + i * step : end - (steps - 1 - i) * step;
  return Tensor.fromData(
    Float32Array.from({ length: steps }, (_, i) => value(i)),
    [steps],
  );
}

/** The identity matrix, or the first `columns` columns of it. */
export function eye<D extends DType = "float32">(
  rows: number,
  columns?: number,
  options?: { dtype?: D },
): OfShape<readonly [number, number], D>;
export function eye(
  rows: number,
  columns: number = rows,
  { dtype = "float32" }: { dtype?: DType } = {},
): Tensor {
  return cast(unsqueeze(arange(rows), 1).eq(arange(columns)), dtype);
}
