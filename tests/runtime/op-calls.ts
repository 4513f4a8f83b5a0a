import { type DType, eye, type OpName, type Ops, type Tensor, tensor } from "tsvene";
import { apply } from "../../src/tensor/ops/apply.ts";

/**
 * Operations that are resolved before there is a program, and are part of none; and nodes of other models, which
 * ONNX Runtime alone computes.
 */
type Resolved = "detach" | "factor" | "foreign";

/** Numbers between -1 and 1, no two of them equal. */
export function numbers(shape: readonly number[], seed = 1, dtype: DType = "float32"): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i));
  return tensor(values, { shape, dtype });
}

/** Whole numbers from 0 to `below`, exclusive. */
export function wholes(shape: readonly number[], below: number, dtype: DType = "int64"): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: count }, (_, i) => (7 * i + 3) % below);
  return tensor(values, { shape, dtype });
}

const [x, y] = [numbers([2, 3, 4], 1), numbers([2, 3, 4], 2)];
const row = numbers([4], 3);
const scalar = tensor(0.75);
const positive = x.abs().add(0.5);
const [i64, i32, u8] = [wholes([2, 4], 9), wholes([2, 4], 9, "int32"), wholes([2, 4], 9, "uint8")];
const odd = tensor([NaN, Infinity, -Infinity, -0, 0.5, 1.5, -2.5, 3]);
const [yes, no] = [x.gt(0), y.gt(0)];
const square = numbers([2, 3, 3], 4).mul(0.5).add(eye(3));
const image = numbers([2, 4, 5, 6], 5);

type Unary = { readonly [K in OpName]: Ops[K] extends Ops["neg"] ? K : never }[OpName];

const each = (op: Unary, ...operands: readonly Tensor[]): readonly Tensor[] =>
  operands.map((t) => apply(op, [t], {}));
/** On operands of one shape, on those that are broadcast, and on whole numbers. */
const pairs = (op: Unary): readonly Tensor[] =>
  [[x, y], [x, row], [scalar, y], [x.slice(1, 0, 1), y], [i64, i64.add(1)]].map((pair) =>
    apply(op, pair, {}),
  ); // prettier-ignore
const logical = (op: Unary): readonly Tensor[] => [apply(op, [yes, no], {})];

const over = (op: "sum" | "mean" | "amax" | "amin" | "prod"): readonly Tensor[] => [
  apply(op, [x], { dims: [1], keepdim: false }),
  apply(op, [x], { dims: [0, 2], keepdim: true }),
  apply(op, [x], { dims: [0, 1, 2], keepdim: false }),
];
const best = (op: "argmax" | "argmin"): readonly Tensor[] => [
  apply(op, [x], { dim: 1, keepdim: false }),
  apply(op, [i64], { dim: 1, keepdim: true }),
];

const scan = (result: "outputs" | "state", batch: number): Tensor => {
  const [width, size, steps] = [5, 3, 4];
  const operands = [
    numbers([batch, steps, width], 1),
    numbers([batch, steps, width], 2).abs(),
    numbers([size, width], 3),
    numbers([batch, steps, size], 4),
    numbers([batch, steps, size], 5),
    numbers([batch, size, width], 6),
  ];
  return apply("selectiveScan", operands, { result });
};
const recurrence = (reverse: boolean): Tensor =>
  apply("recurrence", [x, y, numbers([2, 4], 3)], { reverse });

const convolution = {
  stride: [2, 1],
  padding: [[1, 0], [0, 2]],
  dilation: [1, 2],
  groups: 2,
} as const; // prettier-ignore
const pooling = {
  kernel: [2, 3],
  stride: [2, 2],
  padding: [1, 0],
  dilation: [1, 1],
  ceilMode: true,
};

