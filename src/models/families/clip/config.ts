import { type ComponentSpec, type ModelCard, partOf } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { requireHeads } from "../../parts/encoder/require-heads.ts";
import {
  attentionParts,
  type LayerPart,
  mlpParts,
  prefixedParts,
  SELF_ATTENTION,
} from "../../parts/layer-components.ts";
import { type PatchConfig, requirePatches } from "../../parts/vision/patch-embedding.ts";
import { patchRows, patchShape, positionCount, squareSizes } from "../../parts/vision/rows.ts";
import type { ModelConfig } from "../../settings/config.ts";
import {
  defineSettings,
  type GivenSettings,
  type SettingRows,
  type Settings,
} from "../../settings/define-settings.ts";
import type { ClaimedShapes } from "../../settings/fits-checkpoint.ts";
import {
  activationName,
  count,
  fraction,
  kind,
  nested,
  nonNegative,
  number,
  token,
  whole,
  width,
} from "../../settings/kinds.ts";

/** What the layers for text and those for images both have. */
export interface CLIPTowerConfig extends ModelConfig {
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Width inside the MLPs. */
  readonly intermediateSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Heads of each attention. */
  readonly numAttentionHeads: number;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the variance in layer norms. */
  readonly layerNormEps: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attentionDropout: number;
  /** Standard deviation of weights that no checkpoint gives. */
  readonly initializerRange: number;
  /** Factor of the standard deviations of all weights at the start. */
  readonly initializerFactor: number;
}

/** Settings of CLIP's text encoder. */
export interface CLIPTextConfig extends CLIPTowerConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Longest text. */
  readonly maxPositionEmbeddings: number;
  /** The token whose vector represents the text. */
  readonly eosTokenId: number;
}

/** Settings of CLIP's image encoder. */
export interface CLIPVisionConfig extends CLIPTowerConfig, PatchConfig {}

