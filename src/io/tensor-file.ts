import type { RawTensor } from "./raw-tensor.ts";
import type { SafetensorsEntry } from "./safetensors-header.ts";

/** What a file says of a tensor without its numbers. */
export type TensorInfo = Pick<SafetensorsEntry, "name" | "elementType" | "dtype" | "shape">;

/** An open file of named tensors, of any format. */
export interface TensorFile {
  readonly names: readonly string[];
  has(name: string): boolean;
  info(name: string): TensorInfo;
  /** Reads a tensor, each time anew. */
  read(name: string): Promise<RawTensor>;
  /** Gives the file back; reading afterwards fails. */
  close(): Promise<void>;
}
