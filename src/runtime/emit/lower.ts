import type { DType } from "../../tensor/dtype.ts";
import { internal } from "../../base/errors.ts";
import type {
  Convolution,
  None,
  OpName,
  Ops,
  Pooling,
  ScatterReduction,
} from "../../tensor/ops/ops.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { BlockedWeight } from "./by-blocks.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { foreign } from "./lower-foreign.ts";
import { cast, select } from "./lower-halves.ts";
import { elementwise, linear, norm, product } from "./lower-matrices.ts";
import { recurrence, selectiveScan, threeTerm } from "./lower-scans.ts";
import { onnxDTypeCode } from "../onnx/element-types.ts";
import { loopBody } from "../onnx/loop-body.ts";
import { flag, int, type OnnxAttributes, type OnnxNode, type OnnxValue } from "../onnx/model.ts";

/** One operation to be written into an ONNX graph. */
export interface Lowering<Attributes> {
  readonly graph: GraphBuilder;
  /** Names of the operands' values. */
  readonly inputs: readonly string[];
  /** The operands, for their dtypes and ranks; their sizes differ between runs unless `sized`. */
  readonly operands: readonly Tensor[];
  /** Whether all sizes are the same in every run. */
  readonly sized: boolean;
  readonly result: { readonly dtype: DType; readonly rank: number };
  readonly attributes: Attributes;
  /** Names of the size operands. */
  readonly sizes: readonly string[];
  readonly variant: string;
  /** Whether a product may add its bias itself. */
  readonly addsWithin: boolean;
  /** The second operand, if it is a weight in 16 bits that is to be widened block by block. */
  readonly blocked: BlockedWeight | undefined;
}

/** Writes one operation and names its result. */
export type Lower<Attributes> = (lowering: Lowering<Attributes>) => string;

function castTo(graph: GraphBuilder, value: string, dtype: DType): string {
  return graph.node("Cast", [value], { to: int(onnxDTypeCode(dtype)) });
}

const plain =
  (op: string, attributes: OnnxAttributes = {}): Lower<unknown> =>
  ({ graph, inputs }) =>
    graph.node(op, inputs, attributes);

/** Which dtype replaces one that a kernel lacks. */
export type StandIns = { readonly [K in DType]?: DType };

const SMALL_INTS: StandIns = { uint8: "int32", int8: "int32" };
const BYTES: StandIns = { bool: "uint8", int8: "int32" };
const BOOLS: StandIns = { bool: "uint8" };
const HALVES_AND_BOOLS: StandIns = { float16: "float32", bool: "uint8" };

/** Computes in another dtype where ONNX Runtime has no kernel for the last operand's own. */
export const through =
  <A>(standIns: StandIns, lower: Lower<A>): Lower<A> =>
  (l) => {
    const own = l.operands.at(-1)?.dtype ?? l.result.dtype;
    const other = standIns[own];
    if (other === undefined) return lower(l);
    const inputs = l.inputs.map((name, i) =>
      l.operands[i]?.dtype === own ? castTo(l.graph, name, other) : name,
    );
    if (l.result.dtype !== own) return lower({ ...l, inputs });
    const result = lower({ ...l, inputs, result: { ...l.result, dtype: other } });
    return castTo(l.graph, result, own);
  };

const reduce =
  (op: string): Lower<Ops["sum"]> =>
  ({ graph, inputs, attributes: { dims, keepdim } }) =>
    graph.node(op, [...inputs, graph.ints(dims)], { keepdims: flag(keepdim) });

const position =
  (op: string): Lower<Ops["argmax"]> =>
  ({ graph, inputs, attributes: { dim, keepdim } }) =>
    graph.node(op, inputs, { axis: int(dim), keepdims: flag(keepdim) });

const topk: Lower<Ops["topk"]> = ({ graph, inputs, sizes, attributes: { dim, largest } }) => {
  const attributes = { axis: int(dim), largest: flag(largest), sorted: int(1) };
  const names = graph.nodes("TopK", [...inputs, ...sizes], attributes, { outputs: 2 });
  return names[1] ?? internal("TopK has two outputs");
};

const each =
  (op: string, attributes: OnnxAttributes = {}): Lower<unknown> =>
  (l) =>
    elementwise(l, (x) => l.graph.node(op, x, attributes));

