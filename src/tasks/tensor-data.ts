import { describeValue } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { type DType, dtypes, type TypedArray } from "../tensor/dtype.ts";
import { tensor } from "../tensor/functions/creation.ts";
import { numel } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A tensor's numbers as plain data, which a message can carry; a file has them as a list. */
export interface TensorData {
  /** Sizes of the dimensions. */
  readonly shape: readonly number[];
  /** Element type. @default "float32" */
  readonly dtype?: DType;
  /** The numbers, the last dimension varying fastest. */
  readonly data: TypedArray | readonly number[];
}

/** Numbers of a tensor that were computed. */
export interface ComputedData extends TensorData {
  readonly dtype: DType;
  readonly data: TypedArray;
}

/** The numbers of a tensor. */
export async function dataOf(t: Tensor): Promise<ComputedData> {
  return { shape: [...t.shape], dtype: t.dtype, data: await t.data() };
}

/** @throws TsveneError for what is not a tensor as plain data. */
export function tensorOf(op: string, given: TensorData): Tensor {
  const { shape, dtype = "float32", data } = (given ?? {}) as Partial<TensorData>;
  const isList = Array.isArray(data) || ArrayBuffer.isView(data);
  if (data === undefined || shape === undefined || !isList || !dtypes.includes(dtype)) {
    const wanted = "expected a tensor as plain data, { shape: [3], data: [1, 2, 3] }";
    return fail(op, `${wanted}, got ${describeValue(given)}`);
  }
  const count = numel(shape);
  if (data.length !== count) {
    fail(op, `a tensor [${shape.join(", ")}] has ${count} numbers, got ${data.length}`);
  }
  if (ArrayBuffer.isView(data)) return tensor(data, { dtype, shape: [...shape] });
  return tensor(Array.from(data), { dtype, shape: [...shape] });
}
