import type { FillFile } from "../../files/fill-file.ts";
import type { ByteSource } from "../../files/byte-source.ts";
import { FileSource } from "../../files/file-source.ts";
import { encodeTorchFile } from "../../formats/torch/save-torch-file.ts";
import { loadTorchFile } from "../../formats/torch/load-torch-file.ts";
import { fail } from "../../interventions/errors.ts";
import { PreTrainedModel } from "../../models/model/pretrained-model.ts";
import { settingsFiles } from "../../models/model/save-pretrained.ts";
import type { Module } from "../../nn/module.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** Files of the model: its weights, which pyvene reads too, and its settings, whose usual name is pyvene's. */
export const WEIGHTS = {
  weights: "pytorch_model.bin",
  "config.json": "model_config.json",
  "generation_config.json": "model_generation_config.json",
} as const;

async function contentOf(fill: FillFile): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await fill(async (bytes) => void parts.push(bytes));
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** The weights of a model, and the settings of one that can be made again of them. */
export async function modelFiles(model: Module): Promise<Map<string, Uint8Array>> {
  const weights = new Map(Object.entries(model.stateDict()));
  const files = new Map<string, Uint8Array>([[WEIGHTS.weights, await encodeTorchFile(weights)]]);
  if (!(model instanceof PreTrainedModel)) return files;
  for (const [name, fill] of settingsFiles(model, model.dtype)) {
    files.set(WEIGHTS[name as keyof typeof WEIGHTS], await contentOf(fill));
  }
  return files;
}

/** Weights for some or all of a model's parameters, checked against it. */
export type CheckedWeights = Readonly<Record<string, Tensor>>;

/**
 * The weights of a directory, which need not be all of the model's: pyvene writes those that were
 * trained.
 *
 * @throws InterventionError for weights that the model has not, or not of that shape.
 */
export async function readWeights(
  op: string,
  files: FileSource,
  model: Module,
): Promise<CheckedWeights> {
  const where = `${op}: ${files.location}`;
  if (!(await files.exists(WEIGHTS.weights))) {
    fail(where, `there are no weights of a model (${WEIGHTS.weights}); leave out includeModel`);
  }
  const value = await loadTorchFile(await files.readBytes(WEIGHTS.weights));
  const entries = value instanceof Map ? [...(value as ReadonlyMap<unknown, unknown>)] : [];
  const own = model.stateDict();
  const weights: Record<string, Tensor> = {};
  for (const [name, tensor] of entries) {
    const known = Object.hasOwn(own, String(name)) ? own[String(name)] : undefined;
    const fits = tensor instanceof Tensor && String(known?.shape) === String(tensor.shape);
    if (known !== undefined && fits) weights[String(name)] = tensor;
    else {
      fail(
        where,
        `${WEIGHTS.weights} has ${String(name).slice(0, 200)}, which the ${model.constructor.name} has not, ` +
          "or not of that shape; load it with the model that it was saved with",
      );
    }
  }
  return weights;
}

/** The files of the model in an artefact, under the names that models have. */
class ModelFiles extends FileSource {
  readonly location: string;
  readonly #files: FileSource;

  constructor(files: FileSource) {
    super();
    this.location = files.location;
    this.#files = files;
  }

  async exists(path: string): Promise<boolean> {
    const name = nameIn(path);
    return name !== undefined && this.#files.exists(name);
  }

  async openRange(path: string): Promise<ByteSource> {
    return this.#files.openRange(nameIn(path) ?? path);
  }
}

function nameIn(path: string): string | undefined {
  if (path === WEIGHTS.weights) return path;
  return Object.hasOwn(WEIGHTS, path) ? WEIGHTS[path as keyof typeof WEIGHTS] : undefined;
}

/** A class of models, which can be made of files. */
export interface LoadableClass<M> {
  new (...settings: never): M;
  /** Loads a model of the class; see its own documentation. */
  readonly fromPretrained: unknown;
}

/** What makes a model of files without being its class, such as `AutoModel`. */
export interface ModelMaker<M> {
  /** Loads a model; see its own documentation. */
  fromPretrained(name: FileSource, options?: never): Promise<M>;
}

/** Makes the model that an artefact holds. */
export async function modelIn<M>(
  op: string,
  files: FileSource,
  maker: ModelMaker<M> | LoadableClass<M>,
): Promise<M> {
  const settings = WEIGHTS["config.json"];
  if (!(await files.exists(settings))) {
    fail(
      `${op}: ${files.location}`,
      `there is no model in it (${settings}), so pass one; save(directory, { includeModel: true }) writes it too`,
    );
  }
  const { dtype = "float32" } = Object(await files.readJson(settings)) as { dtype?: unknown };
  const { fromPretrained } = maker as { fromPretrained: (name: FileSource, options: object) => Promise<M> }; // prettier-ignore
  return fromPretrained.call(maker, new ModelFiles(files), { dtype });
}
