import {
  arange,
  cat,
  eye,
  full,
  functional as F,
  linspace,
  maskedSelect,
  stack,
  type Tensor,
} from "tsvene";
import type { Call } from "./golden.ts";

type Inputs = Readonly<Record<string, Tensor>>;

const at = (inputs: Inputs, name: string): Tensor => {
  const t = inputs[name];
  if (t === undefined) throw new Error(`no input ${name}`);
  return t;
};
const onX =
  (f: (x: Tensor) => Tensor | readonly Tensor[]): Call =>
  (inputs) =>
    f(at(inputs, "x"));
/** Calls with the inputs of the given names. */
const using =
  (names: string, f: (...tensors: Tensor[]) => ReturnType<Call>): Call =>
  (inputs) =>
    f(...names.split("").map((name) => at(inputs, name)));

/** Operations that move, select and write elements. */
export const shapingCalls: Readonly<Record<string, Call>> = {
  cat: using("abc", (...tensors) => cat(tensors, 1)),
  chunk: onX((x) => x.chunk(3, 0)),
  creation: () => [
    arange(5),
    arange(2, 9, 3),
    arange(0, 1, 0.25),
    linspace(-1, 1, 5),
    eye(3),
    full([2, 2], 7),
  ],
  diagonal: onX((x) => x.diagonal(1)),
  expand: onX((x) => x.expand([2, 3, 4])),
  flatten: onX((x) => x.flatten(1)),
  flip: onX((x) => x.flip([0, 2])),
  "gather/dim1": using("xi", (x, i) => x.gather(1, i)),
  "gather/dim0": using("xi", (x, i) => x.gather(0, i)),
  "gather/3d": using("xi", (x, i) => x.gather(1, i)),
  "index/two": using("xij", (x, i, j) => x.index([i, j])),
  "index/broadcast": using("xij", (x, i, j) => x.index([i.unsqueeze(1), j])),
  "index/negative": using("xi", (x, i) => x.index([i])),
  "index/slice_mixed": using("xi", (x, i) => x.index([null, i])),
  "index/bool": using("xm", (x, m) => maskedSelect(x, m)),
  "index/separated": using("xij", (x, i, j) => x.index([i, null, j])),
  index_add: using("xis", (x, i, s) => x.indexAdd(0, i, s, { alpha: 2 })),
  index_copy: using("xis", (x, i, s) => x.indexCopy(0, i, s)),
  index_fill: using("xi", (x, i) => x.indexFill(1, i, 7)),
  "index_put/set": using("xijv", (x, i, j, v) => x.indexPut([i, j], v)),
  "index_put/accumulate": using("xijv", (x, i, j, v) =>
    x.indexPut([i, j], v, { accumulate: true }),
  ),
  "index_put/rows": using("xbpv", (x, b, p, v) => x.indexPut([b.unsqueeze(1), p], v)),
  "index_select/dim0": using("xi", (x, i) => x.indexSelect(0, i)),
  "index_select/dim1": using("xi", (x, i) => x.indexSelect(1, i)),
  movedim: onX((x) => x.movedim(0, -1)),
  one_hot: using("i", (i) => F.oneHot(i, 5)),
  "pad/constant": onX((x) => F.pad(x, [1, 2, 0, 1], { value: 0.5 })),
  "pad/negative": onX((x) => F.pad(x, [-1, 1])),
  "pad/reflect": onX((x) => F.pad(x, [2, 1], { mode: "reflect" })),
  "pad/replicate": onX((x) => F.pad(x, [2, 1], { mode: "replicate" })),
  permute: onX((x) => x.permute([2, 0, 1])),
  repeat: onX((x) => x.repeat([2, 1, 3])),
  repeat_interleave: onX((x) => x.repeatInterleave(3, 1)),
  "reshape/reshape": onX((x) => x.reshape([4, -1])),
  "reshape/reshape_noncontig": onX((x) => x.t().reshape([6])),
  "roll/roll": onX((x) => x.roll(2, 1)),
  "roll/roll_multi": onX((x) => x.roll([1, -2], [0, 1])),
  "scatter/dim1": using("xis", (x, i, s) => x.scatter(1, i, s)),
  "scatter/value": using("xi", (x, i) => x.scatter(1, i, 9)),
  scatter_add: using("xis", (x, i, s) => x.scatterAdd(1, i, s)),
  scatter_reduce: using("xis", (x, i, s) => x.scatterReduce(1, i, s, "amax")),
  "slice/step": onX((x) => x.slice(0, 1, 6, 2)),
  "slice/neg": onX((x) => x.slice(0, -3, -1)),
  "slice/multi": onX((x) => x.slice(1, 0, Infinity, 3).select(2, 1)),
  "slice/ellipsis": onX((x) => x.slice(-1, 1).unsqueeze(-1)),
  "slice/out_of_range": onX((x) => x.slice(0, 2, 99)),
  "slice/empty": onX((x) => x.slice(0, 3, 1)),
  "slice_assign/basic": using("xv", (x, v) => x.sliceAssign(1, 1, 3, v)),
  "slice_assign/add": using("xv", (x, v) => x.sliceAssign(-1, 0, 2, x.slice(-1, 0, 2).add(v))),
  "split/sizes": onX((x) => x.split([1, 3, 2], 1)),
  "split/size": onX((x) => x.split(4, 0)),
  squeeze: onX((x) => x.squeeze(1)),
  stack: using("ab", (a, b) => stack([a, b], 1)),
  take_along_dim: using("xi", (x, i) => x.takeAlongDim(i, 1)),
  tile: onX((x) => x.tile([2, 2])),
  transpose: onX((x) => x.transpose(0, 2)),
  "tril/k0": onX((x) => x.tril()),
  "tril/k1": onX((x) => x.tril(1)),
  "tril/k-1": onX((x) => x.tril(-1)),
  "triu/k0": onX((x) => x.triu()),
  "triu/k1": onX((x) => x.triu(1)),
  "triu/k-1": onX((x) => x.triu(-1)),
  unbind: onX((x) => x.unbind(1)),
  unfold: onX((x) => x.unfold(1, 3, 2)),
  unsqueeze: onX((x) => x.unsqueeze(-1)),
};
