import { apply } from "../ops/apply.ts";
import { add, mul, sub } from "../functions/arithmetic.ts";
import { eye } from "../functions/creation.ts";
import { fail } from "../errors.ts";
import { NONE } from "../ops/ops.ts";
import { show } from "../shape.ts";
import { slice, transpose, triangle, unsqueeze } from "../functions/shaping.ts";
import type { Tensor } from "../tensor.ts";
import { requireMatrix } from "./checks.ts";

/**
 * The first n columns of H₁ H₂ ... H_k, where H_i = I - tau_i v_i v_iᵀ, and v_i has the elements of
 * a's i-th column below the diagonal, 1 on it and 0 above.
 *
 * @param a [..., m, n] with m >= n
 * @param tau [..., k] with k <= n
 * @returns [..., m, n]
 */
export function householderProduct(a: Tensor, tau: Tensor): Tensor {
  const x = requireMatrix("householderProduct", a);
  const [m = 0, n = 0] = x.shape.slice(-2);
  const k = tau.shape.at(-1) ?? -1;
  if (m < n || k < 0 || k > n || show(tau.shape.slice(0, -1)) !== show(x.shape.slice(0, -2))) {
    fail(
      "householderProduct",
      `a ${show(x.shape)} and tau ${show(tau.shape)} must be [..., m, n] and [..., k] with m >= n >= k`,
    );
  }
  const unit = eye(m, n, { dtype: x.dtype });
  if (k === 0) return add(mul(x, 0), unit);
  // All reflections at once: Q = I - V T Vᵀ, with 1 / T = 1 / D + strict upper triangle of VᵀV.
  const v = add(triangle(slice(x, -1, 0, k), false, -1), eye(m, k, { dtype: x.dtype }));
  const vt = transpose(v, -1, -2);
  const overlaps = triangle(vt.matmul(v), true, 1);
  const system = add(eye(k, k, { dtype: x.dtype }), mul(unsqueeze(tau, -1), overlaps));
  const t = mul(apply("inverse", [system], NONE), unsqueeze(tau, -2));
  return sub(unit, v.matmul(t).matmul(slice(vt, -1, 0, n)));
}
