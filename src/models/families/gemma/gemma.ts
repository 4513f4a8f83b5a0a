import { fail } from "../../../nn/errors.ts";
import type { ModelFamily } from "../../model/family.ts";
import {
  decoderFamily,
  decoderRows,
  type GatedConfig,
  type Given,
} from "../../parts/decoder/config.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import type { PreNormLayer } from "../../parts/decoder/layers.ts";
import { OffsetRMSNorm } from "../../parts/decoder/offset-rms-norm.ts";
import { preNormParts } from "../../parts/decoder/pre-norm.ts";
import { requireCausal } from "../../parts/decoder/require-causal.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import { ScaledEmbedding } from "../../parts/decoder/scaled-embedding.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { activationName, flag, nonNegative, token, tokens, width } from "../../settings/kinds.ts";

/** Settings of a Gemma, with Hugging Face's meanings and defaults. */
export interface GemmaConfig extends GatedConfig {
  /** Width of one head. */
  readonly headDim: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Let tokens see those after them; only false is known here. */
  readonly useBidirectionalAttention: boolean | null;
}

/** What settings Gemmas have. */
const GEMMA_SETTINGS: Settings<GemmaConfig> = defineRotarySettings<GemmaConfig>({
  name: "GemmaConfig",
  modelType: "gemma",
  rows: {
    ...decoderRows({
      vocabSize: 256_000,
      hiddenSize: 3072,
      intermediateSize: 24576,
      numHiddenLayers: 28,
      numAttentionHeads: 16,
      maxPositionEmbeddings: 8192,
    }),
    numKeyValueHeads: width.orNull(16),
    headDim: width(256),
    hiddenAct: activationName("gelu_pytorch_tanh"),
    rmsNormEps: nonNegative(1e-6),
    attentionBias: flag(false),
    useBidirectionalAttention: flag.orNull(null),
    tieWordEmbeddings: flag(true),
    bosTokenId: token.orNull(2),
    eosTokenId: tokens.orNull(1),
    padTokenId: token.orNull(0),
  },
  older: { hiddenActivation: activationName.orNull(undefined) },
  translate: ({ hiddenActivation, ...given }) => {
    // Old files say "gelu" and mean its approximation, which the models were trained with.
    const hiddenAct = given["hiddenAct"] === "gelu" ? null : (given["hiddenAct"] ?? null);
    const act = hiddenActivation ?? hiddenAct ?? undefined;
    if (hiddenAct === null || Object.is(act, hiddenAct)) return { ...given, hiddenAct: act };
    const both = `hiddenActivation (${JSON.stringify(act)}) and hiddenAct (${JSON.stringify(hiddenAct)})`;
    return fail("GemmaConfig", `${both} mean the same and differ; leave one of them out`);
  },
  complete: (config) => requireCausal("GemmaConfig", config),
});

/** Gemma settings: those given over the defaults, which are those of the 7B model. */
export function gemmaConfig(given: Given<GemmaConfig> = {}): GemmaConfig {
  return GEMMA_SETTINGS.read(given);
}

/** How checkpoints of Gemma are read. */
const gemmaFamily: ModelFamily<GemmaConfig> = decoderFamily(GEMMA_SETTINGS);

/** Gemma without a head. */
export class GemmaModel extends RotaryDecoder<GemmaConfig, PreNormLayer> {
  static readonly family: ModelFamily<GemmaConfig> = gemmaFamily;

  constructor(given: Given<GemmaConfig> = {}) {
    const config = gemmaConfig(given);
    const { attentionBias: bias, hiddenSize, rmsNormEps: eps } = config;
    const norm = (): OffsetRMSNorm => new OffsetRMSNorm(hiddenSize, { eps });
    const embedding = new ScaledEmbedding(config);
    super(config, { ...preNormParts(config, { attention: { bias }, norm }), embedding });
  }
}

/** Gemma as a language model: logits of the next token. */
export class GemmaForCausalLM extends DecoderForCausalLM<GemmaModel> {
  static readonly family: ModelFamily<GemmaConfig> = gemmaFamily;

  constructor(config: Given<GemmaConfig> = {}) {
    super(new GemmaModel(config));
  }
}

/** Gemma with a linear classifier on the last token that is not padding. */
export class GemmaForSequenceClassification extends DecoderForSequenceClassification<GemmaModel> {
  static readonly family: ModelFamily<GemmaConfig> = gemmaFamily;

  constructor(config: Given<GemmaConfig> = {}) {
    super(new GemmaModel(config));
  }
}
