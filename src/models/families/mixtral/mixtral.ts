import type { Activation } from "../../../nn/layers/activation.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { rand } from "../../../tensor/random/random.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import type { LayerOutput } from "../../parts/decoder/attend.ts";
import { DecoderAttention, type RotaryContext } from "../../parts/decoder/attention.ts";
import { type AttentionComponent, attentionComponents } from "../../parts/decoder/card.ts";
import {
  attentionShapes,
  decoderFamily,
  edgeShapes,
  type GatedConfig,
  gatedRows,
  type Given,
  SIZES_7B,
} from "../../parts/decoder/config.ts";
import {
  type ExpertCounts,
  expertRows,
  requireExperts,
  ROUTER_FIELDS,
} from "../../parts/decoder/expert-counts.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import { routingWeights } from "../../parts/decoder/routing.ts";
import { activation } from "../../settings/activations.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { nonNegative, token, tokens, whole } from "../../settings/kinds.ts";

/** Settings of a Mixtral, with Hugging Face's meanings and defaults. */
export interface MixtralConfig extends GatedConfig, ExpertCounts {
  /** How many tokens each one sees, itself included; null: all before it. */
  readonly slidingWindow: number | null;
  /** While training, what experts read is multiplied by up to this more or less than 1. */
  readonly routerJitterNoise: number;
}

/** What settings Mixtrals have. */
const MIXTRAL_SETTINGS: Settings<MixtralConfig> = defineRotarySettings<MixtralConfig>({
  name: "MixtralConfig",
  modelType: "mixtral",
  rope: { ropeType: "default", ropeTheta: 1_000_000 },
  rows: {
    ...gatedRows({
      ...SIZES_7B,
      vocabSize: 32000,
      intermediateSize: 14336,
      maxPositionEmbeddings: 131_072,
      numKeyValueHeads: 8,
      rmsNormEps: 1e-5,
    }),
    ...expertRows({ numLocalExperts: 8, numExpertsPerTok: 2 }),
    slidingWindow: whole.orNull(null),
    routerJitterNoise: nonNegative(0),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(2),
  },
  ...ROUTER_FIELDS,
  shapes: (config) => ({
    ...edgeShapes(),
    ...attentionShapes(config),
    "layers.0.block_sparse_moe.gate.weight": ["numLocalExperts", "hiddenSize"],
    "layers.0.block_sparse_moe.experts.0.w1.weight": ["intermediateSize", "hiddenSize"],
  }),
  complete: (config) => requireExperts("MixtralConfig", config),
});

/** Mixtral settings: those given over the defaults, which are those of the 8x7B model. */
export function mixtralConfig(given: Given<MixtralConfig> = {}): MixtralConfig {
  return MIXTRAL_SETTINGS.read(given);
}

/** How checkpoints of Mixtral are read. */
const mixtralFamily: ModelFamily<MixtralConfig> = decoderFamily(MIXTRAL_SETTINGS);

/** Components of a Mixtral's layers. */
type MixtralComponent =
  AttentionComponent | "mlp_input" | "mlp_output" | "mlp_addition" | "router_output";

const width = ({ hiddenSize }: MixtralConfig): number => hiddenSize;

/**
 * Where the components of Mixtral are, within the model without a head. `router_output` is
 * [batch * sequence, experts], before the choice of experts.
 */
export const mixtralCard: ModelCard<MixtralConfig, MixtralComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionComponents(),
    mlp_input: { path: "layers.{layer}.block_sparse_moe", side: "input", dimension: width },
    mlp_output: { path: "layers.{layer}.block_sparse_moe", side: "output", dimension: width },
    mlp_addition: { path: "layers.{layer}.mlp_addition", side: "output", dimension: width },
    router_output: {
      path: "layers.{layer}.block_sparse_moe.gate",
      side: "output",
      dimension: ({ numLocalExperts }) => numLocalExperts,
    },
  },
};

/** A gated MLP. */
class MixtralExpert extends Module {
  /** [..., hidden] -> [..., inner]: what the activation is taken of. */
  readonly w1: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's last layer. */
  readonly w2: Linear;
  /** [..., hidden] -> [..., inner]: what the activation is multiplied with. */
  readonly w3: Linear;
  /** The activation. */
  readonly act_fn: Activation;

