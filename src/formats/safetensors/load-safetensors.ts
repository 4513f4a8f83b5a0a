import type { Tensor } from "../../tensor/tensor.ts";
import { type ByteSource, bytesInMemory, bytesOfBlob, openFile } from "../../files/byte-source.ts";
import { rawToTensor } from "../raw-to-tensor.ts";
import { SafetensorsFile } from "./safetensors.ts";

async function openSource(file: string | ArrayBuffer | Uint8Array | Blob): Promise<ByteSource> {
  if (typeof file === "string") return openFile(file);
  if (file instanceof Blob) return bytesOfBlob(file, "safetensors blob");
  return bytesInMemory(file, "safetensors bytes");
}

/**
 * Reads all tensors of a safetensors file, in the order in which they lie in it. From disk, each is
 * read once into a buffer of its own; from memory, they are views of `file` where alignment allows.
 *
 * @param file a path (Node only), or the file's content.
 * @returns tensors by name, in the element types of the file (I16 as `int32`).
 * @throws SafetensorsError when the file is not well formed or holds an element type that tensors
 * do not have (U16, U32, U64, C64, F8).
 *
 * @example
 * ```ts no-run
 * const tensors = await loadSafetensors("model.safetensors");
 * console.log(tensors.get("wte.weight")?.shape);
 * ```
 */
export async function loadSafetensors(
  file: string | ArrayBuffer | Uint8Array | Blob,
): Promise<Map<string, Tensor>> {
  const source = await openSource(file);
  try {
    const open = await SafetensorsFile.open(source);
    const tensors = new Map<string, Tensor>();
    for (const name of open.names) tensors.set(name, rawToTensor(await open.read(name)));
    return tensors;
  } finally {
    await source.close();
  }
}
