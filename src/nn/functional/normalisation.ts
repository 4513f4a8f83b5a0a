import { constantLike, type Operand, sub } from "../../tensor/functions/arithmetic.ts";
import { fail } from "../../tensor/errors.ts";
import {
  layerNorm as tensorLayerNorm,
  type NormOptions,
  rmsNorm as tensorRmsNorm,
} from "../../tensor/functions/normalisation.ts";
import { normalizeDim, sameShape, type Shape, show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { requireFloat } from "./check.ts";

/**
 * Mean 0 and variance 1 over the last dimensions, then `weight` and `bias`.
 *
 * @param shape Sizes of those dimensions; also the shape of `weight` and `bias`.
 */
export function layerNorm(x: Tensor, shape: Shape, options: NormOptions = {}): Tensor {
  requireFloat("layerNorm", x);
  return tensorLayerNorm(x, shape, options);
}

/**
 * x divided by its root mean square over the last dimensions, then `weight`.
 *
 * @param shape Sizes of those dimensions; also the shape of `weight`.
 */
export function rmsNorm(x: Tensor, shape: Shape, options: NormOptions = {}): Tensor {
  requireFloat("rmsNorm", x);
  return tensorRmsNorm(x, shape, options);
}

/**
 * Mean 0 and variance 1 over each group of channels of x [batch, channels, ...], then a `weight`
 * and `bias` for each channel.
 */
export function groupNorm(x: Tensor, groups: number, options: NormOptions = {}): Tensor {
  requireFloat("groupNorm", x);
  const [batch = 0, channels = 0] = x.shape;
  if (x.ndim < 2 || !Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    fail("groupNorm", `${groups} groups do not divide the channels of ${show(x.shape)}`);
  }
  const normed = standardized(x.reshape([batch, groups, -1]), [2], options.eps).reshape(x.shape);
  return affine("groupNorm", normed, options);
}

/** Mean 0 and variance 1 over each channel of each example of x [batch, channels, ...]. */
export function instanceNorm(x: Tensor, options: NormOptions = {}): Tensor {
  requireFloat("instanceNorm", x);
  if (x.ndim < 3) fail("instanceNorm", `expected [batch, channels, ...], got ${show(x.shape)}`);
  const spatial = x.shape.map((_, i) => i).slice(2);
  return affine("instanceNorm", standardized(x, spatial, options.eps), options);
}

function standardized(x: Tensor, dim: readonly number[], eps = 1e-5): Tensor {
  const centred = x.sub(x.mean({ dim, keepdim: true }));
  const variance = centred.square().mean({ dim, keepdim: true });
  return centred.mul(variance.add(constantLike(eps, x)).rsqrt());
}

/** A vector of channels, placed so that it broadcasts over [batch, channels, ...]. */
function perChannel(op: string, x: Tensor, name: string, value: Tensor): Tensor {
  const channels = x.shape[1] ?? 0;
  if (!sameShape(value.shape, [channels])) {
    fail(op, `${name} ${show(value.shape)} must have one element a channel, [${channels}]`);
  }
  return value.reshape([channels, ...x.shape.slice(2).map(() => 1)]);
}

function affine(op: string, x: Tensor, { weight, bias }: NormOptions): Tensor {
  const scaled = weight === undefined ? x : x.mul(perChannel(op, x, "weight", weight));
  return bias === undefined ? scaled : scaled.add(perChannel(op, x, "bias", bias));
}

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends NormOptions {
  /** Mean of each channel so far, [channels]; used when not training. */
  readonly runningMean?: Tensor | undefined;
  /** Variance of each channel so far, [channels]; used when not training. */
  readonly runningVar?: Tensor | undefined;
  /** Normalise by the batch, and update the running statistics. @default false */
  readonly training?: boolean;
  /** Weight of the batch in the running statistics. @default 0.1 */
  readonly momentum?: number;
}

/** What {@link batchNorm} gives: nothing is changed in place. */
export interface BatchNormResult {
  /** The normalised input, in its shape. */
  readonly output: Tensor;
  /** Updated when training, else as given. */
  readonly runningMean: Tensor | undefined;
  /** Updated (with the unbiased variance) when training, else as given. */
  readonly runningVar: Tensor | undefined;
}

/** Normalises each channel of x [batch, channels, ...], then `weight` and `bias` for each. */
export function batchNorm(x: Tensor, options: BatchNormOptions = {}): BatchNormResult {
  requireFloat("batchNorm", x);
  if (x.ndim < 2) fail("batchNorm", `expected [batch, channels, ...], got ${show(x.shape)}`);
  const { runningMean, runningVar, training = false } = options;
  if (training) return trained(x, options);
  if (runningMean === undefined || runningVar === undefined) {
    fail("batchNorm", "give runningMean and runningVar, or set training");
  }
  // One factor and one term for each channel, which ONNX Runtime takes into a convolution before.
  const { weight, bias, eps = 1e-5 } = options;
  const mean = perChannel("batchNorm", x, "runningMean", runningMean);
  const variance = perChannel("batchNorm", x, "runningVar", runningVar);
  const rsqrt = variance.add(constantLike(eps, x)).rsqrt();
  const factor =
    weight === undefined ? rsqrt : rsqrt.mul(perChannel("batchNorm", x, "weight", weight));
  const back = mean.mul(factor).neg();
  const term = bias === undefined ? back : back.add(perChannel("batchNorm", x, "bias", bias));
  return { output: x.mul(factor).add(term), runningMean, runningVar };
}

function trained(x: Tensor, options: BatchNormOptions): BatchNormResult {
  const { runningMean, runningVar, momentum = 0.1 } = options;
  const dim = x.shape.map((_, i) => i).filter((i) => i !== 1);
  const count = dim.reduce((n, d) => n * (x.shape[d] ?? 1), 1);
  if (count < 2) {
    fail("batchNorm", `${show(x.shape)} has one value a channel; training needs at least two`);
  }
  const mean = x.mean({ dim, keepdim: true });
  const variance = x.sub(mean).square().mean({ dim, keepdim: true });
  const scale = variance.add(constantLike(options.eps ?? 1e-5, x)).rsqrt();
  const unbiased = variance.detach().mul(count / (count - 1));
  const moved = (old: Tensor | undefined, now: Tensor): Tensor | undefined =>
    old?.detach().lerp(now.detach().reshape(old.shape), momentum);
  return {
    output: affine("batchNorm", x.sub(mean).mul(scale), options),
    runningMean: moved(runningMean, mean),
    runningVar: moved(runningVar, unbiased),
  };
}

/** Vectors along a dimension divided by their Lᵖ norm, which counts as at least eps. */
export function normalize(
  x: Tensor,
  {
    p = 2,
    dim = 1,
    eps = 1e-12,
  }: {
    /** @default 2 */
    readonly p?: number;
    /** @default 1 */
    readonly dim?: number;
    /** @default 1e-12 */
    readonly eps?: number;
  } = {},
): Tensor {
  requireFloat("normalize", x);
  return x.div(x.norm(p, { dim, keepdim: true }).clamp({ min: constantLike(eps, x) }));
}

/** x·y / (|x| |y|) along a dimension, of vectors that broadcast; norms count as at least eps. */
export function cosineSimilarity(
  x: Tensor,
  y: Tensor,
  {
    dim = 1,
    eps = 1e-8,
  }: {
    /** @default 1 */
    readonly dim?: number;
    /** @default 1e-8 */
    readonly eps?: number;
  } = {},
): Tensor {
  requireFloat("cosineSimilarity", x);
  const d = normalizeDim("cosineSimilarity", dim, Math.max(x.ndim, y.ndim));
  const unit = (t: Tensor): Tensor => {
    const own = d - (Math.max(x.ndim, y.ndim) - t.ndim);
    return normalize(t, { dim: own, eps });
  };
  return unit(x).mul(unit(y)).sum({ dim: d });
}

/** |x - y| in the Lᵖ norm over the last dimension, of vectors that broadcast. */
export function pairwiseDistance(
  x: Tensor,
  y: Operand,
  {
    p = 2,
    eps = 1e-6,
    keepdim = false,
  }: {
    /** @default 2 */
    readonly p?: number;
    /** Added to the differences. @default 1e-6 */
    readonly eps?: number;
    /** @default false */
    readonly keepdim?: boolean;
  } = {},
): Tensor {
  return sub(x, y).add(constantLike(eps, x)).norm(p, { dim: -1, keepdim });
}
