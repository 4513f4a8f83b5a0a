import { TensorError } from "../../tensor/errors.ts";
import {
  checkedFields,
  type JsonValue,
  type ModelConfig,
  requirePositive,
  withDefaults,
} from "../config.ts";
import { decoderRows, type Given, type RotaryConfig } from "../decoder/config.ts";
import { defineRotarySettings, PLAIN_ROPE } from "../decoder/rotary-settings.ts";
import { requireHeads } from "../encoder/require-heads.ts";
import type { ModelFamily } from "../family.ts";
import type { Settings } from "../settings/define-settings.ts";
import {
  activationName,
  listOf,
  natural,
  nonNegative,
  token,
  tokens,
  width,
} from "../settings/kinds.ts";
import { type PatchConfig, requirePatches } from "../vision/patch-embedding.ts";

/** Settings of the language model: a Llama of which some layers look at the image. */
export interface MllamaTextConfig extends RotaryConfig {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** Numbers of the layers that look at the image instead of the text. */
  readonly crossAttentionLayers: readonly number[];
}

/** Settings of the image encoder. */
export interface MllamaVisionConfig extends ModelConfig, PatchConfig {
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  /** Layers after those, with gates. */
  readonly numGlobalLayers: number;
  readonly attentionHeads: number;
  readonly hiddenAct: string;
  readonly normEps: number;
  /** Tiles that an image is cut into at most. */
  readonly maxNumTiles: number;
  /** Layers whose outputs are given beside the last one's. */
  readonly intermediateLayersIndices: readonly number[];
  /** Rows and columns of tiles that an image can have, counted from 1. */
  readonly supportedAspectRatios: readonly (readonly number[])[];
}

/** Settings of an Mllama (Llama 3.2 Vision), with Hugging Face's meanings and defaults. */
export interface MllamaConfig extends ModelConfig {
  readonly textConfig: MllamaTextConfig;
  readonly visionConfig: MllamaVisionConfig;
}

/** Some settings of an Mllama. */
export interface PartialMllamaConfig extends Partial<
  Omit<MllamaConfig, "textConfig" | "visionConfig">
> {
  readonly textConfig?: Given<MllamaTextConfig>;
  readonly visionConfig?: Partial<MllamaVisionConfig>;
}

const TEXT: Settings<MllamaTextConfig> = defineRotarySettings<MllamaTextConfig>({
  name: "MllamaTextConfig",
  modelType: "mllama_text_model",
  // Of training.
  inert: ["dropout"],
  rope: { ...PLAIN_ROPE, ropeTheta: 500_000 },
  rows: {
    ...decoderRows({
      vocabSize: 128256,
      hiddenSize: 4096,
      intermediateSize: 14336,
      numHiddenLayers: 40,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 131072,
    }),
    numKeyValueHeads: width.orNull(8),
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(1e-5),
    crossAttentionLayers: listOf(natural, [3, 8, 13, 18, 23, 28, 33, 38]),
    bosTokenId: token.orNull(128000),
    eosTokenId: tokens.orNull(128001),
    padTokenId: token.orNull(128004),
  },
});

const VISION: MllamaVisionConfig = {
  modelType: "mllama_vision_model",
  hiddenSize: 1280,
  intermediateSize: 5120,
  numHiddenLayers: 32,
  numGlobalLayers: 8,
  attentionHeads: 16,
  hiddenAct: "gelu",
  normEps: 1e-5,
  numChannels: 3,
  imageSize: 448,
  patchSize: 14,
  maxNumTiles: 4,
  intermediateLayersIndices: [3, 7, 15, 23, 30],
  supportedAspectRatios: [
    [1, 1],
    [1, 2],
    [1, 3],
    [1, 4],
    [2, 1],
    [2, 2],
    [3, 1],
    [4, 1],
  ],
  initializerRange: 0.02,
};

function checkVision(config: MllamaVisionConfig): void {
  const { hiddenSize, attentionHeads: numAttentionHeads, numHiddenLayers } = config;
  const { intermediateSize, numGlobalLayers, maxNumTiles, imageSize, patchSize } = config;
  const sizes = { hiddenSize, attentionHeads: numAttentionHeads, numHiddenLayers, numGlobalLayers };
  const rest = { intermediateSize, maxNumTiles, imageSize, patchSize };
  requirePositive("MllamaVisionConfig", { ...sizes, ...rest });
  requireHeads("MllamaVisionConfig", { hiddenSize, numAttentionHeads });
  requirePatches("MllamaVisionConfig", config);
}

/**
 * Mllama settings: those given over the defaults.
 * @throws TensorError for sizes that cannot be.
 */
export function mllamaConfig(given: PartialMllamaConfig = {}): MllamaConfig {
  const { textConfig, visionConfig, ...rest } = given;
  const text = TEXT.read(textConfig ?? {});
  const vision = withDefaults(VISION, visionConfig ?? {});
  checkVision(vision);
  if (text.crossAttentionLayers.includes(0)) {
    throw new TensorError("MllamaTextConfig: crossAttentionLayers must leave out the first layer");
  }
  const { vocabSize, padTokenId = null, eosTokenId = null, bosTokenId = null } = text;
  const tokens = { vocabSize, padTokenId, eosTokenId, bosTokenId };
  return { modelType: "mllama", ...tokens, ...rest, textConfig: text, visionConfig: vision };
}

/** Width of what the image encoder gives: its last state and the intermediate ones. */
export function visionWidth({ hiddenSize, intermediateLayersIndices }: MllamaVisionConfig): number {
  return hiddenSize * (1 + intermediateLayersIndices.length);
}

type Fields = Readonly<Record<string, JsonValue>>;

/** How checkpoints of Mllamas are read. */
export const mllamaFamily: ModelFamily<MllamaConfig> = {
  modelType: "mllama",
  readConfig: ({ textConfig, visionConfig, ...fields }) =>
    mllamaConfig({
      ...checkedFields("MllamaConfig", { modelType: "mllama" }, fields),
      textConfig: TEXT.fromFields((textConfig ?? {}) as Fields),
      visionConfig: checkedFields("MllamaVisionConfig", VISION, (visionConfig ?? {}) as Fields),
    }),
  basePrefix: "model",
  renamed: [
    [/^model\.language_model\./, "language_model.model."],
    [/^lm_head\./, "language_model.lm_head."],
    [/^model\.(vision_model|multi_modal_projector)\./, "$1."],
  ],
};

/** The same of Mllamas without a head, into which those with one are read as well. */
export const mllamaBaseFamily: ModelFamily<MllamaConfig> = {
  ...mllamaFamily,
  renamed: [...(mllamaFamily.renamed ?? []), [/^language_model\.model\./, "language_model."]],
  ignored: [/^language_model\.lm_head\./],
};
