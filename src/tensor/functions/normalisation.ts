import { requireTensors } from "../require-tensors.ts";
import { apply } from "../ops/apply.ts";
import { constant } from "./arithmetic.ts";
import { fail } from "../errors.ts";
import { normalizeDim, show } from "../shape.ts";
import { expand, reshape } from "./shaping.ts";
import type { Tensor } from "../tensor.ts";

/** exp(x) divided by its sum along a dimension. */
export function softmax(x: Tensor, dim: number): Tensor {
  const d = normalizeDim("softmax", dim, x.shape.length);
  if (x.shape.length === 0) return reshape(softmax(reshape(x, [1]), 0), []);
  return apply("softmax", [x], { dim: d });
}

/** Logarithm of the softmax, computed stably. */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  const d = normalizeDim("logSoftmax", dim, x.shape.length);
  if (x.shape.length === 0) return reshape(logSoftmax(reshape(x, [1]), 0), []);
  return apply("logSoftmax", [x], { dim: d });
}

/** Options of {@link layerNorm} and {@link rmsNorm}. */
export interface NormOptions {
  /** Factors after normalising. @default ones */
  readonly weight?: Tensor | undefined;
  /** Summands after scaling. @default zeros */
  readonly bias?: Tensor | undefined;
  /** Added to the variance. @default 1e-5 */
  readonly eps?: number;
}

function checkTail(op: string, x: Tensor, tail: readonly number[]): void {
  const end = x.shape.slice(x.shape.length - tail.length);
  if (tail.length === 0 || show(end) !== show(tail)) {
    fail(op, `normalized shape ${show(tail)} is not the end of the input's shape ${show(x.shape)}`);
  }
}

/** Mean 0 and variance 1 over the last dimensions, then `weight` and `bias` of that shape. */
export function layerNorm(x: Tensor, shape: readonly number[], options: NormOptions = {}): Tensor {
  requireTensors("layerNorm", x);
  checkTail("layerNorm", x, shape);
  const weight = options.weight ?? expand(constant(1, x.dtype), shape);
  const inputs = options.bias === undefined ? [x, weight] : [x, weight, options.bias];
  return apply("layerNorm", inputs, { axes: shape.length, eps: options.eps ?? 1e-5 });
}

/** x divided by its root mean square over the last dimensions, then `weight`. */
export function rmsNorm(x: Tensor, shape: readonly number[], options: NormOptions = {}): Tensor {
  requireTensors("rmsNorm", x);
  checkTail("rmsNorm", x, shape);
  const weight = options.weight ?? expand(constant(1, x.dtype), shape);
  return apply("rmsNorm", [x, weight], { axes: shape.length, eps: options.eps ?? 1e-5 });
}
