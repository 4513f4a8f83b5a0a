import { writeFileAtomic } from "../files/atomic-file.ts";
import type { DownloadProgress } from "../files/download.ts";
import { FileSourceError } from "../files/file-source-error.ts";
import type { FileSource } from "../files/file-source.ts";
import type { FillFile } from "../files/fill-file.ts";
import { requireNode } from "../files/node.ts";
import { writeTogether } from "../files/write-together.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { quote } from "./json-values.ts";
import { bytesOf } from "./raw-tensor.ts";
import { rawToTensor } from "./raw-to-tensor.ts";
import { planSafetensors, type TensorLayout } from "./safetensors/safetensors-writer.ts";
import { torchContent } from "./torch/save-torch-file.ts";

/** How weights lie in a file: as safetensors, or as `torch.save` writes them. */
export type WeightFormat = "safetensors" | "torch";

/** What of weights is to be converted, and how. */
export interface ConvertOptions {
  /** Path of the one file to convert; `target` is then a file, too. @default all of a model */
  readonly file?: string;
  /** @default what the ending of `target` says; of a directory, the format that it is not in */
  readonly format?: WeightFormat;
  /** Replace what is there. @default false, where that is an error */
  readonly overwrite?: boolean;
  /** Called as bytes are written. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops before the next part; nothing is left of what was begun. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface Conversion {
  /** The format that was written. */
  readonly format: WeightFormat;
  /** Paths of the files that were written. */
  readonly files: readonly string[];
  /** How many tensors. */
  readonly tensors: number;
  /** Bytes of the tensors. */
  readonly bytes: number;
}

const OP = "convertWeights";
const ENDINGS: { readonly [F in WeightFormat]: RegExp } = {
  safetensors: /\.safetensors$/,
  torch: /\.(?:bin|pt|pth|ckpt)$/,
};
const STEMS: { readonly [F in WeightFormat]: readonly [stem: string, ending: string] } = {
  safetensors: ["model", "safetensors"],
  torch: ["pytorch_model", "bin"],
};
/** Files of weights and their indices. */
const WEIGHTS = /^(?:pytorch_)?model(?:-\d{5}-of-\d{5})?\.(?:safetensors|bin)(?:\.index\.json)?$/;
/** What goes with a model's weights. */
const COMPANIONS = [
  "config.json generation_config.json tokenizer.json tokenizer_config.json special_tokens_map.json",
  "added_tokens.json chat_template.jinja vocab.json vocab.txt merges.txt tokenizer.model",
  "preprocessor_config.json processor_config.json README.md LICENSE",
].flatMap((names) => names.split(" "));
const PART_BYTES = 1 << 22;

/**
 * Writes weights in the other format: those of a model, shard by shard and with the files that go
 * with them, into a directory; or one file into another. Names, shapes, element types and numbers
 * stay. What is written is there whole or not at all. Safetensors are written part by part; a file of
 * PyTorch is made in memory, one shard at a time.
 *
 * @throws CheckpointError for element types that the format or this library does not have, and where
 * weights would be replaced; FileSourceError when files cannot be read or written.
 *
 * @example
 * ```ts no-run
 * import { convertWeights, openFiles } from "tsvene";
 * await convertWeights(await openFiles("./old-model"), "./new-model", { format: "safetensors" });
 * ```
 */
export async function convertWeights(
  files: FileSource,
  target: string,
  options: ConvertOptions = {},
): Promise<Conversion> {
  const { fs } = requireNode(OP);
  const { file, overwrite = false } = options;
  const stat = await fs.stat(target).catch(() => undefined);
  if (file !== undefined) {
    if (stat?.isFile() === true && !overwrite) refuseReplacing(target);
    return convertFile(files, file, target, options);
  }
  if (stat?.isFile() === true) {
    throw new CheckpointError(`${OP}: ${target} is a file; a model is written to a directory`);
  }
  const [there] = (await fs.readdir(target).catch(() => [])).filter((name) => WEIGHTS.test(name));
  if (there !== undefined && !overwrite) refuseReplacing(`${target}/${there}`);
  return convertModel(files, target, options);
}

function refuseReplacing(path: string): never {
  throw new CheckpointError(
    `${OP}: ${path} is there already; choose another place, or pass { overwrite: true }, on the command line --force`,
  );
}

async function convertFile(
  files: FileSource,
  file: string,
  target: string,
  options: ConvertOptions,
): Promise<Conversion> {
  const format = options.format ?? formatOf(target);
  if (format === undefined) {
    throw new CheckpointError(
      `${OP}: the name ${quote(target)} says no format; one that ends with .safetensors, or with ` +
        ".bin, .pt, .pth or .ckpt, was expected",
    );
  }
  return withWeights(files, file, async (weights) => {
    await writeFileAtomic(target, contentOf(weights, format, { ...options, file }));
    return { format, files: [target], tensors: weights.names.length, bytes: bytesIn(weights) };
  });
}

