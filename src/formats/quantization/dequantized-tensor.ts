import type { Checkpoint } from "../checkpoint.ts";

/** A weight that is kept as quantized numbers and what they are to be multiplied by. */
export interface DequantizedTensor {
  /** What it is called once it is dequantized. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Tensors of the checkpoint that it is made of, and such as only go with them. */
  readonly parts: readonly string[];
  /**
   * Whether it lies as the matrix of a `Linear`, [out, in], also where checkpoints of the model hold
   * it the other way round.
   */
  readonly asLinear?: boolean;
  /** Its numbers in order, whole rows at a time. */
  readonly values: () => AsyncIterable<Float32Array>;
}

/** How one method keeps weights. */
export interface QuantizationMethod {
  /** Fields of `quantization_config` that this needs otherwise than its method's writers write them. */
  readonly check?: (settings: Readonly<Record<string, unknown>>, where: string) => void;
  /** The weights that a checkpoint keeps so, from names and shapes. */
  readonly find: (
    checkpoint: Checkpoint,
    settings: Readonly<Record<string, unknown>>,
  ) => Promise<readonly DequantizedTensor[]>;
}

/** Numbers at a time that are dequantized, so that no weight lies in memory twice. */
const CHUNK = 1 << 20;

/** Ranges of rows with about {@link CHUNK} numbers each, at least one row. */
export function* rowRanges(rows: number, columns: number): Generator<[from: number, to: number]> {
  const step = Math.max(1, Math.floor(CHUNK / Math.max(1, columns)));
  for (let from = 0; from < rows; from += step) yield [from, Math.min(rows, from + step)];
}
