import { apply, held } from "../ops/apply.ts";
import { add, div, mul, sub, unary, where } from "../functions/arithmetic.ts";
import { internal } from "../../base/errors.ts";
import { fail } from "../errors.ts";
import { NONE, type Ops } from "../ops/ops.ts";
import { show } from "../shape.ts";
import { sizeAt, transpose, triangle, unsqueeze } from "../functions/shaping.ts";
import type { Tensor } from "../tensor.ts";
import { at, num, type Vjp } from "./vjp-rule.ts";

type Factor = Parameters<Vjp<Ops["factor"]>>[0];

const matmul = (a: Tensor, b: Tensor): Tensor => apply("matmul", [a, b], NONE);
const turned = (x: Tensor): Tensor => transpose(x, -1, -2);
const columns = (x: Tensor, by: Tensor): Tensor => mul(x, unsqueeze(by, -2));
const rows = (x: Tensor, by: Tensor): Tensor => mul(x, unsqueeze(by, -1));

/** A factor as a function of the matrix, so that gradients of gradients are right as well. */
function part(a: Factor, output: number): Tensor {
  if (output === a.attributes.output) return a.y;
  const values = at(a, output + 1).values ?? internal("a factor has no values");
  return held("factor", a.inputs, { ...a.attributes, output }, values);
}

/** 1 / (d_j - d_i) off the diagonal, 0 on it. */
function reciprocalGaps(d: Tensor): Tensor {
  const range = apply("range", [], NONE, [[0], [sizeAt(d, d.shape.length - 1)], [1]]);
  const diagonal = apply("eq", [unsqueeze(range, 1), range], NONE);
  const gaps = sub(unsqueeze(d, -2), unsqueeze(d, -1));
  const one = num(1, d);
  return where(diagonal, num(0, d), div(one, where(diagonal, one, gaps)));
}

/** x = V diag(λ) Vᵀ. */
function eigh(a: Factor): Tensor {
  const [values, vectors] = [part(a, 0), part(a, 1)];
  if (a.attributes.output === 0) return matmul(columns(vectors, a.g), turned(vectors));
  const inner = mul(reciprocalGaps(values), matmul(turned(vectors), a.g));
  return matmul(matmul(vectors, inner), turned(vectors));
}

/** x = U diag(s) Vᵀ with as many columns in U and V as the smaller size of x. */
function svd(a: Factor): Tensor {
  const [u, s, vh] = [part(a, 0), part(a, 1), part(a, 2)];
  if (a.attributes.output === 1) return matmul(columns(u, a.g), vh);
  const [m, n, k] = [u.shape.at(-2) ?? 0, vh.shape.at(-1) ?? 0, s.shape.at(-1) ?? 0];
  const gaps = reciprocalGaps(mul(s, s));
  const skew = (x: Tensor): Tensor => mul(sub(x, turned(x)), gaps);
  const inverse = unary("reciprocal", s);
  if (a.attributes.output === 0) {
    const across = matmul(turned(u), a.g);
    const inner = matmul(matmul(u, columns(skew(across), s)), vh);
    if (m === k) return inner;
    return add(inner, matmul(columns(sub(a.g, matmul(u, across)), inverse), vh));
  }
  const across = matmul(vh, turned(a.g));
  const inner = matmul(matmul(u, rows(skew(across), s)), vh);
  if (n === k) return inner;
  return add(inner, matmul(u, rows(sub(a.g, matmul(turned(across), vh)), inverse)));
}

/** x = Q R with orthonormal columns in Q and an upper triangular R. */
function qr(a: Factor): Tensor {
  const [q, r] = [part(a, 0), part(a, 1)];
  const x = at(a, 0);
  if (sizeAt(r, r.shape.length - 1) > sizeAt(r, r.shape.length - 2)) {
    fail("qr", `the factors of a wide matrix, here ${show(x.shape)}, have no gradient here`);
  }
  const first = a.attributes.output === 0;
  const inner = first ? unary("neg", matmul(turned(q), a.g)) : matmul(a.g, turned(r));
  const symmetric = add(triangle(inner, true), turned(triangle(inner, true, 1)));
  const moved = matmul(q, symmetric);
  const inverse = turned(apply("inverse", [r], NONE));
  return matmul(first ? add(a.g, moved) : moved, inverse);
}

const GRADIENTS = { eigh, svd, qr } as const;

/** Gradient of one factor of a matrix with respect to the matrix. */
export const factor: Vjp<Ops["factor"]> = (a) => [GRADIENTS[a.attributes.of](a)];