/** A Loop that runs `count` times over matrices, each step made of matrix products. */
function matrixLoop(
  l: Lowering<unknown>,
  state: readonly string[],
  step: (state: readonly string[]) => { nodes: readonly OnnxNode[]; next: readonly string[] },
): readonly string[] {
  const { dtype, rank } = l.result;
  const names = state.map((_, i) => `loop_state${i}`);
  const { nodes, next } = step(names);
  const matrix = (name: string): OnnxValue => ({ name, dtype, rank });
  const body = loopBody({
    name: "squaring",
    nodes,
    states: names.map(matrix),
    results: next.map(matrix),
  });
  const count = l.inputs.at(-1) ?? internal("a loop without a count");
  const outputs = state.length;
  return l.graph.nodes("Loop", [count, "", ...state], { body: { graph: body } }, { outputs });
}

const square = (a: string, b: string, out: string): OnnxNode => ({
  op: "MatMul",
  inputs: [a, b],
  outputs: [out],
});

const squarings: Lower<Ops["squarings"]> = (l) => {
  const [x = ""] = l.inputs;
  const [result] = matrixLoop(l, [x], ([e = ""]) => ({
    nodes: [square(e, e, "loop_square")],
    next: ["loop_square"],
  }));
  return result ?? internal("Loop has an output");
};

/** Each squaring E -> E E takes a gradient G of its result to Eᵀ G + G Eᵀ. */
const squaringsGrad: Lower<Ops["squaringsGrad"]> = (l) => {
  const [x = "", g = ""] = l.inputs;
  const { rank } = l.result;
  const axes = Array.from({ length: rank }, (_, d) => d);
  const perm = [...axes.slice(0, -2), rank - 1, rank - 2];
  const turned = l.graph.node("Transpose", [x], { perm: { ints: perm } });
  const [, result] = matrixLoop(l, [turned, g], ([e = "", d = ""]) => ({
    nodes: [
      square(e, e, "loop_square"),
      square(e, d, "loop_left"),
      square(d, e, "loop_right"),
      { op: "Add", inputs: ["loop_left", "loop_right"], outputs: ["loop_grad"] },
    ],
    next: ["loop_square", "loop_grad"],
  }));
  return result ?? internal("Loop has two outputs");
};

/** ONNX's operation is defined for doubles no more than ONNX Runtime's kernel, so these are spelled out. */
const rotate: Lower<Ops["rotate"]> = (l) => {
  if (l.result.dtype === "float64") return spelledRotate(l);
  return l.graph.node("RotaryEmbedding", l.inputs, {
    rotary_embedding_dim: int(2 * l.attributes.pairs),
  });
};

/** The same by products and sums. */
export const spelledRotate: Lower<Ops["rotate"]> = ({ graph, inputs, attributes: { pairs } }) => {
  const [x = "", ...angles] = inputs;
  const [cos = "", sin = ""] = angles.map((t) => graph.node("Unsqueeze", [t, graph.ints([1])]));
  const part = (from: number, to: number): string =>
    graph.node("Slice", [x, graph.ints([from]), graph.ints([to]), graph.ints([3])]);
  const [a, b] = [part(0, pairs), part(pairs, 2 * pairs)];
  const of = (op: string, ...terms: readonly [string, string][]): string =>
    graph.node(
      op,
      terms.map((factors) => graph.node("Mul", factors)),
    );
  const turned = [of("Sub", [a, cos], [b, sin]), of("Add", [b, cos], [a, sin])];
  const rest = part(2 * pairs, Number.MAX_SAFE_INTEGER);
  return graph.node("Concat", [...turned, rest], { axis: int(3) });
};

/** Where only dimensions of size 1 change places, the elements stay where they are. */
const permute: Lower<Ops["permute"]> = ({
  graph,
  inputs,
  operands,
  sized,
  attributes: { dims },
}) => {
  const [x = ""] = inputs;
  const shape = operands[0]?.shape ?? [];
  const moving = dims.filter((d) => shape[d] !== 1);
  if (sized && moving.every((d, i) => d > (moving[i - 1] ?? -1))) {
    return graph.reshape(x, graph.ints(dims.map((d) => shape[d] ?? 1)));
  }
  return graph.node("Transpose", inputs, { perm: { ints: dims } });
};

