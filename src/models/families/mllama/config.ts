import { fail } from "../../../nn/errors.ts";
import { cardWithin } from "../../model/card-within.ts";
import type { ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { llamaCard, type LlamaComponent } from "../../parts/decoder/card.ts";
import {
  decoderRows,
  type Given,
  headRows,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { defineRotarySettings, PLAIN_ROPE } from "../../parts/decoder/rotary-settings.ts";
import { requireHeads } from "../../parts/encoder/require-heads.ts";
import {
  attentionParts,
  type LayerPart,
  mlpParts,
  prefixedParts,
} from "../../parts/layer-components.ts";
import { type PatchConfig, requirePatches } from "../../parts/vision/patch-embedding.ts";
import { patchRows, patchShape, positionCount, squareSizes } from "../../parts/vision/rows.ts";
import type { ModelConfig } from "../../settings/config.ts";
import {
  defineSettings,
  type GivenSettings,
  type Settings,
} from "../../settings/define-settings.ts";
import type { ClaimedShapes } from "../../settings/fits-checkpoint.ts";
import {
  activationName,
  count,
  fraction,
  kind,
  type Kind,
  listOf,
  natural,
  nested,
  nonNegative,
  token,
  tokens,
  width,
} from "../../settings/kinds.ts";

/** Settings of the language model: a Llama of which some layers look at the image. */
export interface MllamaTextConfig extends RotaryConfig {
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the mean square in RMS norms. */
  readonly rmsNormEps: number;
  /** Share of attention weights that are dropped in training. @default attentionDropout */
  readonly dropout?: number;
  /** Numbers of the layers that look at the image instead of the text. */
  readonly crossAttentionLayers: readonly number[];
}

/** Settings of the image encoder. */
export interface MllamaVisionConfig extends ModelConfig, PatchConfig {
  /** Width of the MLP's inner layer. */
  readonly intermediateSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Layers after those, with gates. */
  readonly numGlobalLayers: number;
  /** Heads of each attention. */
  readonly attentionHeads: number;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the variance in layer norms. */
  readonly normEps: number;
  /** Tiles that an image is cut into at most. */
  readonly maxNumTiles: number;
  /** Layers whose outputs are given beside the last one's. */
  readonly intermediateLayersIndices: readonly number[];
  /** Rows and columns of tiles that an image can have, counted from 1. */
  readonly supportedAspectRatios: readonly (readonly number[])[];
  /** Width of what the encoder gives. @default what follows from the others */
  readonly visionOutputDim?: number;
}

/** Settings of an Mllama (Llama 3.2 Vision), with Hugging Face's meanings and defaults. */
export interface MllamaConfig extends ModelConfig {
  /** Settings of the model that reads or writes text. */
  readonly textConfig: MllamaTextConfig;
  /** Settings of the model that reads images. */
  readonly visionConfig: MllamaVisionConfig;
}

/** Some settings of an Mllama. */
export interface PartialMllamaConfig extends Partial<
  Omit<MllamaConfig, "textConfig" | "visionConfig">
> {
  /** Settings of the model that reads and writes text. */
  readonly textConfig?: Given<MllamaTextConfig>;
  /** Settings of the model that reads images. */
  readonly visionConfig?: Partial<MllamaVisionConfig>;
}

const TEXT: Settings<MllamaTextConfig> = defineRotarySettings<MllamaTextConfig>({
  name: "MllamaTextConfig",
  modelType: "mllama_text_model",
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
    ...headRows(8),
    dropout: fraction(undefined),
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(1e-5),
    crossAttentionLayers: listOf(natural, [3, 8, 13, 18, 23, 28, 33, 38]),
    bosTokenId: token.orNull(128000),
    eosTokenId: tokens.orNull(128001),
    padTokenId: token.orNull(128004),
  },
  translate: ({ crossAttentionLayers, ...given }) => ({
    ...given,
    ...(crossAttentionLayers === null ? {} : { crossAttentionLayers }),
  }),
  complete: (config) => {
    const { numHiddenLayers, crossAttentionLayers, tieWordEmbeddings } = config;
    const wrong = crossAttentionLayers.find((layer) => layer === 0 || layer >= numHiddenLayers);
    if (wrong !== undefined) {
      fail(
        "MllamaTextConfig",
        `crossAttentionLayers names layer ${wrong}, but must leave out the first and hold numbers ` +
          `below numHiddenLayers (${numHiddenLayers})`,
      );
    }
    if (tieWordEmbeddings) {
      fail("MllamaTextConfig", "tieWordEmbeddings must be false: there are more words to read than to write"); // prettier-ignore
    }
    const { attentionDropout: other, dropout = other } = config;
    if (other !== 0 && other !== dropout) {
      fail("MllamaTextConfig", `dropout (${dropout}) and attentionDropout (${other}) differ`);
    }
    return { ...config, dropout, attentionDropout: dropout };
  },
});

const isRatio = (v: unknown): boolean =>
  Array.isArray(v) && v.length === 2 && v.every((n) => Number.isInteger(n) && n >= 1 && n < 1000);

const ratio: Kind<readonly number[]> = kind("a list of rows and columns of tiles", isRatio);

const VISION: Settings<MllamaVisionConfig> = defineSettings<MllamaVisionConfig>({
  name: "MllamaVisionConfig",
  modelType: "mllama_vision_model",
  rows: {
    ...patchRows({ imageSize: 448, patchSize: 14, hiddenSize: 1280, initializerRange: 0.02 }),
    intermediateSize: width(5120),
    numHiddenLayers: count(32),
    numGlobalLayers: count(8),
    attentionHeads: width(16, { names: ["numAttentionHeads"] }),
    hiddenAct: activationName("gelu"),
    normEps: nonNegative(1e-5),
    maxNumTiles: width(4),
    intermediateLayersIndices: listOf(natural, [3, 7, 15, 23, 30]),
    supportedAspectRatios: listOf(ratio, [
      [1, 1],
      [1, 2],
      [1, 3],
      [1, 4],
      [2, 1],
      [2, 2],
      [3, 1],
      [4, 1],
    ]),
    visionOutputDim: width(undefined),
  },
  translate: (given) => withoutNulls(squareSizes(given)),
  complete: completedVision,
});

/** Settings without lists that are null, which means the defaults. */
function withoutNulls(given: GivenSettings): GivenSettings {
  const lists = ["intermediateLayersIndices", "supportedAspectRatios", "visionOutputDim"];
  const isSet = ([name, v]: [string, unknown]): boolean => v !== null || !lists.includes(name);
  return Object.fromEntries(Object.entries(given).filter(isSet));
}

function completedVision(config: MllamaVisionConfig): MllamaVisionConfig {
  const name = "MllamaVisionConfig";
  const { hiddenSize, attentionHeads: numAttentionHeads, numHiddenLayers, maxNumTiles } = config;
  requireHeads(name, { hiddenSize, numAttentionHeads });
  requirePatches(name, config);
  const beyond = config.intermediateLayersIndices.find((layer) => layer >= numHiddenLayers);
  if (beyond !== undefined) {
    fail(name, `intermediateLayersIndices names layer ${beyond} of ${numHiddenLayers}`);
  }
  const large = config.supportedAspectRatios.find(([rows = 1, columns = 1]) => rows * columns > maxNumTiles); // prettier-ignore
  if (large !== undefined) {
    const tiles = `${large.join(" x ")} tiles, but maxNumTiles is ${maxNumTiles}`;
    fail(name, `supportedAspectRatios has ${tiles}`);
  }
  const wanted = visionWidth(config);
  if (config.visionOutputDim !== undefined && config.visionOutputDim !== wanted) {
    fail(
      name,
      `visionOutputDim is ${config.visionOutputDim}, but hiddenSize times the number of states, the ` +
        `last and those of intermediateLayersIndices, is ${wanted}`,
    );
  }
  return { ...config, visionOutputDim: wanted };
}

/** Shapes that the text's settings say, at a path. */
function textShapes(path: string, { vocabSize }: MllamaTextConfig): ClaimedShapes {
  const width = "textConfig.hiddenSize";
  return {
    [`${path}.embed_tokens.weight`]: [["textConfig.vocabSize + 8", vocabSize + 8], width],
    [`${path}.layers.0.mlp.up_proj.weight`]: ["textConfig.intermediateSize", width],
  };
}

const SETTINGS = defineSettings<MllamaConfig>({
  name: "MllamaConfig",
  modelType: "mllama",
  rows: {
    textConfig: nested(TEXT),
    visionConfig: nested(VISION),
    // The text's, whatever files say of the whole.
    vocabSize: width(undefined),
  },
  neutral: {
    tieWordEmbeddings: { values: [false, null], why: "there are more words to read than to write" },
  },
  inert: {
    imageTokenIndex: "the image's token is read as any other",
    imageTokenId: "the image's token is read as any other",
  },
  numbered: [
    { path: "language_model.layers", setting: "textConfig.numHiddenLayers" },
    { path: "language_model.model.layers", setting: "textConfig.numHiddenLayers" },
    { path: "vision_model.transformer.layers", setting: "visionConfig.numHiddenLayers" },
    { path: "vision_model.global_transformer.layers", setting: "visionConfig.numGlobalLayers" },
  ],
  shapes: ({ textConfig, visionConfig }) => ({
    ...textShapes("language_model", textConfig),
    ...textShapes("language_model.model", textConfig),
    "vision_model.patch_embedding.weight": patchShape("visionConfig."),
    "vision_model.gated_positional_embedding.embedding": [
      positionCount("visionConfig.", visionConfig),
      "visionConfig.hiddenSize",
    ],
    "vision_model.pre_tile_positional_embedding.embedding.weight": [
      ["1 + visionConfig.supportedAspectRatios", 1 + visionConfig.supportedAspectRatios.length],
      [
        "visionConfig.maxNumTiles * visionConfig.hiddenSize",
        visionConfig.maxNumTiles * visionConfig.hiddenSize,
      ],
    ],
    "vision_model.transformer.layers.0.mlp.fc1.weight": [
      "visionConfig.intermediateSize",
      "visionConfig.hiddenSize",
    ],
    "multi_modal_projector.weight": ["textConfig.hiddenSize", "visionConfig.visionOutputDim"],
  }),
  complete: (config) => {
    const {
      vocabSize,
      padTokenId = null,
      eosTokenId = null,
      bosTokenId = null,
    } = config.textConfig;
    return { padTokenId, eosTokenId, bosTokenId, ...config, vocabSize };
  },
});

/**
 * Mllama settings: those given over the defaults.
 * @throws ModelError for settings that cannot be.
 */
export function mllamaConfig(given: PartialMllamaConfig = {}): MllamaConfig {
  return SETTINGS.read(given);
}

/** Width of what the image encoder gives: its last state and the intermediate ones. */
export function visionWidth({ hiddenSize, intermediateLayersIndices }: MllamaVisionConfig): number {
  return hiddenSize * (1 + intermediateLayersIndices.length);
}

/** How checkpoints of Mllamas are read. */
export const mllamaFamily: ModelFamily<MllamaConfig> = declareFamily(SETTINGS, {
  basePrefix: "model",
  renamed: [
    [/^model\.language_model\./, "language_model.model."],
    [/^lm_head\./, "language_model.lm_head."],
    [/^model\.(vision_model|multi_modal_projector)\./, "$1."],
  ],
});

/** The same of Mllamas without a head, into which those with one are read as well. */
export const mllamaBaseFamily: ModelFamily<MllamaConfig> = {
  ...mllamaFamily,
  renamed: [...(mllamaFamily.renamed ?? []), [/^language_model\.model\./, "language_model."]],
  ignored: [/^language_model\.lm_head\./],
};

/** Components of an Mllama. Layers that look at the image have no `self_attn`. */
export type MllamaComponent = `language.${LlamaComponent}` | `${"vision" | "global"}.${LayerPart}`;

const LAYER = "layers.{layer}";
const ATTENTION = {
  input: ".self_attn",
  output: ".self_attn",
  addition: ".attention_addition",
  mixed: ".self_attn.o_proj",
  weight: ".self_attn.attn_dropout",
  query: ".self_attn.q_proj",
  key: ".self_attn.k_proj",
  value: ".self_attn.v_proj",
};
const MLP = {
  input: ".mlp",
  output: ".mlp",
  addition: ".mlp_addition",
  activation: ".mlp.activation_fn",
};
const SIZES = {
  width: ({ hiddenSize }: MllamaVisionConfig): number => hiddenSize,
  inner: ({ intermediateSize }: MllamaVisionConfig): number => intermediateSize,
  heads: ({ attentionHeads }: MllamaVisionConfig): number => attentionHeads,
};

const visionCard: ModelCard<MllamaVisionConfig, LayerPart> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionParts(LAYER, ATTENTION, SIZES),
    ...mlpParts(LAYER, MLP, SIZES),
  },
};

