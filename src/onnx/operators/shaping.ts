import * as F from "../../nn/functional/index.ts";
import { broadcastShapes, numel, type Shape } from "../../tensor/shape.ts";
import { full } from "../../tensor/functions/creation.ts";
import { where } from "../../tensor/functions/arithmetic.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { float, int, ints, tensorValue, text } from "../attributes.ts";
import { firstNumber, tensorOfFile } from "../file-tensors.ts";
import { type Call, host, operator, type Operators } from "../operator.ts";
import { Host, lifted, onHost, type Value } from "../values.ts";
import { rearranged } from "./known.ts";
import { dtypeOf } from "./elementwise.ts";

/** A value with other sizes, known numbers staying known. */
function reshaped(value: Value, shape: Shape): Value {
  return value instanceof Host ? new Host(value.numbers, shape, value.dtype) : value.reshape(shape);
}

function newShape(call: Call, allowzero: number): Shape {
  const { shape: from } = call.value(0);
  const given = call.knownNumbers(1, "its shape");
  const shape = given.map((n, d) => (n === 0 && allowzero === 0 ? (from[d] ?? 0) : n));
  const open = shape.indexOf(-1);
  if (open < 0) return shape;
  const rest = numel(shape.filter((_, d) => d !== open));
  return shape.with(open, rest === 0 ? 0 : numel(from) / rest);
}

function unsqueezed(call: Call): Value {
  const x = call.value(0);
  const axes = call.knownNumbers(1, "its axes");
  const rank = x.shape.length + axes.length;
  const shape = [...x.shape];
  const sorted = axes.map((axis) => call.dim(axis, rank)).sort((a, b) => a - b);
  for (const axis of sorted) shape.splice(axis, 0, 1);
  return reshaped(x, shape);
}

function squeezed(call: Call): Value {
  const x = call.value(0);
  const given = call.numbers(1, "its axes");
  const axes = given?.map((axis) => call.dim(axis, x.shape.length));
  const gone = new Set(axes ?? x.shape.flatMap((n, d) => (n === 1 ? [d] : [])));
  const wrong = [...gone].find((d) => x.shape[d] !== 1);
  if (wrong !== undefined) {
    call.fail(`drops dimension ${wrong}, which has ${x.shape[wrong]} elements`);
  }
  return reshaped(
    x,
    x.shape.filter((_, d) => !gone.has(d)),
  );
}

function transposed(call: Call, perm: readonly number[] | undefined): Value {
  const x = call.value(0);
  const order = perm ?? x.shape.map((_, d) => x.shape.length - 1 - d);
  if (!(x instanceof Host)) return x.permute(order);
  const shape = order.map((d) => x.shape[d] ?? 1);
  return rearranged(x, shape, (index) => x.shape.map((_, d) => index[order.indexOf(d)] ?? 0));
}

