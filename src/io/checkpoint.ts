import type { ByteSource } from "./byte-source.ts";
import type { FileSource } from "./file-source.ts";
import { FileSourceError } from "./file-source-error.ts";
import type { RawData, RawTensor } from "./raw-tensor.ts";
import { quote } from "./safetensors-header.ts";
import { SafetensorsFile } from "./safetensors.ts";
import type { TensorFile, TensorInfo } from "./tensor-file.ts";
import { TorchCheckpointFile } from "./torch/torch-checkpoint-file.ts";

/** A way in which weights are kept. */
interface WeightFormat {
  readonly single: string;
  readonly index: string;
  readonly extension: string;
  readonly open: (source: ByteSource) => Promise<TensorFile>;
}

/** In the order of preference. */
const FORMATS: readonly WeightFormat[] = [
  {
    single: "model.safetensors",
    index: "model.safetensors.index.json",
    extension: ".safetensors",
    open: (source) => SafetensorsFile.open(source),
  },
  {
    single: "pytorch_model.bin",
    index: "pytorch_model.bin.index.json",
    extension: ".bin",
    open: (source) => TorchCheckpointFile.open(source),
  },
];
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
  info(name: string): TensorInfo;
  /** Reads a tensor, each time anew: nothing of it is kept here. */
  read(name: string): Promise<RawTensor>;
  /** Reads a tensor part by part, through `buffer`; see {@link TensorFile.parts}. */
  parts(name: string, buffer: Uint8Array): AsyncIterable<RawData>;
  /** The bytes of a tensor as they lie; see {@link TensorFile.bytes}. */
  bytes(name: string, from?: number, to?: number): Promise<Uint8Array>;
  /** How many bytes a tensor has. */
  byteLength(name: string): number;
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
  readonly #files: ReadonlyMap<string, TensorFile>;

  constructor(location: string, files: ReadonlyMap<string, TensorFile>) {
    this.location = location;
    this.#files = files;
  }

  get names(): readonly string[] {
    return [...this.#files.keys()];
  }

  has(name: string): boolean {
    return this.#files.has(name);
  }

  info(name: string): TensorInfo {
    return this.#fileOf(name).info(name);
  }

  async read(name: string): Promise<RawTensor> {
    return this.#fileOf(name).read(name);
  }

  parts(name: string, buffer: Uint8Array): AsyncIterable<RawData> {
    return this.#fileOf(name).parts(name, buffer);
  }

  bytes(name: string, from?: number, to?: number): Promise<Uint8Array> {
    return this.#fileOf(name).bytes(name, from, to);
  }

  byteLength(name: string): number {
    return this.#fileOf(name).byteLength(name);
  }

  async close(): Promise<void> {
    await closeAll([...new Set(this.#files.values())]);
  }

  #fileOf(name: string): TensorFile {
    const file = this.#files.get(name);
    if (file !== undefined) return file;
    throw new CheckpointError(
      `${this.location}: the checkpoint has no tensor ${quote(name)} among its ${this.#files.size}`,
    );
  }
}

async function closeAll(files: readonly TensorFile[]): Promise<void> {
  await Promise.all(files.map((file) => file.close()));
}

async function openTensors(
  files: FileSource,
  path: string,
  { open }: WeightFormat,
): Promise<TensorFile> {
  const source = await files.openRange(path);
  try {
    return await open(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tensor names by shard, as the index tells. */
function parseIndex(
  index: unknown,
  where: string,
  { extension }: WeightFormat,
): Map<string, string[]> {
  const weights = isObject(index) ? index["weight_map"] : undefined;
  if (!isObject(weights) || Object.keys(weights).length === 0) {
    throw new CheckpointError(
      `${where}: "weight_map" is ${weights === undefined ? "missing" : "not what it should be"}; ` +
        "an object of tensor names and file names was expected, with at least one",
    );
  }
  const shards = new Map<string, string[]>();
  for (const [name, shard] of Object.entries(weights)) {
    if (typeof shard !== "string" || !shard.endsWith(extension)) {
      throw new CheckpointError(
        `${where}: tensor ${quote(name)} is said to be in ${JSON.stringify(shard)}; ` +
          `the name of a "${extension}" file was expected`,
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
  format: WeightFormat,
): Promise<Map<string, TensorFile>> {
  const open = new Map<string, TensorFile>();
  const missing: string[] = [];
  try {
    for (const shard of shards.keys()) {
      try {
        open.set(shard, await openTensors(files, shard, format));
      } catch (error) {
        if (!(error instanceof FileSourceError && error.code === "missing")) throw error;
        missing.push(shard);
      }
    }
    if (missing.length > 0) {
      throw new CheckpointError(
        `${files.location}: ${missing.length} of the ${shards.size} files that ${format.index} ` +
          `lists are missing: ${listed(missing)}`,
      );
    }
    return open;
  } catch (error) {
    await closeAll([...open.values()]);
    throw error;
  }
}

async function openSharded(files: FileSource, format: WeightFormat): Promise<Checkpoint> {
  const where = `${files.location}: ${format.index}`;
  const shards = parseIndex(await files.readJson(format.index), where, format);
  const open = await openShards(files, shards, format);
  const places = new Map<string, TensorFile>();
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

async function openSingle(files: FileSource, format: WeightFormat): Promise<Checkpoint> {
  const file = await openTensors(files, format.single, format);
  return new FilesOfTensors(files.location, new Map(file.names.map((name) => [name, file])));
}

/**
 * Opens the weights of a model: `model.safetensors`, or the shards that
 * `model.safetensors.index.json` lists; where neither is there, `pytorch_model.bin` or the shards of
 * `pytorch_model.bin.index.json`, of which nothing is executed. All headers are read and checked, and the index against
 * them; the tensors are not read. A tensor that lies in a shard but not in the index is left out.
 *
 * @throws {@link CheckpointError} when there are no such weights, or shards or tensors are missing;
 * `FileSourceError` when an index leads out of the directory; `SafetensorsError` or
 * `TorchFileError` for a malformed file.
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
  for (const format of FORMATS) {
    if (await files.exists(format.single)) return openSingle(files, format);
    if (await files.exists(format.index)) return openSharded(files, format);
  }
  const names = FORMATS.flatMap(({ single, index }) => [single, index]).join(", ");
  throw new CheckpointError(`${files.location}: found no weights: none of ${names} is there`);
}
