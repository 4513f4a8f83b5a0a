import { AutoTokenizer } from "../../tokenizers/auto-tokenizer.ts";
import {
  type Checkpoint,
  type CheckpointOptions,
  openCheckpoint,
} from "../../formats/checkpoint.ts";
import { rawToTensor } from "../../formats/raw-to-tensor.ts";
import { bytesText, countText } from "../../base/quantities.ts";
import { TsveneError } from "../../base/errors.ts";
import type { DownloadProgress } from "../../files/download.ts";
import type { FileSource } from "../../files/file-source.ts";
import { nodeModules, requireNode } from "../../files/node.ts";
import { loadPretrained } from "../model/load-pretrained.ts";
import type { ModelClass } from "../model/family.ts";
import { nonFinite } from "../model/non-finite.ts";
import { readConfigFields } from "../model/pretrained-config.ts";
import { familyOf } from "./families.ts";

/** One thing that was looked at. */
export interface Check {
  /** What: "headers", "checksum of model.safetensors", "numbers", "model", "tokenizer". */
  readonly name: string;
  /** Whether it passed. */
  readonly ok: boolean;
  /** What was found: of a failure, the error's message. */
  readonly message: string;
}

/** What {@link verifyCheckpoint} found. */
export interface Verification {
  /** What messages call the place. */
  readonly location: string;
  /** Whether all checks passed. */
  readonly ok: boolean;
  /** In the order in which they were made. */
  readonly checks: readonly Check[];
}

/** What of a checkpoint is looked at. */
export interface VerifyOptions extends CheckpointOptions {
  /** Load the model and its tokenizer as well. @default true, but for a single file */
  readonly load?: boolean;
  /** Called as tensors are read. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops before the next tensor. */
  readonly signal?: AbortSignal;
}

/**
 * Looks whether a checkpoint is whole: its headers, the SHA-256 of files that the Hub's cache names by
 * it, all numbers (none of which may be infinite or NaN; files of PyTorch have checksums of their own,
 * which reading compares), and whether model and tokenizer load.
 *
 * @returns What was found; a failed check is no error.
 * @throws the signal's reason.
 *
 * @example
 * ```ts
 * import { openFiles, verifyCheckpoint } from "tsvene";
 * const { ok, checks } = await verifyCheckpoint(await openFiles("tsvene-mini"));
 * console.log(ok, checks.map(({ name }) => name));
 * ```
 */
export async function verifyCheckpoint(
  files: FileSource,
  options: VerifyOptions = {},
): Promise<Verification> {
  const checks: Check[] = [];
  const check = async <T>(name: string, work: () => Promise<readonly [T, string]>) => {
    options.signal?.throwIfAborted();
    try {
      const [result, message] = await work();
      checks.push({ name, ok: true, message });
      return result;
    } catch (error) {
      if (options.signal?.aborted === true || !(error instanceof Error)) throw error;
      if (!(error instanceof TsveneError) && !("code" in error)) throw error;
      checks.push({ name, ok: false, message: error.message });
      return undefined;
    }
  };
  const weights = await check("headers", () => headers(files, options));
  try {
    if (weights !== undefined) {
      for (const file of weights.files) {
        const known = await knownHash(files, file);
        if (known === undefined) continue;
        await check(`checksum of ${file}`, () => checksum(files, file, known));
      }
      await check("numbers", () => numbers(weights, options));
    }
  } finally {
    await weights?.close();
  }
  if (options.load ?? options.file === undefined) {
    await check("model", () => model(files, options));
    if (await files.exists("tokenizer.json")) await check("tokenizer", () => tokenizer(files));
  }
  return { location: files.location, ok: checks.every(({ ok }) => ok), checks };
}

async function headers(
  files: FileSource,
  options: CheckpointOptions,
): Promise<readonly [Checkpoint, string]> {
  const weights = await openCheckpoint(files, options);
  const [first] = weights.absent;
  if (first === undefined) {
    return [weights, `${weights.names.length} tensors in ${weights.files.join(", ")}`];
  }
  await weights.close();
  throw new TsveneError(
    `${weights.absent.size} tensors that the index lists are in no file, such as ${first[0]}, which ` +
      `should be in ${first[1]}`,
  );
}

/** Large files of the Hub's cache are links to files that are named by their SHA-256. */
async function knownHash(files: FileSource, file: string): Promise<string | undefined> {
  const source = await files.openRange(file);
  await source.close();
  const real = await nodeModules()
    ?.fs.realpath(source.name)
    .catch(() => "");
  return /(?<![0-9a-f])[0-9a-f]{64}$/.exec(real ?? "")?.[0];
}

async function checksum(
  files: FileSource,
  file: string,
  known: string,
): Promise<readonly [undefined, string]> {
  const source = await files.openRange(file);
  try {
    const hash = requireNode("verifyCheckpoint").crypto.createHash("sha256");
    for (let at = 0; at < source.size; at += PART_BYTES) {
      hash.update(await source.read(at, Math.min(at + PART_BYTES, source.size)));
    }
    const found = hash.digest("hex");
    if (found === known) return [undefined, `SHA-256 ${known}`];
    throw new TsveneError(`SHA-256 is ${found}, but the Hub says ${known}: download it again`);
  } finally {
    await source.close();
  }
}

const PART_BYTES = 1 << 24;
const MOST_SHOWN = 5;

async function numbers(
  weights: Checkpoint,
  { onProgress, signal }: VerifyOptions,
): Promise<readonly [undefined, string]> {
  const total = weights.names.reduce((sum, name) => sum + weights.byteLength(name), 0);
  const broken: string[] = [];
  let loaded = 0;
  for (const name of weights.names) {
    signal?.throwIfAborted();
    const isKnown = weights.info(name).dtype !== undefined;
    // What has no type here, such as 8-bit floats, is packed: its bytes can be read, and that is all.
    const found = isKnown
      ? nonFinite(rawToTensor(await weights.read(name)))
      : void (await weights.bytes(name));
    if (found !== undefined) broken.push(`${name} has numbers that are not finite: ${found}`);
    loaded += weights.byteLength(name);
    onProgress?.({ file: weights.files.join(", "), loaded, total });
  }
  if (broken.length === 0) return [undefined, `${bytesText(total)} read, all finite`];
  const rest = broken.length - MOST_SHOWN;
  const more = rest > 0 ? [`and ${rest} more tensors`] : [];
  throw new TsveneError([...broken.slice(0, MOST_SHOWN), ...more].join("; "));
}

async function model(
  files: FileSource,
  { variant }: VerifyOptions,
): Promise<readonly [undefined, string]> {
  const fields = await readConfigFields(files);
  const { models } = familyOf(fields, files.location);
  const classes = Object.values<ModelClass>(models);
  const named = [fields["architectures"] ?? []].flat().map(String);
  const modelClass = classes.find(({ name }) => named.includes(name)) ?? classes[0];
  if (modelClass === undefined) throw new TsveneError("its family has no class here");
  const loaded = await loadPretrained(modelClass, files, variant === undefined ? {} : { variant });
  const count = loaded.parameters().reduce((sum, { numel }) => sum + numel, 0);
  return [undefined, `${modelClass.name} of ${countText(count)} parameters loads`];
}

async function tokenizer(files: FileSource): Promise<readonly [undefined, string]> {
  const { vocabSize } = await AutoTokenizer.fromPretrained(files);
  return [undefined, `of ${vocabSize} tokens loads`];
}
