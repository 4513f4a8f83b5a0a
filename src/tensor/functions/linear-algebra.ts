import { requireTensors } from "../require-tensors.ts";
import { apply } from "../ops/apply.ts";
import { add, promoted } from "./arithmetic.ts";
import { isFloat } from "../dtype.ts";
import { fail } from "../errors.ts";
import { NONE } from "../ops/ops.ts";
import { show } from "../shape.ts";
import { squeeze, transpose, unsqueeze } from "./shaping.ts";
import type { Tensor } from "../tensor.ts";

/** Matrix product: a vector counts as a row (left) or a column (right), batches broadcast. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (typeof b === "number") fail("matmul", `expected a tensor, got ${String(b)}; use mul()`);
  requireTensors("matmul", a, b);
  if (a.shape.length === 0 || b.shape.length === 0) {
    fail(
      "matmul",
      `0-d tensors have no matrix product; use mul(). Got ${show(a.shape)} and ${show(b.shape)}`,
    );
  }
  const [x, y] = promoted("matmul", a, b);
  const left = x.shape.length === 1 ? unsqueeze(x, 0) : x;
  const right = y.shape.length === 1 ? unsqueeze(y, 1) : y;
  const product = apply("matmul", [left, right], NONE);
  if (x.shape.length === 1 && y.shape.length === 1) return squeeze(product);
  if (x.shape.length === 1) return squeeze(product, -2);
  return y.shape.length === 1 ? squeeze(product, -1) : product;
}

/** A matrix product of operands whose numbers of dimensions are fixed. */
export function ranked(op: string, a: Tensor, b: Tensor, rankA: number, rankB: number): Tensor {
  requireTensors(op, a, b);
  if (a.shape.length !== rankA || b.shape.length !== rankB) {
    fail(
      op,
      `expected ${rankA} and ${rankB} dimensions, got ${show(a.shape)} and ${show(b.shape)}; ` +
        `matmul() takes all`,
    );
  }
  if (rankA === 3 && a.shape[0] !== b.shape[0]) {
    fail(op, `batches differ: ${show(a.shape)} and ${show(b.shape)}; matmul() broadcasts them`);
  }
  return matmul(a, b);
}

/** x Wᵀ + b for x [..., in], weight [out, in] and bias [out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  if (!isFloat(x.dtype) || weight.dtype !== x.dtype) return promotedLinear(x, weight, bias);
  const inputs = bias === undefined ? [x, weight] : [x, weight, bias];
  const shape = [...x.shape.slice(0, -1), weight.shape[0] ?? 0];
  return apply("linear", inputs, NONE, shape.length === 2 ? [] : [shape]);
}

/** Integers have no fused kernel, and operands of two dtypes meet in the wider one. */
function promotedLinear(x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  if (weight.shape.length !== 2) fail("linear", `weight must be 2-d, got ${show(weight.shape)}`);
  const product = matmul(x, transpose(weight, 0, 1));
  return bias === undefined ? product : add(product, bias);
}
