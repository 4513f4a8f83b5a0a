import { apply } from "../ops/apply.ts";
import { where } from "../functions/arithmetic.ts";
import { fail } from "../errors.ts";
import { NONE, type Ops } from "../ops/ops.ts";
import { numel } from "../shape.ts";
import { expand, reshape, sizeAt, slice } from "../functions/shaping.ts";
import type { Tensor } from "../tensor.ts";
import { at, compare, num, type Vjp, zerosLike } from "./vjp-rule.ts";

/** Writes the gradient into zeros where the slice was read. */
export const sliced: Vjp<Ops["slice"]> = (a) => {
  const x = at(a, 0);
  const { dims, steps } = a.attributes;
  return [
    dims.reduceRight((g, d, i) => {
      const [start, step, n] = [a.sizes[0]?.[i] ?? 0, steps[i] ?? 1, sizeAt(x, d)];
      if (step === 1) return padTo(g, d, start, n);
      const zero = expand(
        num(0, g),
        g.shape.map((m, j) => (j === d ? n : m)),
      );
      const rows = apply("range", [], NONE, [[start], [start + step * sizeAt(g, d)], [step]]);
      const front = movedTo(zero, d, 0);
      const index = reshape(rows, [sizeAt(g, d), 1]);
      return movedTo(
        apply("scatterNd", [front, index, movedTo(g, d, 0)], { reduce: "none" }),
        0,
        d,
      );
    }, a.g),
  ];
};

/** A tensor with zeros around it along a dimension, so that it begins at `start` of `n`. */
export function padTo(g: Tensor, dim: number, start: number, n: number): Tensor {
  const [before, after] = [start, n - start - sizeAt(g, dim)];
  if (before === 0 && after === 0) return g;
  const pads = [
    ...g.shape.map((_, i) => (i === dim ? before : 0)),
    ...g.shape.map((_, i) => (i === dim ? after : 0)),
  ];
  return apply("pad", [g], { mode: "constant", value: 0 }, [pads]);
}

function movedTo(x: Tensor, from: number, to: number): Tensor {
  if (from === to) return x;
  const dims = x.shape.map((_, d) => d).filter((d) => d !== from);
  dims.splice(to, 0, from);
  return apply("permute", [x], { dims });
}

export const concat: Vjp<Ops["concat"]> = (a) => {
  let start = 0;
  return a.inputs.map((t) => {
    const from = start;
    start += sizeAt(t, a.attributes.dim);
    return slice(a.g, a.attributes.dim, from, start);
  });
};

/** Cuts the padding off; mirrored values add to where they were copied from. */
export const pad: Vjp<Ops["pad"]> = (a) => {
  const x = at(a, 0);
  const pads = a.sizes[0] ?? [];
  if (a.attributes.mode === "constant") {
    const negated = pads.map((n) => -n);
    return [apply("pad", [a.g], { mode: "constant", value: 0 }, [negated])];
  }
  const positions = reshape(apply("range", [], NONE, [[0], [numel(x.shape)], [1]]), x.shape);
  const sources = apply("pad", [positions], { mode: a.attributes.mode, value: 0 }, [pads]);
  const into = expand(num(0, x), [numel(x.shape)]);
  const index = reshape(sources, [numel(a.g.shape), 1]);
  const summed = apply("scatterNd", [into, index, reshape(a.g, [numel(a.g.shape)])], {
    reduce: "add",
  });
  return [reshape(summed, x.shape)];
};

export const indexSelect: Vjp<Ops["indexSelect"]> = (a) => {
  const [x, index] = [at(a, 0), at(a, 1)];
  const { dim, frozen } = a.attributes;
  const zero = movedTo(zerosLike(x), dim, 0);
  const span = index.shape.map((_, i) => dim + i);
  const order = [...span, ...a.g.shape.map((_, i) => i).filter((i) => !span.includes(i))];
  const moved = apply("permute", [a.g], { dims: order });
  const rows = frozen === undefined ? moved : withoutGradient(moved, index, frozen);
  const points = reshape(index, [...index.shape, 1]);
  return [movedTo(apply("scatterNd", [zero, points, rows], { reduce: "add" }), 0, dim)];
};

function withoutGradient(rows: Tensor, index: Tensor, frozen: number): Tensor {
  const hit = compare("eq", index, num(frozen, index));
  const wide = [...index.shape, ...rows.shape.slice(index.shape.length).map(() => 1)];
  return where(reshape(hit, wide), num(0, rows), rows);
}

export const gather: Vjp<Ops["gather"]> = (a) => [
  apply("scatter", [zerosLike(at(a, 0)), at(a, 1), a.g], { dim: a.attributes.dim, reduce: "add" }),
];

export const scatter: Vjp<Ops["scatter"]> = (a) => {
  const [index, source] = [at(a, 1), at(a, 2)];
  const { dim, reduce } = a.attributes;
  const read = apply("gather", [a.g, index], { dim });
  if (reduce === "add") return [a.g, undefined, read];
  if (reduce !== "none") return refuseReduction("scatter", reduce);
  return [
    apply("scatter", [a.g, index, zerosLike(source)], { dim, reduce: "none" }),
    undefined,
    read,
  ];
};

export const scatterNd: Vjp<Ops["scatterNd"]> = (a) => {
  const [index, source] = [at(a, 1), at(a, 2)];
  const { reduce } = a.attributes;
  const read = apply("gatherNd", [a.g, index], NONE);
  if (reduce === "add") return [a.g, undefined, read];
  if (reduce !== "none") return refuseReduction("scatterNd", reduce);
  const kept = apply("scatterNd", [a.g, index, zerosLike(source)], { reduce: "none" });
  return [kept, undefined, read];
};

function refuseReduction(op: string, reduce: string): never {
  fail(op, `reduction "${reduce}" has no gradient here; use "add", or detach() it`);
}

export const gatherNd: Vjp<unknown> = (a) => [
  apply("scatterNd", [zerosLike(at(a, 0)), at(a, 1), a.g], { reduce: "add" }),
];

export const maxPool: Vjp<Ops["maxPool"]> = (a) => {
  const x = at(a, 0);
  const where = apply("maxPoolIndices", [x], a.attributes);
  const n = numel(a.g.shape);
  const zero = expand(num(0, x), [numel(x.shape)]);
  const points = [reshape(where, [n, 1]), reshape(a.g, [n])];
  return [reshape(apply("scatterNd", [zero, ...points], { reduce: "add" }), x.shape)];
};
