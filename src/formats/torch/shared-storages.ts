import type { TypedArray } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { bytesOf, rawItemsize } from "../raw-tensor.ts";

/** A storage to write. */
export interface NewStorage {
  /** Its name in the file. */
  readonly key: string;
  /** Elements. */
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** The part of a storage that a tensor shows. */
export interface StoragePart {
  readonly storage: NewStorage;
  /** In elements. */
  readonly offset: number;
}

/** Tensors whose numbers lie in one place, from byte `begin` up to `end` of a buffer. */
interface Region {
  readonly tensors: Tensor[];
  readonly begin: number;
  end: number;
}

function valuesOf({ values }: Tensor): TypedArray {
  if (values === undefined) throw new Error("internal: a tensor to be written was not computed");
  return values;
}

/** Tensors of one buffer and one element type, in regions that do not overlap. */
function regionsOf(tensors: readonly Tensor[]): Region[] {
  const begins = (tensor: Tensor): number => valuesOf(tensor).byteOffset;
  const regions: Region[] = [];
  for (const tensor of tensors.toSorted((a, b) => begins(a) - begins(b))) {
    const { byteOffset: begin, byteLength } = valuesOf(tensor);
    const end = begin + byteLength;
    const last = regions.at(-1);
    if (last !== undefined && begin < last.end) {
      last.tensors.push(tensor);
      last.end = Math.max(last.end, end);
    } else regions.push({ tensors: [tensor], begin, end });
  }
  return regions;
}

/** Tensors by the buffer and the element type of their numbers. */
function byPlace(tensors: Iterable<Tensor>): Tensor[][] {
  const buffers = new Map<ArrayBufferLike, Map<string, Tensor[]>>();
  for (const tensor of new Set(tensors)) {
    const { buffer } = valuesOf(tensor);
    const dtypes = buffers.get(buffer) ?? new Map<string, Tensor[]>();
    buffers.set(buffer, dtypes);
    dtypes.set(tensor.dtype, [...(dtypes.get(tensor.dtype) ?? []), tensor]);
  }
  return [...buffers.values()].flatMap((dtypes) => [...dtypes.values()]);
}

/**
 * Storages for tensors: those whose numbers overlap in memory share one, as they do in PyTorch. They
 * are numbered in the order in which the tensors come.
 *
 * @param tensors computed ones.
 */
export function sharedStorages(tensors: readonly Tensor[]): ReadonlyMap<Tensor, StoragePart> {
  const regions = new Map<Tensor, Region>();
  for (const region of byPlace(tensors).flatMap(regionsOf)) {
    for (const tensor of region.tensors) regions.set(tensor, region);
  }
  const storages = new Map<Region, NewStorage>();
  const parts = new Map<Tensor, StoragePart>();
  for (const tensor of tensors) {
    const region = regions.get(tensor);
    if (region === undefined) continue;
    const size = rawItemsize(tensor.dtype);
    const { buffer, byteOffset } = bytesOf(valuesOf(tensor));
    const { begin, end } = region;
    const storage = storages.get(region) ?? {
      key: String(storages.size),
      length: (end - begin) / size,
      bytes: new Uint8Array(buffer, begin, end - begin),
    };
    storages.set(region, storage);
    parts.set(tensor, { storage, offset: (byteOffset - begin) / size });
  }
  return parts;
}