/** Settings of a CLIP, with Hugging Face's meanings and defaults. */
export interface CLIPConfig extends ModelConfig {
  /** Settings of the model that reads or writes text. */
  readonly textConfig: CLIPTextConfig;
  /** Settings of the model that reads images. */
  readonly visionConfig: CLIPVisionConfig;
  /** Width of the space in which texts and images are compared. */
  readonly projectionDim: number;
  /** Logarithm of the factor of similarities at the start. */
  readonly logitScaleInitValue: number;
  /** Factor of the standard deviations of weights that no checkpoint gives. */
  readonly initializerFactor: number;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

/** Some settings of a CLIP. */
export interface PartialCLIPConfig extends Partial<
  Omit<CLIPConfig, "textConfig" | "visionConfig">
> {
  /** Settings of the model that reads text. */
  readonly textConfig?: Partial<CLIPTextConfig>;
  /** Settings of the model that reads images. */
  readonly visionConfig?: Partial<CLIPVisionConfig>;
}

/** Sizes of an encoder unless others are given. */
type TowerSizes = Pick<CLIPTowerConfig, "hiddenSize" | "intermediateSize" | "numAttentionHeads">;

function towerRows(sizes: TowerSizes): SettingRows<Omit<CLIPTowerConfig, keyof ModelConfig>> {
  return {
    hiddenSize: width(sizes.hiddenSize),
    intermediateSize: width(sizes.intermediateSize),
    numHiddenLayers: count(12),
    numAttentionHeads: width(sizes.numAttentionHeads),
    hiddenAct: activationName("quick_gelu"),
    layerNormEps: nonNegative(1e-5),
    attentionDropout: fraction(0),
    initializerRange: nonNegative(0.02),
    initializerFactor: nonNegative(1),
  };
}

const TOWER_INERT = {
  projectionDim: "the projection is as wide as the whole model's projection_dim says",
  dropout: "there is none but attention's, as in transformers",
};

const TEXT = defineSettings<CLIPTextConfig>({
  name: "CLIPTextConfig",
  modelType: "clip_text_model",
  rows: {
    ...towerRows({ hiddenSize: 512, intermediateSize: 2048, numAttentionHeads: 8 }),
    vocabSize: width(49408),
    maxPositionEmbeddings: width(77),
    padTokenId: token.orNull(1),
    bosTokenId: token.orNull(49406),
    eosTokenId: token(49407),
  },
  inert: TOWER_INERT,
  complete: (config) => {
    requireHeads("CLIPTextConfig", config);
    return config;
  },
});

/** The settings of CLIP's image encoder. */
export const CLIP_VISION_SETTINGS: Settings<CLIPVisionConfig> = defineSettings<CLIPVisionConfig>({
  name: "CLIPVisionConfig",
  modelType: "clip_vision_model",
  rows: {
    ...patchRows({ imageSize: 224, patchSize: 32, hiddenSize: 768, initializerRange: 0.02 }),
    ...towerRows({ hiddenSize: 768, intermediateSize: 3072, numAttentionHeads: 12 }),
  },
  inert: { ...TOWER_INERT, vocabSize: "images have no vocabulary" },
  translate: squareSizes,
  complete: (config) => {
    requirePatches("CLIPVisionConfig", config);
    requireHeads("CLIPVisionConfig", config);
    return config;
  },
});

/** Shapes that the settings of an image encoder say, as the part `visionConfig`, at a path. */
export function clipVisionShapes(path: string, config: CLIPVisionConfig): ClaimedShapes {
  const width = "visionConfig.hiddenSize";
  return {
    [`${path}.embeddings.patch_embedding.weight`]: patchShape("visionConfig."),
    [`${path}.embeddings.position_embedding.weight`]: [
      positionCount("visionConfig.", config),
      width,
    ],
    [`${path}.encoder.layers.0.mlp.fc1.weight`]: ["visionConfig.intermediateSize", width],
  };
}

const dictionary = kind<object>(
  "an object of settings",
  (v) => typeof v === "object" && v !== null && !Array.isArray(v),
);

const SETTINGS = defineSettings<CLIPConfig>({
  name: "CLIPConfig",
  modelType: "clip",
  rows: {
    textConfig: nested(TEXT),
    visionConfig: nested(CLIP_VISION_SETTINGS),
    projectionDim: width(512),
    logitScaleInitValue: number(2.6592),
    initializerFactor: nonNegative(1),
    numLabels: whole(2),
  },
  numbered: [
    { path: "text_model.encoder.layers", setting: "textConfig.numHiddenLayers" },
    { path: "vision_model.encoder.layers", setting: "visionConfig.numHiddenLayers" },
  ],
  shapes: ({ visionConfig }) => ({
    "text_model.embeddings.token_embedding.weight": [
      "textConfig.vocabSize",
      "textConfig.hiddenSize",
    ],
    "text_model.embeddings.position_embedding.weight": [
      "textConfig.maxPositionEmbeddings",
      "textConfig.hiddenSize",
    ],
    "text_model.encoder.layers.0.mlp.fc1.weight": [
      "textConfig.intermediateSize",
      "textConfig.hiddenSize",
    ],
    ...clipVisionShapes("vision_model", visionConfig),
    "visual_projection.weight": ["projectionDim", "visionConfig.hiddenSize"],
    "text_projection.weight": ["projectionDim", "textConfig.hiddenSize"],
  }),
  older: {
    textConfigDict: dictionary.orNull(null),
    visionConfigDict: dictionary.orNull(null),
  },
  translate: ({ textConfigDict, visionConfigDict, ...given }) => ({
    ...given,
    ...overridden("textConfig", given["textConfig"], { dict: textConfigDict, part: TEXT }),
    ...overridden("visionConfig", given["visionConfig"], {
      dict: visionConfigDict,
      part: CLIP_VISION_SETTINGS,
    }),
  }),
});

/**
 * The first files name a part's settings twice: where there is a `text_config_dict`, all settings of
 * `text_config` are its own or their defaults.
 */
function overridden(
  name: string,
  config: unknown,
  { dict, part }: { readonly dict: unknown; readonly part: { readonly defaults: object } },
): GivenSettings {
  if (dict === undefined || dict === null) return {};
  return { [name]: { ...(config as object | null), ...part.defaults, ...dict } };
}

/** Settings of CLIP's text encoder: those given over the defaults, which are ViT-B/32's. */
export function clipTextConfig(given: Partial<CLIPTextConfig> = {}): CLIPTextConfig {
  return TEXT.read(given);
}

/** Settings of CLIP's image encoder: those given over the defaults, which are ViT-B/32's. */
export function clipVisionConfig(given: Partial<CLIPVisionConfig> = {}): CLIPVisionConfig {
  return CLIP_VISION_SETTINGS.read(given);
}

/**
 * CLIP settings: those given over the defaults, which are ViT-B/32's.
 * @throws ModelError for settings that cannot be.
 */
export function clipConfig(given: PartialCLIPConfig = {}): CLIPConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of CLIPs are read. */
export const clipFamily: ModelFamily<CLIPConfig> = declareFamily(SETTINGS, {
  basePrefix: "clip",
  // Numbers of positions, which old versions saved as if they were weights.
  ignored: [/embeddings\.position_ids$/],
});

type Tower = "text" | "vision";

/** Components of the layers of a CLIP's two encoders. */
export type CLIPComponent = `${Tower}.${LayerPart}`;

/** Those of the encoder of images. */
export type CLIPVisionComponent = `vision.${LayerPart}`;

const MLP = { input: ".mlp", output: ".mlp", addition: ".mlp", activation: ".mlp.activation_fn" };

function componentsOf(tower: Tower): { readonly [K in LayerPart]: ComponentSpec<CLIPConfig> } {
  const of = ({ textConfig, visionConfig }: CLIPConfig): CLIPTowerConfig =>
    tower === "text" ? textConfig : visionConfig;
  const sizes = {
    width: (config: CLIPConfig) => of(config).hiddenSize,
    inner: (config: CLIPConfig) => of(config).intermediateSize,
    heads: (config: CLIPConfig) => of(config).numAttentionHeads,
  };
  const layer = `${tower}_model.encoder.layers.{layer}`;
  return { ...attentionParts(layer, SELF_ATTENTION, sizes), ...mlpParts(layer, MLP, sizes) };
}

/** Where the components of a CLIP are; layers are counted in each encoder. */
export const clipCard: ModelCard<CLIPConfig, CLIPComponent> = {
  layers: ({ textConfig, visionConfig }) =>
    Math.max(textConfig.numHiddenLayers, visionConfig.numHiddenLayers),
  counts: { vision_model: "other", visual_projection: "other" },
  components: {
    ...prefixedParts("text", componentsOf("text")),
    ...prefixedParts("vision", componentsOf("vision")),
  },
};

/** Where the components of a CLIP are that has no encoder of texts. */
export const clipVisionCard: ModelCard<CLIPConfig, CLIPVisionComponent> = {
  ...partOf<CLIPVisionComponent, CLIPConfig>("vision_model", clipCard),
  layers: ({ visionConfig }) => visionConfig.numHiddenLayers,
};
