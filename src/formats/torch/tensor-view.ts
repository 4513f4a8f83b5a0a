import { type RawDType, rawItemsize, type RawTensor, viewAs } from "../raw-tensor.ts";
import type { Budget } from "./budget.ts";
import { TorchFileError } from "./torch-file-error.ts";

/** More dimensions than PyTorch has tensors of. */
const MOST_DIMENSIONS = 64;

/** A row of numbers that tensors are views of. */
export class TorchStorage {
  /** The file's name for it. */
  readonly key: string;
  readonly dtype: RawDType;
  /** Elements. */
  readonly length: number;
  /** Where it begins in the storage of the same key, in elements. */
  readonly begin: number;

  constructor(key: string, dtype: RawDType, length: number, begin = 0) {
    this.key = key;
    this.dtype = dtype;
    this.length = length;
    this.begin = begin;
  }

  part(begin: number, length: number): TorchStorage {
    if (begin + length > this.length) {
      throw new TorchFileError(
        `storage ${this.key}: elements ${begin} to ${begin + length} of ${this.length} are wanted`,
      );
    }
    return new TorchStorage(this.key, this.dtype, length, this.begin + begin);
  }
}

/** A tensor as a file describes it: which elements of a storage it shows, in elements. */
export interface TensorView {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

function elements({ shape }: TensorView): number {
  // Asked first: other dimensions may be so many that their product is infinite.
  return shape.includes(0) ? 0 : shape.reduce((product, dim) => product * dim, 1);
}

/** Elements from the first to the last one that a view shows, both included. */
function span(view: TensorView): number {
  if (elements(view) === 0) return 0;
  return view.shape.reduce((sum, dim, i) => sum + (dim - 1) * (view.stride[i] ?? 0), 1);
}

/** Throws unless the view lies within its storage, and its elements are not too many. */
export function checkView(view: TensorView, budget: Budget, file: string): void {
  const { storage, offset, shape, stride } = view;
  if (shape.length > MOST_DIMENSIONS) {
    throw new TorchFileError(
      `${file}: a tensor has ${shape.length} dimensions, at most ${MOST_DIMENSIONS} are read: ` +
        "the file is damaged",
    );
  }
  const reach = span(view);
  if (reach > 0 && !(offset + reach <= storage.length)) {
    throw new TorchFileError(
      `${file}: a tensor of shape [${shape.join(", ")}] and stride [${stride.join(", ")}] ` +
        `reaches element ${offset + reach - 1} of storage ${storage.key}, ` +
        `which has ${storage.length}: the file is damaged`,
    );
  }
  budget.spend(elements(view));
}

/** The bytes that a view needs, counted from the beginning of the storage of its key. */
export function bytesNeeded(view: TensorView): { readonly begin: number; readonly end: number } {
  const size = rawItemsize(view.storage.dtype);
  const begin = (view.storage.begin + view.offset) * size;
  return { begin, end: begin + span(view) * size };
}

/** Whether the elements lie in the storage as they come, row by row. */
export function isContiguous({ shape, stride }: TensorView): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const dim = shape[i] ?? 0;
    if (dim !== 1 && stride[i] !== step) return false;
    step *= dim;
  }
  return true;
}

/** Whole numbers that elements are copied as; those of 8 bytes are two of 4. */
const UNITS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array } as const;

type Units = Uint8Array | Uint16Array | Uint32Array;

/** A dimension: how many, and how far apart. */
type Extent = readonly [length: number, step: number];

/** Shorter ones are copied one by one. */
const SHORTEST_RUN = 16;

function copyRow(out: Units, to: number, data: Units, from: number, [length, step]: Extent): void {
  if (step === 0) out.fill(data[from] ?? 0, to, to + length);
  else if (step === 1 && length >= SHORTEST_RUN) out.set(data.subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) out[to + i] = data[from + i * step] ?? 0;
}

/** The dimensions in units, without those of one. */
function extents({ shape, stride }: TensorView, unitsEach: number): Extent[] {
  const all = shape.map((dim, i): Extent => [dim, (stride[i] ?? 0) * unitsEach]);
  if (unitsEach > 1) all.push([unitsEach, 1]);
  return all.filter(([dim]) => dim !== 1);
}

/** Copies the elements row by row, counting up the index of the row like an odometer. */
function gathered(bytes: Uint8Array, view: TensorView): Uint8Array {
  const size = rawItemsize(view.storage.dtype);
  const unitSize = Math.min(size, 4) as keyof typeof UNITS;
  const aligned = bytes.byteOffset % unitSize === 0 ? bytes : bytes.slice();
  const unit = UNITS[unitSize];
  const count = aligned.byteLength / unitSize;
  const data: Units = new unit(aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
  const out: Units = new unit((elements(view) * size) / unitSize);
  const outer = extents(view, size / unitSize);
  const row = outer.pop() ?? [1, 1];
  const index = outer.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += row[0]) {
    copyRow(out, to, data, from, row);
    for (let d = outer.length - 1; d >= 0; d--) {
      const [dim, step] = outer[d] ?? [1, 0];
      const next = (index[d] ?? 0) + 1;
      from += step;
      index[d] = next;
      if (next < dim) break;
      index[d] = 0;
      from -= step * next;
    }
  }
  return new Uint8Array(out.buffer);
}

/**
 * The numbers of a view, in their order.
 * @param bytes those that {@link bytesNeeded} names; they are kept where the view is contiguous.
 */
export function viewToRaw(view: TensorView, bytes: Uint8Array, file: string): RawTensor {
  const { dtype } = view.storage;
  const inOrder = elements(view) === 0 || isContiguous(view);
  const rows = inOrder ? bytes : gathered(bytes, view);
  if (dtype === "bool" && rows.some((byte) => byte > 1)) {
    throw new TorchFileError(`${file}: a tensor of booleans has elements other than 0 and 1`);
  }
  return { dtype, shape: view.shape, data: viewAs(rows, dtype) };
}
