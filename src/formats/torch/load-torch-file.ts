import type { Tensor } from "../../tensor/tensor.ts";
import { type ByteSource, bytesInMemory, bytesOfBlob, openFile } from "../../files/byte-source.ts";
import { rawItemsize } from "../raw-tensor.ts";
import { rawToTensor } from "../raw-to-tensor.ts";
import { bytesNeeded, viewToRaw } from "./tensor-view.ts";
import { openTorchFile } from "./torch-file.ts";

/** A key of a dict in a PyTorch file. */
export type TorchKey = string | number | bigint | boolean | null;

/**
 * What a PyTorch file holds: lists, tuples and `torch.Size` are arrays, dicts and `OrderedDict`s are
 * `Map`s, integers past 2^53 are `bigint`s, and a dtype is its name, such as `"torch.float32"`.
 */
export type TorchValue =
  TorchKey | Tensor | readonly TorchValue[] | ReadonlyMap<TorchKey, TorchValue>;

async function openSource(file: string | ArrayBuffer | Uint8Array | Blob): Promise<ByteSource> {
  if (typeof file === "string") return openFile(file);
  if (file instanceof Blob) return bytesOfBlob(file, "PyTorch blob");
  return bytesInMemory(file, "PyTorch bytes");
}

/**
 * Reads a file of `torch.save` (`.pt`, `.pth`, `.bin`), in its zip format or the one before PyTorch
 * 1.6. Nothing in the file is executed: it may hold tensors, parameters, dicts, lists and plain
 * values, and any other Python name in it is an error. Tensors that share a storage share memory
 * where they are contiguous; none of them asks for a gradient.
 *
 * @param file a path (Node only), or the file's content.
 * @returns what was saved, with tensors in the element types of the file (int16 as `int32`).
 * @throws TorchFileError when the file is damaged, holds objects of other kinds, or complex numbers.
 *
 * @example
 * ```ts no-run
 * import { loadTorchFile } from "tsvene";
 * const state = await loadTorchFile("pytorch_model.bin");
 * if (state instanceof Map) console.log([...state.keys()]);
 * ```
 */
export async function loadTorchFile(
  file: string | ArrayBuffer | Uint8Array | Blob,
): Promise<TorchValue> {
  const source = await openSource(file);
  try {
    const open = await openTorchFile(source);
    const kept = new Map<string, Uint8Array>();
    for (const [key, { dtype, length }] of open.storages) {
      kept.set(key, await open.readStorage(key, 0, length * rawItemsize(dtype)));
    }
    return open.value((view) => {
      const { begin, end } = bytesNeeded(view);
      const bytes = kept.get(view.storage.key)?.subarray(begin, end) ?? new Uint8Array();
      return rawToTensor(viewToRaw(view, bytes, source.name));
    }) as TorchValue;
  } finally {
    await source.close();
  }
}
