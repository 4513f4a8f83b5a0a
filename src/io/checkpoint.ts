import type { FileSource } from "./file-source.ts";
import { FileSourceError } from "./file-source.ts";
import type { RawTensor } from "./raw-tensor.ts";
import { quote, type SafetensorsEntry } from "./safetensors-header.ts";
import { SafetensorsFile } from "./safetensors.ts";

const SINGLE_FILE = "model.safetensors";
const INDEX_FILE = "model.safetensors.index.json";
const PICKLE_FILES = ["pytorch_model.bin", "pytorch_model.bin.index.json"];
const MOST_NAMES_SHOWN = 10;

/** A checkpoint that is incomplete or contradicts itself. */
export class CheckpointError extends Error {
  override readonly name: string = "CheckpointError";
}

/** The weights of a model, each read when it is asked for. */
export interface Checkpoint {
  /** What messages call it. */
  readonly location: string;
  /** All tensors, file by file in the order in which they lie there. */
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Element type and shape of a tensor, without reading it. */
  info(name: string): SafetensorsEntry;
  /** Reads a tensor, each time anew: nothing of it is kept here. */
  read(name: string): Promise<RawTensor>;
  /** Gives the files back; reading afterwards fails. */
  close(): Promise<void>;
}

function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES_SHOWN;
  const shown = names.slice(0, MOST_NAMES_SHOWN).map(quote).join(", ");
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}

/** One tensor name -> the open file that has it. */
class FilesOfTensors implements Checkpoint {
  readonly location: string;
  readonly #files: ReadonlyMap<string, SafetensorsFile>;

  constructor(location: string, files: ReadonlyMap<string, SafetensorsFile>) {
    this.location = location;
    this.#files = files;
  }

  get names(): readonly string[] {
    return [...this.#files.keys()];
  }

  has(name: string): boolean {
    return this.#files.has(name);
  }

  info(name: string): SafetensorsEntry {
    return this.#fileOf(name).info(name);
  }

  async read(name: string): Promise<RawTensor> {
    return this.#fileOf(name).read(name);
  }

  async close(): Promise<void> {
    await closeAll([...new Set(this.#files.values())]);
  }

  #fileOf(name: string): SafetensorsFile {
    const file = this.#files.get(name);
    if (file !== undefined) return file;
    throw new CheckpointError(
      `${this.location}: the checkpoint has no tensor ${quote(name)} among its ${this.#files.size}`,
    );
  }
}

async function closeAll(files: readonly SafetensorsFile[]): Promise<void> {
  await Promise.all(files.map((file) => file.close()));
}

async function openSafetensors(files: FileSource, path: string): Promise<SafetensorsFile> {
  const source = await files.openRange(path);
  try {
    return await SafetensorsFile.open(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tensor names by shard, as the index tells. */
function parseIndex(index: unknown, where: string): Map<string, string[]> {
  const weights = isObject(index) ? index["weight_map"] : undefined;
  if (!isObject(weights) || Object.keys(weights).length === 0) {
    throw new CheckpointError(
      `${where}: "weight_map" is ${weights === undefined ? "missing" : "not what it should be"}; ` +
        "an object of tensor names and file names was expected, with at least one",
    );
  }
  const shards = new Map<string, string[]>();
  for (const [name, shard] of Object.entries(weights)) {
    if (typeof shard !== "string" || !shard.endsWith(".safetensors")) {
      throw new CheckpointError(
        `${where}: tensor ${quote(name)} is said to be in ${JSON.stringify(shard)}; ` +
          'the name of a ".safetensors" file was expected',
      );
    }
    const names = shards.get(shard);
    if (names === undefined) shards.set(shard, [name]);
    else names.push(name);
  }
  return shards;
}

async function openShards(
  files: FileSource,
  shards: ReadonlyMap<string, readonly string[]>,
): Promise<Map<string, SafetensorsFile>> {
  const open = new Map<string, SafetensorsFile>();
  const missing: string[] = [];
  try {
    for (const shard of shards.keys()) {
      try {
        open.set(shard, await openSafetensors(files, shard));
      } catch (error) {
        if (!(error instanceof FileSourceError && error.code === "missing")) throw error;
        missing.push(shard);
      }
    }
    if (missing.length > 0) {
      throw new CheckpointError(
        `${files.location}: ${missing.length} of the ${shards.size} files that ${INDEX_FILE} ` +
          `lists are missing: ${listed(missing)}`,
      );
    }
    return open;
  } catch (error) {
    await closeAll([...open.values()]);
    throw error;
  }
}

async function openSharded(files: FileSource): Promise<Checkpoint> {
  const where = `${files.location}: ${INDEX_FILE}`;
  const shards = parseIndex(await files.readJson(INDEX_FILE), where);
  const open = await openShards(files, shards);
  const places = new Map<string, SafetensorsFile>();
  const absent: string[] = [];
  for (const [shard, file] of open) {
    const listedHere = new Set(shards.get(shard));
    for (const name of file.names) if (listedHere.has(name)) places.set(name, file);
    absent.push(...[...listedHere].filter((name) => !file.has(name)));
  }
  if (absent.length === 0) return new FilesOfTensors(files.location, places);
  await closeAll([...open.values()]);
  throw new CheckpointError(
    `${where} lists ${absent.length} tensors that are not in their files: ${listed(absent)}`,
  );
}

async function openSingle(files: FileSource): Promise<Checkpoint> {
  const file = await openSafetensors(files, SINGLE_FILE);
  return new FilesOfTensors(files.location, new Map(file.names.map((name) => [name, file])));
}

async function isThere(files: FileSource, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if (await files.exists(name)) return name;
  return undefined;
}

/**
 * Opens the weights of a model: `model.safetensors`, or the shards that
 * `model.safetensors.index.json` lists. All headers are read and checked, and the index against
 * them; the tensors are not read. A tensor that lies in a shard but not in the index is left out.
 *
 * @throws {@link CheckpointError} when there are no such weights, or shards or tensors are missing;
 * `FileSourceError` when an index leads out of the directory; `SafetensorsError` for a malformed
 * file.
 *
 * @example
 * ```ts no-run
 * import { openFiles } from "tsvene";
 * const checkpoint = await openCheckpoint(await openFiles("models/tsvene-mini"));
 * for (const name of checkpoint.names) console.log(name, checkpoint.info(name).shape);
 * await checkpoint.close();
 * ```
 */
export async function openCheckpoint(files: FileSource): Promise<Checkpoint> {
  const found = await isThere(files, [SINGLE_FILE, INDEX_FILE]);
  if (found === SINGLE_FILE) return openSingle(files);
  if (found === INDEX_FILE) return openSharded(files);
  const pickle = await isThere(files, PICKLE_FILES);
  const hint =
    pickle === undefined
      ? ""
      : `; ${pickle} is there, but only safetensors can be read: save the model anew in Python ` +
        "with save_pretrained(directory, safe_serialization=True)";
  throw new CheckpointError(
    `${files.location}: found no weights: neither ${SINGLE_FILE} nor ${INDEX_FILE} was found${hint}`,
  );
}
