import { fail } from "../../../nn/errors.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import type { ModelConfig } from "../../settings/config.ts";
import {
  defineSettings,
  type GivenSettings,
  type Settings,
} from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  fraction,
  type Kind,
  kind,
  nonNegative,
  oneOf,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a GPT-Neo, with Hugging Face's meanings and defaults. */
export interface GPTNeoConfig extends ModelConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Longest sequence. */
  readonly maxPositionEmbeddings: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Layers. */
  readonly numLayers: number;
  /** Heads of each attention. */
  readonly numHeads: number;
  /** Width inside the MLP; null means 4 hiddenSize. */
  readonly intermediateSize: number | null;
  /** Which kinds of layers follow each other, and how often: `[[["global", "local"], 12]]`. */
  readonly attentionTypes: readonly AttentionTypes[];
  /** How many tokens each one sees in local layers, itself included. */
  readonly windowSize: number;
  /** Name of the activation in the MLP, such as "gelu_new". */
  readonly activationFunction: string;
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly residDropout: number;
  /** Share of the embeddings that are dropped in training mode. */
  readonly embedDropout: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attentionDropout: number;
  /** Added to the variance in layer norms. */
  readonly layerNormEpsilon: number;
  /** Standard deviation of the weights to start from. */
  readonly initializerRange: number;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

/** Kinds of layers, and how often they follow each other. */
export type AttentionTypes = readonly [kinds: readonly string[], times: number];

/** Whether a layer sees all tokens before each, or the last ones. */
export type GPTNeoLayerType = "global" | "local";

/** Settings as they may be given: in part, or under the names of other families. */
export type GivenGPTNeo = Partial<GPTNeoConfig> & {
  /** Layers. */
  readonly numHiddenLayers?: number;
  /** Heads of each attention. */
  readonly numAttentionHeads?: number;
  /** Whether each layer sees the whole text ("global") or a window ("local"). */
  readonly attentionLayers?: readonly GPTNeoLayerType[];
};

const LAYER_TYPES = ["global", "local"] as const;

const layerList: Kind<readonly GPTNeoLayerType[]> = kind(
  `a list of ${LAYER_TYPES.join(" or ")}`,
  (value) => Array.isArray(value) && value.every(oneOf(LAYER_TYPES, "global").accepts),
);

function isRepeated(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  return layerList(undefined).accepts(value[0]) && whole(undefined).accepts(value[1]);
}

const attentionTypes: Kind<readonly AttentionTypes[]> = kind(
  `a list of layers and how often they follow each other, such as [[["global", "local"], 12]], ` +
    `each of them ${LAYER_TYPES.join(" or ")}`,
  (value) => Array.isArray(value) && value.every(isRepeated),
);

/** Files say the kind of each layer a second time, in full. */
function translateLayers(given: GivenSettings): GivenSettings {
  const { attentionLayers = null } = given;
  if (attentionLayers === null) return given;
  const types = given["attentionTypes"] as readonly AttentionTypes[] | undefined;
  if (types === undefined) return { ...given, attentionTypes: [[attentionLayers, 1]] };
  const layers = attentionLayers as readonly GPTNeoLayerType[];
  if (sameLayers(types, layers)) return given;
  return fail(
    "GPTNeoConfig",
    `attentionTypes ${JSON.stringify(types)} are not attentionLayers ${JSON.stringify(layers)}`,
  );
}

function sameLayers(types: unknown, layers: readonly GPTNeoLayerType[]): boolean {
  if (!attentionTypes(undefined).accepts(types)) return true;
  const repeated = types as readonly AttentionTypes[];
  if (layerCount(repeated) !== layers.length) return false;
  return repeatedLayers(repeated).every((type, i) => type === layers[i]);
}

function layerCount(types: readonly AttentionTypes[]): number {
  return types.reduce((sum, [kinds, times]) => sum + kinds.length * times, 0);
}

