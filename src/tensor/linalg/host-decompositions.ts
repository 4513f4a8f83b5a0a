import type * as MlMatrix from "ml-matrix";

/** Row-major factors of one matrix. */
export type Factored = readonly (readonly number[])[];

/** Only who decomposes needs the library. */
const library = async (): Promise<typeof MlMatrix> => import("ml-matrix");

async function matrixOf(values: Float64Array, m: number, n: number): Promise<MlMatrix.Matrix> {
  const { Matrix } = await library();
  return Matrix.from1DArray(m, n, values);
}

/** Eigenvalues, ascending, and eigenvectors (columns) of a symmetric matrix. */
export async function hostEigh(values: Float64Array, n: number): Promise<Factored> {
  if (n === 0) return [[], []];
  const { EigenvalueDecomposition } = await library();
  const matrix = await matrixOf(values, n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) matrix.set(j, i, matrix.get(i, j));
  }
  const found = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const order = found.realEigenvalues.map((_, i) => i);
  order.sort((a, b) => (found.realEigenvalues[a] ?? 0) - (found.realEigenvalues[b] ?? 0));
  const vectors = found.eigenvectorMatrix.subMatrixColumn(order);
  return [order.map((i) => found.realEigenvalues[i] ?? 0), vectors.to1DArray()];
}

/** U, the singular values, and Vᵀ. */
export async function hostSvd(values: Float64Array, m: number, n: number): Promise<Factored> {
  if (m === 0 || n === 0) return [[], [], []];
  const { SingularValueDecomposition } = await library();
  const found = new SingularValueDecomposition(await matrixOf(values, m, n), {
    autoTranspose: true,
  });
  const k = Math.min(m, n) - 1;
  return [
    found.leftSingularVectors.subMatrix(0, m - 1, 0, k).to1DArray(),
    found.diagonal.slice(0, k + 1),
    found.rightSingularVectors
      .subMatrix(0, n - 1, 0, k)
      .transpose()
      .to1DArray(),
  ];
}

/** Q and R; of a wide matrix, Q is that of its square left part. */
export async function hostQr(values: Float64Array, m: number, n: number): Promise<Factored> {
  if (m === 0 || n === 0) return [[], []];
  const { QrDecomposition } = await library();
  const matrix = await matrixOf(values, m, n);
  const found = new QrDecomposition(n > m ? matrix.subMatrix(0, m - 1, 0, m - 1) : matrix);
  const q = found.orthogonalMatrix;
  const r = n > m ? q.transpose().mmul(matrix) : found.upperTriangularMatrix;
  if (n > m) {
    for (let i = 1; i < m; i++) for (let j = 0; j < i; j++) r.set(i, j, 0);
  }
  return [q.to1DArray(), r.to1DArray()];
}
