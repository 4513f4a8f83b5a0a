import { fail } from "../../base/errors.ts";
import type { ByteSource } from "../../files/byte-source.ts";
import { loadTorchFile } from "../../formats/torch/load-torch-file.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** The tensors of a state dict that torch saved. @throws TsveneError for a file of something else. */
export async function readTorch(op: string, source: ByteSource): Promise<Tensors> {
  const saved = await loadTorchFile(await source.read(0, source.size));
  if (!(saved instanceof Map)) return fail(op, `${source.name} holds no state dict`);
  const entries = [...saved].flatMap(([name, value]) =>
    value instanceof Tensor ? [[String(name), value] as const] : [],
  );
  return Object.fromEntries(entries);
}
