import { arange, einsum, functional as F, type Tensor, tensor, zeros } from "tsvene";

const f = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values);
const i = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values, { dtype: "int64" });
const z = (shape: readonly number[]): Tensor => zeros(shape);
/** Numbers that are exact in every float type. */
const lin = (shape: readonly number[], shift = 0): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return arange(count).add(shift).mul(37).remainder(19).sub(9).div(8).reshape(shape);
};

const mi = i([
  [3, 1, 2],
  [6, 5, 4],
]);

/** What this library calls for an expression of torch.nn.functional or einsum. */
export const functionalCalls: Readonly<Record<string, () => Tensor>> = {
  'F.interpolate(lin(1, 2, 3, 4), size=(5, 3), mode="bicubic")': () =>
    F.interpolate(lin([1, 2, 3, 4]), { size: [5, 3], mode: "bicubic" }),
  'F.interpolate(lin(1, 2, 3, 4), scale_factor=1.6, mode="bicubic", align_corners=True)': () =>
    F.interpolate(lin([1, 2, 3, 4]), { scaleFactor: 1.6, mode: "bicubic", alignCorners: true }),
  'F.interpolate(lin(1, 2, 3, 4), scale_factor=(2, 1.5), mode="bilinear")': () =>
    F.interpolate(lin([1, 2, 3, 4]), { scaleFactor: [2, 1.5], mode: "bilinear" }),
  'F.interpolate(lin(1, 2, 3, 4), size=(6, 1), mode="bilinear", align_corners=True)': () =>
    F.interpolate(lin([1, 2, 3, 4]), { size: [6, 1], mode: "bilinear", alignCorners: true }),
  'F.interpolate(lin(1, 2, 5), size=3, mode="linear")': () =>
    F.interpolate(lin([1, 2, 5]), { size: 3, mode: "linear" }),
  "F.interpolate(lin(1, 2, 5), size=8)": () => F.interpolate(lin([1, 2, 5]), { size: 8 }),
  "F.interpolate(lin(1, 2, 5), scale_factor=0.7)": () =>
    F.interpolate(lin([1, 2, 5]), { scaleFactor: 0.7 }),
  'F.interpolate(lin(1, 2, 5), size=8, mode="nearest-exact")': () =>
    F.interpolate(lin([1, 2, 5]), { size: 8, mode: "nearest-exact" }),
  'F.interpolate(lin(1, 2, 5, 4), size=(2, 3), mode="area")': () =>
    F.interpolate(lin([1, 2, 5, 4]), { size: [2, 3], mode: "area" }),
  "F.interpolate(lin(1, 1, 2, 2, 2), scale_factor=2)": () =>
    F.interpolate(lin([1, 1, 2, 2, 2]), { scaleFactor: 2 }),
  "F.avg_pool2d(lin(1, 2, 5, 6), (3, 2), (2, 1), (1, 0))": () =>
    F.avgPool2d(lin([1, 2, 5, 6]), [3, 2], { stride: [2, 1], padding: [1, 0] }),
  "F.avg_pool2d(lin(2, 5, 6), 3, 2, 1, True)": () =>
    F.avgPool2d(lin([2, 5, 6]), 3, { stride: 2, padding: 1, ceilMode: true }),
  "F.avg_pool2d(lin(1, 2, 5, 6), 3, 2, 1, True, False)": () =>
    F.avgPool2d(lin([1, 2, 5, 6]), 3, {
      stride: 2,
      padding: 1,
      ceilMode: true,
      countIncludePad: false,
    }),
  "F.avg_pool1d(lin(1, 2, 9), 4, 3, 2, True)": () =>
    F.avgPool1d(lin([1, 2, 9]), 4, { stride: 3, padding: 2, ceilMode: true }),
  "F.max_pool1d(lin(1, 2, 9), 4, 3, 2, 1, True)": () =>
    F.maxPool1d(lin([1, 2, 9]), 4, { stride: 3, padding: 2, dilation: 1, ceilMode: true }),
  "F.max_pool2d(lin(1, 2, 6, 5), (2, 3), (1, 2), (0, 1), (2, 1))": () =>
    F.maxPool2d(lin([1, 2, 6, 5]), [2, 3], { stride: [1, 2], padding: [0, 1], dilation: [2, 1] }),
  "F.max_pool2d(lin(2, 7, 7), 3, 2, 0, 1, True)": () =>
    F.maxPool2d(lin([2, 7, 7]), 3, { stride: 2, padding: 0, dilation: 1, ceilMode: true }),
  "F.adaptive_avg_pool1d(lin(1, 2, 7), 3)": () => F.adaptiveAvgPool1d(lin([1, 2, 7]), 3),
  "F.adaptive_avg_pool2d(lin(2, 3, 4), (5, 1))": () => F.adaptiveAvgPool2d(lin([2, 3, 4]), [5, 1]),
  'F.conv1d(lin(1, 2, 7), lin(3, 2, 4), padding="same", dilation=2)': () =>
    F.conv1d(lin([1, 2, 7]), lin([3, 2, 4]), undefined, { padding: "same", dilation: 2 }),
  'F.conv2d(lin(2, 5, 5), lin(3, 2, 2, 3), lin(3), padding="same")': () =>
    F.conv2d(lin([2, 5, 5]), lin([3, 2, 2, 3]), lin([3]), { padding: "same" }),
  "F.conv3d(lin(1, 1, 3, 4, 5), lin(2, 1, 2, 2, 2))": () =>
    F.conv3d(lin([1, 1, 3, 4, 5]), lin([2, 1, 2, 2, 2])),
  "F.conv_transpose1d(lin(1, 4, 5), lin(4, 1, 3), stride=3, padding=1, output_padding=2, groups=2)":
    () =>
      F.convTranspose1d(lin([1, 4, 5]), lin([4, 1, 3]), undefined, {
        stride: 3,
        padding: 1,
        outputPadding: 2,
        groups: 2,
      }),
  "F.prelu(lin(2, 3, 2), lin(3))": () => F.prelu(lin([2, 3, 2]), lin([3])),
  "F.prelu(lin(4), t([0.2]))": () => F.prelu(lin([4]), f([0.2])),
  "F.softshrink(lin(7), 0.3)": () => F.softshrink(lin([7]), { lambda: 0.3 }),
  "F.hardshrink(lin(7), 0.3)": () => F.hardshrink(lin([7]), { lambda: 0.3 }),
  "F.tanhshrink(lin(7))": () => F.tanhshrink(lin([7])),
  "F.hardswish(lin(7) * 4)": () => F.hardswish(lin([7]).mul(4)),
  "F.hardsigmoid(lin(7) * 4)": () => F.hardsigmoid(lin([7]).mul(4)),
  "F.relu6(lin(7) * 8)": () => F.relu6(lin([7]).mul(8)),
  "F.threshold(lin(7), 0.2, -1.0)": () => F.threshold(lin([7]), 0.2, -1),
  "F.celu(lin(7), 0.7)": () => F.celu(lin([7]), { alpha: 0.7 }),
  "F.softsign(lin(7))": () => F.softsign(lin([7])),
  "F.softplus(lin(7) * 20, 2, 5)": () => F.softplus(lin([7]).mul(20), { beta: 2, threshold: 5 }),
  "F.softmin(lin(2, 3), 1)": () => F.softmin(lin([2, 3]), 1),
  "F.leaky_relu(lin(7), 0.2)": () => F.leakyRelu(lin([7]), { negativeSlope: 0.2 }),
  "F.hardtanh(lin(7), -0.5, 0.25)": () => F.hardtanh(lin([7]), { min: -0.5, max: 0.25 }),
  "F.elu(lin(7), 0.5)": () => F.elu(lin([7]), { alpha: 0.5 }),
  "F.huber_loss(lin(5), lin(5, shift=2), delta=0.5)": () =>
    F.huberLoss(lin([5]), lin([5], 2), { delta: 0.5 }),
  'F.smooth_l1_loss(lin(5), lin(5, shift=2), beta=0.5, reduction="none")': () =>
    F.smoothL1Loss(lin([5]), lin([5], 2), { beta: 0.5, reduction: "none" }),
  "F.smooth_l1_loss(lin(5), lin(5, shift=2), beta=0.0)": () =>
    F.smoothL1Loss(lin([5]), lin([5], 2), { beta: 0 }),
  "F.cross_entropy(lin(4, 3), t([0, 2, 2, 1]), weight=t([0.5, 1.0, 2.0]), ignore_index=2, label_smoothing=0.3)":
    () =>
      F.crossEntropy(lin([4, 3]), i([0, 2, 2, 1]), {
        weight: f([0.5, 1, 2]),
        ignoreIndex: 2,
        labelSmoothing: 0.3,
      }),
  "F.cross_entropy(lin(3), t(2))": () => F.crossEntropy(lin([3]), i(2)),
  "F.cross_entropy(lin(2, 3), t([-100, -100]))": () => F.crossEntropy(lin([2, 3]), i([-100, -100])),
  'F.cross_entropy(lin(4, 3), t([0, 2, 2, 1]), weight=t([0.5, 1.0, 2.0]), label_smoothing=0.3, reduction="none")':
    () =>
      F.crossEntropy(lin([4, 3]), i([0, 2, 2, 1]), {
        weight: f([0.5, 1, 2]),
        labelSmoothing: 0.3,
        reduction: "none",
      }),
  "F.cross_entropy(lin(2, 3, 2), lin(2, 3, 2).softmax(1), weight=t([0.5, 1.0, 2.0]))": () =>
    F.crossEntropy(lin([2, 3, 2]), lin([2, 3, 2]).softmax(1), { weight: f([0.5, 1, 2]) }),
  "F.nll_loss(lin(2, 3, 2), t([[0, 1], [2, 0]]), weight=t([0.5, 1.0, 2.0]))": () =>
    F.nllLoss(
      lin([2, 3, 2]),
      i([
        [0, 1],
        [2, 0],
      ]),
      { weight: f([0.5, 1, 2]) },
    ),
  'F.nll_loss(lin(2, 3, 2), t([[0, 1], [2, 0]]), reduction="none")': () =>
    F.nllLoss(
      lin([2, 3, 2]),
      i([
        [0, 1],
        [2, 0],
      ]),
      { reduction: "none" },
    ),
  "F.cross_entropy(t([[-inf, 1.0], [2.0, 1.0]]), t([-100, 0]))": () =>
    F.crossEntropy(
      f([
        [-Infinity, 1],
        [2, 1],
      ]),
      i([-100, 0]),
    ),
  'F.binary_cross_entropy(t([0.0, 1.0, 0.3]), t([0.0, 0.0, 1.0]), weight=t([1.0, 2.0, 3.0]), reduction="none")':
    () =>
      F.binaryCrossEntropy(f([0, 1, 0.3]), f([0, 0, 1]), {
        weight: f([1, 2, 3]),
        reduction: "none",
      }),
  "F.binary_cross_entropy_with_logits(lin(3) * 80, t([0.0, 1.0, 0.5]), weight=t([1.0, 2.0, 3.0]))":
    () =>
      F.binaryCrossEntropyWithLogits(lin([3]).mul(80), f([0, 1, 0.5]), { weight: f([1, 2, 3]) }),
  'F.kl_div(lin(2, 3), t([[0.0, 0.5, 0.5], [0.2, 0.2, 0.6]]), reduction="sum")': () =>
    F.klDiv(
      lin([2, 3]),
      f([
        [0, 0.5, 0.5],
        [0.2, 0.2, 0.6],
      ]),
      { reduction: "sum" },
    ),
  "F.normalize(lin(2, 3), 1.0, 1)": () => F.normalize(lin([2, 3]), { p: 1, dim: 1 }),
  "F.normalize(z(1, 3))": () => F.normalize(z([1, 3])),
  "F.pairwise_distance(lin(2, 3), lin(2, 3, shift=1), 1.0)": () =>
    F.pairwiseDistance(lin([2, 3]), lin([2, 3], 1), { p: 1 }),
  "F.cosine_similarity(z(1, 3), lin(1, 3))": () => F.cosineSimilarity(z([1, 3]), lin([1, 3])),
  "F.group_norm(lin(2, 4, 3), 2, eps=0.1)": () => F.groupNorm(lin([2, 4, 3]), 2, { eps: 0.1 }),
  "F.instance_norm(lin(2, 2, 3), weight=lin(2), bias=lin(2))": () =>
    F.instanceNorm(lin([2, 2, 3]), { weight: lin([2]), bias: lin([2]) }),
  "F.bilinear(lin(2, 3), lin(2, 4), lin(2, 3, 4), lin(2))": () =>
    F.bilinear(lin([2, 3]), lin([2, 4]), lin([2, 3, 4]), lin([2])),
  "F.linear(lin(3), lin(3))": () => F.linear(lin([3]), lin([3])),
  "F.linear(mi, mi)": () => F.linear(mi, mi),
  "F.rms_norm(lin(2, 3, 2), (3, 2), lin(3, 2), 0.1)": () =>
    F.rmsNorm(lin([2, 3, 2]), [3, 2], { weight: lin([3, 2]), eps: 0.1 }),
  "F.layer_norm(lin(2, 3), (3,), None, lin(3), 0.1)": () =>
    F.layerNorm(lin([2, 3]), [3], { bias: lin([3]), eps: 0.1 }),
  "F.scaled_dot_product_attention(lin(1, 2, 3), lin(1, 2, 3), lin(1, 2, 3), attn_mask=t([[True, False], [False, False]]))":
    () =>
      F.scaledDotProductAttention(lin([1, 2, 3]), lin([1, 2, 3]), lin([1, 2, 3]), {
        attnMask: tensor([
          [true, false],
          [false, false],
        ]),
      }),
  "F.scaled_dot_product_attention(lin(1, 3, 2), lin(1, 4, 2), lin(1, 4, 2), is_causal=True)": () =>
    F.scaledDotProductAttention(lin([1, 3, 2]), lin([1, 4, 2]), lin([1, 4, 2]), { isCausal: true }),
  "F.scaled_dot_product_attention(lin(1, 2, 3), lin(1, 2, 3), lin(1, 2, 3), attn_mask=t([[0.5, -inf], [-inf, -inf]]))":
    () =>
      F.scaledDotProductAttention(lin([1, 2, 3]), lin([1, 2, 3]), lin([1, 2, 3]), {
        attnMask: f([
          [0.5, -Infinity],
          [-Infinity, -Infinity],
        ]),
      }),
  "F.glu(lin(2, 4))": () => F.glu(lin([2, 4])),
  'F.pad(lin(1, 3, 4), (3, 0, 2, 1), mode="reflect")': () =>
    F.pad(lin([1, 3, 4]), [3, 0, 2, 1], { mode: "reflect" }),
  'F.pad(lin(1, 3, 4), (2, -1), mode="replicate")': () =>
    F.pad(lin([1, 3, 4]), [2, -1], { mode: "replicate" }),
  "F.gelu(lin(7) * 4)": () => F.gelu(lin([7]).mul(4)),
  'F.gelu(lin(7) * 4, approximate="tanh")': () => F.gelu(lin([7]).mul(4), { approximate: "tanh" }),
  "F.mish(lin(7) * 30)": () => F.mish(lin([7]).mul(30)),
  "F.logsigmoid(lin(7) * 80)": () => F.logsigmoid(lin([7]).mul(80)),
  "F.silu(lin(7) * 80)": () => F.silu(lin([7]).mul(80)),
  'torch.einsum("ii", lin(3, 3))': () => einsum("ii", lin([3, 3])),
  'torch.einsum("...ij->...ji", lin(2, 2, 3))': () => einsum("...ij->...ji", lin([2, 2, 3])),
  'torch.einsum("b...,b->...", lin(2, 3, 2), lin(2))': () =>
    einsum("b...,b->...", lin([2, 3, 2]), lin([2])),
  'torch.einsum("i,i,i->i", lin(3), lin(3), lin(3))': () =>
    einsum("i,i,i->i", lin([3]), lin([3]), lin([3])),
  'torch.einsum("ab,cd", lin(2, 2), lin(1, 2))': () => einsum("ab,cd", lin([2, 2]), lin([1, 2])),
  'torch.einsum("aab,bc,c->ac", lin(2, 2, 3), lin(3, 2), lin(2))': () =>
    einsum("aab,bc,c->ac", lin([2, 2, 3]), lin([3, 2]), lin([2])),
  'torch.einsum("i...,...j->ij...", lin(2, 1, 3), lin(2, 3, 4))': () =>
    einsum("i...,...j->ij...", lin([2, 1, 3]), lin([2, 3, 4])),
  'torch.einsum("ij,ij->", mi, mi)': () => einsum("ij,ij->", mi, mi),
  'torch.einsum(" a b , b -> a ", lin(2, 3), lin(3))': () =>
    einsum(" a b , b -> a ", lin([2, 3]), lin([3])),
};
