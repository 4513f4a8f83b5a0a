import type { RawData, RawTensor } from "./raw-tensor.ts";
import type { SafetensorsEntry } from "./safetensors/safetensors-header.ts";

/** What a file says of a tensor without its numbers. */
export interface TensorInfo extends Pick<
  SafetensorsEntry,
  "name" | "elementType" | "dtype" | "shape"
> {
  /**
   * Whether it is the matrix of a `Linear`, [out, in], although checkpoints of the model hold it the
   * other way round, as methods that quantize write it.
   * @default false
   */
  readonly asLinear?: boolean;
}

/** An open file of named tensors, of any format. */
export interface TensorFile {
  /** Names of all tensors, in the order of the file. */
  readonly names: readonly string[];
  /** Whether there is a tensor of that name. */
  has(name: string): boolean;
  /**
   * Element type and shape of a tensor, without reading it.
   * @throws when there is none of that name.
   */
  info(name: string): TensorInfo;
  /** Reads a tensor, again in each call. */
  read(name: string): Promise<RawTensor>;
  /**
   * Reads a tensor part by part, again in each call: its numbers in order, whole ones, as many at a
   * time as fit into `buffer`. A part may lie in the buffer and then holds until the next is asked for.
   * A tensor that does not lie in the file as it is comes as one part.
   */
  parts(name: string, buffer: Uint8Array): AsyncIterable<RawData>;
  /**
   * The bytes of a tensor as they lie in the file, of whatever element type, from byte `from` of it
   * up to `to`. @default all
   */
  bytes(name: string, from?: number, to?: number): Promise<Uint8Array>;
  /** How many bytes it has. */
  byteLength(name: string): number;
  /** Gives the file back; reading afterwards fails. */
  close(): Promise<void>;
}
