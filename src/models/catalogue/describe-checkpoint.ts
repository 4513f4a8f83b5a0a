import { type CheckpointOptions, openCheckpoint } from "../../formats/checkpoint.ts";
import { FileSourceError } from "../../files/file-source-error.ts";
import { type FileSource, readTogether } from "../../files/file-source.ts";
import { numel, type Shape } from "../../tensor/shape.ts";
import { ModelError } from "../../nn/errors.ts";
import type { JsonValue } from "../settings/config.ts";
import { readConfigFields } from "../model/pretrained-config.ts";
import { familyOf } from "./families.ts";

/** A tensor of a checkpoint, as its file's header says. */
export interface DescribedTensor {
  /** Its name in the file. */
  readonly name: string;
  /** Its shape in the file. */
  readonly shape: Shape;
  /** Element type under the file's own name for it, such as "F32" or "float32". */
  readonly elementType: string;
  /** How many bytes it takes in the file. */
  readonly bytes: number;
}

/** What the files of a model say of it. */
export interface CheckpointDescription {
  /** What messages call the place. */
  readonly location: string;
  /** The files with weights: one, or shards. */
  readonly files: readonly string[];
  /** In the order in which they lie in the files. */
  readonly tensors: readonly DescribedTensor[];
  /** Numbers in all tensors; those of quantized weights as they are packed. */
  readonly numbers: number;
  /** Bytes of all tensors. */
  readonly bytes: number;
  /** Names that an index lists but no file has, with the file that each should be in. */
  readonly absent: Readonly<Record<string, string>>;
  /** The fields of `config.json` under camelCase names; undefined without that file. */
  readonly config: Readonly<Record<string, JsonValue>> | undefined;
  /** `model_type` of `config.json`. */
  readonly modelType: string | undefined;
  /** Classes that `config.json` names. */
  readonly architectures: readonly string[];
  /** Why no class of this library reads it; undefined where one does. */
  readonly unreadable: string | undefined;
  /** Whether the output's matrix is that of the embeddings. */
  readonly tied: boolean;
  /** Method by which weights are quantized, such as "gptq"; undefined where they are not. */
  readonly quantization: string | undefined;
}

/**
 * Says what a checkpoint holds. Headers are read, and no tensor.
 *
 * @throws as `openCheckpoint` does; a missing or strange `config.json` is no error here.
 *
 * @example
 * ```ts
 * import { describeCheckpoint, openFiles } from "tsvene";
 * const { modelType, numbers, tensors } = await describeCheckpoint(await openFiles("tsvene-mini"));
 * console.log(modelType, numbers, tensors[0]?.name);
 * ```
 */
export async function describeCheckpoint(
  files: FileSource,
  options: CheckpointOptions = {},
): Promise<CheckpointDescription> {
  return readTogether(files, async () => ({
    ...(await describeTensors(files, options)),
    ...(await describeConfig(files, options)),
  }));
}

type Tensors = Pick<
  CheckpointDescription,
  "location" | "files" | "tensors" | "numbers" | "bytes" | "absent"
>;

async function describeTensors(files: FileSource, options: CheckpointOptions): Promise<Tensors> {
  const checkpoint = await openCheckpoint(files, options);
  try {
    const tensors = checkpoint.names.map((name): DescribedTensor => {
      const { elementType, shape } = checkpoint.info(name);
      return { name, shape, elementType, bytes: checkpoint.byteLength(name) };
    });
    return {
      location: checkpoint.location,
      files: checkpoint.files,
      tensors,
      numbers: tensors.reduce((sum, { shape }) => sum + numel(shape), 0),
      bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
      absent: Object.fromEntries(checkpoint.absent),
    };
  } finally {
    await checkpoint.close();
  }
}

type Config = Omit<CheckpointDescription, keyof Tensors>;

const NO_CONFIG: Config = {
  config: undefined,
  modelType: undefined,
  architectures: [],
  unreadable: "there is no config.json",
  tied: false,
  quantization: undefined,
};

async function describeConfig(files: FileSource, { file }: CheckpointOptions): Promise<Config> {
  // What lies beside a single file need not be about it.
  if (file !== undefined) return NO_CONFIG;
  try {
    return configOf(await readConfigFields(files), files.location);
  } catch (error) {
    if (error instanceof FileSourceError && error.code === "missing") return NO_CONFIG;
    if (!(error instanceof ModelError)) throw error;
    return { ...NO_CONFIG, unreadable: error.message };
  }
}

function configOf(config: Readonly<Record<string, JsonValue>>, where: string): Config {
  const { modelType, architectures, quantizationConfig } = config;
  const { quantMethod, quant_method: written } = Object(quantizationConfig ?? {}) as {
    readonly [name: string]: unknown;
  };
  const method = quantMethod ?? written;
  const said = {
    config,
    modelType: typeof modelType === "string" ? modelType : undefined,
    architectures: [architectures ?? []].flat().map(String),
    quantization: typeof method === "string" ? method : undefined,
  };
  try {
    const { quantizationConfig: _, ...settings } = config;
    const read = familyOf(config, where).family.readConfig(settings);
    const { tieWordEmbeddings } = read as { readonly tieWordEmbeddings?: unknown };
    return { ...said, unreadable: undefined, tied: tieWordEmbeddings === true };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { ...said, unreadable: error.message, tied: config["tieWordEmbeddings"] === true };
  }
}
