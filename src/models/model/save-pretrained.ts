import type { FillFile } from "../../files/fill-file.ts";
import { requireNode } from "../../files/node.ts";
import { safetensorsContent } from "../../formats/safetensors/save-safetensors.ts";
import type { Pushed, PushOptions } from "../../files/push-options.ts";
import { saveTogether } from "../../files/save-together.ts";
import { type OptionNames, wrongOptions } from "../../base/known-options.ts";
import { checkWeightDType, type WeightDType } from "../../nn/parameter.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { fail } from "../../nn/errors.ts";
import { refuseOverflow } from "../../tensor/overflow.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { configText } from "./config-text.ts";
import { type JsonValue, type ModelConfig, toConfigJson } from "../settings/config.ts";
import { toGenerationJson } from "../generation/file.ts";
import type { ModelClass } from "./family.ts";
import { modelCard } from "./model-card.ts";
import { asWritten } from "../settings/define-settings.ts";
import type { PreTrainedModel } from "./pretrained-model.ts";
import { stateOf } from "./state.ts";

/** Options of `savePretrained`. */
export interface SaveOptions {
  /**
   * Element type of the weights in the file; to 16-bit ones they are rounded to nearest.
   * @default the one that the model keeps them in
   */
  readonly dtype?: WeightDType;
  /**
   * Put the files into a repository of the Hugging Face Hub as well, with a card that says how to load
   * them; a `README.md` in the directory, or one that somebody wrote in the repository, stays.
   * @default none
   */
  readonly pushToHub?: PushOptions;
}

const OPTIONS: OptionNames<SaveOptions> = { dtype: true, pushToHub: true };

/** Labels go to disk as `id2label`, from which Hugging Face's classes count them; 2 go unsaid. */
function withLabels({ numLabels, ...config }: ModelConfig): object {
  if (numLabels === undefined || numLabels === 2 || config.id2label !== undefined) return config;
  const ids = Array.from({ length: numLabels }, (_, i) => String(i));
  return {
    ...config,
    id2label: Object.fromEntries(ids.map((id) => [id, `LABEL_${id}`])),
    label2id: Object.fromEntries(ids.map((id) => [`LABEL_${id}`, Number(id)])),
  };
}

function jsonContent(json: Readonly<Record<string, JsonValue>>): FillFile {
  const sorted = Object.fromEntries(Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1)));
  const bytes = new TextEncoder().encode(configText(sorted));
  return (write) => write(bytes);
}

/** Whether a file may be one of a model that was saved before, and not fit to another's weights. */
export function isOfAnotherSave(name: string): boolean {
  return (
    /^model(?:-\d{5}-of-\d{5})?\.safetensors$/.test(name) ||
    ["model.safetensors.index.json", "config.json", "generation_config.json"].includes(name)
  );
}

/** @throws ModelError for a weight that becomes infinite in the file's element type. */
async function checkRange(
  caller: string,
  model: PreTrainedModel,
  dtype: WeightDType,
): Promise<void> {
  for (const {
    names: [name = ""],
    holder: { stored },
  } of stateOf(model)) {
    // prettier-ignore
    if (!isFloat(stored.dtype) || stored.dtype === dtype) continue;
    refuseOverflow(caller, name, { values: await stored.data(), dtype: stored.dtype, to: dtype });
  }
}

/** Weights in checkpoint form, in the file's element type. */
function weightsOf(model: PreTrainedModel, dtype: WeightDType): Map<string, Tensor> {
  return new Map(
    stateOf(model).map(({ names: [name = ""], holder: { stored }, transposed }) => {
      const value = isFloat(stored.dtype) ? stored.to(dtype) : stored;
      return [name, transposed ? value.t() : value];
    }),
  );
}

/** `config.json`, and `generation_config.json` where there are settings for it. */
export function settingsFiles(model: PreTrainedModel, dtype: WeightDType): Map<string, FillFile> {
  const architectures = [model.constructor.name];
  // Old versions called the element type torch_dtype; two answers would be one too many.
  const { settings } = (model.constructor as unknown as ModelClass).family;
  const own = settings === undefined ? model.config : asWritten(settings, model.config);
  const config = {
    ...withLabels(own as ModelConfig),
    architectures,
    dtype,
    torchDtype: undefined,
  };
  const files = new Map([["config.json", jsonContent(toConfigJson(config))]]);
  if (Object.keys(model.generationConfig).length > 0) {
    const generation = toGenerationJson(model.generationConfig);
    files.set("generation_config.json", jsonContent(generation));
  }
  return files;
}

/** Writes a model; see {@link PreTrainedModel.savePretrained}. */
export async function savePretrained(
  model: PreTrainedModel,
  directory: string,
  options: SaveOptions = {},
): Promise<Pushed | undefined> {
  const caller = `${model.constructor.name}.savePretrained`;
  requireNode(caller);
  const wrong = wrongOptions(options, OPTIONS);
  if (wrong !== undefined) fail(caller, wrong);
  const { dtype = model.dtype, pushToHub } = options;
  checkWeightDType(caller, dtype);
  if (typeof directory !== "string" || directory === "") {
    fail(caller, `a directory was expected, got ${JSON.stringify(directory)}`);
  }
  await checkRange(caller, model, dtype);
  const files = new Map([
    ["model.safetensors", await safetensorsContent(weightsOf(model, dtype))],
    ...settingsFiles(model, dtype),
  ]);
  const modelClass = model.constructor as unknown as ModelClass;
  const card = (push: PushOptions): string => modelCard(modelClass, push);
  const wanted = { files, isSuperseded: isOfAnotherSave };
  return saveTogether(caller, directory, wanted, { pushToHub, card });
}
