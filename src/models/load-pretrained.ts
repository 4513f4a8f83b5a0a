import { openCheckpoint } from "../io/checkpoint.ts";
import type { HubOptions } from "../io/hub-files.ts";
import { type FilesName, openFiles } from "../io/open-files.ts";
import { checkWeightDType, type WeightDType } from "../nn/parameter.ts";
import { withoutInit } from "../nn/without-init.ts";
import { fail, TensorError } from "../tensor/errors.ts";
import type { ModelConfig } from "./config.ts";
import type { ModelClass } from "./family.ts";
import { loadCheckpoint } from "./load-checkpoint.ts";
import { readConfigFields, readGenerationFields } from "./pretrained-config.ts";
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
   * Where programs run: the processor, which is all that there is here.
   * @default "cpu"
   */
  readonly device?: "cpu";
  /**
   * Refuse weights that are infinite or NaN, also such as are too large for `dtype`.
   * @default false
   */
  readonly checkFinite?: boolean;
}

/** Loads a model of one class; see {@link PreTrainedModel.fromPretrained}. */
export async function loadPretrained<M extends PreTrainedModel>(
  modelClass: ModelClass<M>,
  name: FilesName,
  options: PretrainedOptions = {},
): Promise<M> {
  const { family } = modelClass;
  const caller = `${modelClass.name}.fromPretrained`;
  const { dtype = "float32", device = "cpu", checkFinite = false } = options;
  checkWeightDType(caller, dtype);
  if (device !== "cpu") {
    fail(caller, `device ${JSON.stringify(device)} is not there; programs run on "cpu"`);
  }
  const files = await openFiles(name, options);
  const config = family.readConfig(await familyFields(files, family.modelType, caller));
  const checkpoint = await openCheckpoint(files);
  try {
    const parts = family.parts?.(checkpoint.names);
    const model = withoutInit(() => new modelClass(config as never, parts as never)).to(dtype);
    await loadCheckpoint(model, checkpoint, { family, caller, checkFinite });
    model.generationConfig = await readGenerationFields(files);
    return model.eval();
  } finally {
    await checkpoint.close();
  }
}

async function familyFields(
  files: Awaited<ReturnType<typeof openFiles>>,
  modelType: string,
  caller: string,
): Promise<Awaited<ReturnType<typeof readConfigFields>>> {
  const fields = await readConfigFields(files);
  if (fields["modelType"] === modelType) return fields;
  const given = JSON.stringify((fields as Partial<ModelConfig>).modelType);
  throw new TensorError(
    `${caller}: ${files.location} holds a model of type ${given}, wanted "${modelType}"; ` +
      "AutoModel picks the class by the type",
  );
}
