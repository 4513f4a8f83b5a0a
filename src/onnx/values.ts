import type { DType } from "../tensor/dtype.ts";
import { isFloat } from "../tensor/dtype.ts";
import { encodeNumbers, leaf } from "../tensor/ops/apply.ts";
import { numel, type Shape } from "../tensor/shape.ts";
import { toNumbers } from "../tensor/tensor-core.ts";
import { Tensor } from "../tensor/tensor.ts";

/** More numbers than shapes and indices have. */
const MOST_NUMBERS = 4096;

/** Numbers that are known while a model is traced, such as shapes and what is computed of them. */
export class Host {
  /** In row-major order. */
  readonly numbers: readonly number[];
  /** Sizes of the dimensions. */
  readonly shape: Shape;
  /** Element type. */
  readonly dtype: DType;

  constructor(numbers: readonly number[], shape: Shape = [numbers.length], dtype: DType = "int64") {
    this.numbers = numbers;
    this.shape = shape;
    this.dtype = dtype;
  }
}

/** A value of a graph while it is translated. */
export type Value = Tensor | Host;

/** A value as a tensor. */
export function lifted(value: Value): Tensor {
  if (value instanceof Tensor) return value;
  const { numbers, shape, dtype } = value;
  return leaf(encodeNumbers(numbers, dtype), shape, dtype);
}

/** The numbers of a value that is known, or undefined. */
export function knownNumbers(value: Value): readonly number[] | undefined {
  if (value instanceof Host) return value.numbers;
  const { values, dtype, shape } = value;
  if (values === undefined || numel(shape) > MOST_NUMBERS) return undefined;
  return Array.from(toNumbers(values, dtype));
}

/** A number as elements of a type hold it. */
export function rounded(n: number, dtype: DType): number {
  if (dtype === "bool") return n === 0 ? 0 : 1;
  if (dtype === "float32") return Math.fround(n);
  return isFloat(dtype) ? n : Math.trunc(n);
}

/** Computes on numbers that broadcast. */
export function onHost(
  values: readonly Host[],
  compute: (...numbers: number[]) => number,
  dtype: DType,
  shape: Shape,
): Host {
  const count = numel(shape);
  const readers = values.map((value) => readerOf(value, shape));
  const numbers = Array.from({ length: count }, (_, i) =>
    rounded(compute(...readers.map((read) => read(i))), dtype),
  );
  return new Host(numbers, shape, dtype);
}

/** Reads what of a value stands at a place of the shape that it is broadcast to. */
function readerOf({ numbers, shape: own }: Host, shape: Shape): (place: number) => number {
  if (numbers.length === numel(shape)) return (i) => numbers[i] ?? 0;
  const before = shape.length - own.length;
  return (place) => {
    let [rest, at, step] = [place, 0, 1];
    for (let d = shape.length - 1; d >= before; d--) {
      const size = shape[d] ?? 1;
      const ownSize = own[d - before] ?? 1;
      if (ownSize !== 1) at += (rest % size) * step;
      step *= ownSize;
      rest = Math.floor(rest / size);
    }
    return numbers[at] ?? 0;
  };
}
