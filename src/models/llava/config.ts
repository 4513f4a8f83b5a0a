import { TensorError } from "../../tensor/errors.ts";
import { type CLIPVisionConfig, clipVisionConfig } from "../clip/config.ts";
import { checkedFields, type JsonValue, type ModelConfig, withDefaults } from "../config.ts";
import { requireOneOf } from "../../tensor/known-options.ts";
import type { Given } from "../decoder/config.ts";
import type { ModelFamily } from "../family.ts";
import { type LlamaConfig, llamaConfig, llamaFamily } from "../llama/config.ts";

/** Settings of a LLaVA, with Hugging Face's meanings and defaults. */
export interface LlavaConfig extends ModelConfig {
  readonly textConfig: LlamaConfig;
  readonly visionConfig: CLIPVisionConfig;
  /** The token that stands for each patch of an image. */
  readonly imageTokenIndex: number;
  readonly projectorHiddenAct: string;
  readonly multimodalProjectorBias: boolean;
  /** `default` leaves out the image encoder's first position, `full` does not. */
  readonly visionFeatureSelectStrategy: string;
  /** Number of the image encoder's hidden state that is read, from the end if negative. */
  readonly visionFeatureLayer: number;
}

/** Some settings of a LLaVA. */
export interface PartialLlavaConfig extends Partial<
  Omit<LlavaConfig, "textConfig" | "visionConfig">
> {
  readonly textConfig?: Given<LlamaConfig>;
  readonly visionConfig?: Partial<CLIPVisionConfig>;
}

const DEFAULTS: Omit<LlavaConfig, "textConfig" | "visionConfig"> = {
  modelType: "llava",
  imageTokenIndex: 32000,
  projectorHiddenAct: "gelu",
  multimodalProjectorBias: true,
  visionFeatureSelectStrategy: "default",
  visionFeatureLayer: -2,
};

/** The image encoder of LLaVA 1.5, where the configuration says nothing else. */
const VISION: Partial<CLIPVisionConfig> = {
  hiddenSize: 1024,
  intermediateSize: 4096,
  numHiddenLayers: 24,
  numAttentionHeads: 16,
  imageSize: 336,
  patchSize: 14,
};

/**
 * LLaVA settings: those given over the defaults.
 * @throws TensorError for sizes that cannot be.
 */
export function llavaConfig(given: PartialLlavaConfig = {}): LlavaConfig {
  const { textConfig, visionConfig, ...rest } = given;
  const config = withDefaults(DEFAULTS, rest);
  const { visionFeatureSelectStrategy } = config;
  requireOneOf("LlavaConfig", "visionFeatureSelectStrategy", visionFeatureSelectStrategy, [
    "default",
    "full",
  ]);
  const text = llamaConfig(textConfig);
  const vision = clipVisionConfig(withDefaults(VISION, visionConfig ?? {}));
  const states = vision.numHiddenLayers + 1;
  const { visionFeatureLayer: layer } = config;
  if (!Number.isInteger(layer) || layer < -states || layer >= states) {
    throw new TensorError(
      `LlavaConfig: visionFeatureLayer ${String(layer)} is not one of the image encoder's ` +
        `${states} hidden states`,
    );
  }
  const { vocabSize, padTokenId = null, eosTokenId = null, bosTokenId = null } = text;
  const tokens = { vocabSize, padTokenId, eosTokenId, bosTokenId };
  return { ...tokens, ...config, textConfig: text, visionConfig: vision };
}

type Fields = Readonly<Record<string, JsonValue>>;

/** Fields of one of the two parts, which must be of the kind that is known here. */
function partOf(name: string, value: JsonValue | undefined, wanted: string): Fields {
  const fields = (value ?? {}) as Fields;
  const { modelType = wanted } = fields;
  const kind = typeof modelType === "string" ? modelType : JSON.stringify(modelType);
  requireOneOf("LlavaConfig", `${name}.modelType`, kind, [wanted]);
  return fields;
}

/** How checkpoints of LLaVAs are read. */
export const llavaFamily: ModelFamily<LlavaConfig> = {
  modelType: "llava",
  readConfig: ({ textConfig, visionConfig, ...fields }) =>
    llavaConfig({
      ...checkedFields("LlavaConfig", DEFAULTS, fields),
      textConfig: llamaFamily.readConfig(partOf("textConfig", textConfig, "llama")),
      visionConfig: partOf("visionConfig", visionConfig, "clip_vision_model"),
    }),
  basePrefix: "model",
  renamed: [
    [/^model\.language_model\./, "language_model.model."],
    [/^lm_head\./, "language_model.lm_head."],
    [/^model\.(vision_tower|multi_modal_projector)\./, "$1."],
    [/^vision_tower\.vision_model\./, "vision_tower."],
  ],
  // Numbers of positions, which old versions saved as if they were weights.
  ignored: [/embeddings\.position_ids$/],
};

/** The same of LLaVAs without a head, into which those with one are read as well. */
export const llavaBaseFamily: ModelFamily<LlavaConfig> = {
  ...llavaFamily,
  renamed: [...(llavaFamily.renamed ?? []), [/^language_model\.model\./, "language_model."]],
  ignored: [...(llavaFamily.ignored ?? []), /^language_model\.lm_head\./],
};
