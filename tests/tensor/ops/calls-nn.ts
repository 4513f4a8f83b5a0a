import { functional as F, type Tensor } from "tsvene";
import type { Attributes, Call } from "./golden.ts";

type Inputs = Readonly<Record<string, Tensor>>;

const ordered =
  (f: (tensors: Tensor[], attrs: Attributes) => Tensor): Call =>
  (inputs, attrs) =>
    f(Object.values(inputs), attrs);

const lossOf =
  (f: (a: Tensor, b: Tensor, reduction: F.Reduction) => Tensor): Call =>
  (inputs, attrs) => {
    const [a, b] = Object.values(inputs) as [Tensor, Tensor];
    return f(a, b, (attrs["reduction"] ?? "mean") as F.Reduction);
  };

/** torch's attribute names in camelCase. */
const camel = (attrs: Attributes): Attributes =>
  Object.fromEntries(
    Object.entries(attrs).map(([k, v]) => [
      k.replace(/_(.)/g, (_, c: string) => c.toUpperCase()),
      v,
    ]),
  );

type Conv = (x: Tensor, w: Tensor, b: Tensor, options: object) => Tensor;
const conv = (f: Conv): Call =>
  ordered(([x, w, b], attrs) => f(x as Tensor, w as Tensor, b as Tensor, camel(attrs)));

/** Calls with positional arguments (kernel, ...) after the input. */
const pool =
  (f: (x: Tensor, args: readonly unknown[]) => Tensor): Call =>
  ({ x }, { args }) =>
    f(x as Tensor, args as readonly unknown[]);

const batchNorm = ({ x, w, b, rm, rv }: Inputs, training: boolean): F.BatchNormResult =>
  F.batchNorm(x as Tensor, { weight: w, bias: b, runningMean: rm, runningVar: rv, training });
const trained: Call = (inputs) => {
  const { output, runningMean, runningVar } = batchNorm(inputs, true);
  return [output, runningMean as Tensor, runningVar as Tensor];
};

const attend = (options: F.AttentionOptions): Call =>
  ordered(([q, k, v]) =>
    F.scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, options),
  );

