import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { warn } from "../../base/warn.ts";
import type { ByteSource } from "../../files/byte-source.ts";
import type { FileSource } from "../../files/file-source.ts";
import { HUB_OPTIONS, type HubOptions } from "../../files/hub-options.ts";
import { type FilesName, openFiles } from "../../files/open-files.ts";
import { loadNpz } from "../../formats/numpy/load-npz.ts";
import { rawToTensor } from "../../formats/raw-to-tensor.ts";
import { SafetensorsFile } from "../../formats/safetensors/safetensors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { readTorch, type Tensors } from "../data/read-torch.ts";
import type { SparseAutoencoderOptions } from "./autoencoder-options.ts";
import { type Described, dictionaryLearning, gemmaScope, saeLens, sparsify } from "./file-forms.ts";

/** Which files, and how they are read. */
export interface AutoencoderFilesOptions extends HubOptions {
  /** Where they are in the place, such as `"blocks.8.hook_resid_pre"`. @default the place itself */
  readonly folder?: string;
  /**
   * What representations were multiplied with in a training with `expected_average_only_in`, where the files'
   * weights do not have it in them yet. @default they have it
   */
  readonly normFactor?: number;
}

const OPTIONS: OptionNames<AutoencoderFilesOptions> = {
  ...HUB_OPTIONS,
  folder: true,
  normFactor: true,
};

/** What files say: how to make the autoencoder, and its parameters. */
export interface ReadAutoencoder {
  readonly made: SparseAutoencoderOptions;
  readonly tensors: Tensors;
}

/** A form that files have. */
interface Form {
  /** Both are there; an empty name for none. */
  readonly settings: string;
  readonly weights: string;
  readonly read: (op: string, weights: ByteSource) => Promise<Tensors>;
  readonly describe: (op: string, settings: unknown, tensors: Tensors, where: string) => Described;
}

const FORMS: readonly Form[] = [
  {
    settings: "cfg.json",
    weights: "sae_weights.safetensors",
    read: readSafetensors,
    describe: saeLens,
  },
  { settings: "cfg.json", weights: "sae.safetensors", read: readSafetensors, describe: sparsify },
  { settings: "config.json", weights: "ae.pt", read: readTorch, describe: dictionaryLearning },
  { settings: "", weights: "params.npz", read: readNpz, describe: gemmaScope },
];

/**
 * Reads the files of an autoencoder.
 * @throws TsveneError for files of none of the forms, and for what they say that is not known.
 */
export async function readAutoencoder(
  op: string,
  name: FilesName,
  options: AutoencoderFilesOptions,
): Promise<ReadAutoencoder> {
  requireKnownOptions(op, options, OPTIONS);
  const { folder, normFactor, ...hub } = options;
  const files = await openFiles(name, hub);
  const at = (file: string): string => (folder === undefined ? file : `${folder}/${file}`);
  const where = folder === undefined ? files.location : `${files.location}/${folder}`;
  const form = await formOf(op, files, at, where);
  const settings = form.settings === "" ? undefined : await files.readJson(at(form.settings));
  const source = await files.openRange(at(form.weights));
  try {
    const raw = await form.read(op, source);
    const { isUnscaled = false, ...described } = form.describe(op, settings, raw, where);
    const read = isUnscaled ? scaled(op, described, normFactor) : described;
    if (!isUnscaled && normFactor !== undefined) {
      fail(op, `${where} was not trained with expected_average_only_in: leave out normFactor`);
    }
    await evaluate(...Object.values(read.tensors));
    return read;
  } finally {
    await source.close();
  }
}

async function formOf(
  op: string,
  files: FileSource,
  at: (file: string) => string,
  where: string,
): Promise<Form> {
  for (const form of FORMS) {
    const isThere = await files.exists(at(form.weights));
    if (isThere && (form.settings === "" || (await files.exists(at(form.settings))))) return form;
  }
  const wanted = FORMS.map(({ settings, weights }) =>
    settings === "" ? weights : `${settings} with ${weights}`,
  );
  return fail(
    op,
    `${where} holds no autoencoder: ${wanted.join(", or ")} is wanted there; where a repository has ` +
      'several, name one: { folder: "blocks.8.hook_resid_pre" }',
  );
}

async function readSafetensors(_op: string, source: ByteSource): Promise<Tensors> {
  const open = await SafetensorsFile.open(source);
  const tensors: Record<string, Tensor> = {};
  for (const name of open.names) tensors[name] = rawToTensor(await open.read(name));
  return tensors;
}

async function readNpz(_op: string, source: ByteSource): Promise<Tensors> {
  return Object.fromEntries(await loadNpz(source));
}

/** Weights that take representations as they are. */
function scaled(op: string, read: ReadAutoencoder, factor: number | undefined): ReadAutoencoder {
  if (factor === undefined) {
    warn(
      op,
      "it was trained with expected_average_only_in, and is taken to have the factor in its weights; if it " +
        "has not, latents are wrong: pass the factor, { normFactor }",
    );
    return read;
  }
  if (!(factor > 0 && factor < Infinity)) fail(op, `normFactor must be positive, got ${factor}`);
  const { W_enc, W_dec, b_dec, ...others } = read.tensors;
  const tensors = {
    ...others,
    ...(W_enc && { W_enc: W_enc.mul(factor) }),
    ...(W_dec && { W_dec: W_dec.div(factor) }),
    ...(b_dec && { b_dec: b_dec.div(factor) }),
  };
  return { made: read.made, tensors };
}
