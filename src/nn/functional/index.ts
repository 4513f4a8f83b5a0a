export * from "./activations.ts";
export * from "./attention.ts";
export * from "./dropout.ts";
export * from "./embedding.ts";
export * from "./linear.ts";
export * from "./losses.ts";
export * from "./normalisation.ts";
