import { fail } from "../../tensor/errors.ts";
import { linear as tensorLinear } from "../../tensor/functions/linear-algebra.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * x Wᵀ + b.
 *
 * @param x [..., in]
 * @param weight [out, in], or [in] for one output without a dimension of its own.
 * @param bias [out], or 0-d with a weight of one dimension.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  if (weight.ndim !== 1) return tensorLinear(x, weight, bias);
  const product = x.matmul(weight);
  return bias === undefined ? product : product.add(bias);
}

/**
 * x₁ᵀ W x₂ + b for each output.
 *
 * @param x1 [..., in1]
 * @param x2 [..., in2]
 * @param weight [out, in1, in2]
 * @param bias [out]
 */
export function bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [out, in1, in2] = weight.shape;
  if (weight.ndim !== 3 || x1.shape.at(-1) !== in1 || x2.shape.at(-1) !== in2) {
    fail(
      "bilinear",
      `inputs ${show(x1.shape)} and ${show(x2.shape)} do not fit weight ${show(weight.shape)}: ` +
        `expected [..., in1], [..., in2] and [out, in1, in2]`,
    );
  }
  const left = x1.matmul(weight.permute([1, 0, 2]).reshape([in1 ?? 0, (out ?? 0) * (in2 ?? 0)]));
  const product = left
    .reshape([...x1.shape.slice(0, -1), out ?? 0, in2 ?? 0])
    .matmul(x2.unsqueeze(-1))
    .squeeze(-1);
  return bias === undefined ? product : product.add(bias);
}