const ofVision = (path: string): ModelCard<MllamaConfig, LayerPart> =>
  cardWithin(`vision_model.${path}`, visionCard, (c: MllamaConfig) => c.visionConfig);

function cardAt(text: string): ModelCard<MllamaConfig, MllamaComponent> {
  const language = cardWithin(text, llamaCard, (c: MllamaConfig) => c.textConfig);
  return {
    layers: ({ textConfig, visionConfig }) =>
      Math.max(
        textConfig.numHiddenLayers,
        visionConfig.numHiddenLayers,
        visionConfig.numGlobalLayers,
      ),
    counts: {
      vision_model: "other",
      multi_modal_projector: "other",
      [`${text}.layers.{layer}.cross_attn.k_proj`]: "other",
      [`${text}.layers.{layer}.cross_attn.v_proj`]: "other",
    },
    components: {
      ...prefixedParts("language", language.components),
      ...prefixedParts("vision", ofVision("transformer").components),
      ...prefixedParts("global", ofVision("global_transformer").components),
    },
  };
}

/** Where the components of an Mllama without a head are; layers are counted in each of its parts. */
export const mllamaCard: ModelCard<MllamaConfig, MllamaComponent> = cardAt("language_model");

/** The same of an Mllama that writes. */
export const mllamaWriterCard: ModelCard<MllamaConfig, MllamaComponent> =
  cardAt("language_model.model");
