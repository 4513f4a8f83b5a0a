import type { ByteSource } from "../files/byte-source.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { isTorchHead } from "../files/file-kind.ts";
import { FileSourceError } from "../files/file-source-error.ts";
import type { FileSource } from "../files/file-source.ts";
import type { RawData, RawTensor } from "./raw-tensor.ts";
import { quote } from "./json-values.ts";
import { SafetensorsFile } from "./safetensors/safetensors.ts";
import { parseShardIndex } from "./shard-index.ts";
import type { TensorFile, TensorInfo } from "./tensor-file.ts";
import { TorchCheckpointFile } from "./torch/torch-checkpoint-file.ts";
import { otherWeights, type WeightNames, weightNames } from "./weight-names.ts";

const MOST_NAMES_SHOWN = 10;
/** Bytes that tell a format from another. */
const HEAD_BYTES = 9;

/** The weights of a model, each read when it is asked for. */
export interface Checkpoint {
  /** What messages call it. */
  readonly location: string;
  /** Paths of the files that they lie in: one, or all shards. */
  readonly files: readonly string[];
  /** All tensors, file by file in the order in which they lie there. */
  readonly names: readonly string[];
  /** Whether there is a tensor of that name. */
  has(name: string): boolean;
  /** Element type and shape of a tensor, without reading it. */
  info(name: string): TensorInfo;
  /** Names that an index lists but no file has, with the file that each should be in. */
  readonly absent: ReadonlyMap<string, string>;
  /** Reads a tensor, again in each call: nothing is cached. */
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
  readonly files: readonly string[];
  readonly absent: ReadonlyMap<string, string>;
  readonly #places: ReadonlyMap<string, TensorFile>;
  readonly #open: readonly TensorFile[];

  constructor(
    location: string,
    open: ReadonlyMap<string, TensorFile>,
    { places, absent }: Pick<Checkpoint, "absent"> & { places: ReadonlyMap<string, TensorFile> },
  ) {
    this.location = location;
    this.files = [...open.keys()];
    this.absent = absent;
    this.#places = places;
    this.#open = [...open.values()];
  }

  get names(): readonly string[] {
    return [...this.#places.keys()];
  }

  has(name: string): boolean {
    return this.#places.has(name);
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
    await closeAll(this.#open);
  }

  #fileOf(name: string): TensorFile {
    const file = this.#places.get(name);
    if (file !== undefined) return file;
    throw new CheckpointError(
      `${this.location}: the checkpoint has no tensor ${quote(name)} among its ${this.#places.size}`,
    );
  }
}

async function closeAll(files: readonly TensorFile[]): Promise<void> {
  await Promise.all(files.map((file) => file.close()));
}

/** Whether a file is for the reader of PyTorch's; one that is too short for either is, too. */
async function isTorchFile(source: ByteSource): Promise<boolean> {
  const head = await source.read(0, Math.min(HEAD_BYTES, source.size));
  return isTorchHead(head) || head.length < HEAD_BYTES;
}

/** Opens a file of tensors by what it is, whatever its name says. */
async function openTensors(files: FileSource, path: string): Promise<TensorFile> {
  const source = await files.openRange(path);
  try {
    const isTorch = !path.endsWith(".safetensors") && (await isTorchFile(source));
    return await (isTorch ? TorchCheckpointFile : SafetensorsFile).open(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Opens what an index lists; of files that are missing, a few are looked for to be named. */
async function openShards(
  files: FileSource,
  shards: ReadonlySet<string>,
  index: string,
): Promise<Map<string, TensorFile>> {
  const open = new Map<string, TensorFile>();
  const missing: string[] = [];
  try {
    for (const shard of shards) {
      if (missing.length > MOST_NAMES_SHOWN) break;
      try {
        open.set(shard, await openTensors(files, shard));
      } catch (error) {
        if (!(error instanceof FileSourceError && error.code === "missing")) throw error;
        missing.push(shard);
      }
    }
    if (missing.length > 0) {
      throw new CheckpointError(
        `${files.location}: ${missing.length} of the ${shards.size} files that ${index} ` +
          `lists are missing: ${listed(missing)}; the download or the copy is not complete`,
      );
    }
    return open;
  } catch (error) {
    await closeAll([...open.values()]);
    throw error;
  }
}

/**
 * As transformers does, an index is asked which files there are, and the files which tensors: what
 * it says beyond that may be out of date. Where two files have a tensor, it decides.
 */
async function openSharded(files: FileSource, index: string): Promise<Checkpoint> {
  const listedIn = parseShardIndex(await files.readJson(index), `${files.location}: ${index}`);
  const open = await openShards(files, new Set(listedIn.values()), index);
  const places = new Map<string, TensorFile>();
  for (const [shard, file] of open) {
    for (const name of file.names) {
      if (!places.has(name) || listedIn.get(name) === shard) places.set(name, file);
    }
  }
  const absent = new Map([...listedIn].filter(([name]) => !places.has(name)));
  return new FilesOfTensors(files.location, open, { places, absent });
}

async function openSingle(files: FileSource, path: string): Promise<Checkpoint> {
  const file = await openTensors(files, path);
  const places = new Map(file.names.map((name) => [name, file]));
  const open = new Map([[path, file]]);
  return new FilesOfTensors(files.location, open, { places, absent: new Map() });
}

async function noWeights(files: FileSource, formats: readonly WeightNames[]): Promise<never> {
  const names = formats.flatMap(({ single, index }) => [single, index]).join(", ");
  const others = await otherWeights(files);
  throw new CheckpointError(
    `${files.location}: found no weights: none of ${names} is there${others}`,
  );
}

/** Which of the weights of a model are wanted. */
export interface CheckpointOptions {
  /**
   * Weights under names such as `model.fp16.safetensors`: here `"fp16"`.
   * @default those without
   */
  readonly variant?: string;
  /** Path of one file of tensors to open instead, whatever its name says. */
  readonly file?: string;
}

/**
 * Opens the weights of a model: `model.safetensors`, or the shards that
 * `model.safetensors.index.json` lists; where neither is there, `pytorch_model.bin` or the shards of
 * `pytorch_model.bin.index.json`, of which nothing is executed. All headers are read and checked;
 * the tensors are not read. An index need not be right about which tensor is in which of its files.
 *
 * @throws {@link CheckpointError} when there are no such weights, or shards are missing;
 * `FileSourceError` when an index leads out of the directory; `SafetensorsError` or
 * `TorchFileError` for a malformed file.
 *
 * @example
 * ```ts no-run
 * import { openFiles } from "tsvene";
 * const checkpoint = await openCheckpoint(await openFiles("tsvene-mini"));
 * for (const name of checkpoint.names) console.log(name, checkpoint.info(name).shape);
 * await checkpoint.close();
 * ```
 */
export async function openCheckpoint(
  files: FileSource,
  { variant, file }: CheckpointOptions = {},
): Promise<Checkpoint> {
  if (file !== undefined) return openSingle(files, file);
  const formats = weightNames(variant);
  for (const { single, index } of formats) {
    if (await files.exists(single)) return openSingle(files, single);
    if (await files.exists(index)) return openSharded(files, index);
  }
  return noWeights(files, formats);
}
