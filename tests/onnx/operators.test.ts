import { describe, expect, test } from "vitest";
import type { OnnxAttribute } from "../../src/runtime/onnx/model.ts";
import { type Case, compare, held, numbers, type Operand, weights } from "./one-node.ts";

const int = (value: number): OnnxAttribute => ({ int: value });
const ints = (...values: number[]): OnnxAttribute => ({ ints: values });
const float = (value: number): OnnxAttribute => ({ float: value });
const text = (string: string): OnnxAttribute => ({ string });

type Row = readonly [
  op: string,
  inputs: readonly (Operand | undefined)[],
  attributes?: Case["attributes"],
  more?: Partial<Case>,
];

const [x, y] = [numbers([2, 3, 4]), numbers([2, 3, 4], (n) => Math.cos(5 * n))];
const positive = numbers([2, 3, 4], (n) => n + 1.5);
const small = numbers([2, 3, 4], (n) => 0.9 * n);
const image = numbers([1, 2, 6, 7]);
const bool = (dims: readonly number[]): Operand => ({
  dtype: "bool",
  dims,
  values: numbers(dims).values.map((n) => Number(n > 0)),
});
const uint8 = (dims: readonly number[], isHeld = true): Operand => ({
  dtype: "uint8",
  dims,
  values: numbers(dims).values.map((n) => Math.round(127 * (n + 1))),
  held: isHeld,
});
const scale = weights([0.02], []);
const zero: Operand = { dtype: "uint8", dims: [], values: [128], held: true };

const plainUnary = ["Abs", "Neg", "Exp", "Sigmoid", "Tanh", "Relu", "Erf", "Sin", "Cos", "Sinh", "Cosh", "Atan", "Asinh", "Softplus", "Softsign", "Identity", "HardSwish", "Elu", "Selu", "Celu", "LeakyRelu", "HardSigmoid", "ThresholdedRelu", "Gelu", "Shrink", "Mish"]; // prettier-ignore
const reduce = ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"]; // prettier-ignore

