// ONNX files of others as models, and models as ONNX files.
export {
  exportOnnx,
  type ExportOnnxOptions,
  onnxBytes,
  type OnnxBytes,
} from "./exporting/export-onnx.ts";
export {
  type InspectedOnnx,
  type InspectedScope,
  type InspectedValue,
  inspectOnnx,
} from "./inspect-onnx.ts";
export { OnnxModel, type OnnxInputs, type OnnxModelOptions } from "./onnx-model.ts";
export { OnnxPlace, type PlaceAxes } from "./place.ts";
export { Weights as OnnxWeights } from "./held-weights.ts";
