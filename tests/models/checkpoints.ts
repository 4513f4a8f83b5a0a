import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSafetensors, type RawTensor, saveSafetensors, type Tensor } from "tsvene";
import { onTestFinished } from "vitest";

/** A recorded checkpoint of this repository. */
export function golden(name: string): string {
  return fileURLToPath(new URL(`../goldens/models/${name}`, import.meta.url));
}

/** A directory that is gone when the test is over. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "tsvene-models-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Changes to a checkpoint. */
export interface Changes {
  readonly tensors?: (tensors: Map<string, Tensor | RawTensor>) => void;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A changed copy of a recorded checkpoint. */
export async function changedCopy(name: string, { tensors, config }: Changes): Promise<string> {
  const directory = await temporaryDirectory();
  await cp(golden(name), directory, { recursive: true });
  if (tensors !== undefined) {
    const path = join(directory, "model.safetensors");
    const all = new Map<string, Tensor | RawTensor>(await loadSafetensors(path));
    tensors(all);
    await saveSafetensors(path, all);
  }
  if (config !== undefined) {
    const path = join(directory, "config.json");
    const fields = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...fields, ...config }));
  }
  return directory;
}
