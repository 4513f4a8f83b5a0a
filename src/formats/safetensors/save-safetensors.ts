import { Tensor } from "../../tensor/tensor.ts";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import type { FillFile } from "../../files/fill-file.ts";
import { compute } from "../computed.ts";
import type { RawTensor } from "../raw-tensor.ts";
import { planSafetensors, tensorBytes } from "./safetensors-writer.ts";

async function toRaw(tensor: Tensor | RawTensor): Promise<RawTensor> {
  if (!(tensor instanceof Tensor)) return tensor;
  return { dtype: tensor.dtype, shape: tensor.shape, data: await tensor.data() };
}

/** Tensors by name: as a map, or as a plain object. */
type Tensors =
  Readonly<Record<string, Tensor | RawTensor>> | ReadonlyMap<string, Tensor | RawTensor>;

/**
 * The content of a safetensors file, computed: what is left to do is to write it.
 *
 * @throws SafetensorsError as {@link saveSafetensors} does.
 */
export async function safetensorsContent(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Promise<FillFile> {
  const entries: ReadonlyMap<string, Tensor | RawTensor> =
    tensors instanceof Map ? tensors : new Map(Object.entries(tensors));
  const plan = planSafetensors(entries, metadata);
  const lazy = [...entries].flatMap(([name, tensor]) =>
    tensor instanceof Tensor ? [[`tensor "${name}"`, tensor] as const] : [],
  );
  await compute("saveSafetensors", lazy);
  const content = new Map<string, Uint8Array>();
  for (const [name, tensor] of entries) content.set(name, tensorBytes(name, await toRaw(tensor)));
  return async (write) => {
    await write(plan.header);
    for (const name of plan.order) {
      const bytes = content.get(name);
      if (bytes === undefined) throw new Error(`internal: planned tensor ${name} is missing`);
      await write(bytes);
    }
  };
}

/**
 * Writes tensors to a safetensors file (Node only). Lazy tensors are computed, all together. The
 * file is there whole or not at all: when something fails, an old one of that name stays as it was.
 * No copy of the numbers is made. Missing directories are.
 *
 * @param tensors by name, as an object or a map.
 * @param metadata free-form strings for the file's header; by default `{ format: "pt" }`, which
 * Python's transformers asks for.
 * @throws SafetensorsError for a name, shape, type or metadata that the format cannot hold, before
 * anything is written; FileSourceError when it cannot be written, with the path and the reason.
 *
 * @example
 * ```ts no-run
 * import { tensor } from "tsvene";
 * await saveSafetensors("direction.safetensors", { happy: tensor([0.5, -1]) });
 * ```
 */
export async function saveSafetensors(
  path: string,
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Promise<void> {
  await writeFileAtomic(path, await safetensorsContent(tensors, metadata));
}
