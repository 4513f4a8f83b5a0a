import { held, leaf } from "../ops/apply.ts";
import { hostNumbers } from "../functions/counting.ts";
import type { TypedArray } from "../dtype.ts";
import { fail } from "../errors.ts";
import type { Decomposition } from "../ops/ops.ts";
import { numel, type Shape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { requireMatrix, requireSquare } from "./checks.ts";
import { type Factored, hostEigh, hostQr, hostSvd } from "./host-decompositions.ts";

/** Eigenvalues and eigenvectors of symmetric matrices. */
export interface Eigh {
  /** [..., n], ascending. */
  readonly values: Tensor;
  /** [..., n, n]: the i-th column belongs to the i-th value. Their signs are arbitrary. */
  readonly vectors: Tensor;
}

/**
 * Eigenvalues and eigenvectors of symmetric matrices x [..., n, n], of which only the lower
 * triangles are read. Computed on the host, in double precision; the results have gradients (those
 * of vectors are infinite where eigenvalues are equal).
 */
export async function eigh(x: Tensor): Promise<Eigh> {
  const a = requireSquare("eigh", x);
  const n = a.shape.at(-1) ?? 0;
  const [values, vectors] = await factored("eigh", a, [[n], [n, n]], hostEigh);
  return { values: values as Tensor, vectors: vectors as Tensor };
}

/** Eigenvalues of symmetric matrices, ascending: [..., n, n] -> [..., n]. See {@link eigh}. */
export async function eigvalsh(x: Tensor): Promise<Tensor> {
  return (await eigh(x)).values;
}

/** The singular value decomposition x = U diag(s) Vᵀ. */
export interface Svd {
  /** [..., m, k] with orthonormal columns, where k = min(m, n). */
  readonly u: Tensor;
  /** [..., k], descending. */
  readonly s: Tensor;
  /** [..., k, n] with orthonormal rows. */
  readonly vh: Tensor;
}

/**
 * The singular value decomposition of matrices x [..., m, n]. Computed on the host, in double
 * precision; the results have gradients (those of u and vh are infinite where singular values are
 * equal).
 */
export async function svd(x: Tensor): Promise<Svd> {
  const a = requireMatrix("svd", x);
  const [m = 0, n = 0] = a.shape.slice(-2);
  const k = Math.min(m, n);
  const [u, s, vh] = await factored("svd", a, [[m, k], [k], [k, n]], hostSvd);
  return { u: u as Tensor, s: s as Tensor, vh: vh as Tensor };
}

/** Singular values of matrices, descending: [..., m, n] -> [..., min(m, n)]. See {@link svd}. */
export async function svdvals(x: Tensor): Promise<Tensor> {
  return (await svd(x)).s;
}

/** The factors x = Q R. */
export interface Qr {
  /** [..., m, k] with orthonormal columns, where k = min(m, n). */
  readonly q: Tensor;
  /** [..., k, n], upper triangular. */
  readonly r: Tensor;
}

/**
 * The QR decomposition of matrices x [..., m, n], with LAPACK's signs. Computed on the host, in
 * double precision; the results have gradients for m >= n.
 */
export async function qr(x: Tensor): Promise<Qr> {
  const a = requireMatrix("qr", x);
  const [m = 0, n = 0] = a.shape.slice(-2);
  const k = Math.min(m, n);
  const [q, r] = await factored("qr", a, [[m, k], [k, n]], hostQr); // prettier-ignore
  return { q: q as Tensor, r: r as Tensor };
}

/**
 * The Moore-Penrose inverse of matrices: [..., m, n] -> [..., n, m]. Singular values up to `rcond`
 * of the largest count as zero.
 *
 * @param options.rcond @default max(m, n) times the resolution of the dtype
 */
export async function pinv(
  x: Tensor,
  { rcond }: { readonly rcond?: number } = {},
): Promise<Tensor> {
  const { u, s, vh } = await svd(x);
  const resolution = s.dtype === "float64" ? 2 ** -52 : 2 ** -23;
  const limit = rcond ?? Math.max(x.size(-1), x.size(-2)) * resolution;
  const small = s.le(s.detach().amax({ dim: -1, keepdim: true }).mul(limit));
  const inverse = s.maskedFill(small, Infinity).reciprocal();
  return vh.transpose(-1, -2).matmul(u.mul(inverse.unsqueeze(-2)).transpose(-1, -2));
}

/** Factors each matrix on the host; the results hold values and know what they depend on. */
async function factored(
  of: Decomposition,
  x: Tensor,
  shapes: readonly Shape[],
  compute: (matrix: Float64Array, m: number, n: number) => Promise<Factored>,
): Promise<Tensor[]> {
  if (x.dtype !== "float32" && x.dtype !== "float64") {
    fail(of, `expected float32 or float64, got ${x.dtype}; use to("float32") first`);
  }
  const numbers = Float64Array.from(await hostNumbers(x));
  if (!numbers.every(Number.isFinite)) {
    fail(of, `a matrix of ${show(x.shape)} holds elements that are not finite`);
  }
  const [m = 0, n = 0] = x.shape.slice(-2);
  const lead = x.shape.slice(0, -2);
  const outputs = shapes.map((shape) => empty(x, numel(lead) * numel(shape)));
  for (let i = 0; i < numel(lead); i++) {
    const parts = await compute(numbers.subarray(i * m * n, (i + 1) * m * n), m, n);
    parts.forEach((part, j) => outputs[j]?.set(part, i * part.length));
  }
  const leaves = outputs.map((values, j) => leaf(values, [...lead, ...(shapes[j] ?? [])], x.dtype));
  return outputs.map((values, output) => held("factor", [x, ...leaves], { of, output }, values));
}

function empty(x: Tensor, length: number): Extract<TypedArray, Float32Array | Float64Array> {
  return x.dtype === "float64" ? new Float64Array(length) : new Float32Array(length);
}
