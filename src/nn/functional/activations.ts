import { requireTensors } from "../../tensor/require-tensors.ts";
import { apply } from "../../tensor/ops/apply.ts";
import { constantLike, mul, where } from "../../tensor/functions/arithmetic.ts";
import { fail } from "../../tensor/errors.ts";
import { requireOneOf } from "../../base/known-options.ts";
import {
  logSoftmax as tensorLogSoftmax,
  softmax as tensorSoftmax,
} from "../../tensor/functions/normalisation.ts";
import { normalizeDim, show } from "../../tensor/shape.ts";
import { narrow } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { requireFloat } from "./check.ts";

/** max(x, 0). */
export function relu(x: Tensor): Tensor {
  requireTensors("relu", x);
  return x.relu();
}

/** min(max(x, 0), 6). */
export function relu6(x: Tensor): Tensor {
  return hardtanh(x, { min: 0, max: 6 });
}

/**
 * x Φ(x), where Φ is the normal distribution function.
 *
 * @param options.approximate `"tanh"` takes the approximation of GPT-2. @default "none"
 */
export function gelu(
  x: Tensor,
  { approximate = "none" }: { readonly approximate?: "none" | "tanh" } = {},
): Tensor {
  requireFloat("gelu", x);
  requireOneOf("gelu", "approximate", approximate, ["none", "tanh"]);
  return apply("gelu", [x], { approximate });
}

/** x sigmoid(1.702 x), the approximation of GELU that OpenAI's CLIP uses. */
export function quickGelu(x: Tensor): Tensor {
  requireFloat("quickGelu", x);
  return x.mul(x.mul(constantLike(1.702, x)).sigmoid());
}

/** x sigmoid(x), also called swish. */
export function silu(x: Tensor): Tensor {
  requireFloat("silu", x);
  return x.mul(x.sigmoid());
}

/** 1 / (1 + exp(-x)). */
export function sigmoid(x: Tensor): Tensor {
  return x.sigmoid();
}

/** Hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  return x.tanh();
}

/**
 * log(1 + exp(beta x)) / beta; x itself where beta x is above the threshold.
 *
 * @param options.beta @default 1
 * @param options.threshold @default 20
 */
export function softplus(
  x: Tensor,
  { beta = 1, threshold = 20 }: { readonly beta?: number; readonly threshold?: number } = {},
): Tensor {
  requireFloat("softplus", x);
  const scaled = beta === 1 ? x : x.mul(constantLike(beta, x));
  const unscaled = (y: Tensor): Tensor => (beta === 1 ? y : y.div(constantLike(beta, x)));
  const bound = x.dtype === "float16" ? 10 : 20;
  if (x.dtype !== "float64" && threshold >= bound) return unscaled(smoothRamp(scaled, bound));
  const limit = constantLike(threshold, x);
  const far = scaled.gt(limit);
  return where(far, x, unscaled(where(far, limit, scaled).exp().log1p()));
}

/**
 * log(1 + exp(x)) where beyond `bound` that is x to the last bit: a choice between two values would
 * take as long as all of this.
 */
function smoothRamp(x: Tensor, bound: number): Tensor {
  const [limit, one] = [constantLike(bound, x), constantLike(1, x)];
  const power = x.minimum(limit).exp();
  const sum = power.add(one);
  // What rounding took from the sum matters where the power is small.
  const log = sum.log().add(power.sub(sum.sub(one)).div(sum));
  // At the bound each of the two takes half of the gradient.
  return log.add(x.sub(limit).maximum(constantLike(0, x)));
}

/** log(sigmoid(x)). */
export function logsigmoid(x: Tensor): Tensor {
  requireFloat("logsigmoid", x);
  // Beyond 40, exp(-x) is below the resolution of float64 as well.
  return softplus(x.neg(), { threshold: 40 }).neg();
}

/** x where x >= 0, `negativeSlope` x elsewhere. @default 0.01 */
export function leakyRelu(
  x: Tensor,
  { negativeSlope = 0.01 }: { readonly negativeSlope?: number } = {},
): Tensor {
  requireFloat("leakyRelu", x);
  return where(x.gt(constantLike(0, x)), x, x.mul(constantLike(negativeSlope, x)));
}

/** leakyRelu with learned slopes: one for all, or one for each channel (dimension 1). */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  requireFloat("prelu", x);
  const channels = x.ndim > 1 ? x.size(1) : 1;
  if (weight.numel !== 1 && weight.numel !== channels) {
    fail("prelu", `weight ${show(weight.shape)} must have 1 element or ${channels}, one a channel`);
  }
  const slope =
    weight.numel === 1
      ? weight.reshape([])
      : weight.reshape([channels, ...x.shape.slice(2).map(() => 1)]);
  return where(x.gt(constantLike(0, x)), x, x.mul(slope));
}

