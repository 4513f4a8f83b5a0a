import { binary, cast, constant } from "../tensor/functions/arithmetic.ts";
import { fail } from "../base/errors.ts";
import { Tensor } from "../tensor/tensor.ts";

/** What {@link clipGradNorm} gives. */
export interface ClippedGradients {
  /** The gradients, scaled down together where their norm was larger than allowed. */
  readonly gradients: Tensor[];
  /** Their norm before, 0-d. */
  readonly norm: Tensor;
}

/**
 * Scales gradients down together so that their norm, as of one long vector, is at most `maxNorm`.
 * Lazy: it is part of the program that uses them. `optimizer.step(loss, { maxGradNorm })` does this
 * by itself.
 *
 * @param options - `normType`: 2, or Infinity for the largest absolute value (default 2).
 * @throws TsveneError when `maxNorm` is not above zero.
 *
 * @example
 * ```ts
 * import { clipGradNorm, grad, tensor } from "tsvene";
 * const x = tensor([3, 4]);
 * const { gradients, norm } = clipGradNorm(grad(x.square().sum(), [x]), 1);
 * console.log(await norm.item()); // 10
 * console.log(await gradients[0]?.toArray()); // [0.6, 0.8]
 * ```
 */
export function clipGradNorm(
  gradients: readonly Tensor[],
  maxNorm: number,
  options: { readonly normType?: number } = {},
): ClippedGradients {
  if (!(maxNorm > 0)) fail("clipGradNorm", `maxNorm must be above zero, got ${maxNorm}`);
  const norm = totalNorm(gradients, options.normType ?? 2);
  // One dimension: a program merges equal 0-d numbers, and this one may be equal to another by accident.
  const limit = Tensor.fromData(Float32Array.of(maxNorm), [1]);
  const share = limit.div(norm.add(constant(1e-6))).reshape([]);
  const factor = binary("minimum", share, constant(1));
  return { gradients: gradients.map((g) => g.mul(cast(factor, g.dtype))), norm };
}

function totalNorm(gradients: readonly Tensor[], normType: number): Tensor {
  if (normType !== 2 && normType !== Infinity) {
    fail("clipGradNorm", `normType must be 2 or Infinity, got ${normType}`);
  }
  const largest = normType === Infinity;
  const parts = gradients.map((g) => {
    const own = largest ? g.abs().amax() : g.square().sum();
    return cast(own, "float32");
  });
  const [first, ...rest] = parts;
  if (first === undefined) fail("clipGradNorm", "there are no gradients");
  const total = rest.reduce((a, b) => (largest ? a.maximum(b) : a.add(b)), first);
  return largest ? total : total.sqrt();
}
