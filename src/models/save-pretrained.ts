import { writeFileAtomic } from "../io/atomic-file.ts";
import { requireNode } from "../io/node.ts";
import { saveSafetensors } from "../io/save-safetensors.ts";
import { checkWeightDType, type WeightDType } from "../nn/parameter.ts";
import { isFloat } from "../tensor/dtype.ts";
import { fail } from "../tensor/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { configText } from "./config-text.ts";
import { type ModelConfig, toConfigJson } from "./config.ts";
import type { PreTrainedModel } from "./pretrained-model.ts";
import { stateOf } from "./state.ts";

/** Options of `savePretrained`. */
export interface SaveOptions {
  /**
   * Element type of the weights in the file; to 16-bit ones they are rounded to nearest.
   * @default the one that the model keeps them in
   */
  readonly dtype?: WeightDType;
}

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

async function writeJson(path: string, fields: object): Promise<void> {
  const sorted = Object.fromEntries(
    Object.entries(toConfigJson(fields)).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const bytes = new TextEncoder().encode(configText(sorted));
  await writeFileAtomic(path, (write) => write(bytes));
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

/** Writes a model; see {@link PreTrainedModel.savePretrained}. */
export async function savePretrained(
  model: PreTrainedModel,
  directory: string,
  { dtype = model.dtype }: SaveOptions = {},
): Promise<void> {
  const caller = `${model.constructor.name}.savePretrained`;
  const { path } = requireNode(caller);
  checkWeightDType(caller, dtype);
  if (typeof directory !== "string" || directory === "") {
    fail(caller, `a directory was expected, got ${JSON.stringify(directory)}`);
  }
  await saveSafetensors(path.join(directory, "model.safetensors"), weightsOf(model, dtype));
  const architectures = [model.constructor.name];
  // Old versions called the element type torch_dtype; two answers would be one too many.
  const config = { ...withLabels(model.config), architectures, dtype, torchDtype: undefined };
  await writeJson(path.join(directory, "config.json"), config);
  if (Object.keys(model.generationConfig).length > 0) {
    await writeJson(path.join(directory, "generation_config.json"), model.generationConfig);
  }
}
