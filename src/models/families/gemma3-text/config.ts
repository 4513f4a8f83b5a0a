import { fail } from "../../../nn/errors.ts";
import type { ModelFamily } from "../../model/family.ts";
import {
  type DecoderConfig,
  decoderFamily,
  decoderRows,
  llamaShapes,
  requireHeadSizes,
} from "../../parts/decoder/config.ts";
import { layerTypes, layerTypesRow, type LayerType } from "../../parts/decoder/layer-types.ts";
import {
  type GivenRope,
  type RopeParameters,
  ropeParameters,
} from "../../parts/decoder/rope-parameters.ts";
import { ropeRecord, ropeScalingOf } from "../../parts/decoder/rotary-settings.ts";
import { requireCausal } from "../../parts/decoder/require-causal.ts";
import {
  defineSettings,
  type GivenSettings,
  type Settings,
} from "../../settings/define-settings.ts";
import {
  activationName,
  flag,
  nonNegative,
  positive,
  record,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Gemma 3 (text), with Hugging Face's meanings and defaults. */
export interface Gemma3TextConfig extends DecoderConfig {
  readonly hiddenActivation: string;
  readonly headDim: number;
  readonly rmsNormEps: number;
  /** Rotary embeddings of each type of layer. */
  readonly ropeParameters: {
    readonly fullAttention: RopeParameters;
    readonly slidingAttention: RopeParameters;
  };
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Attention scores are divided by the square root of this. */
  readonly queryPreAttnScalar: number;
  /** How many tokens each one sees in layers with a sliding window, itself included. */
  readonly slidingWindow: number | null;
  /** What each layer sees. */
  readonly layerTypes: readonly LayerType[];
  /** Unless that is given: of this many layers, the last one sees all. @default 6 */
  readonly slidingWindowPattern?: number;
  /** Logits are squeezed smoothly between plus and minus this. */
  readonly finalLogitSoftcapping: number | null;
  /** The same for attention scores. */
  readonly attnLogitSoftcapping: number | null;
  /** Let tokens see those after them; only false is known here. */
  readonly useBidirectionalAttention: boolean | null;
}

/** Settings as they may be given: in part, or under the names of transformers 4. */
export type GivenGemma3 = {
  readonly [K in keyof Gemma3TextConfig]?: K extends "ropeParameters"
    ? unknown
    : Gemma3TextConfig[K];
} & {
  /** Rotary embeddings of layers that see all. */
  readonly ropeTheta?: number;
  readonly ropeScaling?: GivenRope;
  /** Base of the wavelengths of layers with a sliding window. */
  readonly ropeLocalBaseFreq?: number;
};

const NAME = "Gemma3TextConfig";

type Rope = Gemma3TextConfig["ropeParameters"];

const ROPE: Rope = {
  fullAttention: { ropeType: "default", ropeTheta: 1_000_000 },
  slidingAttention: { ropeType: "default", ropeTheta: 10_000 },
};

/** Rotary settings of each type of layer, from those of transformers 4. */
function translateRope(given: GivenSettings): GivenSettings {
  const { ropeTheta, ropeScaling, ropeLocalBaseFreq, ...rest } = given;
  const rope = (rest["ropeParameters"] ?? {}) as Partial<Record<keyof Rope, object | null>>;
  return {
    ...rest,
    ropeParameters: {
      ...rope,
      fullAttention: {
        ropeTheta: ropeTheta ?? ROPE.fullAttention.ropeTheta,
        ...rope.fullAttention,
        ...(ropeScaling as object | null | undefined),
      },
      slidingAttention: {
        ropeTheta: ropeLocalBaseFreq ?? ROPE.slidingAttention.ropeTheta,
        ...rope.slidingAttention,
      },
    },
  };
}

function complete(config: Gemma3TextConfig): Gemma3TextConfig {
  const { fullAttention, slidingAttention, ...others } = config.ropeParameters;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    fail(NAME, `ropeParameters are those of fullAttention and slidingAttention, not ${other}`);
  }
  requireHeadSizes(NAME, config);
  requireCausal(NAME, config);
  const pattern = config.slidingWindowPattern ?? 6;
  const slides = (layer: number): boolean => (layer + 1) % pattern !== 0;
  const read = (rope: RopeParameters): RopeParameters => ropeParameters(NAME, rope, rope);
  const rope = { fullAttention: read(fullAttention), slidingAttention: read(slidingAttention) };
  return { ...config, ropeParameters: rope, layerTypes: layerTypes(NAME, config, slides) };
}

/** What settings Gemmas 3 (text) have. */
export const GEMMA3_TEXT_SETTINGS: Settings<Gemma3TextConfig> = defineSettings<Gemma3TextConfig>({
  name: NAME,
  modelType: "gemma3_text",
  rows: {
    ...decoderRows({
      vocabSize: 262_208,
      hiddenSize: 2304,
      intermediateSize: 9216,
      numHiddenLayers: 26,
      numAttentionHeads: 8,
      maxPositionEmbeddings: 131_072,
    }),
    numKeyValueHeads: width.orNull(4),
    headDim: width(256),
    hiddenActivation: activationName("gelu_pytorch_tanh"),
    rmsNormEps: nonNegative(1e-6),
    ropeParameters: record(ROPE),
    attentionBias: flag(false),
    queryPreAttnScalar: positive(256),
    slidingWindow: whole.orNull(4096),
    layerTypes: layerTypesRow,
    slidingWindowPattern: whole(undefined),
    finalLogitSoftcapping: positive.orNull(null),
    attnLogitSoftcapping: positive.orNull(null),
    useBidirectionalAttention: flag.orNull(false),
    tieWordEmbeddings: flag(true),
    bosTokenId: token.orNull(2),
    eosTokenId: tokens.orNull(1),
    padTokenId: token.orNull(0),
  },
  older: {
    ropeTheta: positive.orNull(undefined),
    ropeScaling: ropeRecord,
    ropeParameters: ropeRecord,
    ropeLocalBaseFreq: positive.orNull(undefined),
  },
  translate: translateRope,
  shapes: llamaShapes,
  written: ({ ropeParameters: { fullAttention, slidingAttention } }) => ({
    ropeTheta: fullAttention.ropeTheta,
    ropeLocalBaseFreq: slidingAttention.ropeTheta,
    ropeScaling: ropeScalingOf(fullAttention),
  }),
  numbered: [{ path: "layers", setting: "numHiddenLayers" }],
  inert: ["hiddenAct"],
  complete,
});

/** Gemma 3 settings: those given over the defaults. */
export function gemma3TextConfig(given: GivenGemma3 = {}): Gemma3TextConfig {
  return GEMMA3_TEXT_SETTINGS.read(given);
}

/** How checkpoints of Gemma 3 (text) are read. */
export const gemma3TextFamily: ModelFamily<Gemma3TextConfig> = decoderFamily(GEMMA3_TEXT_SETTINGS);
