import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import type { DeclaredFamily } from "../../model/family.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import {
  decoderFamily,
  decoderRows,
  type Given,
  headRows,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { activationName, flag, nonNegative, token, tokens } from "../../settings/kinds.ts";

/** Settings of a Llama, with Hugging Face's meanings and defaults. */
export interface LlamaConfig extends RotaryConfig {
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the mean square in RMS norms. */
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Whether the MLP's projections have a bias. */
  readonly mlpBias: boolean;
}

/** What settings Llamas have. */
const LLAMA_SETTINGS: Settings<LlamaConfig> = defineRotarySettings<LlamaConfig>({
  name: "LlamaConfig",
  modelType: "llama",
  rows: {
    ...decoderRows({
      vocabSize: 32000,
      hiddenSize: 4096,
      intermediateSize: 11008,
      numHiddenLayers: 32,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 2048,
    }),
    ...headRows(null),
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(1e-6),
    attentionBias: flag(false),
    mlpBias: flag(false),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(2),
  },
});

/** Llama settings: those given over the defaults, which are those of the first 7B model. */
export function llamaConfig(given: Given<LlamaConfig> = {}): LlamaConfig {
  return LLAMA_SETTINGS.read(given);
}

/** How checkpoints of Llama are read. */
const llamaFamily: DeclaredFamily<LlamaConfig> = decoderFamily(LLAMA_SETTINGS);

/** Llama without a head. */
export class LlamaModel extends RotaryDecoder<LlamaConfig, PreNormLayer> {
  static readonly family: DeclaredFamily<LlamaConfig> = llamaFamily;

  constructor(given: Given<LlamaConfig> = {}) {
    const config = llamaConfig(given);
    const norm = (): RMSNorm => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, { bias: config.attentionBias }),
        mlp: new GatedMLP(config, { act: config.hiddenAct, bias: config.mlpBias }),
        norm,
      });
    super(config, { layer, norm });
  }
}

/** Llama as a language model: logits of the next token. */
export class LlamaForCausalLM extends DecoderForCausalLM<LlamaModel> {
  static readonly family: DeclaredFamily<LlamaConfig> = llamaFamily;

  constructor(config: Given<LlamaConfig> = {}) {
    super(new LlamaModel(config));
  }
}

/** Llama with a linear classifier on the last token that is not padding. */
export class LlamaForSequenceClassification extends DecoderForSequenceClassification<LlamaModel> {
  static readonly family: DeclaredFamily<LlamaConfig> = llamaFamily;

  constructor(config: Given<LlamaConfig> = {}) {
    super(new LlamaModel(config));
  }
}
