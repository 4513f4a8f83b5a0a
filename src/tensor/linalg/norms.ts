import { fail } from "../errors.ts";
import { norm as vectorNormOf, type ReduceOptions } from "../functions/reductions.ts";
import type { Tensor } from "../tensor.ts";
import { requireMatrix } from "./checks.ts";

/** Lᵖ norm of vectors along dimensions, or of all elements. @default p 2 */
export function vectorNorm(x: Tensor, p = 2, options: ReduceOptions = {}): Tensor {
  return vectorNormOf(x, p, options);
}

/**
 * Norm of matrices [..., m, n] -> [...]: `"fro"` of all elements, 1 and -1 the largest and smallest
 * sum of a column, Infinity and -Infinity those of a row. @default "fro"
 */
export function matrixNorm(x: Tensor, p: number | "fro" = "fro"): Tensor {
  const a = requireMatrix("matrixNorm", x);
  if (p === "fro") return vectorNormOf(a, 2, { dim: [-2, -1] });
  const size = Math.abs(p);
  if (size !== 1 && size !== Infinity) {
    fail("matrixNorm", `p must be "fro", 1, -1, Infinity or -Infinity, got ${p}`);
  }
  const sums = a.abs().sum({ dim: size === 1 ? -2 : -1 });
  return p > 0 ? sums.amax({ dim: -1 }) : sums.amin({ dim: -1 });
}