/** x where x > 0, alpha (exp(x) - 1) elsewhere. @default alpha 1 */
export function elu(x: Tensor, { alpha = 1 }: { readonly alpha?: number } = {}): Tensor {
  requireFloat("elu", x);
  const zero = constantLike(0, x);
  const positive = x.gt(zero);
  // Keeps exp() finite on the side that is not chosen, whose gradient would be NaN otherwise.
  const curve = where(positive, zero, x).expm1();
  return where(positive, x, alpha === 1 ? curve : curve.mul(constantLike(alpha, x)));
}

/** x where x > 0, alpha (exp(x / alpha) - 1) elsewhere. @default alpha 1 */
export function celu(x: Tensor, { alpha = 1 }: { readonly alpha?: number } = {}): Tensor {
  requireFloat("celu", x);
  const scale = constantLike(alpha, x);
  return elu(x.div(scale)).mul(scale);
}

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** Scaled elu, with the constants that keep mean 0 and variance 1. */
export function selu(x: Tensor): Tensor {
  requireFloat("selu", x);
  return elu(x, { alpha: SELU_ALPHA }).mul(constantLike(SELU_SCALE, x));
}

/** x limited to [min, max]; outside and on the bounds the gradient is 0. @default -1 to 1 */
export function hardtanh(
  x: Tensor,
  { min = -1, max = 1 }: { readonly min?: number; readonly max?: number } = {},
): Tensor {
  if (min > max) fail("hardtanh", `min ${min} is above max ${max}`);
  const [low, high] = [constantLike(min, x), constantLike(max, x)];
  return where(x.le(low), low, where(x.ge(high), high, x));
}

/** relu6(x + 3) / 6. */
export function hardsigmoid(x: Tensor): Tensor {
  requireFloat("hardsigmoid", x);
  return relu6(x.add(constantLike(3, x))).mul(constantLike(1 / 6, x));
}

/** x hardsigmoid(x). */
export function hardswish(x: Tensor): Tensor {
  return x.mul(hardsigmoid(x));
}

/** x tanh(softplus(x)). */
export function mish(x: Tensor): Tensor {
  requireFloat("mish", x);
  return x.mul(softplus(x).tanh());
}

/** x / (1 + |x|). */
export function softsign(x: Tensor): Tensor {
  requireFloat("softsign", x);
  return x.div(x.abs().add(constantLike(1, x)));
}

/** x - tanh(x). */
export function tanhshrink(x: Tensor): Tensor {
  requireFloat("tanhshrink", x);
  return x.sub(x.tanh());
}

/** x moved towards 0 by lambda, and 0 within it. @default lambda 0.5 */
export function softshrink(x: Tensor, { lambda = 0.5 }: { readonly lambda?: number } = {}): Tensor {
  requireFloat("softshrink", x);
  const bound = constantLike(lambda, x);
  const moved = x.sub(mul(x.sign(), bound));
  return where(x.abs().gt(bound), moved, constantLike(0, x));
}

/** x outside [-lambda, lambda], 0 within. @default lambda 0.5 */
export function hardshrink(x: Tensor, { lambda = 0.5 }: { readonly lambda?: number } = {}): Tensor {
  requireFloat("hardshrink", x);
  return where(x.abs().gt(constantLike(lambda, x)), x, constantLike(0, x));
}

/** x where x > threshold, `value` elsewhere. */
export function threshold(x: Tensor, limit: number, value: number): Tensor {
  return where(x.gt(constantLike(limit, x)), x, constantLike(value, x));
}

/** Gated linear unit: the first half of a dimension times the sigmoid of the second. @default dim -1 */
export function glu(x: Tensor, dim = -1): Tensor {
  requireFloat("glu", x);
  const d = normalizeDim("glu", dim, x.ndim);
  const n = x.shape[d] ?? 1;
  if (n % 2 !== 0) fail("glu", `dimension ${dim} of ${show(x.shape)} must have an even size`);
  return narrow(x, d, 0, n / 2).mul(narrow(x, d, n / 2, n / 2).sigmoid());
}

/** exp(x) divided by its sum along a dimension. */
export function softmax(x: Tensor, dim: number): Tensor {
  return tensorSoftmax(x, dim);
}

/** Logarithm of the softmax, computed stably. */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  return tensorLogSoftmax(x, dim);
}

/** softmax(-x). */
export function softmin(x: Tensor, dim: number): Tensor {
  return tensorSoftmax(x.neg(), dim);
}