async function convertModel(
  files: FileSource,
  target: string,
  options: ConvertOptions,
): Promise<Conversion> {
  const whole = await openCheckpoint(files);
  const shards = whole.files;
  await whole.close();
  const [first = ""] = shards;
  const format = options.format ?? (formatOf(first) === "torch" ? "safetensors" : "torch");
  const contents = new Map<string, FillFile>();
  const places = new Map<string, string>();
  let bytes = 0;
  for (const shard of shards) {
    const name = renamed(shard, format);
    // The shard is opened again when its turn comes: that of others need not be in memory.
    contents.set(name, async (write) =>
      withWeights(files, shard, async (weights) =>
        contentOf(weights, format, { ...options, file: name })(write),
      ),
    );
    await withWeights(files, shard, async (weights) => {
      layoutsOf(weights, format);
      for (const tensor of weights.names) places.set(tensor, name);
      bytes += bytesIn(weights);
    });
  }
  if (shards.length > 1) contents.set(`${renamed("", format)}.index.json`, index(places, bytes));
  for (const name of COMPANIONS) {
    if (await files.exists(name)) contents.set(name, copyOf(files, name));
  }
  const isSuperseded = (name: string): boolean => WEIGHTS.test(name);
  await writeTogether(target, { files: contents, isSuperseded });
  const written = [...contents.keys()].map((name) => `${target}/${name}`);
  return { format, files: written, tensors: places.size, bytes };
}

function formatOf(path: string): WeightFormat | undefined {
  const formats = Object.keys(ENDINGS) as WeightFormat[];
  return formats.find((format) => ENDINGS[format].test(path));
}

/** The name that a file of weights has in a format: its number among shards stays. */
function renamed(file: string, format: WeightFormat): string {
  const [stem, ending] = STEMS[format];
  return `${stem}${/-\d{5}-of-\d{5}/.exec(file)?.[0] ?? ""}.${ending}`;
}

async function withWeights<T>(
  files: FileSource,
  file: string,
  work: (weights: Checkpoint) => Promise<T>,
): Promise<T> {
  const weights = await openCheckpoint(files, { file });
  try {
    return await work(weights);
  } finally {
    await weights.close();
  }
}

function bytesIn(weights: Checkpoint): number {
  return weights.names.reduce((sum, name) => sum + weights.byteLength(name), 0);
}

/** @throws CheckpointError for an element type that cannot be written. */
function layoutsOf(weights: Checkpoint, format: WeightFormat): ReadonlyMap<string, TensorLayout> {
  return new Map(
    weights.names.map((name) => {
      const { dtype, elementType, shape } = weights.info(name);
      if (dtype !== undefined && (dtype !== "int16" || format === "safetensors")) {
        return [name, { dtype, shape }];
      }
      throw new CheckpointError(
        `${OP}: ${weights.location}: tensor ${quote(name)} is ${elementType}, which cannot be ` +
          `written as ${format}`,
      );
    }),
  );
}

function contentOf(weights: Checkpoint, format: WeightFormat, options: ConvertOptions): FillFile {
  const layouts = layoutsOf(weights, format);
  const [file, total] = [options.file ?? "", bytesIn(weights)];
  let loaded = 0;
  const step = (bytes: number): void => {
    options.signal?.throwIfAborted();
    loaded += bytes;
    options.onProgress?.({ file, loaded, total });
  };
  return format === "safetensors"
    ? safetensorsParts(weights, layouts, step)
    : torchFile(weights, step);
}

function safetensorsParts(
  weights: Checkpoint,
  layouts: ReadonlyMap<string, TensorLayout>,
  step: (bytes: number) => void,
): FillFile {
  const plan = planSafetensors(layouts, { format: "pt" });
  return async (write) => {
    const buffer = new Uint8Array(PART_BYTES);
    await write(plan.header);
    for (const name of plan.order) {
      for await (const part of weights.parts(name, buffer)) {
        step(part.byteLength);
        await write(bytesOf(part));
      }
    }
  };
}

function torchFile(weights: Checkpoint, step: (bytes: number) => void): FillFile {
  return async (write) => {
    const tensors = new Map<string, Tensor>();
    for (const name of weights.names) {
      step(weights.byteLength(name));
      tensors.set(name, rawToTensor(await weights.read(name)));
    }
    await (
      await torchContent(tensors)
    )(write);
  };
}

function index(places: ReadonlyMap<string, string>, bytes: number): FillFile {
  const json = { metadata: { total_size: bytes }, weight_map: Object.fromEntries(places) };
  const text = `${JSON.stringify(json, undefined, 2)}\n`;
  return (write) => write(new TextEncoder().encode(text));
}

function copyOf(files: FileSource, name: string): FillFile {
  return async (write) => {
    try {
      await write(await files.readBytes(name));
    } catch (error) {
      throw new FileSourceError("system", `${OP}: ${name} could not be copied`, { cause: error });
    }
  };
}
