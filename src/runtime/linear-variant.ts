/** Ways to compute x Wᵀ with a weight that is an input of the program. */
export type LinearVariant = "gemm" | "turned";

/** The faster way for a number of rows; see docs/architecture.md for the measurements. */
export function linearVariant(rows: number, _inner: number, _outer: number): LinearVariant {
  return rows <= 6 ? "gemm" : "turned";
}