const rows: readonly Row[] = [
  ...plainUnary.map((op): Row => [op, [x], {}, op === "Mish" ? { opset: 18 } : {}]),
  ...["Floor", "Ceil", "Round", "Sign"].map((op): Row => [op, [numbers([9], (n) => Math.round(9 * n) + 0.3)]]),
  ...["Sqrt", "Log", "Reciprocal"].map((op): Row => [op, [positive]]),
  ...["Asin", "Acos", "Atanh", "Tan"].map((op): Row => [op, [small]]),
  ["Acosh", [numbers([5], (n) => n + 2.5)]],
  ["Gelu", [x], { approximate: text("tanh") }],
  ["Clip", [x, weights([-0.3], []), weights([0.4], [])]],
  ["Clip", [x], { min: float(-0.3), max: float(0.4) }, { opset: 7 }],
  ["PRelu", [x, numbers([3, 1])]],
  ["IsNaN", [x], {}, { result: "bool" }],
  ["Cast", [x], { to: int(7) }, { result: "int64" }],
  ["Not", [bool([2, 3])], {}, { result: "bool" }],
  ...["Add", "Sub", "Mul", "Max", "Min", "Sum", "Mean"].map((op): Row => [op, [x, y]]),
  ["Add", [x, numbers([4])]],
  ["Div", [x, positive]],
  ["Pow", [positive, weights([2.5], [])]],
  ["Mod", [positive, numbers([4], (n) => n + 2)], { fmod: int(1) }],
  ["Div", [held([7, -7, 9]), { ...held([2, 2, -4]), held: false }], {}, { result: "int64" }],
  ["Mod", [held([7, -7, 9]), { ...held([3, 3, -4]), held: false }], {}, { result: "int64" }],
  ...["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"].map((op): Row => [op, [x, y], {}, { result: "bool" }]),
  ...["And", "Or", "Xor"].map((op): Row => [op, [bool([2, 3]), bool([3])], {}, { result: "bool" }]),
  ["Where", [bool([3, 4]), x, y]],
  ...reduce.map((op): Row => [op, [positive, held([1, -1])]]),
  ...reduce.map((op): Row => [op, [positive], { axes: ints(1), keepdims: int(0) }, { opset: op === "ReduceSum" ? 11 : 13 }]),
  ["ReduceLogSum", [positive, held([0])]],
  ["ReduceSum", [x], { noop_with_empty_axes: int(1) }],
  ["ArgMax", [x], { axis: int(1), keepdims: int(0) }, { result: "int64" }],
  ["ArgMin", [x], { axis: int(-1), select_last_index: int(1) }, { result: "int64" }],
  ["Softmax", [x], { axis: int(1) }],
  ["Softmax", [x], { axis: int(1) }, { opset: 11 }],
  ["LogSoftmax", [x], { axis: int(0) }, { opset: 9 }],
  ["LogSoftmax", [x]],
  ["CumSum", [x, held([1], [])], { exclusive: int(1), reverse: int(1) }],
  ["TopK", [x, held([2])], { axis: int(1) }, { outputs: 2 }],
  ["TopK", [x], { axis: int(2), k: int(3) }, { outputs: 2, opset: 9 }],
  ["Reshape", [x, held([0, -1])]],
  ["Flatten", [x], { axis: int(2) }],
  ["Squeeze", [numbers([1, 3, 1]), held([0])]],
  ["Squeeze", [numbers([1, 3, 1])], {}, { opset: 11 }],
  ["Unsqueeze", [x], { axes: ints(0, 4) }, { opset: 11 }],
  ["Unsqueeze", [x, held([-1, 0])]],
  ["Transpose", [x], { perm: ints(2, 0, 1) }],
  ["Expand", [numbers([3, 1]), held([2, 1, 4])]],
  ["Tile", [x, held([1, 2, 1])]],
  ["Concat", [x, y], { axis: int(-1) }],
  ["Split", [x], { axis: int(2) }, { outputs: 2, opset: 13 }],
  ["Split", [x], { axis: int(2), split: ints(1, 3) }, { outputs: 2, opset: 11 }],
  ["Slice", [x, held([-1, 0]), held([-99, 3]), held([2, 1]), held([-2, 2])]],
  ["Slice", [x], { starts: ints(1), ends: ints(9_007_199_254_740_991), axes: ints(1) }, { opset: 9 }],
  ["Pad", [x, held([0, 1, 0, 0, 0, 2]), weights([0.5], [])]],
  ["Pad", [x, held([0, 1, 1, 0, 1, 2])], { mode: text("reflect") }],
  ["Pad", [x, held([0, 1, 1, 0, 1, 2])], { mode: text("edge") }],
  ["Pad", [x, held([1, 2]), undefined, held([-1])], { mode: text("wrap") }],
  ["Pad", [x], { pads: ints(0, 0, 1, 0, 0, 1), value: float(2) }, { opset: 9 }],
  ["Trilu", [x, held([1], [])], { upper: int(0) }],
  ["EyeLike", [numbers([3, 4])], { k: int(1) }],
  ["OneHot", [{ ...held([1, -1, 0]), held: false }, held([3], []), weights([0.5, 2])], { axis: int(0) }],
  ["DepthToSpace", [numbers([1, 8, 2, 3])], { blocksize: int(2), mode: text("CRD") }],
  ["DepthToSpace", [numbers([1, 8, 2, 3])], { blocksize: int(2) }],
  ["SpaceToDepth", [numbers([1, 2, 4, 6])], { blocksize: int(2) }],
  ["Gather", [x, held([2, -1], [1, 2])], { axis: int(1) }],
  ["Gather", [x, { ...held([1, 0], [2, 1]), held: false }], { axis: int(2) }],
  ["GatherElements", [x, held([0, -1, 1, 0, 1, 2, 0, 0, 1, 1, -2, 0], [1, 3, 4])], { axis: int(1) }],
  ["GatherND", [x, held([0, 1, 1, -1], [2, 2])]],
  ["ScatterElements", [x, held([1, 0, 0, -1], [1, 1, 4]), numbers([1, 1, 4])], { axis: int(1) }],
  ["ScatterElements", [x, held([1, 0, 0, 2], [1, 1, 4]), numbers([1, 1, 4])], { axis: int(1), reduction: text("add") }],
  ["ScatterND", [x, held([0, 1, 1, -1], [2, 2]), numbers([2, 4])]],
  ["MatMul", [x, numbers([4, 5])]],
  ["Gemm", [numbers([4, 2]), numbers([3, 4]), numbers([3])], { transA: int(1), transB: int(1), alpha: float(0.5), beta: float(2) }],
  ["Gemm", [numbers([2, 4]), numbers([3, 4]), numbers([3])], { transB: int(1) }],
  ["Einsum", [x, numbers([4, 5])], { equation: text("bij, jk -> bki") }],
  ["Conv", [image, numbers([4, 1, 3, 3]), numbers([4])], { group: int(2), pads: ints(1, 0, 2, 1), strides: ints(2, 1) }],
  ["Conv", [image, numbers([3, 2, 3, 3])], { auto_pad: text("SAME_UPPER"), strides: ints(2, 2) }],
  ["Conv", [numbers([2, 3, 9]), numbers([4, 3, 3])], { dilations: ints(2), pads: ints(1, 1) }],
  ["ConvTranspose", [numbers([1, 3, 4, 4]), numbers([3, 2, 3, 3])], { strides: ints(2, 2), pads: ints(1, 1, 0, 1), output_padding: ints(1, 0) }],
  ["ConvTranspose", [numbers([1, 3, 4, 4]), numbers([3, 2, 3, 3])], { strides: ints(2, 2), auto_pad: text("SAME_LOWER") }],
  ["MaxPool", [image], { kernel_shape: ints(3, 2), strides: ints(2, 2), pads: ints(1, 0, 0, 1) }],
  ["MaxPool", [image], { kernel_shape: ints(3, 3), strides: ints(2, 2), ceil_mode: int(1) }],
  ["AveragePool", [image], { kernel_shape: ints(3, 3), strides: ints(2, 2), pads: ints(1, 1, 0, 1) }],
  ["AveragePool", [image], { kernel_shape: ints(3, 3), strides: ints(2, 2), pads: ints(1, 1, 1, 1), count_include_pad: int(1), ceil_mode: int(1) }],
  ["GlobalAveragePool", [image]],
  ["GlobalMaxPool", [image]],
  ...["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"].flatMap((mode): Row[] =>
    ["linear", "nearest", "cubic"].map((kind): Row => ["Resize", [image, undefined, weights([1, 1, 1.5, 2])], { mode: text(kind), coordinate_transformation_mode: text(mode) }])),
  ["Resize", [image, undefined, undefined, held([1, 2, 3, 4])], { mode: text("linear") }],
  ["Resize", [image, undefined, undefined, held([1, 2, 9, 5])], { mode: text("nearest"), nearest_mode: text("floor"), coordinate_transformation_mode: text("asymmetric") }],
  ["Resize", [image, weights([1, 1, 2, 2])], { mode: text("nearest") }, { opset: 10 }],
  ["Upsample", [image, weights([1, 1, 2, 3])], { mode: text("linear") }, { opset: 9 }],
  ["Upsample", [image], { mode: text("nearest"), scales: { floats: [1, 1, 2, 2] } }, { opset: 7 }],
  ["LayerNormalization", [x, numbers([4]), numbers([4])]],
  ["BatchNormalization", [image, ...[0, 1, 2].map(() => numbers([2])), numbers([2], (n) => n + 2)]],
  ["InstanceNormalization", [image, numbers([2]), numbers([2])]],
  ["GroupNormalization", [numbers([1, 4, 3]), numbers([4]), numbers([4])], { num_groups: int(2) }],
  ["RMSNormalization", [x, numbers([4])], {}, { opset: 23 }],
  ["LpNormalization", [x], { axis: int(1) }],
  ["LRN", [numbers([1, 5, 2, 2])], { size: int(3), alpha: float(0.5), beta: float(0.6), bias: float(1.5) }],
  ["MeanVarianceNormalization", [image]],
  ["LSTM", [numbers([4, 2, 3]), numbers([1, 8, 3]), numbers([1, 8, 2]), numbers([1, 16])], { hidden_size: int(2) }],
  ["LSTM", [numbers([4, 2, 3]), numbers([2, 8, 3]), numbers([2, 8, 2]), undefined, undefined, numbers([2, 2, 2]), numbers([2, 2, 2])], { hidden_size: int(2), direction: text("bidirectional") }],
  ["GRU", [numbers([4, 2, 3]), numbers([1, 6, 3]), numbers([1, 6, 2]), numbers([1, 12])], { hidden_size: int(2), linear_before_reset: int(1) }],
  ["GRU", [numbers([4, 2, 3]), numbers([1, 6, 3]), numbers([1, 6, 2]), numbers([1, 12])], { hidden_size: int(2), direction: text("reverse") }],
  ["RNN", [numbers([4, 2, 3]), numbers([1, 2, 3]), numbers([1, 2, 2])], { hidden_size: int(2), activations: { strings: ["Relu"] } }],
  ["DequantizeLinear", [uint8([3, 4]), weights([0.1, 0.2, 0.3]), { ...uint8([3]), values: [3, 4, 5] }], { axis: int(0) }],
  ["FastGelu", [x, numbers([4])], {}, { domain: "com.microsoft" }],
  ["BiasGelu", [x, numbers([4])], {}, { domain: "com.microsoft" }],
  ["QuickGelu", [x], { alpha: float(1.5) }, { domain: "com.microsoft" }],
  ["FusedMatMul", [x, numbers([2, 5, 4])], { transB: int(1), alpha: float(0.5) }, { domain: "com.microsoft" }],
  ["SkipLayerNormalization", [x, y, numbers([4]), numbers([4]), ], { epsilon: float(1e-5) }, { domain: "com.microsoft" }],
  ["SkipSimplifiedLayerNormalization", [x, y, numbers([4])], { epsilon: float(1e-5) }, { domain: "com.microsoft" }],
  ["SimplifiedLayerNormalization", [x, numbers([4])], {}, {}],
  ["MultiHeadAttention", [numbers([1, 3, 4]), numbers([1, 5, 4]), numbers([1, 5, 4])], { num_heads: int(2) }, { domain: "com.microsoft" }],
]; // prettier-ignore

