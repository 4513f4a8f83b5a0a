import type { RawData, RawTensor } from "./raw-tensor.ts";
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
  /**
   * Reads a tensor part by part, each time anew: its numbers in order, whole ones, as many at a time
   * as fit into `buffer`. A part may lie in the buffer and then holds until the next is asked for.
   * A tensor that does not lie in the file as it is comes as one part.
   */
  parts(name: string, buffer: Uint8Array): AsyncIterable<RawData>;
  /** Gives the file back; reading afterwards fails. */
  close(): Promise<void>;
}
