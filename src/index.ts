// What computes tensors, also for those who take no name of it: bundlers leave out the rest.
import "./runtime/default-runtime.ts";

export { grad, type GradOptions } from "./tensor/autograd.ts";
export { constant, where } from "./tensor/functions/arithmetic.ts";
export * from "./tensor/functions/creation.ts";
export type { Device } from "./tensor/device.ts";
export { dtypes, type DType, type TypedArray } from "./tensor/dtype.ts";
export { TsveneError } from "./base/errors.ts";
export { TensorError } from "./tensor/errors.ts";
export { ModelError } from "./nn/errors.ts";
export { InterventionError } from "./interventions/errors.ts";
export type { OpName, Ops } from "./tensor/ops/ops.ts";
export { evaluate } from "./tensor/evaluate.ts";
export type { NestedArray } from "./tensor/tensor-core.ts";
export type { NestedNumbers, Rank, RankedTensor } from "./tensor/ranked.ts";
export { broadcastTensors, cat, stack } from "./tensor/functions/shaping.ts";
export * from "./tensor/random/random.ts";
export { Tensor } from "./tensor/tensor.ts";
export * from "./runtime/index.ts";
export * from "./files/index.ts";
export * from "./formats/index.ts";
export * from "./tokenizers/index.ts";
export * from "./plots/index.ts";
export * from "./nn/index.ts";
export * as init from "./nn/init.ts";
export { Parameter, type ParameterOptions, type WeightDType } from "./nn/parameter.ts";
export * from "./models/index.ts";
export * from "./optim/index.ts";
export {
  bincount,
  maskedSelect,
  nonzero,
  searchsorted,
  type Unique,
  unique,
} from "./tensor/functions/counting.ts";
export { cdist, type CloseOptions, outer } from "./tensor/functions/distance.ts";
export { einsum } from "./tensor/functions/einsum.ts";
export * as linalg from "./tensor/linalg/index.ts";
export * as functional from "./nn/functional/index.ts";
export {
  type OrthogonalMap,
  type OrthogonalState,
  orthogonalState,
  orthogonalWeight,
} from "./nn/parametrizations/orthogonal.ts";
export { RotateLayer } from "./nn/parametrizations/rotate-layer.ts";
export { type BoundCard, type BoundComponent, cardOf } from "./models/model/bound-card.ts";
export * from "./onnx/index.ts";
export * from "./interventions/index.ts";
export * from "./intervenable/index.ts";
export * from "./causal/index.ts";
export * from "./training/index.ts";
export * from "./analysis/index.ts";
export * from "./tasks/index.ts";