/** What of one dimension a slice takes. */
interface Cut {
  readonly dim: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

function cutsOf(call: Call, shape: Shape): readonly Cut[] {
  const starts = call.knownNumbers(1, "where it starts");
  const ends = call.knownNumbers(2, "where it ends");
  const axes = call.numbers(3, "its axes") ?? starts.map((_, i) => i);
  const steps = call.numbers(4, "its steps") ?? starts.map(() => 1);
  return starts.map((from, i) => {
    const dim = call.dim(axes[i] ?? 0, shape.length);
    const [size, step] = [shape[dim] ?? 0, steps[i] ?? 1];
    if (step === 0) call.fail("takes steps of 0");
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const within = (n: number): number => Math.max(low, Math.min(high, n < 0 ? n + size : n));
    const start = within(from);
    const count = Math.max(0, Math.ceil((within(ends[i] ?? 0) - start) / step));
    return { dim, start, step, count };
  });
}

function sliced(call: Call): Value {
  const x = call.value(0);
  const cuts = cutsOf(call, x.shape);
  if (x instanceof Host) {
    const shape = [...x.shape];
    for (const { dim, count } of cuts) shape[dim] = count;
    return rearranged(x, shape, (index) =>
      index.map((i, d) => {
        const cut = cuts.find(({ dim }) => dim === d);
        return cut === undefined ? i : cut.start + i * cut.step;
      }),
    );
  }
  return cuts.reduce(cutTensor, x);
}

function cutTensor(x: Tensor, { dim, start, step, count }: Cut): Tensor {
  if (count === 0) return x.slice(dim, 0, 0);
  if (step > 0) return x.slice(dim, start, start + (count - 1) * step + 1, step);
  const last = start + (count - 1) * step;
  return x
    .slice(dim, last, start + 1)
    .flip(dim)
    .slice(dim, 0, start + 1 - last, -step);
}

function gathered(call: Call, axis: number): Value {
  const [x, index] = [call.value(0), call.value(1)];
  const dim = call.dim(axis, x.shape.length);
  const size = x.shape[dim] ?? 0;
  const positive = (i: number): number => (i < 0 ? i + size : i);
  if (index instanceof Host) {
    const bad = index.numbers.find((i) => i < -size || i >= size);
    if (bad !== undefined) call.fail(`takes element ${bad} of ${size}`);
    if (x instanceof Host) {
      const shape = [...x.shape.slice(0, dim), ...index.shape, ...x.shape.slice(dim + 1)];
      const to = dim + index.shape.length;
      const flat = (at: readonly number[]): number =>
        index.shape.reduce((sum, n, d) => sum * n + (at[dim + d] ?? 0), 0);
      return rearranged(x, shape, (at) => [
        ...at.slice(0, dim),
        positive(index.numbers[flat(at)] ?? 0),
        ...at.slice(to),
      ]);
    }
    if (index.shape.length === 0) return x.select(dim, positive(index.numbers[0] ?? 0));
  }
  return lifted(x).indexSelect(dim, lifted(index).to("int64"));
}

function joined(call: Call, axis: number): Value {
  const values = call.inputs.map((_, i) => call.value(i));
  const hosts = values.filter((value) => value instanceof Host);
  if (hosts.length === values.length && hosts.every(({ shape }) => shape.length === 1)) {
    return host(
      hosts.flatMap(({ numbers }) => numbers),
      undefined,
      hosts[0]?.dtype,
    );
  }
  const tensors = values.map(lifted);
  const [first] = tensors;
  return cat(tensors, call.dim(axis, first?.ndim ?? 1));
}

function expanded(call: Call): Value {
  const x = call.value(0);
  const shape = broadcastShapes("Expand", x.shape, call.knownNumbers(1, "its shape"));
  if (x instanceof Host && numel(shape) <= 4096) return onHost([x], (n) => n, x.dtype, shape);
  return lifted(x).expand(shape);
}

function padded(call: Call, mode: string): Tensor {
  const x = call.tensor(0);
  const pads = call.knownNumbers(1, "how much it pads");
  const axes = call.numbers(3, "its axes") ?? x.shape.map((_, d) => d);
  const pairs = x.shape.map(() => [0, 0]);
  axes.forEach((axis, i) => {
    pairs[call.dim(axis, x.ndim)] = [pads[i] ?? 0, pads[i + axes.length] ?? 0];
  });
  const modes = {
    constant: "constant",
    reflect: "reflect",
    edge: "replicate",
    wrap: "circular",
  } as const;
  const known = Object.entries(modes).find(([name]) => name === mode)?.[1];
  if (known === undefined) {
    return call.fail(`pads with ${JSON.stringify(mode)}, which is not known`);
  }
  const [value = 0] = call.numbers(2, "what it pads with") ?? [];
  return F.pad(x, pairs.reverse().flat(), {
    mode: known,
    ...(known === "constant" ? { value } : {}),
  });
}

function ranged(call: Call): Value {
  const [start = 0] = call.knownNumbers(0, "where it starts");
  const [limit = 0] = call.knownNumbers(1, "where it ends");
  const [step = 1] = call.knownNumbers(2, "its step");
  const count = Math.max(0, Math.ceil((limit - start) / step));
  const numbers = Array.from({ length: count }, (_, i) => start + i * step);
  const all = host(numbers, [count], call.value(0).dtype);
  return count <= 4096 ? all : lifted(all);
}

function filled(call: Call, value: Parameters<typeof tensorOfFile>[0] | undefined): Value {
  const shape = call.knownNumbers(0, "its shape");
  const like = value === undefined ? undefined : tensorOfFile(value);
  const dtype = like?.dtype ?? "float32";
  const n = value === undefined ? 0 : firstNumber(value);
  const isShape = dtype !== "float32" && numel(shape) <= 4096;
  return isShape
    ? host(Array<number>(numel(shape)).fill(n), shape, dtype)
    : full(shape, n, { dtype });
}

function split(call: Call, axis: number, parts: number | undefined): Value[] {
  const x = call.value(0);
  const dim = call.dim(axis, x.shape.length);
  const size = x.shape[dim] ?? 0;
  const count = parts ?? call.outputs;
  const part = Math.ceil(size / count);
  const even = Array.from({ length: count }, (_, i) =>
    Math.max(0, Math.min(part, size - i * part)),
  );
  const sizes = call.numbers(1, "the sizes of its parts") ?? even;
  if (!(x instanceof Host) || x.shape.length !== 1) return lifted(x).split(sizes, dim);
  let at = 0;
  return sizes.map((n) => host(x.numbers.slice(at, (at += n)), [n], x.dtype));
}

function scattered(call: Call, axis: number, reduction: string): Tensor {
  const [x, index, source] = [call.tensor(0), call.tensor(1), call.tensor(2)];
  const dim = call.dim(axis, x.ndim);
  const at = fromStart(index, x.size(dim));
  if (reduction === "none") return x.scatter(dim, at, source);
  return x.scatterReduce(dim, at, source, scatterReduction(call, reduction));
}

const REDUCTIONS = { add: "sum", mul: "prod", max: "amax", min: "amin" } as const;

function scatterReduction(call: Call, name: string): "sum" | "prod" | "amax" | "amin" {
  const found = Object.entries(REDUCTIONS).find(([own]) => own === name)?.[1];
  return found ?? call.fail(`combines by ${JSON.stringify(name)}, which is not known`);
}

/** Indices that count from the end, as those from the start. */
function fromStart(index: Tensor, size: number): Tensor {
  const at = index.to("int64");
  return where(at.lt(0), at.add(size), at);
}

/** The parts of an index [..., depth] along its last dimension. */
function columns(index: Tensor, sizes: Shape): Tensor[] {
  const depth = index.size(-1);
  return Array.from({ length: depth }, (_, d) => fromStart(index.select(-1, d), sizes[d] ?? 0));
}

function oneHot(call: Call, axis: number): Tensor {
  const index = call.tensor(0).to("int64");
  const [depth = 0] = call.knownNumbers(1, "how many classes there are");
  const values = call.tensor(2);
  const dim = axis < 0 ? axis + index.ndim + 1 : axis;
  const shape = [...index.shape.slice(0, dim), depth, ...index.shape.slice(dim)];
  const classes = lifted(host(Array.from({ length: depth }, (_, i) => i)));
  const aligned = classes.reshape(shape.map((_, d) => (d === dim ? depth : 1)));
  const hit = fromStart(index, depth).unsqueeze(dim).eq(aligned);
  return where(hit, values.select(0, 1), values.select(0, 0));
}

function depthToSpace(call: Call, size: number, mode: string): Tensor {
  const x = call.tensor(0);
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const out = channels / (size * size);
  const isFirst = mode === "DCR";
  const parts = isFirst ? [batch, size, size, out] : [batch, out, size, size];
  const order = isFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  const turned = x.reshape([...parts, height, width]).permute(order);
  return turned.reshape([batch, out, height * size, width * size]);
}

function spaceToDepth(call: Call, size: number): Tensor {
  const x = call.tensor(0);
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const [rows, columnsOut] = [height / size, width / size];
  const parts = x.reshape([batch, channels, rows, size, columnsOut, size]);
  return parts
    .permute([0, 3, 5, 1, 2, 4])
    .reshape([batch, channels * size * size, rows, columnsOut]);
}

/** Operators that move numbers about, and those that shapes are computed with. */
export const shaping: Operators = {
  Shape: operator({ start: int(0), end: int(undefined) }, (call, { start, end }) =>
    host(call.value(0).shape.slice(start, end)),
  ),
  Size: operator({}, (call) => host([numel(call.value(0).shape)], [])),
  Reshape: operator({ allowzero: int(0) }, (call, { allowzero }) =>
    reshaped(call.value(0), newShape(call, allowzero)),
  ),
  Flatten: operator({ axis: int(1) }, (call, { axis }) => {
    const { shape } = call.value(0);
    const at = axis < 0 ? axis + shape.length : axis;
    return reshaped(call.value(0), [numel(shape.slice(0, at)), numel(shape.slice(at))]);
  }),
  Squeeze: operator({}, squeezed),
  Unsqueeze: operator({}, unsqueezed),
  Transpose: operator({ perm: ints() }, (call, { perm }) => transposed(call, perm)),
  Expand: operator({}, expanded),
  Tile: operator({}, (call) => call.tensor(0).repeat(call.knownNumbers(1, "how often it repeats"))),
  Concat: operator({ axis: int(0) }, (call, { axis }) => joined(call, axis)),
  Split: operator({ axis: int(0), num_outputs: int(undefined) }, (call, a) =>
    split(call, a.axis, a.num_outputs),
  ),
  Slice: operator({}, sliced),
  Pad: operator({ mode: text("constant") }, (call, { mode }) => padded(call, mode)),
  Range: operator({}, ranged),
  ConstantOfShape: operator({ value: tensorValue() }, (call, { value }) => filled(call, value)),
  Trilu: operator({ upper: int(1) }, (call, { upper }) => {
    const [k = 0] = call.numbers(1, "its diagonal") ?? [];
    const x = call.tensor(0);
    return upper === 0 ? x.tril(k) : x.triu(k);
  }),
  EyeLike: operator({ dtype: int(undefined), k: int(0) }, (call, { dtype, k }) => {
    const [rows = 0, width = 0] = call.value(0).shape;
    const name = dtype === undefined ? call.value(0).dtype : dtypeOf(call, dtype);
    const all = full([rows, width], 1, { dtype: "float32" });
    return all
      .tril(k)
      .sub(all.tril(k - 1))
      .to(name);
  }),
  OneHot: operator({ axis: int(-1) }, (call, { axis }) => oneHot(call, axis)),
  DepthToSpace: operator({ blocksize: int(1), mode: text("DCR") }, (call, a) =>
    depthToSpace(call, a.blocksize, a.mode),
  ),
  SpaceToDepth: operator({ blocksize: int(1) }, (call, a) => spaceToDepth(call, a.blocksize)),

  Gather: operator({ axis: int(0) }, (call, { axis }) => gathered(call, axis)),
  GatherElements: operator({ axis: int(0) }, (call, { axis }) => {
    const x = call.tensor(0);
    const dim = call.dim(axis, x.ndim);
    return x.gather(dim, fromStart(call.tensor(1), x.size(dim)));
  }),
  GatherND: operator({ batch_dims: int(0) }, (call, { batch_dims: batches }) => {
    const [x, index] = [call.tensor(0), call.tensor(1)];
    if (batches === 0) return x.index(columns(index, x.shape));
    const looks = [...index.shape.slice(0, -1), ...x.shape.slice(batches + index.size(-1))];
    return call.native({ shape: looks, dtype: x.dtype });
  }),
  ScatterElements: operator({ axis: int(0), reduction: text("none") }, (call, a) =>
    scattered(call, a.axis, a.reduction),
  ),
  ScatterND: operator({ reduction: text("none") }, (call, { reduction }) => {
    const [x, index, source] = [call.tensor(0), call.tensor(1), call.tensor(2)];
    if (reduction === "none") return x.indexPut(columns(index, x.shape), source);
    if (reduction !== "add") return call.native({ shape: x.shape, dtype: x.dtype });
    return x.indexPut(columns(index, x.shape), source, { accumulate: true });
  }),
  ReverseSequence: operator({ batch_axis: int(1), time_axis: int(0) }, (call) =>
    call.native({ shape: call.value(0).shape, dtype: call.value(0).dtype }),
  ),
  RandomNormalLike: operator(
    { mean: float(0), scale: float(1), seed: float(undefined), dtype: int(undefined) },
    (call) => call.native({ shape: call.value(0).shape, dtype: call.value(0).dtype }),
  ),
};
