import type { ModelFamily } from "../../model/family.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import {
  decoderFamily,
  decoderRows,
  type Given,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import {
  type LayerType,
  layerTypes,
  layerTypesRow,
  windowsOf,
} from "../../parts/decoder/layer-types.ts";
import { SandwichNormLayer } from "../../parts/decoder/layers.ts";
import { OffsetRMSNorm } from "../../parts/decoder/offset-rms-norm.ts";
import { requireCausal } from "../../parts/decoder/require-causal.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import { ScaledEmbedding } from "../../parts/decoder/scaled-embedding.ts";
import type { Settings } from "../../settings/define-settings.ts";
import {
  activationName,
  flag,
  nonNegative,
  positive,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Gemma 2, with Hugging Face's meanings and defaults. */
export interface Gemma2Config extends RotaryConfig {
  /** Name of the activation in the MLP, such as "gelu_pytorch_tanh". */
  readonly hiddenActivation: string;
  /** Width of one head. */
  readonly headDim: number;
  /** Added to the mean square in RMS norms. */
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Attention scores are divided by the square root of this. */
  readonly queryPreAttnScalar: number;
  /** How many tokens each one sees in layers with a sliding window, itself included. */
  readonly slidingWindow: number | null;
  /** What each layer sees. */
  readonly layerTypes: readonly LayerType[];
  /** Logits are squeezed smoothly between plus and minus this. */
  readonly finalLogitSoftcapping: number | null;
  /** The same for attention scores. */
  readonly attnLogitSoftcapping: number | null;
  /** Let tokens see those after them; only false is known here. */
  readonly useBidirectionalAttention: boolean | null;
}

/** What settings Gemmas 2 have. */
const GEMMA2_SETTINGS: Settings<Gemma2Config> = defineRotarySettings<Gemma2Config>({
  name: "Gemma2Config",
  modelType: "gemma2",
  rows: {
    ...decoderRows({
      vocabSize: 256_000,
      hiddenSize: 2304,
      intermediateSize: 9216,
      numHiddenLayers: 26,
      numAttentionHeads: 8,
      maxPositionEmbeddings: 8192,
    }),
    numKeyValueHeads: width.orNull(4),
    headDim: width(256),
    hiddenActivation: activationName("gelu_pytorch_tanh"),
    rmsNormEps: nonNegative(1e-6),
    attentionBias: flag(false),
    queryPreAttnScalar: positive(256),
    slidingWindow: whole.orNull(4096),
    layerTypes: layerTypesRow,
    finalLogitSoftcapping: positive.orNull(30),
    attnLogitSoftcapping: positive.orNull(50),
    useBidirectionalAttention: flag.orNull(null),
    tieWordEmbeddings: flag(true),
    bosTokenId: token.orNull(2),
    eosTokenId: tokens.orNull(1),
    padTokenId: token.orNull(0),
  },
  // The first files have both; only the other two act.
  inert: ["hiddenAct", "slidingWindowSize"],
  complete: (config) => {
    const slides = (layer: number): boolean => layer % 2 === 0;
    requireCausal("Gemma2Config", config);
    return { ...config, layerTypes: layerTypes("Gemma2Config", config, slides) };
  },
});

/** Gemma 2 settings: those given over the defaults, which are those of the 2B model. */
export function gemma2Config(given: Given<Gemma2Config> = {}): Gemma2Config {
  return GEMMA2_SETTINGS.read(given);
}

/** How checkpoints of Gemma 2 are read. */
const gemma2Family: ModelFamily<Gemma2Config> = decoderFamily(GEMMA2_SETTINGS);

/** Gemma 2 without a head: every other layer sees the last tokens only. */
export class Gemma2Model extends RotaryDecoder<Gemma2Config, SandwichNormLayer> {
  static readonly family: ModelFamily<Gemma2Config> = gemma2Family;

  constructor(given: Given<Gemma2Config> = {}) {
    const config = gemma2Config(given);
    const norm = (): OffsetRMSNorm =>
      new OffsetRMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): SandwichNormLayer =>
      new SandwichNormLayer({
        attention: new DecoderAttention(config, {
          bias: config.attentionBias,
          scale: 1 / Math.sqrt(config.queryPreAttnScalar),
          softcap: config.attnLogitSoftcapping,
        }),
        mlp: new GatedMLP(config, { act: config.hiddenActivation }),
        norm,
      });
    const embedding = new ScaledEmbedding(config);
    super(config, { embedding, layer, norm, window: windowsOf(config) });
  }
}

/** Gemma 2 as a language model: logits of the next token. */
export class Gemma2ForCausalLM extends DecoderForCausalLM<Gemma2Model> {
  static readonly family: ModelFamily<Gemma2Config> = gemma2Family;

  constructor(config: Given<Gemma2Config> = {}) {
    const model = new Gemma2Model(config);
    super(model, { softcap: model.config.finalLogitSoftcapping });
  }
}

/** Gemma 2 with a linear classifier on the last token that is not padding. */
export class Gemma2ForSequenceClassification extends DecoderForSequenceClassification<Gemma2Model> {
  static readonly family: ModelFamily<Gemma2Config> = gemma2Family;

  constructor(config: Given<Gemma2Config> = {}) {
    super(new Gemma2Model(config));
  }
}
