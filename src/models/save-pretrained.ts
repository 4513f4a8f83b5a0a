import { writeFileAtomic } from "../io/atomic-file.ts";
import { requireNode } from "../io/node.ts";
import { float32ToBfloat16, float32ToFloat16 } from "../io/half-arrays.ts";
import type { RawTensor } from "../io/raw-tensor.ts";
import { saveSafetensors } from "../io/save-safetensors.ts";
import { fail } from "../tensor/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { configText } from "./config-text.ts";
import { type ModelConfig, toConfigJson } from "./config.ts";
import type { PreTrainedModel } from "./pretrained-model.ts";
import { stateOf } from "./state.ts";

/** Options of `savePretrained`. */
export interface SaveOptions {
  /**
   * Element type of the weights in the file; 16-bit ones are rounded to nearest.
   * @default "float32"
   */
  readonly dtype?: "float32" | "float16" | "bfloat16";
}

const NARROW = { float16: float32ToFloat16, bfloat16: float32ToBfloat16 } as const;

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
async function weightsOf(
  model: PreTrainedModel,
  dtype: "float32" | "float16" | "bfloat16",
): Promise<Map<string, Tensor | RawTensor>> {
  const weights = stateOf(model).map(({ names: [name = ""], holder, transposed }) => ({
    name,
    value: transposed ? holder.value.t() : holder.value,
  }));
  if (dtype === "float32") return new Map(weights.map(({ name, value }) => [name, value]));
  const narrowed = new Map<string, Tensor | RawTensor>();
  for (const { name, value } of weights) {
    const data = await value.data();
    const raw = data instanceof Float32Array ? { dtype, data: NARROW[dtype](data) } : undefined;
    narrowed.set(name, raw === undefined ? value : { ...raw, shape: value.shape });
  }
  return narrowed;
}

/** Writes a model; see {@link PreTrainedModel.savePretrained}. */
export async function savePretrained(
  model: PreTrainedModel,
  directory: string,
  { dtype = "float32" }: SaveOptions = {},
): Promise<void> {
  const caller = `${model.constructor.name}.savePretrained`;
  const { path } = requireNode(caller);
  if (dtype !== "float32" && !Object.hasOwn(NARROW, dtype)) {
    fail(caller, `dtype ${dtype} is not known; use float32, float16 or bfloat16`);
  }
  await saveSafetensors(path.join(directory, "model.safetensors"), await weightsOf(model, dtype));
  const architectures = [model.constructor.name];
  // Old versions called the element type torch_dtype; two answers would be one too many.
  const config = { ...withLabels(model.config), architectures, dtype, torchDtype: undefined };
  await writeJson(path.join(directory, "config.json"), config);
  if (Object.keys(model.generationConfig).length > 0) {
    await writeJson(path.join(directory, "generation_config.json"), model.generationConfig);
  }
}
