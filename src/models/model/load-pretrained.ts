import { type Checkpoint, openCheckpoint } from "../../formats/checkpoint.ts";
import { sliced } from "../../formats/sliced-checkpoint.ts";
import { type FileSource, readTogether } from "../../files/file-source.ts";
import { HUB_OPTIONS, type HubOptions } from "../../files/hub-options.ts";
import { dequantize } from "../../formats/quantization/dequantized-checkpoint.ts";
import { type FilesName, openFiles } from "../../files/open-files.ts";
import { checkDevice, type Device, knownDevices } from "../../tensor/device.ts";
import { checkWeightDType, type WeightDType } from "../../nn/parameter.ts";
import { withoutInit } from "../../nn/without-init.ts";
import { fail, ModelError } from "../../nn/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { type JsonValue, type ModelConfig, toConfigJson } from "../settings/config.ts";
import type { ModelClass, ModelFamily } from "./family.ts";
import { loadCheckpoint } from "./load-checkpoint.ts";
import { readConfigFields, readGenerationFields } from "./pretrained-config.ts";
import { requireFit } from "../settings/fits-checkpoint.ts";
import { noteOrigin } from "./origin.ts";
import type { PreTrainedModel } from "./pretrained-model.ts";

/** Options of `fromPretrained`. */
export interface PretrainedOptions extends HubOptions {
  /**
   * Element type that weights are kept in; they are rounded to it, or widened. 16 bits take half the
   * memory and are computed with in float32, which each program widens them to.
   * @default "float32"
   */
  readonly dtype?: WeightDType;
  /**
   * Where the weights live, and so where all runs that is computed from them: `"webgpu"`, in Node also
   * `"cuda"` and `"tensorrt"`; `"cpu"` is the processor.
   * @default where the runtime computes what no device was said for, see `configureRuntime`
   */
  readonly device?: Device;
  /**
   * Refuse weights that are infinite or NaN, also such as are too large for `dtype`.
   * @default false
   */
  readonly checkFinite?: boolean;
  /**
   * Settings of `config.json` to do without, by their names there, such as those that a class of
   * your own in Python has: `"my_setting"`, or `"text_config.my_setting"` of a part. Unknown
   * settings are refused otherwise.
   * @default none
   */
  readonly ignoreSettings?: readonly string[];
  /**
   * Weights under names such as `model.fp16.safetensors`: here `"fp16"`.
   * @default those without
   */
  readonly variant?: string;
}

const OPTIONS: OptionNames<PretrainedOptions> = {
  dtype: true,
  device: true,
  checkFinite: true,
  ignoreSettings: true,
  variant: true,
  ...HUB_OPTIONS,
};

/** @throws ModelError for an option that is not there, or cannot be what it is. */
export function checkPretrainedOptions(caller: string, options: PretrainedOptions): void {
  requireKnownOptions(caller, options, OPTIONS);
  const { dtype = "float32", device, ignoreSettings = [] } = options;
  checkWeightDType(caller, dtype);
  const named = Array.isArray(ignoreSettings) && ignoreSettings.every((n) => typeof n === "string");
  if (!named) {
    fail(caller, `ignoreSettings is a list of names, got ${JSON.stringify(ignoreSettings)}`);
  }
  if (device !== undefined) checkDevice(caller, device);
}

/** Loads a model of one class; see {@link PreTrainedModel.fromPretrained}. */
export async function loadPretrained<M extends PreTrainedModel>(
  modelClass: ModelClass<M>,
  name: FilesName,
  options: PretrainedOptions = {},
): Promise<M> {
  const caller = `${modelClass.name}.fromPretrained`;
  checkPretrainedOptions(caller, options);
  if (options.device !== undefined) await knownDevices().require(caller, options.device);
  const files = await openFiles(name, options);
  return readTogether(files, () => loadFrom(modelClass, files, { ...options, caller }));
}

async function loadFrom<M extends PreTrainedModel>(
  modelClass: ModelClass<M>,
  files: FileSource,
  options: PretrainedOptions & { readonly caller: string },
): Promise<M> {
  const { family } = modelClass;
  const { caller, dtype = "float32", device, checkFinite = false } = options;
  const fields = await familyFields(files, family.modelType, options);
  const { quantizationConfig, ...settings } = fields;
  const config = family.readConfig(settings);
  const checkpoint = await openWeights(files, family, { ...options, quantizationConfig });
  try {
    requireFit(caller, family, config, checkpoint);
    const parts = family.parts?.(checkpoint.names);
    const model = withoutInit(() => new modelClass(config as never, parts as never)).to(dtype);
    const architectures = [fields["architectures"] ?? []].flat().map(String);
    await loadCheckpoint(model, checkpoint, { family, caller, checkFinite, architectures });
    if (device !== undefined) model.to(device);
    model.generationConfig = await readGenerationFields(files, fields);
    noteOrigin(model, files);
    return model.eval();
  } finally {
    await checkpoint.close();
  }
}

/** The weights; quantized ones as the floats that they represent. */
async function openWeights(
  files: FileSource,
  { slices }: ModelFamily,
  {
    variant,
    quantizationConfig: quantization,
  }: PretrainedOptions & { readonly quantizationConfig: JsonValue | undefined },
): Promise<Checkpoint> {
  const opened = await openCheckpoint(files, variant === undefined ? {} : { variant });
  const checkpoint = slices === undefined ? opened : sliced(opened, slices);
  if (quantization === undefined || quantization === null) return checkpoint;
  try {
    return await dequantize(checkpoint, toConfigJson(Object(quantization) as object));
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

async function familyFields(
  files: FileSource,
  modelType: string,
  { caller, ignoreSettings }: PretrainedOptions & { readonly caller: string },
): Promise<Awaited<ReturnType<typeof readConfigFields>>> {
  const fields = await readConfigFields(files, ignoreSettings);
  if (fields["modelType"] === modelType) return fields;
  const given = JSON.stringify((fields as Partial<ModelConfig>).modelType);
  throw new ModelError(
    `${caller}: ${files.location} holds a model of type ${given}, wanted "${modelType}"; ` +
      "AutoModel picks the class by the type",
  );
}
