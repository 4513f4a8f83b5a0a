import { apply } from "../ops/apply.ts";
import { promoted } from "../functions/arithmetic.ts";
import { eye } from "../functions/creation.ts";
import { fail } from "../errors.ts";
import { NONE } from "../ops/ops.ts";
import { sameShape, show } from "../shape.ts";
import { expand, squeeze, unsqueeze } from "../functions/shaping.ts";
import type { Tensor } from "../tensor.ts";
import { requireSquare } from "./checks.ts";

/** The inverse of square matrices [..., n, n]; not finite for a singular one. */
export function inv(x: Tensor): Tensor {
  return apply("inverse", [requireSquare("inv", x)], NONE);
}

/** The determinant of square matrices: [..., n, n] -> [...]. */
export function det(x: Tensor): Tensor {
  return apply("det", [requireSquare("det", x)], NONE);
}

/**
 * X of A X = B.
 *
 * @param a [..., n, n]
 * @param b [..., n, k], or a vector [..., n]
 * @returns the shape of b, after broadcasting
 */
export function solve(a: Tensor, b: Tensor): Tensor {
  const [x, y] = promoted("solve", requireSquare("solve", a), b);
  const n = x.shape.at(-1) ?? 0;
  const vector = y.shape.length === 1 || sameShape(y.shape, x.shape.slice(0, -1));
  if (y.shape.at(vector ? -1 : -2) !== n) {
    fail("solve", `${show(a.shape)} and ${show(b.shape)} must be [..., n, n] and [..., n, k]`);
  }
  const right = vector ? unsqueeze(y, -1) : y;
  const inverse = apply("inverse", [x], NONE);
  const rough = inverse.matmul(right);
  // One step of refinement makes up for what the inverse lost.
  const refined = rough.add(inverse.matmul(right.sub(x.matmul(rough))));
  return vector ? squeeze(refined, -1) : refined;
}

/** x multiplied by itself n times; negative powers are powers of the inverse. */
export function matrixPower(x: Tensor, n: number): Tensor {
  const a = requireSquare("matrixPower", x);
  if (!Number.isInteger(n)) fail("matrixPower", `n must be an integer, got ${n}`);
  const size = a.shape.at(-1) ?? 0;
  let factor = n < 0 ? inv(a) : a;
  let result: Tensor | undefined;
  for (let left = Math.abs(n); left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = result === undefined ? factor : result.matmul(factor);
    if (left > 1) factor = factor.matmul(factor);
  }
  return result ?? expand(eye(size, size, { dtype: a.dtype }), a.shape);
}
