import {
  arange,
  cat,
  cdist,
  einsum,
  evaluate,
  full,
  functional as F,
  grad,
  linspace,
  maskedSelect,
  multinomial,
  ones,
  outer,
  searchsorted,
  stack,
  Tensor,
  tensor,
  TensorError,
  TsveneError,
  where,
  zeros,
  bincount,
  eye,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { bfloat16ToFloat32 } from "../../src/formats/half-arrays.ts";

const x = zeros([2, 3]);
const ids = tensor([0, 2], { dtype: "int64" });
const image = zeros([1, 2, 5, 5]);

/** Calls that must be refused at once, and what the message has to say. */
// prettier-ignore
const refused: readonly (readonly [call: () => unknown, message: RegExp])[] = [
  [() => x.add(zeros([2, 2])), /^add: shapes \[2, 3\] and \[2, 2\] do not broadcast: sizes 3 and 2 at dimension -1/],
  [() => x.matmul(zeros([2, 3])), /^matmul: cannot multiply \[2, 3\] by \[2, 3\]: .* \(3\).* \(2\)/],
  [() => x.matmul(tensor(1)), /^matmul: 0-d .*use mul\(\)/],
  [() => x.mm(zeros([3])), /^mm: expected 2 and 2 dimensions, got \[2, 3\] and \[3\]; matmul/],
  [() => x.bmm(x), /^bmm: expected 3 and 3/],
  [() => ones([1, 2, 2]).bmm(ones([2, 2, 2])), /^bmm: batches differ/],
  [() => x.gt(0).matmul(x.gt(0).t()), /^matmul: expected numbers, got bool/],
  [() => x.gt(0).neg(), /^neg: .*logicalNot\(\)/],
  [() => x.gt(0).sub(x.gt(0)), /^sub: .*logicalXor\(\)/],
  [() => x.gt(0).pow(x.gt(0)), /^pow: expected numbers/],
  [() => ids.pow(-1), /^pow: integers to the power -1/],
  [() => ids.mean(), /^mean: .*int64.*to\("float32"\)/],
  [() => x.reshape([4, -1]), /^reshape: cannot view \[2, 3\] as \[4, -1\]/],
  [() => x.reshape([5]), /^reshape: cannot view \[2, 3\] \(6 elements\) as \[5\]/],
  [() => x.reshape([-1, -1]), /^reshape: only one size can be -1, got \[-1, -1\]/],
  [() => x.reshape([2, -3]), /^reshape: shape \[2, -3\] has size -3/],
  [() => x.permute([0, 0]), /^permute: dims \[0, 0\] must name each of the 2 dimensions once/],
  [() => x.transpose(0, 2), /^transpose: dim 2 is out of range for a tensor of 2 dimensions; expected -2 to 1/],
  [() => x.sum({ dim: -3 }), /^sum: dim -3 is out of range/],
  [() => x.sum({ dim: [0, -2] }), /^sum: dims \[0, -2\] name a dimension twice/],
  [() => x.sum(1 as unknown as object), /^sum: expected options, got a number; write sum\(\{ dim: 1 \}\)/],
  [() => x.var([0, 1] as unknown as object), /^var: options are one object by name: dim/],
  [() => x.norm("fro" as unknown as number), /^norm: p must be a number, got fro/],
  [() => x.sum({ dim: 0.5 }), /^sum: dim 0.5 is out of range/],
  [() => x.expand([2, 2, 2]), /^expand: cannot expand \[2, 3\] to \[2, 2, 2\]: only sizes of 1 grow/],
  [() => x.unflatten(1, [2, -1]), /^unflatten: sizes \[2, -1\] do not make 3/],
  [() => x.slice(0, 0, 2, -1), /^slice: step must be a positive integer, got -1; use flip\(\)/],
  [() => x.slice(0, 0.5), /^slice: bounds must be integers/],
  [() => x.narrow(1, 2, 2), /^narrow: 2 elements from 2 do not lie in dimension 1 of \[2, 3\]/],
  [() => x.select(1, 3), /^select: index 3 is out of range for dimension 1 of \[2, 3\]/],
  [() => x.split([1, 1], 1), /^split: sizes \[1, 1\] must add up to 3, the size of dimension 1/],
  [() => x.chunk(0), /^chunk: expected 1 chunk or more, got 0/],
  [() => tensor(1).unbind(), /^unbind: a 0-d tensor/],
  [() => x.unsqueeze(3), /^unsqueeze: a new dimension of a 2-d tensor can be put at -3 to 2, not 3/],
  [() => stack([x, x], -4), /^stack: a new dimension of a 2-d tensor can be put at -3 to 2, not -4/],
  [() => x.roll([1], [0, 1]), /^roll: 1 shifts for 2 dims/],
  [() => x.repeat([2]), /^repeat: times \[2\] needs at least 2 entries/],
  [() => x.diagonal(0, 1, -1), /^diagonal: dim1 and dim2 are both 1/],
  [() => x.unfold(1, 4, 1), /^unfold: windows of 4 every 1 do not fit 3 elements/],
  [() => tensor(1).tril(), /^tril\/triu: expected matrices/],
  [() => ones([2, 2, 2]).diag(), /^diag: .*\[2, 2, 2\]; use diagonal\(\)/],
  [() => ones([2, 2, 2]).t(), /^t: .*use transpose\(\)/],
  [() => cat([x, zeros([3, 2])]), /^cat: shapes \[2, 3\], \[3, 2\] must agree in every dimension but 0/],
  [() => cat([]), /^cat: expected at least one/],
  [() => cat([tensor(1), tensor(2)]), /^cat: 0-d .*use stack\(\)/],
  [() => stack([x, zeros([3, 2])]), /^stack: shapes \[2, 3\], \[3, 2\] must be equal/],
  [() => x.indexSelect(1, [3]), /^indexSelect: index 3 is out of range for 3 elements; expected -3 to 2/],
  [() => x.indexSelect(1, arange(4)), /^indexSelect: index 3 is out of range for 3 elements/],
  [() => x.indexSelect(1, arange(2, -6, -2)), /^indexSelect: index -4 is out of range for 3 elements/],
  [() => x.indexAdd(0, [2], x), /^indexAdd: index 2 is out of range for 2 elements/],
  [() => x.indexFill(2, [0], 1), /^indexFill: dim 2 is out of range/],
  [() => x.indexSelect(1, x), /^indexSelect: index must be int64 or int32, got float32/],
  [() => x.gather(1, zeros([2, 3])), /^gather: index must be int64/],
  [() => x.gather(1, ids), /^gather: index \[2\] must have as many dimensions as input \[2, 3\]/],
  [() => x.scatter(1, ids.unsqueeze(0), zeros([1, 1])), /^scatter: source \[1, 1\] must have the shape of index \[1, 2\]/],
  [() => x.scatterReduce(1, ids.unsqueeze(0), zeros([1, 2]), "mean" as "sum"), /^scatterReduce: reduce must be .*got "mean"/],
  [() => x.index([x.gt(0)]), /^index: index must hold positions, got bool; use await maskedSelect\(\)/],
  [() => x.index([null, null]), /^index: selects nothing/],
  [() => x.index([ids, ids, ids]), /^index: .*\[2, 3\]/],
  [() => where(x, x, x), /^where: the condition must be bool, got float32/],
  [() => x.maskedFill(zeros([2], { dtype: "bool" }), 0), /^maskedFill: shapes \[2, 3\] and \[2\] do not broadcast/],
  [() => x.maskedFill(x, 0), /^maskedFill: the mask must be bool, got float32/],
  [() => x.clamp({}), /^clamp: give min, max or both/],
  [() => x.topk(4), /^topk: k = 4 is more than the 3 elements of dimension 1/],
  [() => x.kthvalue(0), /^kthvalue: k must be 1 to 3/],
  [() => x.quantile(1.5), /^quantile: q must lie in \[0, 1\], got 1.5/],
  [() => zeros([0]).max(), /^amax: .*\[0\]/],
  [() => zeros([2, 0]).max(1), /^max: dimension 1 of \[2, 0\] is empty/],
  [() => zeros([2, 0]).argmax(1), /^argmax: dimension 1 of \[2, 0\] is empty/],
  [() => x.double().erf(), /^erf: float64 is not supported here; use to\("float32"\)/],
  [() => tensor([0.5], { dtype: "bfloat16" }).add(1), /^add: bfloat16 is for storage only; .*to\("float32"\)/],
  [() => x.to("bfloat16").exp(), /^exp: bfloat16 is for storage only/],
  [() => x.long().softmax(0), /^softmax: expected a floating-point tensor, got int64/],
  [() => tensor([[1, 2], [3]]), /^tensor: arrays at depth 1 differ in length \(1 and 2\)/], // prettier-ignore
  [() => tensor([1, [2]]), /^tensor: /],
  [() => tensor([1, "2" as unknown as number]), /^tensor: expected numbers or booleans, got a string/],
  [() => tensor([300], { dtype: "uint8" }), /^tensor: uint8 cannot hold 300/],
  [() => tensor([1, NaN], { dtype: "int64" }), /^tensor: int64 cannot hold NaN/],
  [() => tensor([2 ** 63], { dtype: "int64" }), /^tensor: int64 cannot hold 9223372036854776000/],
  [() => full([2], -Infinity, { dtype: "int32" }), /^constant: int32 cannot hold -Infinity/],
  [() => ids.maskedFill(ids.gt(0), NaN), /^tensor: int64 cannot hold NaN/],
  [() => tensor([1], { dtype: "float" as "float32" }), /^tensor: there is no dtype float; expected one of float64, float32/],
  [() => x.to("int16" as "int32"), /^to: there is no dtype int16/],
  [() => tensor([1], { dtype: "int64", requiresGrad: true }), /^Tensor.fromData: a tensor of int64 has no gradient/],
  [() => tensor(new Float32Array(3), { shape: [2, 2] }), /^Tensor.fromData: 3 values do not fill shape \[2, 2\]/],
  [() => tensor(new Float32Array(3), { dtype: "int64" }), /^Tensor.fromData: a Float32Array cannot hold int64/],
  [() => tensor(new Uint8ClampedArray(3) as unknown as Uint8Array), /^Tensor.fromData: no dtype is held in a Uint8ClampedArray; .*Int32Array.from/],
  [() => zeros(3 as unknown as number[]), /^zeros: sizes must be a list, such as \[1, 2\]; got a number/],
  [() => x.reshape(3 as unknown as number[]), /^reshape: sizes must be a list/],
  [() => x.expand(3 as unknown as number[]), /^expand: sizes must be a list/],
  [() => x.permute(1 as unknown as number[]), /^permute: dims must be a list, such as \[1, 2\]; got a number/],
  [() => x.add(undefined as unknown as number), /^add: expected a Tensor or a number, got undefined/],
  [() => x.matmul(2 as unknown as Tensor), /^matmul: expected a tensor, got 2; use mul\(\)/],
  [() => multinomial(x as unknown as number[], 1), /^multinomial: weights must be a list of numbers; .*toArray/],
  [() => tensor([5], { dtype: "uint8" }).gt(-1), /^gt: uint8 cannot hold -1; use a wider/],
  [() => full([-1], 0), /^full: shape \[-1\] has size -1/],
  [() => arange(0, 5, -1), /^arange: step -1 does not lead from 0 to 5/],
  [() => linspace(0, 1, 0), /^linspace: steps must be 1 or more/],
  [() => x.add("1" as unknown as number), /^add: expected a Tensor or a number, got a string/],
  [() => outer(x, x), /^outer: expected two vectors, got \[2, 3\] and \[2, 3\]/],
  [() => cdist(x, zeros([2, 2])), /^cdist: .*\[2, 3\] and \[2, 2\]/],
  [() => searchsorted(x, zeros([3, 1])), /^searchsorted: .*\[2, 3\] and .*\[3, 1\]/],
  [() => einsum("ij,jk", x), /^einsum: "ij,jk" has 2 operands, but 1 were given/],
  [() => einsum("ij->ik", x), /^einsum: "ij->ik" has no operand with "k"/],
  [() => einsum("ijk->i", x), /^einsum: "ijk" of "ijk->i" does not name 2 dimensions/],
  [() => einsum("ij,ij->", x, zeros([2, 4])), /^einsum: "j" of "ij,ij->" is 3 and 4 in shapes/],
  [() => einsum("i2->i", x), /^einsum: "i2->i" holds "2"/],
  [() => F.linear(x, zeros([4, 2])), /^linear: input \[2, 3\] does not fit weight \[4, 2\]/],
  [() => F.linear(x, zeros([4, 3]), zeros([3])), /^linear: bias \[3\] does not fit weight \[4, 3\]/],
  [() => F.layerNorm(x, [2]), /^layerNorm: normalized shape \[2\] is not the end of .*\[2, 3\]/],
  [() => F.layerNorm(x, [3], { weight: zeros([2]) }), /^layerNorm: weight and bias must have shape \[3\], got \[2\]/],
  [() => F.embedding(tensor([5], { dtype: "int64" }), x), /^embedding: id 5 is not in the vocabulary of 2; expected 0 to 1/],
  [() => F.embedding(tensor([-1], { dtype: "int64" }), x), /^embedding: id -1 is not in the vocabulary/],
  [() => F.embedding(x, x), /^embedding: ids must be int64 or int32, got float32/],
  [() => F.crossEntropy(x, tensor([0, 3], { dtype: "int64" })), /^crossEntropy: target 3 is not one of the 3 classes/],
  [() => F.crossEntropy(x, zeros([3], { dtype: "int64" })), /^crossEntropy: target \[3\] must have the shape of input \[2, 3\] without the classes, \[2\]/],
  [() => F.crossEntropy(x, ids, { weight: zeros([2]) }), /^crossEntropy: weight \[2\] must have one element a class, \[3\]/],
  [() => F.crossEntropy(x, ids, { labelSmoothing: 2 }), /^crossEntropy: labelSmoothing must lie in \[0, 1\], got 2/],
  [() => F.crossEntropy(x, zeros([2])), /^crossEntropy: probabilities \[2\] must have the input's shape \[2, 3\]; class indices must be int64/],
  [() => F.mseLoss(x, zeros([2, 1])), /^mseLoss: input \[2, 3\] and target \[2, 1\] differ in shape; expand\(\)/],
  [() => F.glu(x), /^glu: dimension -1 of \[2, 3\] must have an even size/],
  [() => F.prelu(x, zeros([2])), /^prelu: weight \[2\] must have 1 element or 3/],
  [() => F.silu(ids), /^silu: input must be floating-point, got int64/],
  [() => F.dropout(x, 1.5), /^dropout: p must lie in \[0, 1\], got 1.5/],
  [() => F.groupNorm(image, 3), /^groupNorm: 3 groups do not divide the channels of \[1, 2, 5, 5\]/],
  [() => F.batchNorm(x), /^batchNorm: give runningMean and runningVar, or set training/],
  [() => F.batchNorm(zeros([1, 3]), { training: true }), /^batchNorm: .*one value a channel/],
  [() => F.conv2d(image, zeros([3, 3, 2, 2])), /^conv2d: input \[1, 2, 5, 5\] has 2 channels; weight \[3, 3, 2, 2\] wants 3/],
  [() => F.conv2d(image, zeros([3, 2, 6, 6])), /^conv2d: input \[1, 2, 5, 5\] is smaller than the kernel/],
  [() => F.conv2d(image, zeros([3, 2, 2, 2]), undefined, { stride: [1, 2, 3] }), /^conv2d: stride must be an integer or 2 of them of 1 or more, got \[1, 2, 3\]/],
  [() => F.conv2d(image, zeros([3, 2, 2, 2]), undefined, { stride: 2, padding: "same" }), /^conv2d: padding "same" needs stride 1/],
  [() => F.conv2d(x, zeros([3, 2, 2, 2])), /^conv2d: expected \[batch, channels, 2 spatial dims\], got \[2, 3\]/],
  [() => F.convTranspose2d(image, zeros([2, 3, 2, 2]), undefined, { padding: 3 }), /^convTranspose2d: padding 3 leaves nothing of 6/],
  [() => F.maxPool2d(image, 2, { padding: 2 }), /^maxPool2d: padding \[2, 2\] is more than half the kernel \[2, 2\]/],
  [() => F.interpolate(image, {}), /^interpolate: give either size or scaleFactor/],
  [() => F.interpolate(x, { size: 2, mode: "bilinear" }), /^interpolate: mode "bilinear" takes 2 spatial dimensions, got \[2, 3\]/],
  [() => F.pad(x, [1]), /^pad: pads \[1\] must be pairs/],
  [() => F.pad(x, [3, 0], { mode: "reflect" }), /^pad: mode "reflect" cannot add 3 to dimension 1 of \[2, 3\]/],
  [() => F.pad(x, [4, 0], { mode: "circular" }), /^pad: mode "circular" cannot add 4 to dimension 1 of \[2, 3\]/],
  [() => F.pad(x, [1, 0], { mode: "wrap" as "reflect" }), /^pad: mode must be one of "constant", "reflect", "replicate", "circular"; got "wrap"/],
  [() => F.mseLoss(x, x, { reduction: "avg" as "mean" }), /^loss: reduction must be one of "none", "mean", "sum"; got "avg"/],
  [() => F.gelu(x, { approximate: "erf" as "none" }), /^gelu: approximate must be one of "none", "tanh"; got "erf"/],
  [() => x.div(2, { rounding: "round" as "floor" }), /^div: rounding must be one of nothing, "floor", "trunc"; got "round"/],
  [() => F.interpolate(image, { size: 2, mode: "cubic" as "bicubic" }), /^interpolate: mode must be one of .*"bicubic".*; got "cubic"/],
  [() => F.pad(x, [-2, -2]), /^pad: cannot cut \[-2, -2\] from \[2, 3\]/],
  [() => F.oneHot(tensor([3], { dtype: "int64" }), 3), /^oneHot: index 3 is not one of 3 classes/],
  [() => F.scaledDotProductAttention(x, zeros([2, 4]), x), /^scaledDotProductAttention: query \[2, 3\], key \[2, 4\]/],
  [() => F.scaledDotProductAttention(x, x, x, { isCausal: true, attnMask: x }), /^scaledDotProductAttention: give isCausal or attnMask, not both/],
  [() => F.scaledDotProductAttention(ones([3, 2, 2]), ones([2, 2, 2]), ones([2, 2, 2]), { enableGqa: true }), /3 query heads cannot share 2 heads/],
  [() => grad(x.mul(2), [x]), /^grad: the output has shape \[2, 3\]; reduce it to one number, or give gradOutput/],
  [() => grad(ids.sum(), [ids]), /^grad: the output must be floating-point, got int64/],
  [() => grad(x.sum(), [ones([1])]), /^grad: the output does not depend on a tensor of shape \[1\]; .*allowUnused/],
  [() => grad(x.sum(), [x], { gradOutput: ones([2]) }), /^grad: gradOutput \[2\] must have the output's shape \[\]/],
  [() => { const y = ones([1, 2]); return grad(y.scatterReduce(1, tensor([[0]], { dtype: "int64" }), ones([1, 1]), "amax").sum(), [y]); }, /^scatter: reduction "amax" has no gradient here; use "add", or detach\(\)/],
];

describe("calls are refused where they are made", () => {
  test.each(refused.map(([call, message]) => [String(message), call, message] as const))(
    "%s",
    (_, call, message) => {
      let thrown: unknown;
      try {
        call();
      } catch (error) {
        thrown = error;
      }
      // A word that is not known is nothing about tensors.
      const kind = /must be one of/.test(String(thrown)) ? TsveneError : TensorError;
      expect(thrown).toBeInstanceOf(kind);
      expect((thrown as TsveneError).message).toMatch(message);
    },
  );
});

describe("promises are refused", () => {
  const calls: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
    [async () => x.item(), /^item: expected a tensor of one element, got shape \[2, 3\]/],
    [async () => maskedSelect(x, x), /^maskedSelect: mask must be bool, got float32/],
    [
      async () => maskedSelect(x, zeros([2], { dtype: "bool" })),
      /^maskedSelect: shapes \[2, 3\] and \[2\]/,
    ],
    [async () => bincount(x), /^bincount: expected a vector of integers, got float32 \[2, 3\]/],
    [
      async () => bincount(tensor([-1], { dtype: "int64" })),
      /^bincount: expected numbers of 0 or more, got -1/,
    ],
    [async () => evaluate(ids.floorDivide(ids)), /^div, floorDivide or remainder: .*by zero/],
    [
      async () => evaluate(x.indexSelect(1, ids.add(5))),
      /^indexSelect: index 5, computed .* is out of range; expected -3 to 2$/,
    ],
    [async () => evaluate(x.gather(1, ids.add(5).expand([2, 2]))), /^gather: an index, computed/],
    [
      async () => evaluate(x.scatter(1, ids.sub(5).expand([2, 2]), x)),
      /^scatter: index -5, computed .*; expected -3 to 2$/,
    ],
    [async () => evaluate(x.index([ids.add(5)])), /^index: index 5, computed/],
    [async () => evaluate(F.embedding(ids.add(1), x)), /^embedding: index 3, .*; expected 0 to 1$/],
    [
      async () => evaluate(F.embedding(ids.sub(1), x)),
      /^embedding: index -1, .*; expected 0 to 1$/,
    ],
    [
      async () => evaluate(F.embedding(ids.sub(2).to("int32"), x.to("float16").float())),
      /^embedding: index -2, .*; expected 0 to 1$/,
    ],
  ];
  test.each(calls.map(([call, message]) => [String(message), call, message] as const))(
    "%s",
    async (_, call, message) => {
      const refusal = expect(call()).rejects;
      await refusal.toBeInstanceOf(TensorError);
      await expect(call()).rejects.toThrow(message);
    },
  );
});

test("an evaluation that dropped a graph is reported, a detached one is not", async () => {
  const w = tensor([2], { requiresGrad: true });
  const y = w.mul(3);
  await y.data();
  expect(() => grad(y.sum(), [w])).toThrow(
    /evaluated before, which dropped its graph; call grad\(\) before/,
  );
  const [g] = grad(y.detach().mul(w).sum(), [w]);
  expect(await g.toArray()).toEqual([6]);
});

test("what one mistake costs: a failed evaluation leaves the others alone", async () => {
  const good: Tensor = eye(2).mul(2);
  await expect(evaluate(x.indexSelect(1, ids.add(9)))).rejects.toThrow();
  expect(await good.toArray()).toEqual([[2, 0], [0, 2]]); // prettier-ignore
});

test("bfloat16 becomes float32 exactly, every pattern of bits", async () => {
  const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const wide = Tensor.fromData(bits, [bits.length], "bfloat16").to("float32");
  expect(await wide.data()).toStrictEqual(bfloat16ToFloat32(bits));
  const back = (await wide.detach().to("bfloat16").data()) as Uint16Array;
  // Those of NaN stay NaN, of whatever pattern.
  const isNaN = (b: number): boolean => (b & 0x7fff) > 0x7f80;
  expect([...back].filter((b, i) => b !== bits[i] && !(isNaN(b) && isNaN(i)))).toEqual([]);
});

test("float32 becomes the nearest bfloat16, ties to even", async () => {
  const x = tensor([1.00390625, 1.01171875, -1.00390625, 3.4e38, Infinity, -0]);
  const wanted = [1, 1.015625, -1, Infinity, Infinity, -0];
  expect(await x.to("bfloat16").toArray()).toEqual(wanted);
  expect(await x.mul(2).to("bfloat16").toArray()).toEqual(wanted.map((w) => 2 * w));
});

test("bfloat16 is moved about, converted and differentiated through", async () => {
  const x = tensor([[1, 2, 3], [4, 5, 6]], { dtype: "bfloat16" }); // prettier-ignore
  const index = tensor([2, 0], { dtype: "int64" });
  expect(await x.t().toArray()).toEqual([[1, 4], [2, 5], [3, 6]]); // prettier-ignore
  expect(await cat([x, x], 1).slice(1, 2, 4).toArray()).toEqual([[3, 1], [6, 4]]); // prettier-ignore
  expect(await x.indexSelect(1, index).toArray()).toEqual([[3, 1], [6, 4]]); // prettier-ignore
  expect(await x.reshape([3, 2]).expand([2, 3, 2]).indexSelect(0, index.mul(0)).toArray()).toEqual([
    [[1, 2], [3, 4], [5, 6]],
    [[1, 2], [3, 4], [5, 6]],
  ]); // prettier-ignore
  expect(await zeros([2], { dtype: "bfloat16" }).toArray()).toEqual([0, 0]);
  for (const dtype of ["int64", "float16", "float64"] as const) {
    expect(await x.to(dtype).to("bfloat16").toArray()).toEqual(await x.toArray());
  }
  const w = tensor([2], { dtype: "bfloat16", requiresGrad: true });
  const wide = w.to("float32");
  expect(await grad(wide.square().sum(), [wide])[0].toArray()).toEqual([4]);
  const own = grad(wide.square().sum(), [w])[0];
  expect([own.dtype, await own.toArray()]).toEqual(["bfloat16", [4]]);
});