/** Calls of every operation, of every kind of its operands and attributes that matters. */
export const opCalls: {
  readonly [K in Exclude<OpName, Resolved>]: () => readonly Tensor[];
} = {
  constant: () => [
    apply("constant", [], { value: -Infinity, dtype: "float32" }),
    apply("constant", [], { value: 7, dtype: "int64" }),
  ],
  range: () => [
    apply("range", [], {}, [[2], [9], [3]]),
    apply("range", [], {}, [[5], [-1], [-2]]),
    apply("range", [], {}, [[1], [1], [1]]),
  ],

  neg: () => each("neg", x, i64, i32),
  abs: () => each("abs", x, i64.neg()),
  sign: () => each("sign", x, i64.sub(3)),
  exp: () => each("exp", x, x.to("float64")),
  log: () => each("log", x, positive),
  sqrt: () => each("sqrt", x, positive),
  reciprocal: () => each("reciprocal", x),
  sin: () => each("sin", x),
  cos: () => each("cos", x),
  atan: () => each("atan", x),
  sinh: () => each("sinh", x),
  cosh: () => each("cosh", x),
  tanh: () => each("tanh", x, x.mul(20)),
  erf: () => each("erf", x.mul(4)),
  sigmoid: () => each("sigmoid", x, x.to("float64").mul(50)),
  relu: () => each("relu", x),
  gelu: () => [
    apply("gelu", [x.mul(3)], { approximate: "none" }),
    apply("gelu", [x.mul(3)], { approximate: "tanh" }),
  ],
  floor: () => each("floor", odd),
  ceil: () => each("ceil", odd),
  round: () => each("round", odd),
  not: () => each("not", yes),
  isnan: () => each("isnan", odd),
  isinf: () => each("isinf", odd),
  cast: () => {
    const types: readonly DType[] = ["float32", "float64", "int64", "int32", "uint8", "int8", "bool", "float16", "bfloat16"]; // prettier-ignore
    const given = x.abs().mul(100);
    return types.flatMap((from) =>
      types.map((dtype) =>
        apply("cast", [apply("cast", [given], { dtype: from })], { dtype }).to("float64"),
      ),
    );
  },

  add: () => pairs("add"),
  sub: () => pairs("sub"),
  mul: () => pairs("mul"),
  div: () => [...pairs("div"), apply("div", [i64.neg(), i64.add(2)], {})],
  pow: () => [apply("pow", [positive, y], {}), apply("pow", [i64, tensor(2, { dtype: "int64" })], {})], // prettier-ignore
  maximum: () => [...pairs("maximum"), ...logical("maximum")],
  minimum: () => [...pairs("minimum"), ...logical("minimum")],
  remainder: () => [apply("remainder", [i64.sub(5), tensor([3, -3, 5, -5], { dtype: "int64" })], {})], // prettier-ignore
  fmod: () => [apply("fmod", [x, row], {}), apply("fmod", [i64.sub(5), i64.add(2)], {})],
  eq: () => [apply("eq", [i64, i64.transpose(0, 1).reshape([2, 4])], {}), ...logical("eq")],
  lt: () => [...pairs("lt"), ...logical("lt")],
  le: () => [...pairs("le"), ...logical("le")],
  gt: () => [...pairs("gt"), ...logical("gt")],
  ge: () => [...pairs("ge"), ...logical("ge")],
  and: () => logical("and"),
  or: () => logical("or"),
  xor: () => logical("xor"),
  where: () => [
    apply("where", [yes, x, row], {}),
    apply("where", [i32.gt(4), u8, u8.add(1)], {}),
    apply("where", [yes, no, yes], {}),
  ],

  sum: () => [...over("sum"), apply("sum", [i64], { dims: [1], keepdim: false })],
  mean: () => over("mean"),
  amax: () => over("amax"),
  amin: () => over("amin"),
  prod: () => over("prod"),
  argmax: () => best("argmax"),
  argmin: () => best("argmin"),
  cumsum: () => [
    apply("cumsum", [x], { dim: 1, reverse: false }),
    apply("cumsum", [i64], { dim: 0, reverse: true }),
  ],
  recurrence: () => [recurrence(false), recurrence(true)],
  threeTerm: () =>
    [false, true].map((reverse) =>
      apply("threeTerm", [square.select(0, 0), numbers([4, 3, 2], 5)], { reverse }),
    ),
  selectiveScan: () => [scan("outputs", 1), scan("outputs", 2), scan("state", 1), scan("state", 2)],
  topk: () => [
    apply("topk", [x], { dim: 2, largest: true }, [[3]]),
    apply("topk", [i64], { dim: 1, largest: false }, [[4]]),
  ],

  matmul: () => [
    apply("matmul", [x, y.transpose(1, 2)], {}),
    apply("matmul", [x, numbers([4, 5])], {}),
    apply("matmul", [i64, i64.transpose(0, 1)], {}),
  ],
  linear: () => [
    apply("linear", [x, numbers([5, 4]), numbers([5], 2)], {}, [[2, 3, 5]]),
    apply("linear", [numbers([3, 4]), numbers([64, 4])], {}, [[3, 64]]),
  ],
  softmax: () => [0, 1, 2].map((dim) => apply("softmax", [x], { dim })),
  logSoftmax: () => [0, 1, 2].map((dim) => apply("logSoftmax", [x], { dim })),
  layerNorm: () => [
    apply("layerNorm", [x, row, row], { axes: 1, eps: 1e-5 }),
    apply("layerNorm", [x, numbers([3, 4], 7), numbers([3, 4], 8)], { axes: 2, eps: 0.1 }),
  ],
  rmsNorm: () => [apply("rmsNorm", [x, row], { axes: 1, eps: 1e-6 })],
  rotate: () =>
    (["float32", "float64"] as const).map((dtype) =>
      apply(
        "rotate",
        [[2, 2, 3, 5], [2, 3, 2], [2, 3, 2]].map((shape, i) => numbers(shape, i, dtype)),
        { pairs: 2 },
      ),
    ), // prettier-ignore
  inverse: () => [apply("inverse", [square], {})],
  det: () => [apply("det", [square], {})],
  squarings: () =>
    [0, 3].map((n) => apply("squarings", [square, tensor(n, { dtype: "int64" })], {})),
  squaringsGrad: () => [
    apply("squaringsGrad", [square, square.exp(), tensor(2, { dtype: "int64" })], {}),
  ],

  reshape: () => [apply("reshape", [x], {}, [[4, 6]]), apply("reshape", [scalar], {}, [[1, 1]])],
  permute: () => [apply("permute", [x], { dims: [2, 0, 1] })],
  expand: () => [apply("expand", [row], {}, [[2, 3, 4]]), apply("expand", [scalar], {}, [[2]])],
  slice: () => [
    apply("slice", [x], { dims: [1, 2], steps: [1, 2] }, [[1, 0], [3, 4]]),
    apply("slice", [x], { dims: [2], steps: [-1] }, [[3], [-5]]),
    apply("slice", [x], { dims: [0], steps: [1] }, [[1], [1]]),
  ], // prettier-ignore
  concat: () => [apply("concat", [x, y, x.slice(1, 0, 1)], { dim: 1 })],
  pad: () => [
    apply("pad", [x], { mode: "constant", value: 2 }, [[0, 1, -1, 1, 0, 2]]),
    apply("pad", [x], { mode: "reflect", value: 0 }, [[0, 1, 2, 0, 2, 1]]),
    apply("pad", [x], { mode: "replicate", value: 0 }, [[1, 0, 2, 0, 2, 0]]),
  ],
  trilu: () => [
    apply("trilu", [x], { upper: true }, [[1]]),
    apply("trilu", [x], { upper: false }, [[-1]]),
  ],

  indexSelect: () => [
    apply("indexSelect", [x, tensor([[2, -1], [0, 0]], { dtype: "int64" })], { dim: 1 }),
    apply("indexSelect", [numbers([9, 3]), i32], { dim: 0, fromZero: true }),
  ], // prettier-ignore
  gather: () => [apply("gather", [numbers([2, 9]), i64], { dim: 1 })],
  scatter: () =>
    (["none", "add", "mul", "amax", "amin"] as const).map((reduce) =>
      apply("scatter", [numbers([2, 9]), i64, numbers([2, 4], 2)], { dim: 1, reduce }),
    ),
  gatherNd: () => [
    apply("gatherNd", [x, tensor([[1, 2], [0, -1]], { dtype: "int64" })], {}),
    apply("gatherNd", [x, tensor([[1], [0], [1]], { dtype: "int32" })], {}),
  ], // prettier-ignore
  scatterNd: () =>
    (["none", "add", "mul", "amax", "amin"] as const).map((reduce) =>
      apply("scatterNd", [x, tensor([[1, 2], [0, 1]], { dtype: "int64" }), numbers([2, 4], 9)], {
        reduce,
      }),
    ), // prettier-ignore

  conv: () => [
    apply("conv", [image, numbers([6, 2, 3, 2], 2), numbers([6], 3)], convolution),
    apply("conv", [image, numbers([6, 2, 3, 2], 2)], convolution),
  ],
  convTranspose: () => [
    apply("convTranspose", [image, numbers([4, 3, 3, 2], 2), numbers([6], 3)], {
      ...convolution,
      outputPadding: [1, 0],
    }),
  ],
  maxPool: () => [apply("maxPool", [image], pooling)],
  maxPoolIndices: () => [apply("maxPoolIndices", [image], pooling)],
};
