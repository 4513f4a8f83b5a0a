export { cross } from "../functions/distance.ts";
export * from "./decompositions.ts";
export * from "./householder-product.ts";
export * from "./matrix-exp.ts";
export * from "./norms.ts";
export * from "./solve.ts";
