export { AutoTokenizer } from "./auto-tokenizer.ts";
export type { BatchEncoding } from "./batch-encoding.ts";
export { type ByteSource, bytesInMemory, bytesOfBlob, openFile } from "./byte-source.ts";
export type { ChatMessage, ChatTemplateOptions } from "./chat-template.ts";
export { CheckpointError } from "./checkpoint-error.ts";
export { type Checkpoint, type CheckpointOptions, openCheckpoint } from "./checkpoint.ts";
export type { DownloadOptions, DownloadProgress } from "./download.ts";
export { findPositions, type FindPositionsOptions, type PositionFinder } from "./find-positions.ts";
export { FileSourceError, type FileSourceFailure } from "./file-source-error.ts";
export { FileSource } from "./file-source.ts";
export {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "./half-arrays.ts";
export { HttpFiles } from "./http-files.ts";
export { HubFiles, type HubOptions } from "./hub-files.ts";
export { loadSafetensors } from "./load-safetensors.ts";
export { LocalFiles } from "./local-files.ts";
export { type FileContent, MemoryFiles } from "./memory-files.ts";
export { type FilesName, openFiles } from "./open-files.ts";
export type { RawData, RawDType, RawTensor } from "./raw-tensor.ts";
export { rawToTensor } from "./raw-to-tensor.ts";
export { SafetensorsError } from "./safetensors-error.ts";
export type { SafetensorsEntry } from "./safetensors-header.ts";
export { encodeSafetensors } from "./safetensors-writer.ts";
export { SafetensorsFile } from "./safetensors.ts";
export { saveSafetensors } from "./save-safetensors.ts";
export type { Side } from "./tokenizer-config.ts";
export { TokenizerError } from "./tokenizer-error.ts";
export {
  type DecodeOptions,
  type EncodeOptions,
  PreTrainedTokenizer,
  type TokenIds,
  type TokenizeOptions,
  type TokenizerOptions,
} from "./tokenizer.ts";
export type { TensorFile, TensorInfo } from "./tensor-file.ts";
export { loadTorchFile, type TorchKey, type TorchValue } from "./torch/load-torch-file.ts";
export { TorchFileError } from "./torch/torch-file-error.ts";
