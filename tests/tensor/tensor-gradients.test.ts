import {
  broadcastTensors,
  cat,
  cdist,
  einsum,
  functional as F,
  grad,
  outer,
  stack,
  type Tensor,
  tensor,
  where,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { expectGradient, expectSecondGradient, noise } from "./ops/gradients.ts";

/** A function of tensors to differentiate, and the shapes of its operands. */
type Case = readonly [(...x: Tensor[]) => Tensor, ...(readonly number[])[]];

const index = (values: readonly number[] | readonly (readonly number[])[]): Tensor =>
  tensor(values as number[], { dtype: "int64" });
const positive = (x: Tensor): Tensor => x.square().add(0.3);
/** Values apart from each other, so that a small step does not change their order. */
const apart = (x: Tensor): Tensor =>
  x.mul(0.1).add(
    index([...Array(x.numel).keys()])
      .reshape(x.shape)
      .mul(0.37)
      .sin(),
  );
const MASK = tensor([[true, false, true], [false, true, true]]); // prettier-ignore

/** Weighted differently for each element, so that no gradient is right by symmetry. */
const weighted = (y: Tensor): Tensor => y.mul(noise(y.shape, 7)).sum();

// prettier-ignore
const cases: Readonly<Record<string, Case>> = {
  "add of broadcast operands": [(a, b) => a.add(b, { alpha: 2 }), [2, 1, 3], [4, 1]],
  "sub of 0-d and matrix": [(a, b) => a.sub(b), [], [2, 3]],
  "div of broadcast operands": [(a, b) => a.div(positive(b)), [3], [2, 3]],
  "pow of both": [(a, b) => positive(a).pow(b), [2, 3], [3]],
  "pow of whole exponents": [(a) => a.pow(3).add(a.pow(2)).add(positive(a).pow(-2)), [5]],
  remainder: [(a, b) => a.mul(3).remainder(positive(b)), [4], [4]],
  fmod: [(a, b) => a.mul(3).fmod(positive(b)), [4], [4]],
  hypot: [(a, b) => a.hypot(b), [4], [4]],
  logaddexp: [(a, b) => a.logaddexp(b), [2, 3], [3]],
  xlogy: [(a, b) => a.xlogy(positive(b)), [4], [4]],
  "log1p, expm1, logit": [(a) => positive(a).log1p().add(a.expm1()).add(a.sigmoid().logit()), [5]],
  "exp2, log2, log10, rsqrt": [(a) => a.exp2().add(positive(a).log2()).add(positive(a).log10()).add(positive(a).rsqrt()), [5]],
  tan: [(a) => a.tan(), [4]],
  "frac, round and nanToNum": [(a) => a.mul(3.3).frac().mul(a.round()).nanToNum(), [5]],
  clamp: [(a, b) => a.clamp({ min: b.sub(0.5), max: 0.4 }), [2, 3], [3]],
  lerp: [(a, b, w) => a.lerp(b, w), [2, 3], [2, 3], [3]],
  "addcmul and addcdiv": [(a, b, c) => a.addcmul(b, c, { value: 2 }).addcdiv(b, positive(c)), [2, 3], [3], [2, 1]],
  where: [(a, b) => where(MASK, a, b), [3], [2, 1]],
  "maskedFill of a tensor": [(a, b) => a.maskedFill(MASK, b), [2, 3], []],
  "max along a dimension": [(a) => apart(a).max(1).values, [2, 4]],
  "amin over two dimensions": [(a) => apart(a).amin({ dim: [0, 2] }), [2, 3, 2]],
  "median and quantile": [(a) => apart(a).median(1).values.add(apart(a).quantile(0.4)), [2, 5]],
  "kthvalue and sort": [(a) => apart(a).kthvalue(2, 0, true).values.mul(apart(a).sort({ dim: 0, descending: true }).values), [4, 2]],
  "prod over two dimensions": [(a) => a.prod({ dim: [0, 2], keepdim: true }), [2, 2, 3]],
  cumprod: [(a) => a.cumprod(1), [2, 5]],
  "cumsum from the end": [(a) => a.flip(1).cumsum(1).flip(1), [2, 4]],
  "logsumexp over two dimensions": [(a) => a.logsumexp({ dim: [0, 1] }), [2, 2, 3]],
  "var and std": [(a) => a.var({ dim: 0 }).add(a.std({ dim: [0], correction: 0 })), [4, 3]],
  "norms 1, 2, 3, Infinity": [(a) => a.norm(1).add(a.norm(2, { dim: 0 })).add(a.norm(3)).add(apart(a).norm(Infinity)), [3, 2]],
  "nansum and diff": [(a) => a.diff({ n: 2, dim: 0 }).nansum().add(a.nanmean()), [5, 2]],
  "mean and sum of several dimensions": [(a) => a.mean({ dim: [0, -1] }).add(a.sum({ dim: [0, 2] })), [2, 3, 2]],
  "reshape, transpose, movedim": [(a) => a.movedim(0, -1).reshape([3, 4]).transpose(0, 1).flatten(), [2, 3, 2]],
  "expand, repeat, tile": [(a) => a.expand([2, 3]).repeat([1, 2, 1]).tile([2]), [3]],
  repeatInterleave: [(a) => a.repeatInterleave(2, 0), [2, 3]],
  "flip and roll": [(a) => a.flip([0, 1]).roll([1, -1], [0, 1]), [3, 4]],
  "slice with a step": [(a) => a.slice(1, 1, 7, 3), [2, 8]],
  "narrow, select, squeeze": [(a) => a.narrow(0, 1, 2).select(-1, -1).unsqueeze(0).squeeze(0), [3, 2]],
  sliceAssign: [(a, b) => a.sliceAssign(1, 1, 3, b), [2, 4], [2]],
  "cat and stack": [(a, b) => cat([a, b, a], 1).sum({ dim: 1 }).mul(stack([a, a], 1).sum({ dim: [1, 2] })), [2, 3], [2, 1]],
  "split and unbind": [(a) => { const [x, y] = a.split([1, 3], 1); return (x as Tensor).mul(y as Tensor); }, [2, 4]],
  "diagonal, diag, diagEmbed": [(a) => a.diagonal(1).diagEmbed(-1).add(a.diag().diag().slice(0, 0, 3).slice(1, 0, 3)), [3, 3]],
  "tril and triu": [(a) => a.tril(-1).add(a.triu(1).mul(2)), [2, 3, 3]],
  unfold: [(a) => a.unfold(0, 3, 1), [5, 2]],
  "pad of zeros and cuts": [(a) => F.pad(a, [1, -1, -1, 2], { value: 3 }), [3, 4]],
  "pad of the other end": [(a) => F.pad(a, [2, 1, 0, 3], { mode: "circular" }), [3, 4]],
  "pad of mirrors": [(a) => F.pad(a, [2, 1], { mode: "reflect" }).add(F.pad(a, [1, 2], { mode: "replicate" })), [2, 4]],
  "indexSelect with repeats": [(a) => a.indexSelect(1, [2, 0, 2, -1]), [2, 3]],
  "indexSelect by a matrix": [(a) => a.indexSelect(0, index([[0, 2], [2, 2]])), [3, 2]],
  "gather and takeAlongDim": [(a) => a.gather(1, index([[0, 0], [2, 1]])).add(a.takeAlongDim(index([[1, 2]]), 1)), [2, 3]],
  "scatter and scatterAdd": [(a, b) => a.scatter(1, index([[0], [2]]), b).scatterAdd(1, index([[0], [0]]), b), [2, 3], [2, 1]],
  "index and indexPut": [(a, b) => a.indexPut([index([0, 1]), index([2, 2])], b).index([null, index([2, 0])]), [2, 3], [2]],
  "indexPut that accumulates": [(a, b) => a.indexPut([index([1, 1])], b, { accumulate: true }), [2, 3], [3]],
  "indexAdd, indexCopy, indexFill": [(a, b) => a.indexAdd(1, [0, 0], b).indexCopy(0, [1], b.select(1, 0).unsqueeze(0).repeat([1, 2]).slice(1, 0, 3)).indexFill(1, [2], 4), [2, 3], [2, 2]],
  "matmul of broadcast batches": [(a, b) => a.matmul(b), [2, 1, 2, 3], [3, 3, 2]],
  "matmul of vectors": [(a, b) => a.matmul(b).mul(b.matmul(b)), [2, 3], [3]],
  "bmm, addmm, baddbmm": [(a, b) => a.bmm(b).add(a.baddbmm(b, b)).add(a.select(0, 0).addmm(b.select(0, 0), b.select(0, 1), { beta: 2, alpha: 3 })), [2, 2, 2], [2, 2, 2]],
  "outer and dot": [(a, b) => outer(a, b).mul(a.dot(a)), [3], [2]],
  "cdist of broadcast batches": [(a, b) => cdist(a, b), [2, 2, 3], [4, 3]],
  "einsum with diagonal, sum and broadcast": [(a, b) => einsum("iij,...jk->i...", a, b), [2, 2, 3], [2, 3, 2]],
  "linear without rows of its own": [(x, w, b) => F.linear(x, w, b), [3], [2, 3], [2]],
  "bilinear": [(x, y, w) => F.bilinear(x, y, w), [4, 2], [4, 3], [2, 2, 3]],
  "softmax of a middle dimension": [(a) => a.softmax(1), [2, 3, 2]],
  "logSoftmax of a middle dimension": [(a) => a.logSoftmax(-2), [2, 3, 2]],
  "layerNorm over two dimensions": [(x, w, b) => F.layerNorm(x, [3, 2], { weight: w, bias: b }), [2, 3, 2], [3, 2], [3, 2]],
  rmsNorm: [(x, w) => F.rmsNorm(x, [3], { weight: w }), [2, 3], [3]],
  groupNorm: [(x, w, b) => F.groupNorm(x, 2, { weight: w, bias: b }), [2, 4, 3], [4], [4]],
  "batchNorm while training": [(x, w, b) => F.batchNorm(x, { weight: w, bias: b, training: true }).output, [3, 2, 2], [2], [2]],
  "normalize and cosineSimilarity": [(a, b) => F.normalize(a, { p: 3 }).sum({ dim: 1 }).add(F.cosineSimilarity(a, b)), [2, 3], [2, 3]],
  "attention with a mask of numbers": [(q, k, v, m) => F.scaledDotProductAttention(q, k, v, { attnMask: m }), [2, 2, 3], [2, 4, 3], [2, 4, 2], [2, 4]],
  "grouped, causal attention": [(q, k, v) => F.scaledDotProductAttention(q, k, v, { isCausal: true, enableGqa: true }), [1, 4, 3, 2], [1, 2, 3, 2], [1, 2, 3, 2]],
  "activations": [(x) => F.silu(x).add(F.softplus(x, { beta: 2 })).add(F.elu(x, { alpha: 0.5 })).add(F.celu(x, { alpha: 2 })).add(F.mish(x)).add(F.softsign(x)).add(F.tanhshrink(x)).add(F.logsigmoid(x)), [6]],
  "shrinks and hard activations": [(x) => F.softshrink(x, { lambda: 0.1 }).add(F.hardshrink(x)).add(F.hardswish(x)).add(F.leakyRelu(x)).add(F.relu6(x)).add(F.threshold(x, 0.05, 2)), [6]],
  "prelu of channels": [(x, w) => F.prelu(x, w), [2, 3, 2], [3]],
  quickGelu: [(x) => F.quickGelu(x), [5]],
  "huber and smooth L1": [(a, b) => F.huberLoss(a.mul(3), b, { delta: 0.7 }).add(F.smoothL1Loss(a.mul(3), b, { beta: 0.4, reduction: "sum" })), [5], [5]],
  "cross entropy with everything": [(x) => F.crossEntropy(x, index([[1, 0], [2, -100]]), { weight: positive(noise([3])), labelSmoothing: 0.2 }), [2, 3, 2]],
  "cross entropy of probabilities": [(x, p) => F.crossEntropy(x, p.softmax(1), { labelSmoothing: 0.1 }), [2, 3], [2, 3]],
  "binary cross entropies": [(x, t) => F.binaryCrossEntropy(x.sigmoid(), t.sigmoid()).add(F.binaryCrossEntropyWithLogits(x, t, { posWeight: tensor([2, 3]), reduction: "sum" })), [3, 2], [3, 2]],
  "klDiv": [(q, p) => F.klDiv(q.logSoftmax(1), p.softmax(1), { reduction: "batchmean" }), [2, 3], [2, 3]],
  "embedding of a shape": [(w) => F.embedding(index([[0, 2], [2, 1]]), w), [3, 2]],
  "bicubic and aligned interpolation": [(x) => F.interpolate(x, { size: [5, 2], mode: "bicubic" }).add(F.interpolate(x, { size: [5, 2], mode: "bilinear", alignCorners: true })), [1, 2, 3, 4]],
  "adaptive pooling": [(x) => F.adaptiveAvgPool2d(x, [2, 3]).add(F.interpolate(x, { size: [2, 3], mode: "area" })), [1, 2, 5, 4]],
  broadcastTensors: [(a, b) => broadcastTensors(a, b).reduce((x, y) => x.mul(y)), [2, 1], [3]],
};

/** Operations whose second derivatives run through other code than their first. */
// prettier-ignore
const twice = [
  "pow of both", "div of broadcast operands", "prod over two dimensions", "cumprod", "logsumexp over two dimensions",
  "softmax of a middle dimension", "logSoftmax of a middle dimension", "layerNorm over two dimensions", "rmsNorm",
  "var and std", "matmul of broadcast batches", "einsum with diagonal, sum and broadcast", "activations",
  "attention with a mask of numbers", "cross entropy with everything", "index and indexPut", "pad of mirrors",
  "slice with a step", "max along a dimension", "linear without rows of its own", "norms 1, 2, 3, Infinity",
];

const operands = (shapes: readonly (readonly number[])[]): Tensor[] =>
  shapes.map((shape, i) => noise(shape, i + 1));

describe("gradients equal central differences", () => {
  test.each(Object.entries(cases))("%s", async (_, [f, ...shapes]) => {
    await expectGradient((...x) => weighted(f(...x)), operands(shapes));
  });
});

describe("second derivatives equal central differences of the first", () => {
  test.each(twice)("%s", async (name) => {
    const [f, ...shapes] = cases[name] as Case;
    await expectSecondGradient((...x) => weighted(f(...x)), operands(shapes), { tolerance: 5e-6 });
  });
});

describe("third derivatives", () => {
  test("of a power", async () => {
    const x = tensor([2, -1], { dtype: "float64" });
    let [g] = grad(x.pow(4).sum(), [x]);
    for (let i = 0; i < 2; i++) [g] = grad(g.sum(), [x]);
    expect(await g.toArray()).toEqual([48, -24]);
  });
});

describe("gradients at special places are torch's", () => {
  const at = async (f: (x: Tensor) => Tensor, values: number[]): Promise<unknown> => {
    const x = tensor(values);
    return grad(f(x).sum(), [x])[0].toArray();
  };
  test("0 at the kinks and flat parts", async () => {
    expect(await at((x) => x.relu(), [0])).toEqual([0]);
    expect(await at((x) => x.abs(), [0])).toEqual([0]);
    expect(await at((x) => x.sign().add(x.floor()).add(x.round()), [1.5])).toEqual([0]);
    expect(await at((x) => x.norm(), [0, 0])).toEqual([0, 0]);
    expect(await at((x) => x.std(), [2, 2])).toEqual([0, 0]);
  });
  test("through the identity at the bounds of clamp, and of equal extremes shared", async () => {
    expect(await at((x) => x.clamp({ min: 1, max: 2 }), [0, 1, 2, 3])).toEqual([0, 1, 1, 0]);
    expect(await at((x) => x.amax(), [3, 3, 1])).toEqual([0.5, 0.5, 0]);
    expect(await at((x) => x.max(0).values, [3, 3, 1])).toEqual([1, 0, 0]);
    expect(await at((x) => x.maximum(tensor([1, 2])), [1, 1])).toEqual([0.5, 0]);
  });
  test("finite where a branch that is not taken is not", async () => {
    expect(await at((x) => F.elu(x), [200])).toEqual([1]);
    expect(await at((x) => F.softplus(x), [200, -200])).toEqual([1, 0]);
    expect(await at((x) => F.binaryCrossEntropy(x, tensor([0, 1])), [0, 1])).toEqual([0.5, -0.5]);
    expect(await at((x) => F.klDiv(tensor([0, 0]), x, { reduction: "sum" }), [0, 1])).toEqual([
      0, 1,
    ]);
  });
  test("products with zeros", async () => {
    expect(await at((x) => x.prod(), [0, 2, 3])).toEqual([6, 0, 0]);
    expect(await at((x) => x.cumprod(0), [2, 0, 3])).toEqual([1, 8, 0]);
    expect(await at((x) => x.pow(2).add(x.pow(0)), [0])).toEqual([0]);
  });
  test("none for a frozen row of an embedding", async () => {
    const w = noise([3, 2]).to("float32");
    const ids = index([0, 1, 1, -0]);
    const [g] = grad(F.embedding(ids, w, { paddingIdx: -2 }).sum(), [w]);
    expect(await g.toArray()).toEqual([[2, 2], [0, 0], [0, 0]]); // prettier-ignore
  });
});
