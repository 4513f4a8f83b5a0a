import type { PartOfText } from "../../tensor/varying.ts";

/**
 * Ways to compute x Wᵀ + b with a weight that is an input of the program, so that ONNX Runtime
 * cannot pack it beforehand: as written, or turned round as (W xᵀ + b)ᵀ, which reads the weight in
 * the order it is stored in.
 */
export type LinearVariant = "gemm" | "turned";

/** Below this many elements a weight stays in the processor's cache either way. */
const SMALL_WEIGHT = 65_536;

/**
 * A way for parts of texts of any length: what is left of one after the edits is often short, and what
 * comes before them long. It must not depend on the length, for each way is another program.
 */
export function linearVariantOfPart(part: PartOfText, inner: number, outer: number): LinearVariant {
  return part === "rest" && inner * outer >= SMALL_WEIGHT ? "turned" : "gemm";
}

/**
 * The faster way for a number of rows, as measured in docs/architecture.md: turning pays until
 * transposing the result back costs more than packing the weight does.
 */
export function linearVariant(rows: number, inner: number, outer: number): LinearVariant {
  if (rows <= 2 || inner * outer < SMALL_WEIGHT) return "gemm";
  return rows <= inner / 8 ? "turned" : "gemm";
}
