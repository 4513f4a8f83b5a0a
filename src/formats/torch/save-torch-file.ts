import { writeFileAtomic } from "../../files/atomic-file.ts";
import type { FillFile } from "../../files/fill-file.ts";
import { compute } from "../computed.ts";
import { pickled } from "./pickle-writer.ts";
import { sharedStorages } from "./shared-storages.ts";
import { type TorchContent, tensorsIn } from "./torch-content.ts";
import { ALIGNMENT, joined, zipParts } from "./zip-writer.ts";

/** The same whatever the file is called, so that equal content gives equal files. */
const ROOT = "archive";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** The parts of the file in their order, computed: what is left to do is to write them. */
async function torchParts(caller: string, value: TorchContent): Promise<readonly Uint8Array[]> {
  const named = [...tensorsIn(value)];
  await compute(caller, named);
  const parts = sharedStorages(named.map(([, tensor]) => tensor));
  const storages = new Map([...parts.values()].map(({ storage }) => [storage.key, storage.bytes]));
  return zipParts(
    new Map([
      [`${ROOT}/data.pkl`, pickled(value, parts)],
      [`${ROOT}/.format_version`, text("1")],
      [`${ROOT}/.storage_alignment`, text(String(ALIGNMENT))],
      [`${ROOT}/byteorder`, text("little")],
      ...[...storages].map(([key, bytes]) => [`${ROOT}/data/${key}`, bytes] as const),
      [`${ROOT}/version`, text("3\n")],
    ]),
  );
}

/**
 * The content of a file of `torch.save`, computed: what is left to do is to write it.
 *
 * @throws TorchFileError as {@link saveTorchFile} does.
 */
export async function torchContent(value: TorchContent): Promise<FillFile> {
  const parts = await torchParts("saveTorchFile", value);
  return async (write) => {
    for (const part of parts) await write(part);
  };
}

/**
 * A file of `torch.save` in memory; see {@link saveTorchFile}.
 *
 * @throws TorchFileError for what such a file does not hold, with the path to it.
 *
 * @example
 * ```ts
 * import { encodeTorchFile, loadTorchFile, tensor } from "tsvene";
 * const bytes = await encodeTorchFile({ step: 3, direction: tensor([0.5, -1]) });
 * console.log(await loadTorchFile(bytes));
 * ```
 */
export async function encodeTorchFile(value: TorchContent): Promise<Uint8Array<ArrayBuffer>> {
  return joined(await torchParts("encodeTorchFile", value));
}

/**
 * Writes a file that Python reads with `torch.load(path, weights_only=True)`, in the zip format of
 * PyTorch 1.6 and later (Node only). Lazy tensors are computed, all together; element types are kept,
 * and tensors whose numbers overlap in memory share a storage in the file. Equal content gives equal
 * bytes. The file is there whole or not at all: when something fails, an old one of that name stays
 * as it was. Missing directories are made.
 *
 * @param value such as a state dict: `model.stateDict()`, or a `Map` of names and tensors.
 * @throws TorchFileError for what such a file does not hold, with the path to it, before anything is
 * written; FileSourceError when it cannot be written, with the path and the reason.
 *
 * @example
 * ```ts no-run
 * import { Linear, saveTorchFile } from "tsvene";
 * await saveTorchFile("probe.bin", new Linear(768, 2).stateDict());
 * ```
 */
export async function saveTorchFile(path: string, value: TorchContent): Promise<void> {
  await writeFileAtomic(path, await torchContent(value));
}