const slice: Lower<Ops["slice"]> = ({ graph, inputs, sizes, attributes: { dims, steps } }) => {
  const [x = ""] = inputs;
  const [starts = "", ends = ""] = sizes;
  return graph.node("Slice", [x, starts, ends, graph.ints(dims), graph.ints(steps)]);
};

const PAD_MODES = { constant: "constant", reflect: "reflect", replicate: "edge" } as const;

const pad: Lower<Ops["pad"]> = ({ graph, inputs, sizes, result, attributes: { mode, value } }) =>
  graph.node("Pad", [...inputs, ...sizes, graph.constant([value], result.dtype, [])], {
    mode: { string: PAD_MODES[mode] },
  });

const REDUCTIONS: { readonly [K in ScatterReduction]: string } = {
  none: "none",
  add: "add",
  mul: "mul",
  amax: "max",
  amin: "min",
};

/** ONNX's point operations take int64 only. */
function points({ graph, inputs, operands }: Lowering<unknown>): string[] {
  return inputs.map((name, i) =>
    i === 1 && operands[1]?.dtype !== "int64" ? castTo(graph, name, "int64") : name,
  );
}

const scatter: Lower<Ops["scatter"]> = ({ graph, inputs, attributes: { dim, reduce: how } }) =>
  graph.node("ScatterElements", inputs, {
    axis: int(dim),
    reduction: { string: REDUCTIONS[how] },
  });

const scatterNd: Lower<Ops["scatterNd"]> = (l) =>
  l.graph.node("ScatterND", points(l), {
    reduction: { string: REDUCTIONS[l.attributes.reduce] },
  });

const trilu: Lower<Ops["trilu"]> = ({ graph, inputs, sizes, attributes: { upper } }) =>
  graph.node("Trilu", [...inputs, ...sizes], { upper: flag(upper) });

/**
 * ONNX Runtime fuses x sigmoid(x) of doubles to an operation that it has no kernel for, so these are
 * spelled out.
 */
const sigmoid: Lower<None> = (l) => {
  if (l.result.dtype !== "float64") return each("Sigmoid")(l);
  const one = l.graph.constant([1], "float64", []);
  const decay = l.graph.node("Exp", [l.graph.node("Neg", l.inputs)]);
  return l.graph.node("Reciprocal", [l.graph.node("Add", [decay, one])]);
};

/** The condition stays bool, whatever the values are computed in. */
const where: Lower<Ops["where"]> = (l) => {
  const [condition = "", ...values] = l.inputs;
  const branches = { ...l, inputs: values, operands: l.operands.slice(1) };
  return through<Ops["where"]>(BYTES, ({ graph, inputs }) =>
    graph.node("Where", [condition, ...inputs]),
  )(branches);
};

function convolution(a: Convolution): OnnxAttributes {
  return {
    strides: { ints: a.stride },
    dilations: { ints: a.dilation },
    group: int(a.groups),
    pads: {
      ints: [...a.padding.map(([before]) => before), ...a.padding.map(([, after]) => after)],
    },
  };
}

const pool =
  (output: 0 | 1): Lower<Pooling> =>
  ({ graph, inputs, attributes: a }) => {
    const attributes = {
      kernel_shape: { ints: a.kernel },
      strides: { ints: a.stride },
      pads: { ints: [...a.padding, ...a.padding] },
      dilations: { ints: a.dilation },
      ceil_mode: flag(a.ceilMode),
    };
    const names = graph.nodes("MaxPool", inputs, attributes, { outputs: 2, optional: true });
    return names[output] ?? internal("MaxPool has two outputs");
  };