/** Functions of neural networks. */
export const nnCalls: Readonly<Record<string, Call>> = {
  "adaptive_avg_pool2d/1": ordered(([x]) => F.adaptiveAvgPool2d(x as Tensor, 1)),
  "adaptive_avg_pool2d/2": ordered(([x]) => F.adaptiveAvgPool2d(x as Tensor, 2)),
  "adaptive_avg_pool2d/(3,2)": ordered(([x]) => F.adaptiveAvgPool2d(x as Tensor, [3, 2])),
  avg_pool1d: ordered(([x]) => F.avgPool1d(x as Tensor, 3, { stride: 2 })),
  avg_pool2d: pool((x, [kernel, stride = kernel, padding = 0, ceilMode, countIncludePad]) =>
    F.avgPool2d(x, kernel as number, {
      stride: stride as number,
      padding: padding as number,
      ceilMode: ceilMode === true,
      countIncludePad: countIncludePad !== false,
    }),
  ),
  "batch_norm/eval": (inputs) => batchNorm(inputs, false).output,
  "batch_norm/train": trained,
  "batch_norm/train_2d": trained,
  binary_cross_entropy: lossOf((p, t, reduction) => F.binaryCrossEntropy(p, t, { reduction })),
  "binary_cross_entropy_with_logits/mean": lossOf((x, t) => F.binaryCrossEntropyWithLogits(x, t)),
  "binary_cross_entropy_with_logits/pos_weight": ({ x, t, pw }) =>
    F.binaryCrossEntropyWithLogits(x as Tensor, t as Tensor, { posWeight: pw as Tensor }),
  conv1d: conv(F.conv1d),
  conv2d: conv(F.conv2d),
  "conv_transpose1d/stride": ({ x, w, b }) =>
    F.convTranspose1d(x as Tensor, w as Tensor, b, { stride: 2 }),
  conv_transpose2d: conv(F.convTranspose2d),
  "cosine_similarity/basic": ({ a, b }) =>
    F.cosineSimilarity(a as Tensor, b as Tensor, { dim: -1 }),
  "cosine_similarity/broadcast": ({ a, b }) =>
    F.cosineSimilarity((a as Tensor).unsqueeze(1), (b as Tensor).unsqueeze(0), { dim: -1 }),
  cross_entropy: ordered(([x, t], attrs) => F.crossEntropy(x as Tensor, t as Tensor, camel(attrs))),
  "cross_entropy/weight": ({ x, t, cw }) =>
    F.crossEntropy(x as Tensor, t as Tensor, { weight: cw as Tensor }),
  "embedding/basic": ({ i, w }) => F.embedding(i as Tensor, w as Tensor),
  "embedding/padding_idx": ({ i, w }) => F.embedding(i as Tensor, w as Tensor, { paddingIdx: 0 }),
  group_norm: ({ x, w, b }) => F.groupNorm(x as Tensor, 3, { weight: w, bias: b }),
  instance_norm: ({ x }) => F.instanceNorm(x as Tensor),
  "interpolate/nearest": ({ x }) => F.interpolate(x as Tensor, { scaleFactor: 2 }),
  "interpolate/bilinear": ({ x }) => F.interpolate(x as Tensor, { size: [5, 7], mode: "bilinear" }),
  "kl_div/batchmean": lossOf((q, p) => F.klDiv(q, p, { reduction: "batchmean" })),
  "kl_div/mean": lossOf((q, p) => F.klDiv(q, p)),
  "kl_div/sum": lossOf((q, p) => F.klDiv(q, p, { reduction: "sum" })),
  "kl_div/none": lossOf((q, p) => F.klDiv(q, p, { reduction: "none" })),
  "kl_div/log_target": lossOf((q, p) => F.klDiv(q, p, { reduction: "batchmean", logTarget: true })),
  l1_loss: lossOf((a, b) => F.l1Loss(a, b)),
  "layer_norm/affine": ({ x, w, b }) => F.layerNorm(x as Tensor, [6], { weight: w, bias: b }),
  "layer_norm/plain": ({ x }) => F.layerNorm(x as Tensor, [6]),
  "layer_norm/two_dims": ({ x, w, b }) =>
    F.layerNorm(x as Tensor, [3, 4], { weight: w, bias: b, eps: 1e-3 }),
  "layer_norm/constant_row": ({ x }) => F.layerNorm(x as Tensor, [4]),
  linear: ordered(([x, w, b]) => F.linear(x as Tensor, w as Tensor, b)),
  max_pool1d: ({ x }) => F.maxPool1d(x as Tensor, 3, { stride: 2 }),
  max_pool2d: pool((x, [kernel, stride = kernel, padding = 0, dilation = 1, ceilMode]) =>
    F.maxPool2d(x, kernel as number, {
      stride: stride as number,
      padding: padding as number,
      dilation: dilation as number,
      ceilMode: ceilMode === true,
    }),
  ),
  "mse_loss/mean": lossOf((a, b) => F.mseLoss(a, b)),
  "mse_loss/sum": lossOf((a, b) => F.mseLoss(a, b, { reduction: "sum" })),
  "mse_loss/none": lossOf((a, b) => F.mseLoss(a, b, { reduction: "none" })),
  nll_loss: lossOf((x, t) => F.nllLoss(F.logSoftmax(x, -1), t)),
  normalize: ({ x }) => F.normalize(x as Tensor, { dim: -1 }),
  "rms_norm/affine": ({ x, w }) => F.rmsNorm(x as Tensor, [6], { weight: w, eps: 1e-6 }),
  "rms_norm/plain": ({ x }) => F.rmsNorm(x as Tensor, [6], { eps: 1e-5 }),
  "scaled_dot_product_attention/causal": attend({ isCausal: true }),
  "scaled_dot_product_attention/plain": attend({}),
  "scaled_dot_product_attention/mask_scale": ({ q, k, v, m }) =>
    F.scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, { attnMask: m, scale: 0.3 }),
  "scaled_dot_product_attention/bool_mask": ({ q, k, v, m }) =>
    F.scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, { attnMask: m }),
  // The recorded expression leaves out that the call was causal as well.
  "scaled_dot_product_attention/gqa": attend({ enableGqa: true, isCausal: true }),
  smooth_l1_loss: lossOf((a, b) => F.smoothL1Loss(a, b)),
};
