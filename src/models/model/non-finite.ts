import { isFloat } from "../../tensor/dtype.ts";
import { stridesOf } from "../../tensor/shape.ts";
import { toNumbers } from "../../tensor/tensor-core.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Bits of the exponent, all of which an infinity and NaN have. */
const EXPONENTS = { float16: 0x7c00, bfloat16: 0x7f80 } as const;

/** Which of a tensor's numbers are infinite or none: "3, of which the first, at [0, 7], is NaN". */
export function nonFinite({ values, dtype, shape }: Tensor): string | undefined {
  if (values === undefined || !isFloat(dtype)) return undefined;
  const isBad = tester(dtype);
  let [count, first] = [0, -1];
  for (let i = 0; i < values.length; i++) {
    if (!isBad(Number(values[i]))) continue;
    if (first < 0) first = i;
    count++;
  }
  if (count === 0) return undefined;
  const index = stridesOf(shape).map((stride, d) => Math.floor(first / stride) % (shape[d] ?? 1));
  const value = toNumbers(values.subarray(first, first + 1), dtype)[0];
  return `${count}, of which the first, at [${index.join(", ")}], is ${value}`;
}

function tester(dtype: string): (value: number) => boolean {
  if (dtype !== "float16" && dtype !== "bfloat16") return (value) => !Number.isFinite(value);
  const exponent = EXPONENTS[dtype];
  return (bits) => (bits & exponent) === exponent;
}
