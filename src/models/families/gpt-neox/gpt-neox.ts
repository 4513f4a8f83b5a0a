import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import type { ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import type { LayerOutput } from "../../parts/decoder/attend.ts";
import type { RotaryContext } from "../../parts/decoder/attention.ts";
import {
  attentionComponents,
  type LlamaComponent,
  mlpComponents,
} from "../../parts/decoder/card.ts";
import {
  decoderFamily,
  decoderRows,
  edgeShapes,
  type Given,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import {
  type ClassifierInputs,
  classifierOutput,
  languageModelOutput,
  outputLayer,
} from "../../parts/decoder/heads.ts";
import { DenseMLP } from "../../parts/decoder/dense-mlp.ts";
import { FusedAttention } from "../../parts/decoder/fused-attention.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { beginPass, runLayers } from "../../parts/decoder/pass.ts";
import { RotaryEmbedding } from "../../parts/decoder/rotary-embedding.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type {
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
  SequenceClassifierOutput,
} from "../../parts/outputs.ts";
import type { Settings } from "../../settings/define-settings.ts";
import {
  activationName,
  flag,
  fraction,
  nonNegative,
  token,
  tokens,
} from "../../settings/kinds.ts";

/** Settings of a GPT-NeoX (Pythia), with Hugging Face's meanings and defaults. */
export interface GPTNeoXConfig extends RotaryConfig {
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the variance in layer norms. */
  readonly layerNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly hiddenDropout: number;
  /** Let the MLP read what the attention reads, instead of what it wrote. */
  readonly useParallelResidual: boolean;
}

/** What settings GPT-NeoXs have. */
const GPT_NEOX_SETTINGS: Settings<GPTNeoXConfig> = defineRotarySettings<GPTNeoXConfig>({
  name: "GPTNeoXConfig",
  modelType: "gpt_neox",
  rope: { ropeType: "default", ropeTheta: 10_000, partialRotaryFactor: 0.25 },
  names: {
    theta: ["ropeTheta", "rotaryEmbBase"],
    share: ["partialRotaryFactor", "rotaryPct"],
  },
  rows: {
    ...decoderRows({
      vocabSize: 50432,
      hiddenSize: 6144,
      intermediateSize: 24576,
      numHiddenLayers: 44,
      numAttentionHeads: 64,
      maxPositionEmbeddings: 2048,
    }),
    hiddenAct: activationName("gelu"),
    layerNormEps: nonNegative(1e-5),
    attentionBias: flag(true),
    hiddenDropout: fraction(0),
    useParallelResidual: flag(true),
    bosTokenId: token.orNull(0),
    eosTokenId: tokens.orNull(2),
  },
  shapes: ({ hiddenSize }) => ({
    ...edgeShapes("embed_in", "embed_out"),
    "layers.0.attention.query_key_value.weight": [["3 * hiddenSize", 3 * hiddenSize], "hiddenSize"],
    "layers.0.mlp.dense_h_to_4h.weight": ["intermediateSize", "hiddenSize"],
  }),
  // Dropout of classes of tokens, and names of dropout that no version has read.
  inert: ["classifierDropout", "attentionProbsDropoutProb", "hiddenDropoutProb"],
});

/** Settings as they may be given: in part, or under the names of transformers 4. */
type GivenGPTNeoX = Given<GPTNeoXConfig, "rotaryPct" | "rotaryEmbBase">;

/** GPT-NeoX settings: those given over the defaults, which are those of the 20B model. */
export function gptNeoXConfig(given: GivenGPTNeoX = {}): GPTNeoXConfig {
  return GPT_NEOX_SETTINGS.read(given);
}

/** How checkpoints of GPT-NeoX are read. */
const gptNeoXFamily: ModelFamily<GPTNeoXConfig> = decoderFamily(GPT_NEOX_SETTINGS, {
  basePrefix: "gpt_neox",
  // Causal masks and frequencies, which old versions saved as if they were weights.
  ignored: [/\.attention\.(?:(?:masked_)?bias|rotary_emb\.inv_freq)$/],
});

/**
 * Where the components of GPT-NeoX are, within the model without a head. Its one projection holds
 * query, key and value of one head after another; here they are apart.
 */
export const gptNeoXCard: ModelCard<GPTNeoXConfig, LlamaComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionComponents({
      attention: "attention",
      query: "query",
      key: "key",
      value: "value",
      output: "dense",
    }),
    ...mlpComponents("act"),
  },
};

class GPTNeoXLayer extends Module {
  /** The norm before the attention. */
  readonly input_layernorm: LayerNorm;
  /** The norm after the attention. */
  readonly post_attention_layernorm: LayerNorm;
  /** Acts in training mode only. */
  readonly post_attention_dropout: Dropout;
  /** Acts in training mode only. */
  readonly post_mlp_dropout: Dropout;
  /** The attention. */
  readonly attention: FusedAttention;
  /** The MLP. */
  readonly mlp: DenseMLP;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();
  readonly #parallel: boolean;

