import { fail } from "../../../nn/errors.ts";
import {
  CLIP_VISION_SETTINGS,
  type CLIPVisionConfig,
  clipVisionShapes,
} from "../../families/clip/config.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { type Given, headDimOf } from "../../parts/decoder/config.ts";
import type { ModelFamily } from "../../model/family.ts";
import { LLAMA_SETTINGS, type LlamaConfig } from "../../families/llama/config.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import type { ClaimedShapes } from "../../settings/fits-checkpoint.ts";
import {
  activationName,
  flag,
  kind,
  type Kind,
  nested,
  oneOf,
  token,
  width,
} from "../../settings/kinds.ts";

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
  /**
   * Number of the image encoder's hidden state that is read, from the end if negative; or of several,
   * which are laid side by side.
   */
  readonly visionFeatureLayer: number | readonly number[];
  /** Whether the text's output matrix is that of its words' vectors. */
  readonly tieWordEmbeddings: boolean;
}

/** Some settings of a LLaVA. */
export interface PartialLlavaConfig extends Partial<
  Omit<LlavaConfig, "textConfig" | "visionConfig">
> {
  readonly textConfig?: Given<LlamaConfig>;
  readonly visionConfig?: Partial<CLIPVisionConfig>;
}

/** The image encoder of LLaVA 1.5, where the configuration says nothing of it. */
const LLAVA_VISION = CLIP_VISION_SETTINGS.read({
  hiddenSize: 1024,
  intermediateSize: 4096,
  numHiddenLayers: 24,
  numAttentionHeads: 16,
  imageSize: 336,
  patchSize: 14,
});

const layers: Kind<number | readonly number[]> = kind(
  "a layer's number, or a list of such",
  (v) => Number.isSafeInteger(v) || (Array.isArray(v) && v.length > 0 && v.every(Number.isSafeInteger)), // prettier-ignore
);

const SETTINGS = defineSettings<LlavaConfig>({
  name: "LlavaConfig",
  modelType: "llava",
  rows: {
    textConfig: nested(LLAMA_SETTINGS),
    visionConfig: nested(CLIP_VISION_SETTINGS, LLAVA_VISION),
    // The text's, whatever files say of the whole.
    vocabSize: width(undefined),
    imageTokenIndex: token(32000, { names: ["imageTokenId"] }),
    projectorHiddenAct: activationName("gelu"),
    multimodalProjectorBias: flag(true),
    visionFeatureSelectStrategy: oneOf(["default", "full"], "default"),
    visionFeatureLayer: layers(-2),
    tieWordEmbeddings: flag(false),
  },
  inert: {
    imageSeqLength: "an image has as many tokens as the image encoder gives of it",
  },
  numbered: [
    { path: "language_model.layers", setting: "textConfig.numHiddenLayers" },
    { path: "language_model.model.layers", setting: "textConfig.numHiddenLayers" },
    { path: "vision_tower.encoder.layers", setting: "visionConfig.numHiddenLayers" },
  ],
  shapes: (config) => ({
    ...textShapes("language_model", config),
    ...textShapes("language_model.model", config),
    ...clipVisionShapes("vision_tower", config.visionConfig),
  }),
  complete: completed,
});

/** Shapes that the text's settings say, at a path. */
function textShapes(path: string, { textConfig }: LlavaConfig): ClaimedShapes {
  const width = "textConfig.hiddenSize";
  const heads = textConfig.numAttentionHeads * headDimOf(textConfig);
  return {
    [`${path}.layers.0.self_attn.q_proj.weight`]: [
      ["textConfig.numAttentionHeads * textConfig.headDim", heads],
      width,
    ],
    [`${path}.embed_tokens.weight`]: ["textConfig.vocabSize", width],
    [`${path}.layers.0.mlp.up_proj.weight`]: ["textConfig.intermediateSize", width],
  };
}

/** What a part decides: the special tokens of the whole are the text's, unless it has its own. */
function completed(config: LlavaConfig): LlavaConfig {
  const { textConfig, visionConfig } = config;
  const states = visionConfig.numHiddenLayers + 1;
  const wrong = featureLayers(config).find((layer) => layer < -states || layer >= states);
  if (wrong !== undefined) {
    fail(
      "LlavaConfig",
      `visionFeatureLayer ${wrong} is not one of the image encoder's ${states} hidden states`,
    );
  }
  // Older files say so of the text, newer ones of the whole.
  const tieWordEmbeddings = config.tieWordEmbeddings || textConfig.tieWordEmbeddings;
  const { vocabSize, padTokenId = null, eosTokenId = null, bosTokenId = null } = textConfig;
  const text = { ...textConfig, tieWordEmbeddings };
  const tokens = { padTokenId, eosTokenId, bosTokenId };
  return { ...tokens, ...config, vocabSize, tieWordEmbeddings, textConfig: text };
}

/** Numbers of the hidden states that are read, from the end if negative. */
export function featureLayers({ visionFeatureLayer: layer }: LlavaConfig): readonly number[] {
  return typeof layer === "number" ? [layer] : layer;
}

/**
 * LLaVA settings: those given over the defaults.
 * @throws ModelError for settings that cannot be.
 */
export function llavaConfig(given: PartialLlavaConfig = {}): LlavaConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of LLaVAs are read. */
export const llavaFamily: ModelFamily<LlavaConfig> = {
  modelType: "llava",
  settings: SETTINGS,
  readConfig: SETTINGS.fromFields,
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
