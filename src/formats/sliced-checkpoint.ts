import { numel, type Shape } from "../tensor/shape.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { DerivedCheckpoint } from "./derived-checkpoint.ts";
import { type RawData, type RawDType, rawItemsize, type RawTensor, viewAs } from "./raw-tensor.ts";
import type { TensorInfo } from "./tensor-file.ts";

/** A tensor that lies within another, of which it is so many numbers one after the other. */
export interface Slice {
  /** Name of the tensor in the checkpoint. */
  readonly name: string;
  /** Name of the tensor that it is part of. */
  readonly of: string;
  /** Sizes of its dimensions. */
  readonly shape: Shape;
  /** Which of the other's numbers is its first. */
  readonly start: number;
}

/** A checkpoint in which the tensors that some tensors are made of stand in their places. */
class SlicedCheckpoint extends DerivedCheckpoint {
  readonly #slices: ReadonlyMap<string, Slice>;

  constructor(inner: Checkpoint, slices: ReadonlyMap<string, readonly Slice[]>) {
    super(
      inner,
      inner.names.flatMap((name) => slices.get(name)?.map((slice) => slice.name) ?? [name]),
    );
    this.#slices = new Map([...slices.values()].flat().map((slice) => [slice.name, slice]));
  }

  override info(name: string): TensorInfo {
    const slice = this.#slices.get(name);
    if (slice === undefined) return super.info(name);
    return { ...super.info(slice.of), name, shape: slice.shape };
  }

  override async read(name: string): Promise<RawTensor> {
    if (!this.#slices.has(name)) return super.read(name);
    const { shape } = this.info(name);
    const dtype = this.#dtypeOf(name);
    return { dtype, shape, data: viewAs(await this.bytes(name), dtype) };
  }

  override async *parts(name: string, buffer: Uint8Array): AsyncGenerator<RawData> {
    if (this.#slices.has(name)) yield (await this.read(name)).data;
    else yield* super.parts(name, buffer);
  }

  override bytes(name: string, from?: number, to?: number): Promise<Uint8Array> {
    const slice = this.#slices.get(name);
    if (slice === undefined) return super.bytes(name, from, to);
    const start = slice.start * rawItemsize(this.#dtypeOf(name));
    const [first, after] = [from ?? 0, to ?? this.byteLength(name)];
    return super.bytes(slice.of, start + first, start + after);
  }

  override byteLength(name: string): number {
    const slice = this.#slices.get(name);
    if (slice === undefined) return super.byteLength(name);
    return numel(slice.shape) * rawItemsize(this.#dtypeOf(name));
  }

  #dtypeOf(name: string): RawDType {
    const { dtype, elementType } = this.info(name);
    if (dtype !== undefined) return dtype;
    throw new CheckpointError(`${this.location}: ${name} is ${elementType}, which is not read`);
  }
}

/**
 * A checkpoint in which some tensors are read as those that they are put together of.
 *
 * @param slicesOf what lies in a tensor; none for one that is read as it is. Tensors of an unknown
 * element type are not asked about.
 */
export function sliced(
  checkpoint: Checkpoint,
  slicesOf: (name: string, shape: Shape) => readonly Slice[],
): Checkpoint {
  const found = new Map<string, readonly Slice[]>();
  for (const name of checkpoint.names) {
    const { dtype, shape } = checkpoint.info(name);
    const slices = dtype === undefined || numel(shape) === 0 ? [] : slicesOf(name, shape);
    if (slices.length > 0) found.set(name, slices);
  }
  return found.size === 0 ? checkpoint : new SlicedCheckpoint(checkpoint, found);
}