  constructor(config: GPTNeoXConfig) {
    super();
    const { hiddenSize, numAttentionHeads: heads, initializerRange: std } = config;
    const norm = { eps: config.layerNormEps };
    this.input_layernorm = new LayerNorm(hiddenSize, norm);
    this.post_attention_layernorm = new LayerNorm(hiddenSize, norm);
    this.post_attention_dropout = new Dropout(config.hiddenDropout);
    this.post_mlp_dropout = new Dropout(config.hiddenDropout);
    this.attention = new FusedAttention({
      hiddenSize,
      heads,
      keyValueHeads: heads,
      bias: config.attentionBias,
      std,
      dropout: config.attentionDropout,
    });
    const { intermediateSize, hiddenAct: act } = config;
    this.mlp = new DenseMLP({ hiddenSize, intermediateSize, act, bias: true, std });
    this.#parallel = config.useParallelResidual;
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const normed = this.input_layernorm.forward(x);
    const [attended, weights, cache] = this.attention.forward(normed, context);
    const kept = this.post_attention_dropout.forward(attended);
    const middle = x.add(this.attention_addition.forward(kept));
    const read = this.post_attention_layernorm.forward(this.#parallel ? x : middle);
    const fed = this.post_mlp_dropout.forward(this.mlp.forward(read));
    return [middle.add(this.mlp_addition.forward(fed)), weights, cache];
  }
}

/** GPT-NeoX without a head. */
export class GPTNeoXModel extends PreTrainedModel {
  static readonly family: ModelFamily<GPTNeoXConfig> = gptNeoXFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<GPTNeoXConfig, LlamaComponent> = gptNeoXCard;
  declare readonly "~components": LlamaComponent;
  readonly config: GPTNeoXConfig;
  /** The token embedding. */
  readonly embed_in: Embedding;
  /** Acts in training mode only. */
  readonly emb_dropout: Dropout;
  /** The layers, in order. */
  readonly layers: ModuleList<GPTNeoXLayer>;
  /** The last norm. */
  readonly final_layer_norm: LayerNorm;
  /** Angles that queries and keys are turned by, from positions. */
  readonly rotary_emb: RotaryEmbedding;

  constructor(given: GivenGPTNeoX = {}) {
    super();
    const config = gptNeoXConfig(given);
    const { hiddenSize, numHiddenLayers: length, maxPositionEmbeddings } = config;
    this.config = config;
    this.embed_in = new Embedding(config.vocabSize, hiddenSize, { std: config.initializerRange });
    this.emb_dropout = new Dropout(config.hiddenDropout);
    this.layers = new ModuleList(Array.from({ length }, () => new GPTNeoXLayer(config)));
    this.final_layer_norm = new LayerNorm(hiddenSize, { eps: config.layerNormEps });
    const sizes = { headDim: hiddenSize / config.numAttentionHeads, maxPositionEmbeddings };
    this.rotary_emb = new RotaryEmbedding(config.ropeParameters, sizes);
  }

  override forward(inputs: DecoderInputs): DecoderOutput {
    const { changes } = this.rotary_emb;
    const pass = beginPass(inputs, { name: "GPTNeoXModel", embed: this.embed_in, changes });
    const rotation = this.rotary_emb.forward(pass.positions, pass.attentionMask);
    const mask = pass.mask();
    return runLayers(this.emb_dropout.forward(pass.embedded), {
      layers: this.layers,
      norm: this.final_layer_norm,
      pass,
      context: () => ({ rotation, mask }),
    });
  }
}

/** GPT-NeoX as a language model: logits of the next token. */
export class GPTNeoXForCausalLM extends CausalLanguageModel {
  static readonly family: ModelFamily<GPTNeoXConfig> = gptNeoXFamily;
  declare readonly "~components": LlamaComponent;
  readonly config: GPTNeoXConfig;
  /** The model without a head. */
  readonly gpt_neox: GPTNeoXModel;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly embed_out: Linear;

  constructor(config: GivenGPTNeoX = {}) {
    super();
    this.gpt_neox = new GPTNeoXModel(config);
    this.config = this.gpt_neox.config;
    this.embed_out = outputLayer(this.config, this.gpt_neox.embed_in);
  }

  /** Rotary embeddings have no last position. */
  override get maxLength(): undefined {
    return undefined;
  }

  override changesAt(before: number, after: number): boolean {
    return this.gpt_neox.rotary_emb.changes?.(before, after) === true;
  }

  /** `labels` [batch, sequence]: the ids themselves (they are shifted here); -100 is left out. */
  override forward(inputs: CausalLMInputs): CausalLMOutput {
    return languageModelOutput(this.gpt_neox, (x) => this.embed_out.forward(x), inputs);
  }
}

/** GPT-NeoX with a linear classifier on the last token that is not padding. */
export class GPTNeoXForSequenceClassification extends PreTrainedModel {
  static readonly family: ModelFamily<GPTNeoXConfig> = gptNeoXFamily;
  static readonly auto = "AutoModelForSequenceClassification";
  declare readonly "~components": LlamaComponent;
  readonly config: GPTNeoXConfig;
  /** The model without a head. */
  readonly gpt_neox: GPTNeoXModel;
  /** [..., hidden] -> [..., labels]: the classifier. */
  readonly score: Linear;

  constructor(config: GivenGPTNeoX = {}) {
    super();
    this.gpt_neox = new GPTNeoXModel(config);
    this.config = this.gpt_neox.config;
    const { hiddenSize, numLabels, initializerRange: std } = this.config;
    this.score = initialLinear(hiddenSize, numLabels, { bias: false, std });
  }

  override forward(inputs: ClassifierInputs): SequenceClassifierOutput {
    return classifierOutput(this.gpt_neox, this.score, inputs);
  }
}
