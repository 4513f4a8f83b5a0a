import { constantLike, div } from "../../tensor/functions/arithmetic.ts";
import { eye, zeros } from "../../tensor/functions/creation.ts";
import { fail } from "../errors.ts";
import { householderProduct } from "../../tensor/linalg/householder-product.ts";
import { matrixExp } from "../../tensor/linalg/matrix-exp.ts";
import { qr } from "../../tensor/linalg/decompositions.ts";
import { solve } from "../../tensor/linalg/solve.ts";
import { type Generator, randn } from "../../tensor/random/random.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** How free numbers become an orthogonal matrix. */
export type OrthogonalMap = "matrixExp" | "cayley" | "householder";

/** What {@link orthogonalWeight} makes the weight of. */
export interface OrthogonalState {
  /** The trained numbers, of the weight's shape. */
  readonly original: Tensor;
  /** Square orthogonal matrix that the map starts from, as large as the weight's larger size. */
  readonly base: Tensor;
}

/** torch's choice: the exponential for square weights, reflections for others. */
function defaultMap(x: Tensor): OrthogonalMap {
  return x.size(-1) === x.size(-2) ? "matrixExp" : "householder";
}

function requireMatrices(op: string, x: Tensor): void {
  if (x.ndim < 2) fail(op, `expected matrices [..., n, k], got ${show(x.shape)}`);
}

/**
 * The weight of torch.nn.utils.parametrizations.orthogonal: a matrix with orthonormal columns (or
 * rows, if it is wide), as a differentiable function of unconstrained numbers.
 *
 * @param original [..., n, k]
 * @param base [..., m, m] with m = max(n, k); without it the map starts from the identity.
 * @param options.map @default "matrixExp" for square weights, "householder" for others
 */
export function orthogonalWeight(
  original: Tensor,
  base?: Tensor,
  options: { readonly map?: OrthogonalMap } = {},
): Tensor {
  requireMatrices("orthogonalWeight", original);
  const { map = defaultMap(original) } = options;
  const wide = original.size(-2) < original.size(-1);
  const tall = wide ? original.transpose(-1, -2) : original;
  const n = tall.size(-2);
  if (base !== undefined && (base.size(-1) !== n || base.size(-2) !== n)) {
    fail("orthogonalWeight", `base ${show(base.shape)} must be square, of size ${n}`);
  }
  const q = map === "householder" ? reflections(tall) : rotation(tall, map);
  const weight = base === undefined ? q : base.matmul(q);
  return wide ? weight.transpose(-1, -2) : weight;
}

/** The first columns of exp(A), or of Cayley's (I - A/2)⁻¹ (I + A/2), for a skew-symmetric A. */
function rotation(x: Tensor, map: "matrixExp" | "cayley"): Tensor {
  const [n, k] = [x.size(-2), x.size(-1)];
  const lower = x.tril();
  const filler = zeros([...x.shape.slice(0, -1), n - k], { dtype: x.dtype });
  const square = n === k ? lower : cat([lower, filler], -1);
  const skew = square.sub(square.transpose(-1, -2));
  if (map === "matrixExp") return matrixExp(skew).slice(-1, 0, k);
  const identity = eye(n, n, { dtype: x.dtype });
  const half = skew.mul(constantLike(0.5, x));
  return solve(identity.sub(half), identity.add(half)).slice(-1, 0, k);
}

/** A product of reflections; the diagonal of x holds the columns' signs and gets no gradient. */
function reflections(x: Tensor): Tensor {
  const below = x.tril(-1);
  const lengths = below.square().sum({ dim: -2 }).add(constantLike(1, x));
  const q = householderProduct(below, div(constantLike(2, x), lengths));
  const signs = x.detach().diagonal(0, -2, -1).trunc();
  return q.mul(signs.unsqueeze(-2));
}

/**
 * The state whose weight is `value`: `value` itself as the base, completed by random columns, and an
 * `original` that means no change. A value that is not orthogonal is made so first.
 *
 * @param value [..., n, k]
 * @param options.generator Where the random numbers come from.
 */
export async function orthogonalState(
  value: Tensor,
  { generator }: { readonly generator?: Generator } = {},
): Promise<OrthogonalState> {
  requireMatrices("orthogonalState", value);
  const wide = value.size(-2) < value.size(-1);
  const tall = (wide ? value.transpose(-1, -2) : value).detach();
  const [n, k] = [tall.size(-2), tall.size(-1)];
  const options = { dtype: value.dtype, ...(generator === undefined ? {} : { generator }) };
  const missing = n === k ? [] : [randn([...tall.shape.slice(0, -1), n - k], options)];
  const square = cat([tall, ...missing], -1);
  const base = n === k && (await isOrthogonal(square)) ? square : await orthogonalized(square);
  const [rows, columns] = [value.size(-2), value.size(-1)];
  const original = eye(rows, columns, { dtype: value.dtype }).neg().expand(value.shape);
  return { original, base };
}

async function isOrthogonal(x: Tensor): Promise<boolean> {
  const n = x.size(-1);
  const resolution = x.dtype === "float64" ? 2 ** -52 : 2 ** -23;
  const off = x
    .transpose(-1, -2)
    .matmul(x)
    .sub(eye(n, n, { dtype: x.dtype }))
    .abs();
  return (await off.amax().item()) < 10 * n * resolution;
}

/** The orthogonal factor, with signs that leave an orthogonal matrix as it is. */
async function orthogonalized(x: Tensor): Promise<Tensor> {
  const { q, r } = await qr(x);
  return q.detach().mul(r.detach().diagonal(0, -2, -1).sign().unsqueeze(-2));
}