function repeatedLayers(types: readonly AttentionTypes[]): string[] {
  return types.flatMap(([kinds, times]) => Array.from({ length: times }, () => kinds).flat());
}

/** What settings GPT-Neos have. */
export const GPT_NEO_SETTINGS: Settings<GPTNeoConfig> = defineSettings<GPTNeoConfig>({
  name: "GPTNeoConfig",
  modelType: "gpt_neo",
  rows: {
    vocabSize: width(50257),
    maxPositionEmbeddings: width(2048),
    hiddenSize: width(2048),
    numLayers: count(24, { names: ["numHiddenLayers"] }),
    numHeads: width(16, { names: ["numAttentionHeads"] }),
    intermediateSize: width.orNull(null),
    attentionTypes: attentionTypes([[["global", "local"], 12]]),
    windowSize: whole(256),
    activationFunction: activationName("gelu_new"),
    residDropout: fraction(0),
    embedDropout: fraction(0),
    attentionDropout: fraction(0),
    layerNormEpsilon: nonNegative(1e-5),
    initializerRange: nonNegative(0.02),
    tieWordEmbeddings: flag(true),
    numLabels: whole(2),
    bosTokenId: token.orNull(50256),
    eosTokenId: tokens.orNull(50256),
    padTokenId: token.orNull(null),
  },
  older: { attentionLayers: layerList.orNull(undefined) },
  translate: translateLayers,
  numbered: [{ path: "h", setting: "numLayers" }],
  shapes: ({ hiddenSize, intermediateSize }) => ({
    "wte.weight": ["vocabSize", "hiddenSize"],
    "wpe.weight": ["maxPositionEmbeddings", "hiddenSize"],
    "lm_head.weight": ["vocabSize", "hiddenSize"],
    "score.weight": ["numLabels", "hiddenSize"],
    "h.0.attn.attention.q_proj.weight": ["hiddenSize", "hiddenSize"],
    "h.0.mlp.c_fc.weight": [
      intermediateSize === null ? ["4 * hiddenSize", 4 * hiddenSize] : "intermediateSize",
      "hiddenSize",
    ],
  }),
  // Of a class that is not here, and of classes of tokens.
  inert: [
    "summaryType",
    "summaryUseProj",
    "summaryActivation",
    "summaryProjToLabels",
    "summaryFirstDropout",
    "classifierDropout",
  ],
  complete: (config) => {
    const { hiddenSize, numHeads } = config;
    gptNeoLayerTypes(config);
    if (hiddenSize % numHeads === 0) return config;
    const sizes = `hiddenSize (${hiddenSize}) must be a multiple of numHeads (${numHeads})`;
    return fail("GPTNeoConfig", sizes);
  },
});

/**
 * GPT-Neo settings: those given over the defaults, which are those of the 1.3B model.
 * @throws ModelError for sizes that cannot be.
 */
export function gptNeoConfig(given: GivenGPTNeo = {}): GPTNeoConfig {
  return GPT_NEO_SETTINGS.read(given);
}

/**
 * The type of each layer.
 * @throws ModelError for more or fewer than there are layers.
 */
export function gptNeoLayerTypes(config: GPTNeoConfig): readonly GPTNeoLayerType[] {
  const { attentionTypes: types, numLayers } = config;
  const number = layerCount(types);
  if (number === numLayers) return repeatedLayers(types) as GPTNeoLayerType[];
  const got = JSON.stringify(types);
  return fail("GPTNeoConfig", `attentionTypes ${got} are ${number} layers, not ${numLayers}`);
}

/** How checkpoints of GPT-Neo are read. */
export const gptNeoFamily: ModelFamily<GPTNeoConfig> = declareFamily(GPT_NEO_SETTINGS, {
  basePrefix: "transformer",
  // Causal masks, which old versions saved as if they were weights.
  ignored: [/(?:^|\.)h\.\d+\.attn\.attention\.(?:masked_)?bias$/],
});
