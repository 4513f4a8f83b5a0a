import type { DType } from "./dtype.ts";
import { fail } from "./errors.ts";
import { fromBFloat16 } from "./half.ts";

/** The least magnitude that rounds to infinity: half a step above the greatest number. */
const LEAST_INFINITE: { readonly [K in DType]?: number } = {
  float16: 65520,
  bfloat16: (2 - 2 ** -8) * 2 ** 127,
  float32: (2 - 2 ** -24) * 2 ** 127,
};

const GREATEST: { readonly [K in DType]?: string } = {
  float16: "65504",
  bfloat16: "3.39e38",
  float32: "3.40e38",
};

/** Element types from narrow to wide, by how large their numbers may be. */
const RANGES: readonly DType[] = ["float16", "bfloat16", "float32", "float64"];

/** Numbers that are to be kept in another element type. */
export interface Narrowed {
  /** As they are; bit patterns of 16-bit floats. */
  readonly values: ArrayLike<number | bigint>;
  readonly dtype: DType;
  /** The element type that they are to have. */
  readonly to: DType;
}

/** The first finite number that would become infinite in another element type, and its index. */
export function firstOverflow({
  values,
  dtype,
  to,
}: Narrowed): { readonly value: number; readonly at: number } | undefined {
  const least = LEAST_INFINITE[to];
  // Integers are as wide as they come.
  const range = RANGES.includes(dtype) ? RANGES.indexOf(dtype) : RANGES.length;
  if (least === undefined || range <= RANGES.indexOf(to)) return undefined;
  for (let at = 0; at < values.length; at++) {
    const value = dtype === "bfloat16" ? fromBFloat16(Number(values[at])) : Number(values[at]);
    if ((value >= least || value <= -least) && Number.isFinite(value)) return { value, at };
  }
  return undefined;
}

/**
 * @param name - Of the tensor.
 * @throws TensorError for a finite number that would become infinite in the other element type.
 */
export function refuseOverflow(caller: string, name: string, numbers: Narrowed): void {
  const found = firstOverflow(numbers);
  if (found === undefined) return;
  const { to } = numbers;
  const instead = to === "float16" ? "bfloat16 or float32" : "float32";
  fail(
    caller,
    `${name} holds ${found.value} (number ${found.at} of it), which ${to} cannot hold: it would become ` +
      `infinite (at most ${GREATEST[to]}); use ${to === "float32" ? "smaller numbers" : instead}`,
  );
}
