import { cdist, einsum, linalg, orthogonalWeight, outer, type Tensor } from "tsvene";
import type { Call } from "./golden.ts";

const using =
  (f: (...tensors: Tensor[]) => ReturnType<Call>): Call =>
  (inputs) =>
    f(...Object.values(inputs));

/** Products, decompositions and functions of matrices. */
export const linalgCalls: Readonly<Record<string, Call>> = {
  addmm: using((c, a, b) => c.addmm(a, b, { beta: 0.5, alpha: 2 })),
  bmm: using((a, b) => a.bmm(b)),
  cdist: using((a, b) => cdist(a, b)),
  det: using((x) => linalg.det(x)),
  eigh: using((x) => linalg.eigvalsh(x.add(x.t()))),
  einsum: (inputs, { equation }) => einsum(equation as string, ...Object.values(inputs)),
  householder_product: using((a, tau) => linalg.householderProduct(a, tau)),
  inverse: using((x) => linalg.inv(x)),
  matmul: using((a, b) => a.matmul(b)),
  "matmul/transposed": using((a, b) => a.matmul(b.transpose(-1, -2))),
  matrix_exp: using((x) => linalg.matrixExp(x)),
  "matrix_exp/skew": using((x) => linalg.matrixExp(x.sub(x.t()))),
  "matrix_exp/skew24": using((x) => linalg.matrixExp(x.sub(x.t()))),
  orthogonal: using((original, base) => orthogonalWeight(original, base)),
  outer: using((a, b) => outer(a, b)),
  qr: using(async (x) => {
    const { q, r } = await linalg.qr(x);
    return [q, r];
  }),
  solve: using((a, b) => linalg.solve(a, b)),
  svd: using((x) => linalg.svdvals(x)),
};