  constructor(config: MixtralConfig) {
    super();
    const { hiddenSize, intermediateSize, initializerRange: std, hiddenAct } = config;
    this.w1 = initialLinear(hiddenSize, intermediateSize, { bias: false, std });
    this.w2 = initialLinear(intermediateSize, hiddenSize, { bias: false, std });
    this.w3 = initialLinear(hiddenSize, intermediateSize, { bias: false, std });
    this.act_fn = activation(hiddenAct);
  }

  override forward(x: Tensor): Tensor {
    return this.w2.forward(this.act_fn.forward(this.w1.forward(x)).mul(this.w3.forward(x)));
  }
}

/** Experts, of which each token is given to the likeliest; see {@link routingWeights}. */
class MixtralSparseMoeBlock extends Module {
  /** [..., hidden] -> [..., experts]: the router's scores. */
  readonly gate: Linear;
  /** The experts, each an MLP. */
  readonly experts: ModuleList<MixtralExpert>;
  readonly #chosen: number;
  readonly #noise: number;

  constructor(config: MixtralConfig) {
    super();
    const { hiddenSize, numLocalExperts: length, initializerRange: std } = config;
    this.gate = initialLinear(hiddenSize, length, { bias: false, std });
    this.experts = new ModuleList(Array.from({ length }, () => new MixtralExpert(config)));
    this.#chosen = config.numExpertsPerTok;
    this.#noise = config.routerJitterNoise;
  }

  override forward(x: Tensor): Tensor {
    const tokens = this.#jittered(x).flatten(0, 1);
    const weights = routingWeights(this.gate.forward(tokens), this.#chosen);
    const outputs = [...this.experts].map((expert, i) =>
      expert.forward(tokens).mul(weights.slice(-1, i, i + 1)),
    );
    return outputs.reduce((sum, output) => sum.add(output)).reshape(x.shape);
  }

  #jittered(x: Tensor): Tensor {
    const noise = this.#noise;
    if (!this.training || noise === 0) return x;
    return x.mul(
      rand(x.shape)
        .mul(2 * noise)
        .add(1 - noise),
    );
  }
}

class MixtralDecoderLayer extends Module {
  /** The attention. */
  readonly self_attn: DecoderAttention;
  /** The experts with their router. */
  readonly block_sparse_moe: MixtralSparseMoeBlock;
  /** The norm before the attention. */
  readonly input_layernorm: RMSNorm;
  /** The norm before the MLP. */
  readonly post_attention_layernorm: RMSNorm;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();

  constructor(config: MixtralConfig) {
    super();
    const norm = { eps: config.rmsNormEps };
    this.self_attn = new DecoderAttention(config);
    this.block_sparse_moe = new MixtralSparseMoeBlock(config);
    this.input_layernorm = new RMSNorm(config.hiddenSize, norm);
    this.post_attention_layernorm = new RMSNorm(config.hiddenSize, norm);
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const normed = this.input_layernorm.forward(x);
    const [attended, weights, cache] = this.self_attn.forward(normed, context);
    const middle = x.add(this.attention_addition.forward(attended));
    const added = this.block_sparse_moe.forward(this.post_attention_layernorm.forward(middle));
    return [middle.add(this.mlp_addition.forward(added)), weights, cache];
  }
}

/** Mixtral without a head. */
export class MixtralModel extends RotaryDecoder<
  MixtralConfig,
  MixtralDecoderLayer,
  MixtralComponent
> {
  static readonly family: ModelFamily<MixtralConfig> = mixtralFamily;
  static override readonly card: ModelCard<MixtralConfig, MixtralComponent> = mixtralCard;

  constructor(given: Given<MixtralConfig> = {}) {
    const config = mixtralConfig(given);
    super(config, {
      layer: () => new MixtralDecoderLayer(config),
      norm: () => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps }),
      window: () => config.slidingWindow,
    });
  }
}

/** Mixtral as a language model: logits of the next token. */
export class MixtralForCausalLM extends DecoderForCausalLM<MixtralModel> {
  static readonly family: ModelFamily<MixtralConfig> = mixtralFamily;

  constructor(config: Given<MixtralConfig> = {}) {
    super(new MixtralModel(config));
  }
}

/** Mixtral with a linear classifier on the last token that is not padding. */
export class MixtralForSequenceClassification extends DecoderForSequenceClassification<MixtralModel> {
  static readonly family: ModelFamily<MixtralConfig> = mixtralFamily;

  constructor(config: Given<MixtralConfig> = {}) {
    super(new MixtralModel(config));
  }
}
