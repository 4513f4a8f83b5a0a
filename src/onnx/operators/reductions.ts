import type { Tensor } from "../../tensor/tensor.ts";
import { int } from "../attributes.ts";
import { type Call, operator, type Operator, type Operators } from "../operator.ts";
import { Host, type Value } from "../values.ts";

/** What is reduced, and how. */
interface Over {
  readonly dim: readonly number[];
  readonly keepdim: boolean;
}

function reduction(
  compute: (x: Tensor, over: Over) => Tensor,
  onNumbers?: (a: number, b: number) => number,
): Operator {
  const kinds = { keepdims: int(1), noop_with_empty_axes: int(0) };
  return operator(kinds, (call, { keepdims, noop_with_empty_axes: noop }) => {
    const x = call.value(0);
    const rank = x.shape.length;
    const given = call.numbers(1, "its axes") ?? [];
    if (given.length === 0 && noop !== 0) return x;
    const axes = given.length === 0 ? x.shape.map((_, d) => d) : given;
    const dim = axes.map((axis) => call.dim(axis, rank)).sort((a, b) => a - b);
    const known = reduceKnown(x, dim, keepdims !== 0, onNumbers);
    return known ?? compute(call.tensor(0), { dim, keepdim: keepdims !== 0 });
  });
}

function reduceKnown(
  x: Value,
  dim: readonly number[],
  keep: boolean,
  onNumbers: ((a: number, b: number) => number) | undefined,
): Host | undefined {
  if (!(x instanceof Host) || onNumbers === undefined || dim.length !== x.shape.length) {
    return undefined;
  }
  if (x.numbers.length === 0) return undefined;
  return new Host([x.numbers.reduce(onNumbers)], keep ? x.shape.map(() => 1) : [], x.dtype);
}

const extreme = (best: "argmax" | "argmin"): Operator => {
  const kinds = { axis: int(0), keepdims: int(1), select_last_index: int(0) };
  return operator(kinds, (call, { axis, keepdims, select_last_index: last }) => {
    const x = call.tensor(0);
    const dim = call.dim(axis, x.ndim);
    const keepdim = keepdims !== 0;
    if (last === 0) return x[best](dim, keepdim);
    const fromEnd = x.flip(dim)[best](dim, keepdim);
    return fromEnd.neg().add(x.size(dim) - 1);
  });
};

function along(call: Call, axis: number): [Tensor, number] {
  const x = call.tensor(0);
  return [x, call.dim(axis, x.ndim)];
}

/** Operators that take dimensions together, or go along one. */
export const reductions: Operators = {
  ReduceSum: reduction(
    (x, over) => x.sum(over).to(x.dtype),
    (a, b) => a + b,
  ),
  ReduceMean: reduction((x, over) => x.mean(over)),
  ReduceMax: reduction(
    (x, over) => x.amax(over),
    (a, b) => Math.max(a, b),
  ),
  ReduceMin: reduction(
    (x, over) => x.amin(over),
    (a, b) => Math.min(a, b),
  ),
  ReduceProd: reduction(
    (x, over) => x.prod(over).to(x.dtype),
    (a, b) => a * b,
  ),
  ReduceL1: reduction((x, over) => x.abs().sum(over).to(x.dtype)),
  ReduceL2: reduction((x, over) => x.square().sum(over).sqrt()),
  ReduceLogSum: reduction((x, over) => x.sum(over).log()),
  ReduceLogSumExp: reduction((x, over) => x.logsumexp(over)),
  ReduceSumSquare: reduction((x, over) => x.square().sum(over).to(x.dtype)),
  ArgMax: extreme("argmax"),
  ArgMin: extreme("argmin"),
  Softmax: operator({ axis: int(-1) }, (call, { axis }) => {
    const [x, dim] = along(call, axis);
    return x.softmax(dim);
  }),
  LogSoftmax: operator({ axis: int(-1) }, (call, { axis }) => {
    const [x, dim] = along(call, axis);
    return x.logSoftmax(dim);
  }),
  CumSum: operator({ exclusive: int(0), reverse: int(0) }, (call, { exclusive, reverse }) => {
    const [axis = 0] = call.knownNumbers(1, "its axis");
    const [x, dim] = along(call, axis);
    const turned = reverse === 0 ? x : x.flip(dim);
    const sums = turned.cumsum(dim);
    const shifted = exclusive === 0 ? sums : sums.sub(turned);
    return reverse === 0 ? shifted : shifted.flip(dim);
  }),
  TopK: operator({ axis: int(-1), largest: int(1), sorted: int(1) }, (call, { axis, largest }) => {
    const [k = 0] = call.knownNumbers(1, "how many it takes");
    const [x, dim] = along(call, axis);
    const { values, indices } = x.topk(k, { dim, largest: largest !== 0 });
    return [values, indices];
  }),
};
