import { type RawDType, rawItemsize, type RawTensor, viewAs } from "../raw-tensor.ts";
import { TorchFileError } from "./torch-file-error.ts";

/** Elements that a tensor with repeated ones (`expand`) may have: its file says nothing of them. */
const MOST_REPEATED = 2 ** 28;

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
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Elements from the first to the last one that a view shows, both included. */
function span(view: TensorView): number {
  if (elements(view) === 0) return 0;
  return view.shape.reduce((sum, dim, i) => sum + (dim - 1) * (view.stride[i] ?? 0), 1);
}

/** Throws unless the view lies within its storage. */
export function checkView(view: TensorView, file: string): void {
  const { storage, offset, shape } = view;
  const reach = span(view);
  if (reach > 0 && offset + reach > storage.length) {
    throw new TorchFileError(
      `${file}: a tensor of shape [${shape.join(", ")}] and stride [${view.stride.join(", ")}] ` +
        `reaches element ${offset + reach - 1} of storage ${storage.key}, ` +
        `which has ${storage.length}: the file is damaged`,
    );
  }
  if (elements(view) > Math.max(storage.length, MOST_REPEATED)) {
    throw new TorchFileError(
      `${file}: a tensor of shape [${shape.join(", ")}] repeats the ${storage.length} elements of ` +
        `its storage more often than is read; save a contiguous copy of fewer elements`,
    );
  }
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

/** Copies the elements of `size` bytes row by row, counting up the index like an odometer. */
function gathered(bytes: Uint8Array, view: TensorView, size: number): Uint8Array {
  const { shape, stride } = view;
  const out = new Uint8Array(elements(view) * size);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += size) {
    for (let b = 0; b < size; b++) out[to + b] = bytes[from + b] ?? 0;
    for (let d = shape.length - 1; d >= 0; d--) {
      const next = (index[d] ?? 0) + 1;
      const step = (stride[d] ?? 0) * size;
      from += step;
      index[d] = next;
      if (next < (shape[d] ?? 0)) break;
      index[d] = 0;
      from -= step * next;
    }
  }
  return out;
}

/**
 * The numbers of a view, in their order.
 * @param bytes those that {@link bytesNeeded} names; they are kept where the view is contiguous.
 */
export function viewToRaw(view: TensorView, bytes: Uint8Array, file: string): RawTensor {
  const { dtype } = view.storage;
  const inOrder = elements(view) === 0 || isContiguous(view);
  const rows = inOrder ? bytes : gathered(bytes, view, rawItemsize(dtype));
  if (dtype === "bool" && rows.some((byte) => byte > 1)) {
    throw new TorchFileError(`${file}: a tensor of booleans has elements other than 0 and 1`);
  }
  return { dtype, shape: view.shape, data: viewAs(rows, dtype) };
}
