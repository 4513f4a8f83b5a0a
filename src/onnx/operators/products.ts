import * as F from "../../nn/functional/index.ts";
import { einsum } from "../../tensor/functions/einsum.ts";
import { isFloat } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { float, int, text } from "../attributes.ts";
import { type Call, operator, type Operators } from "../operator.ts";

/** x - mean over √(variance + ε), along dimensions. */
export function standardized(x: Tensor, dim: readonly number[], eps: number): Tensor {
  const centred = x.sub(x.mean({ dim, keepdim: true }));
  return centred.div(centred.square().mean({ dim, keepdim: true }).add(eps).sqrt());
}

/** One number a channel, to be used on [batch, channels, ...]. */
function perChannel(t: Tensor, like: Tensor): Tensor {
  return t.reshape(like.shape.map((_, d) => (d === 1 ? -1 : 1)));
}

const dimsFrom = (x: Tensor, axis: number): number[] => x.shape.map((_, d) => d).slice(axis);

function layerNorm(call: Call, axis: number, eps: number): Tensor {
  const x = call.tensor(0);
  const from = call.dim(axis, x.ndim);
  return F.layerNorm(x, x.shape.slice(from), {
    weight: call.tensor(1),
    bias: call.optional(2),
    eps,
  });
}

function batchNorm(call: Call, eps: number): Tensor {
  const x = call.tensor(0);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => call.tensor(i));
  if (!scale || !bias || !mean || !variance) return call.fail("lacks an input");
  const factor = scale.div(variance.add(eps).sqrt());
  return x.mul(perChannel(factor, x)).add(perChannel(bias.sub(mean.mul(factor)), x));
}

function groupNorm(call: Call, groups: number, eps: number): Tensor {
  const x = call.tensor(0);
  return F.groupNorm(x, groups, { weight: call.tensor(1), bias: call.tensor(2), eps });
}

function lrn(call: Call, size: number, a: { alpha: number; beta: number; bias: number }): Tensor {
  const x = call.tensor(0);
  const before = Math.floor((size - 1) / 2);
  const squares = x.square();
  const pads = [...Array<number>(2 * (x.ndim - 2)).fill(0), before, size - 1 - before];
  const wide = F.pad(squares, pads);
  const parts = Array.from({ length: size }, (_, i) => wide.slice(1, i, i + x.size(1)));
  const sums = parts.reduce((sum, part) => sum.add(part));
  return x.div(
    sums
      .mul(a.alpha / size)
      .add(a.bias)
      .pow(a.beta),
  );
}

/** Operators that multiply matrices, and those that normalise. */
export const products: Operators = {
  MatMul: operator({}, (call) => {
    const [a, b] = [call.tensor(0), call.tensor(1)];
    if (isFloat(a.dtype)) return a.matmul(b);
    return a.to("float64").matmul(b.to("float64")).round().to(a.dtype);
  }),
  Gemm: operator(
    { alpha: float(1), beta: float(1), transA: int(0), transB: int(0) },
    (call, { alpha, beta, transA, transB }) => {
      const [a, b] = [call.tensor(0), call.tensor(1)];
      const c = call.optional(2);
      const left = transA === 0 ? a : a.t();
      const isPlain = transB !== 0 && alpha === 1 && beta === 1 && c?.ndim === 1;
      if (isPlain && c.size(0) === b.size(0)) return F.linear(left, b, c);
      const product = left.matmul(transB === 0 ? b : b.t());
      const scaled = alpha === 1 ? product : product.mul(alpha);
      return c === undefined ? scaled : scaled.add(beta === 1 ? c : c.mul(beta));
    },
  ),
  Einsum: operator({ equation: text("") }, (call, { equation }) =>
    einsum(equation.replaceAll(" ", ""), ...call.inputs.map((_, i) => call.tensor(i))),
  ),
  LayerNormalization: operator(
    { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
    (call, { axis, epsilon }) => {
      const y = layerNorm(call, axis, epsilon);
      if (call.outputs === 1) return y;
      const x = call.tensor(0);
      const dim = dimsFrom(x, call.dim(axis, x.ndim));
      const mean = x.mean({ dim, keepdim: true });
      const spread = x.sub(mean).square().mean({ dim, keepdim: true }).add(epsilon).rsqrt();
      return [y, mean, spread];
    },
  ),
  RMSNormalization: operator(
    { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
    (call, { axis, epsilon }) => {
      const x = call.tensor(0);
      const shape = x.shape.slice(call.dim(axis, x.ndim));
      return F.rmsNorm(x, shape, { weight: call.tensor(1), eps: epsilon });
    },
  ),
  BatchNormalization: operator(
    { epsilon: float(1e-5), momentum: float(0.9), training_mode: int(0), spatial: int(1) },
    (call, { epsilon, training_mode: training }) => {
      if (training !== 0) return call.fail("is in training mode; export in evaluation mode");
      return batchNorm(call, epsilon);
    },
  ),
  InstanceNormalization: operator({ epsilon: float(1e-5) }, (call, { epsilon }) => {
    const x = call.tensor(0);
    const y = standardized(x, dimsFrom(x, 2), epsilon);
    return y.mul(perChannel(call.tensor(1), x)).add(perChannel(call.tensor(2), x));
  }),
  GroupNormalization: operator(
    { epsilon: float(1e-5), num_groups: int(1), stash_type: int(1) },
    (call, { epsilon, num_groups: groups }) => groupNorm(call, groups, epsilon),
  ),
  LpNormalization: operator({ axis: int(-1), p: int(2) }, (call, { axis, p }) => {
    const x = call.tensor(0);
    const over = { dim: [call.dim(axis, x.ndim)], keepdim: true };
    return x.div(p === 1 ? x.abs().sum(over) : x.square().sum(over).sqrt());
  }),
  LRN: operator(
    { alpha: float(1e-4), beta: float(0.75), bias: float(1), size: int(1) },
    (call, { size, ...rest }) => lrn(call, size, rest),
  ),
  MeanVarianceNormalization: operator({ axes: int(undefined) }, (call) =>
    standardized(call.tensor(0), [0, 2, 3], 1e-9),
  ),
};