const named = (list: readonly Row[]): (readonly [string, Row])[] =>
  list.map((row, i) => [`${row[0]} (${i})`, row]);

const caseOf = ([op, inputs, attributes = {}, more = {}]: Row): Case => ({
  op,
  inputs,
  attributes,
  ...more,
});

describe("operators are as in ONNX Runtime, and their gradients as its differences", () => {
  test.each(named(rows))("%s", async (_, row) => {
    const { wanted, dims, whole, translated, slopes } = await compare(caseOf(row));
    for (const result of [whole, translated]) {
      expect(result.shape).toEqual(dims);
      const got = Array.from(await result.data(), Number);
      got.forEach((n, i) => expect(Math.abs(n - (wanted[i] ?? NaN))).toBeLessThan(2e-5 + 2e-5 * Math.abs(n)));
    }
    const [numeric, own] = slopes;
    expect(Math.abs(numeric - own)).toBeLessThan(2e-2 + 1e-2 * Math.abs(numeric));
  });
}); // prettier-ignore

const integers: readonly Row[] = [
  ["QuantizeLinear", [x, scale, zero], {}, { result: "uint8" }],
  ["DynamicQuantizeLinear", [x], {}, { result: "uint8", outputs: 3 }],
  ["MatMulInteger", [uint8([2, 4], false), uint8([4, 3]), zero], {}, { result: "int32" }],
  ["ConvInteger", [uint8([1, 2, 5, 5], false), uint8([3, 2, 3, 3])], { pads: ints(1, 1, 1, 1) }, { result: "int32" }],
  ["QLinearMatMul", [uint8([2, 4], false), scale, zero, uint8([4, 3]), scale, zero, weights([0.05], []), zero], {}, { result: "uint8" }],
  ["QLinearConv", [uint8([1, 2, 5, 5], false), scale, zero, uint8([3, 2, 3, 3]), scale, zero, weights([0.5], []), zero], {}, { result: "uint8" }],
  ["QLinearAdd", [uint8([2, 4], false), scale, zero, uint8([2, 4], false), scale, zero, weights([0.04], []), zero], {}, { result: "uint8", domain: "com.microsoft" }],
]; // prettier-ignore

test.each(named(integers))("whole numbers are ONNX Runtime's own: %s", async (_, row) => {
  const { wanted, dims, whole, translated } = await compare(caseOf(row));
  for (const result of [whole, translated]) {
    expect(result.shape).toEqual(dims);
    expect(Array.from(await result.data(), Number)).toEqual(wanted);
  }
});

test("what has no gradient says so when one is asked for, and not before", async () => {
  const sample: Case = {
    op: "GridSample",
    inputs: [image, numbers([1, 3, 3, 2])],
  };
  await expect(compare(sample)).rejects.toThrow(
    /GridSample "\/the\/node".* has no gradient; detach/,
  );
});
