// What files of weights hold: safetensors, PyTorch's files, checkpoints of several files.
export { CheckpointError } from "./checkpoint-error.ts";
export { type Checkpoint, type CheckpointOptions, openCheckpoint } from "./checkpoint.ts";
export {
  type Conversion,
  type ConvertOptions,
  convertWeights,
  type WeightFormat,
} from "./convert-weights.ts";
export {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "./half-arrays.ts";
export { loadNpz } from "./numpy/load-npz.ts";
export { loadSafetensors } from "./safetensors/load-safetensors.ts";
export type {
  ExternalPlace,
  FileAttribute,
  FileFunction,
  FileGraph,
  FileModel,
  FileNode,
  FileTensor,
  FileValue,
} from "./onnx/onnx-content.ts";
export { OnnxFileError } from "./onnx/onnx-file-error.ts";
export { OnnxFile, type OnnxFileName, type OnnxFileOptions } from "./onnx/onnx-file.ts";
export type { OnnxElementType } from "../runtime/onnx/element-types.ts";
export type { RawData, RawDType, RawTensor } from "./raw-tensor.ts";
export { rawToTensor } from "./raw-to-tensor.ts";
export { SafetensorsError } from "./safetensors/safetensors-error.ts";
export type { SafetensorsEntry } from "./safetensors/safetensors-header.ts";
export { encodeSafetensors } from "./safetensors/safetensors-writer.ts";
export { SafetensorsFile } from "./safetensors/safetensors.ts";
export { saveSafetensors } from "./safetensors/save-safetensors.ts";
export type { TensorFile, TensorInfo } from "./tensor-file.ts";
export { loadTorchFile, type TorchKey, type TorchValue } from "./torch/load-torch-file.ts";
export { encodeTorchFile, saveTorchFile } from "./torch/save-torch-file.ts";
export type { TorchContent } from "./torch/torch-content.ts";
export { TorchFileError } from "./torch/torch-file-error.ts";
