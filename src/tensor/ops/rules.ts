import { isFloat, requireDType, requireFit } from "../dtype.ts";
import { internal } from "../../base/errors.ts";
import { fail } from "../errors.ts";
import type { OpName, Ops } from "./ops.ts";
import { input, type Rule, type Signature, size } from "./rule.ts";
import { broadcastShapes, numel, type Shape, sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { recurrence, selectiveScan, threeTerm } from "./scan-rules.ts";
import { conv, convTranspose, pool } from "./window-rules.ts";

const same: Rule<unknown> = (inputs) => {
  const x = input(inputs, 0);
  return { shape: x.shape, dtype: x.dtype };
};

const float =
  (op: string): Rule<unknown> =>
  (inputs) => {
    const x = input(inputs, 0);
    if (!isFloat(x.dtype)) fail(op, `expected a floating-point tensor, got ${x.dtype}`);
    return { shape: x.shape, dtype: x.dtype };
  };

/** ONNX Runtime lacks some kernels for double precision. */
function refuseDouble(op: string): never {
  return fail(op, 'float64 is not supported here; use to("float32") first');
}

const single =
  (op: string): Rule<unknown> =>
  (inputs, attributes, sizes) => {
    if (input(inputs, 0).dtype === "float64") refuseDouble(op);
    return float(op)(inputs, attributes, sizes);
  };

const number =
  (op: string): Rule<unknown> =>
  (inputs) => {
    const x = input(inputs, 0);
    if (x.dtype === "bool") fail(op, "expected numbers, got bool; use to() first");
    return { shape: x.shape, dtype: x.dtype };
  };

const predicate: Rule<unknown> = (inputs) => ({ shape: input(inputs, 0).shape, dtype: "bool" });

const ON_BOOLS: ReadonlySet<string> = new Set(["maximum", "minimum"]);

/** Both operands have one dtype by now: the caller promotes. */
const binary =
  (op: string): Rule<unknown> =>
  (inputs) => {
    const [a, b] = [input(inputs, 0), input(inputs, 1)];
    if (a.dtype !== b.dtype) internal(`${op} of ${a.dtype} and ${b.dtype}`);
    if (a.dtype === "bool" && !ON_BOOLS.has(op)) {
      fail(op, "expected numbers, got bool; use to() first");
    }
    return { shape: broadcastShapes(op, a.shape, b.shape), dtype: a.dtype };
  };

const comparison =
  (op: string): Rule<unknown> =>
  (inputs) => ({
    shape: broadcastShapes(op, input(inputs, 0).shape, input(inputs, 1).shape),
    dtype: "bool",
  });

const logical =
  (op: string): Rule<unknown> =>
  (inputs) => {
    for (const t of inputs) if (t.dtype !== "bool") fail(op, `expected bool, got ${t.dtype}`);
    const shapes = inputs.map((t) => t.shape);
    return { shape: shapes.reduce((a, b) => broadcastShapes(op, a, b)), dtype: "bool" };
  };

function reduced(shape: Shape, dims: readonly number[], keepdim: boolean): Shape {
  if (keepdim) return shape.map((n, i) => (dims.includes(i) ? 1 : n));
  return shape.filter((_, i) => !dims.includes(i));
}

const reduction =
  (op: string, needsElements: boolean): Rule<Ops["sum"]> =>
  (inputs, { dims, keepdim }) => {
    const x = input(inputs, 0);
    if (needsElements && dims.some((d) => x.shape[d] === 0)) {
      fail(op, `a tensor of shape ${show(x.shape)} has nothing to reduce along ${show(dims)}`);
    }
    return { shape: reduced(x.shape, dims, keepdim), dtype: x.dtype };
  };

const position =
  (op: string): Rule<Ops["argmax"]> =>
  (inputs, { dim, keepdim }) => {
    const x = input(inputs, 0);
    if (x.shape[dim] === 0) fail(op, `dimension ${dim} of ${show(x.shape)} is empty`);
    return { shape: reduced(x.shape, [dim], keepdim), dtype: "int64" };
  };

const topk: Rule<Ops["topk"]> = (inputs, { dim }, sizes) => {
  const x = input(inputs, 0);
  const k = size(sizes, 0)[0] ?? 0;
  const n = x.shape[dim] ?? 0;
  if (k > n) fail("topk", `k = ${k} is more than the ${n} elements of dimension ${dim}`);
  return { shape: x.shape.map((s, i) => (i === dim ? k : s)), dtype: "int64" };
};

function matmul(inputs: readonly Tensor[]): Signature {
  const [a, b] = [input(inputs, 0), input(inputs, 1)];
  if (a.dtype === "bool") fail("matmul", "expected numbers, got bool; use to() first");
  const [m, k] = a.shape.slice(-2);
  const [k2, n] = b.shape.slice(-2);
  if (k !== k2) {
    fail(
      "matmul",
      `cannot multiply ${show(a.shape)} by ${show(b.shape)}: the last dimension of the first (${k}) ` +
        `must equal the next-to-last of the second (${k2})`,
    );
  }
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  return { shape: [...batch, m ?? 1, n ?? 1], dtype: a.dtype };
}

function linear(inputs: readonly Tensor[]): Signature {
  const [x, w, b] = [input(inputs, 0), input(inputs, 1), inputs[2]];
  const inner = x.shape.at(-1);
  if (w.shape.length !== 2 || inner === undefined || inner !== w.shape[1]) {
    fail(
      "linear",
      `input ${show(x.shape)} does not fit weight ${show(w.shape)}: expected input [..., in] and weight [out, in]`,
    );
  }
  const outer = w.shape[0] ?? 0;
  if (b !== undefined && (b.shape.length !== 1 || b.shape[0] !== outer)) {
    fail(
      "linear",
      `bias ${show(b.shape)} does not fit weight ${show(w.shape)}: expected [${outer}]`,
    );
  }
  return { shape: [...x.shape.slice(0, -1), outer], dtype: x.dtype };
}

const norm =
  (op: "layerNorm" | "rmsNorm", parameters: string): Rule<{ readonly axes: number }> =>
  ([first, ...rest], { axes }) => {
    const x = input([first as Tensor], 0);
    const last = x.shape.slice(x.shape.length - axes);
    for (const p of rest) {
      if (!sameShape(p.shape, last)) {
        fail(op, `${parameters} must have shape ${show(last)}, got ${show(p.shape)}`);
      }
    }
    return { shape: x.shape, dtype: x.dtype };
  };

const rotate: Rule<Ops["rotate"]> = (inputs, { pairs }) => {
  const [x, cos, sin] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
  const [batch = 0, , sequence = 0, features = 0] = x.shape;
  const wanted = [batch, sequence, pairs];
  const fits = sameShape(cos.shape, wanted) && sameShape(sin.shape, wanted);
  if (x.shape.length !== 4 || !fits || 2 * pairs > features) {
    fail(
      "rotate",
      `expected [batch, heads, sequence, features] and twice [batch, sequence, ${pairs}], ` +
        `got ${show(x.shape)}, ${show(cos.shape)} and ${show(sin.shape)}`,
    );
  }
  return { shape: x.shape, dtype: x.dtype };
};

function square(op: string, inputs: readonly Tensor[]): Tensor {
  const x = input(inputs, 0);
  if (x.shape.length < 2 || x.shape.at(-1) !== x.shape.at(-2)) {
    fail(op, `expected square matrices [..., n, n], got ${show(x.shape)}`);
  }
  return x;
}

const reshape: Rule<Ops["reshape"]> = (inputs, _, sizes) => {
  const x = input(inputs, 0);
  const shape = size(sizes, 0);
  if (numel(shape) !== numel(x.shape)) {
    fail("reshape", `cannot view ${show(x.shape)} (${numel(x.shape)} elements) as ${show(shape)}`);
  }
  return { shape, dtype: x.dtype };
};

const expand: Rule<Ops["expand"]> = (inputs, _, sizes) => {
  const x = input(inputs, 0);
  const shape = size(sizes, 0);
  const offset = shape.length - x.shape.length;
  if (offset < 0 || x.shape.some((n, i) => n !== 1 && n !== shape[i + offset])) {
    fail("expand", `cannot expand ${show(x.shape)} to ${show(shape)}: only sizes of 1 grow`);
  }
  return { shape, dtype: x.dtype };
};

/** Number of elements from `start` (inclusive) to `end` (exclusive) in steps of `step`. */
export function sliceLength(start: number, end: number, step: number): number {
  return Math.max(0, Math.ceil((end - start) / step));
}

const slice: Rule<Ops["slice"]> = (inputs, { dims, steps }, sizes) => {
  const x = input(inputs, 0);
  const shape = [...x.shape];
  dims.forEach((d, i) => {
    const n = x.shape[d] ?? 0;
    const end = size(sizes, 1)[i] ?? 0;
    const step = steps[i] ?? 1;
    shape[d] = sliceLength(size(sizes, 0)[i] ?? 0, step < 0 ? end + n : end, step);
  });
  return { shape, dtype: x.dtype };
};

const concat: Rule<Ops["concat"]> = (inputs, { dim }) => {
  const first = input(inputs, 0);
  let total = 0;
  for (const t of inputs) {
    const fits =
      t.shape.length === first.shape.length &&
      t.shape.every((n, i) => i === dim || n === first.shape[i]);
    if (!fits) {
      fail(
        "cat",
        `shapes ${inputs.map((u) => show(u.shape)).join(", ")} must agree in every dimension but ${dim}`,
      );
    }
    total += t.shape[dim] ?? 0;
  }
  return { shape: first.shape.map((n, i) => (i === dim ? total : n)), dtype: first.dtype };
};

const pad: Rule<Ops["pad"]> = (inputs, _, sizes) => {
  const x = input(inputs, 0);
  const pads = size(sizes, 0);
  const rank = x.shape.length;
  const shape = x.shape.map((n, i) => n + (pads[i] ?? 0) + (pads[i + rank] ?? 0));
  if (shape.some((n) => n < 0)) fail("pad", `cannot cut ${show(pads)} from ${show(x.shape)}`);
  return { shape, dtype: x.dtype };
};

function checkIndex(op: string, index: Tensor): void {
  if (index.dtype !== "int64" && index.dtype !== "int32") {
    fail(op, `index must be int64 or int32, got ${index.dtype}`);
  }
}

const indexSelect: Rule<Ops["indexSelect"]> = (inputs, { dim }) => {
  const [x, index] = [input(inputs, 0), input(inputs, 1)];
  checkIndex("indexSelect", index);
  if (x.shape.length === 0) fail("indexSelect", "a 0-d tensor has no dimension to select from");
  return {
    shape: [...x.shape.slice(0, dim), ...index.shape, ...x.shape.slice(dim + 1)],
    dtype: x.dtype,
  };
};

function checkGather(op: string, x: Tensor, index: Tensor, dim: number): void {
  checkIndex(op, index);
  const fits =
    x.shape.length > 0 &&
    index.shape.length === x.shape.length &&
    index.shape.every((n, i) => i === dim || n <= (x.shape[i] ?? 0));
  if (!fits) {
    fail(
      op,
      `index ${show(index.shape)} must have as many dimensions as input ${show(x.shape)} ` +
        `and be no larger outside dimension ${dim}`,
    );
  }
}

const gather: Rule<Ops["gather"]> = (inputs, { dim }) => {
  const [x, index] = [input(inputs, 0), input(inputs, 1)];
  checkGather("gather", x, index, dim);
  return { shape: index.shape, dtype: x.dtype };
};

const scatter: Rule<Ops["scatter"]> = (inputs, { dim }) => {
  const [x, index, source] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
  checkGather("scatter", x, index, dim);
  if (show(source.shape) !== show(index.shape)) {
    fail(
      "scatter",
      `source ${show(source.shape)} must have the shape of index ${show(index.shape)}`,
    );
  }
  return { shape: x.shape, dtype: x.dtype };
};

/** Shape that a gatherNd reads, and that a scatterNd writes. */
function pointShape(op: string, x: Tensor, index: Tensor): Shape {
  checkIndex(op, index);
  const depth = index.shape.at(-1) ?? 0;
  if (index.shape.length === 0 || depth < 1 || depth > x.shape.length) {
    fail(op, `index ${show(index.shape)} must end in 1 to ${x.shape.length} coordinates`);
  }
  return [...index.shape.slice(0, -1), ...x.shape.slice(depth)];
}

const scatterNd: Rule<Ops["scatterNd"]> = (inputs) => {
  const [x, index, source] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
  const expected = pointShape("scatterNd", x, index);
  if (show(source.shape) !== show(expected)) {
    fail("scatterNd", `source must have shape ${show(expected)}, got ${show(source.shape)}`);
  }
  return { shape: x.shape, dtype: x.dtype };
};

/** Shape and element type of every operation's result; also where bad operands are refused. */
export const rules: { readonly [K in OpName]: Rule<Ops[K]> } = {
  constant: (_, { value, dtype }) => {
    requireFit("constant", [value], dtype);
    return { shape: [], dtype };
  },
  range: (_inputs, _, sizes) => {
    const [start = 0, limit = 0, step = 1] = sizes.map((s) => s[0] ?? 0);
    return { shape: [sliceLength(start, limit, step)], dtype: "int64" };
  },

  neg: number("neg"),
  abs: number("abs"),
  sign: number("sign"),
  exp: float("exp"),
  log: float("log"),
  sqrt: float("sqrt"),
  reciprocal: float("reciprocal"),
  sin: float("sin"),
  cos: float("cos"),
  atan: single("atan"),
  sinh: single("sinh"),
  cosh: single("cosh"),
  tanh: float("tanh"),
  erf: single("erf"),
  sigmoid: float("sigmoid"),
  relu: same,
  gelu: single("gelu"),
  floor: same,
  ceil: same,
  round: same,
  not: logical("not"),
  isnan: predicate,
  isinf: predicate,
  cast: (inputs, { dtype }) => {
    requireDType("to", dtype);
    return { shape: input(inputs, 0).shape, dtype };
  },
  detach: same,

  add: binary("add"),
  sub: binary("sub"),
  mul: binary("mul"),
  div: binary("div"),
  pow: binary("pow"),
  maximum: binary("maximum"),
  minimum: binary("minimum"),
  remainder: binary("remainder"),
  fmod: binary("fmod"),
  eq: comparison("eq"),
  lt: comparison("lt"),
  le: comparison("le"),
  gt: comparison("gt"),
  ge: comparison("ge"),
  and: logical("and"),
  or: logical("or"),
  xor: logical("xor"),
  where: (inputs) => {
    const [c, a, b] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    if (c.dtype !== "bool") fail("where", `the condition must be bool, got ${c.dtype}`);
    const values = broadcastShapes("where", a.shape, b.shape);
    return { shape: broadcastShapes("where", c.shape, values), dtype: a.dtype };
  },

  sum: reduction("sum", false),
  mean: reduction("mean", false),
  amax: reduction("amax", true),
  amin: reduction("amin", true),
  prod: reduction("prod", false),
  argmax: position("argmax"),
  argmin: position("argmin"),
  cumsum: same,
  recurrence,
  threeTerm,
  selectiveScan,
  topk,

  matmul,
  linear,
  softmax: float("softmax"),
  logSoftmax: float("logSoftmax"),
  layerNorm: norm("layerNorm", "weight and bias"),
  rmsNorm: norm("rmsNorm", "weight"),
  rotate,
  inverse: (inputs) => ({ shape: square("inverse", inputs).shape, dtype: input(inputs, 0).dtype }),
  det: (inputs) => {
    const x = square("det", inputs);
    if (x.dtype === "float64") refuseDouble("det");
    return { shape: x.shape.slice(0, -2), dtype: x.dtype };
  },

  squarings: (inputs) => ({
    shape: square("squarings", inputs).shape,
    dtype: input(inputs, 0).dtype,
  }),
  squaringsGrad: same,
  factor: (inputs, { output }) => {
    const { shape, dtype } = input(inputs, output + 1);
    return { shape, dtype };
  },

  reshape,
  permute: (inputs, { dims }) => {
    const x = input(inputs, 0);
    return { shape: dims.map((d) => x.shape[d] ?? 0), dtype: x.dtype };
  },
  expand,
  slice,
  concat,
  pad,
  trilu: (inputs) => {
    const x = input(inputs, 0);
    if (x.shape.length < 2) {
      fail("tril/triu", `expected matrices [..., m, n], got ${show(x.shape)}`);
    }
    return { shape: x.shape, dtype: x.dtype };
  },

  indexSelect,
  gather,
  scatter,
  gatherNd: (inputs) => {
    const [x, index] = [input(inputs, 0), input(inputs, 1)];
    return { shape: pointShape("gatherNd", x, index), dtype: x.dtype };
  },
  scatterNd,

  conv,
  convTranspose,
  maxPool: pool("values"),
  maxPoolIndices: pool("indices"),

  foreign: (_, { facts: { shape, dtype } }) => ({ shape, dtype }),
};