/** How each operation is written in ONNX. */
export const lowerings: { readonly [K in OpName]: Lower<Ops[K]> } = {
  constant: ({ graph, attributes: { value, dtype } }) => graph.constant([value], dtype, []),
  range: ({ graph, sizes }) => graph.node("Range", sizes),

  neg: through(SMALL_INTS, each("Neg")),
  abs: each("Abs"),
  sign: each("Sign"),
  exp: each("Exp"),
  log: each("Log"),
  sqrt: each("Sqrt"),
  reciprocal: each("Reciprocal"),
  sin: each("Sin"),
  cos: each("Cos"),
  atan: each("Atan"),
  sinh: each("Sinh"),
  cosh: each("Cosh"),
  tanh: each("Tanh"),
  erf: each("Erf"),
  sigmoid,
  relu: each("Relu"),
  gelu: (l) => {
    const op = l.attributes.approximate === "tanh" ? "FastGelu" : "Gelu";
    return elementwise(l, (x) => l.graph.node(op, x, {}, { custom: true }));
  },
  floor: each("Floor"),
  ceil: each("Ceil"),
  round: each("Round"),
  not: plain("Not"),
  isnan: plain("IsNaN"),
  isinf: plain("IsInf"),
  cast,
  detach: () => internal("detach is resolved before lowering"),

  add: each("Add"),
  sub: each("Sub"),
  mul: each("Mul"),
  div: each("Div"),
  pow: through(SMALL_INTS, each("Pow")),
  maximum: through(BOOLS, each("Max")),
  minimum: through(BOOLS, each("Min")),
  remainder: plain("Mod"),
  fmod: plain("Mod", { fmod: int(1) }),
  eq: each("Equal"),
  lt: through(BOOLS, each("Less")),
  le: through(BOOLS, each("LessOrEqual")),
  gt: through(BOOLS, each("Greater")),
  ge: through(BOOLS, each("GreaterOrEqual")),
  and: plain("And"),
  or: plain("Or"),
  xor: plain("Xor"),
  where,

  sum: reduce("ReduceSum"),
  mean: reduce("ReduceMean"),
  amax: reduce("ReduceMax"),
  amin: reduce("ReduceMin"),
  prod: reduce("ReduceProd"),
  argmax: through(BOOLS, position("ArgMax")),
  argmin: through(BOOLS, position("ArgMin")),
  cumsum: ({ graph, inputs, attributes: { dim, reverse } }) =>
    graph.node("CumSum", [...inputs, graph.constant([dim], "int64", [])], {
      reverse: flag(reverse),
    }),
  recurrence,
  threeTerm,
  selectiveScan,
  topk: through(BOOLS, topk),

  matmul: through(SMALL_INTS, (l) => product(l, "MatMul", l.inputs)),
  linear,
  softmax: ({ graph, inputs, attributes: { dim } }) =>
    graph.node("Softmax", inputs, { axis: int(dim) }),
  logSoftmax: ({ graph, inputs, attributes: { dim } }) =>
    graph.node("LogSoftmax", inputs, { axis: int(dim) }),
  layerNorm: norm("LayerNormalization"),
  rmsNorm: norm("RMSNormalization"),
  rotate,
  inverse: ({ graph, inputs }) => graph.node("Inverse", inputs, {}, { custom: true }),
  det: plain("Det"),
  squarings,
  squaringsGrad,
  factor: () => internal("a factor always holds its values"),

  reshape: ({ graph, inputs: [x = ""], sizes: [shape = ""] }) => graph.reshape(x, shape),
  permute,
  expand: ({ graph, inputs, sizes }) => graph.node("Expand", [...inputs, ...sizes]),
  slice,
  concat: ({ graph, inputs, attributes: { dim } }) =>
    graph.node("Concat", inputs, { axis: int(dim) }),
  pad,
  trilu: through(SMALL_INTS, trilu),

  indexSelect: select,
  gather: ({ graph, inputs, attributes: { dim } }) =>
    graph.node("GatherElements", inputs, { axis: int(dim) }),
  scatter: through(HALVES_AND_BOOLS, scatter),
  gatherNd: (l) => l.graph.node("GatherND", points(l)),
  scatterNd: through(HALVES_AND_BOOLS, scatterNd),

  conv: ({ graph, inputs, attributes }) => graph.node("Conv", inputs, convolution(attributes)),
  convTranspose: ({ graph, inputs, attributes }) =>
    graph.node("ConvTranspose", inputs, {
      ...convolution(attributes),
      output_padding: { ints: attributes.outputPadding },
    }),
  maxPool: pool(0),
  maxPoolIndices: pool(1),

  foreign,
};
