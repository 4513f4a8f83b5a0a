export { grad, type GradOptions } from "./tensor/autograd.ts";
export { constant, where } from "./tensor/arithmetic.ts";
export * from "./tensor/creation.ts";
export { dtypes, type DType, type TypedArray } from "./tensor/dtype.ts";
export { TensorError } from "./tensor/errors.ts";
export { evaluate } from "./tensor/evaluate.ts";
export { cat, stack } from "./tensor/shaping.ts";
export { Tensor } from "./tensor/tensor.ts";
export * from "./runtime/index.ts";
