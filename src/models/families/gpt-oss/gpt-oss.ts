import { normal } from "../../../nn/init.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import { type AttentionComponent, attentionComponents } from "../../parts/decoder/card.ts";
import {
  attentionShapes,
  decoderFamily,
  decoderRows,
  edgeShapes,
  type Given,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import {
  type ExpertCounts,
  expertRows,
  requireExperts,
  ROUTER_FIELDS,
} from "../../parts/decoder/expert-counts.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import {
  type LayerType,
  layerTypes,
  layerTypesRow,
  windowsOf,
} from "../../parts/decoder/layer-types.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import { routingWeights } from "../../parts/decoder/routing.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { flag, nonNegative, whole, width } from "../../settings/kinds.ts";

/** Settings of a gpt-oss, with Hugging Face's meanings and defaults. */
export interface GptOssConfig extends RotaryConfig, ExpertCounts {
  /** Width of one head. */
  readonly headDim: number;
  /** Added to the mean square in RMS norms. */
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** How many tokens each one sees in layers with a sliding window, itself included. */
  readonly slidingWindow: number | null;
  /** What each layer sees; every other has a sliding window, if it is not given. */
  readonly layerTypes: readonly LayerType[];
}

/** What settings gpt-oss has. */
const GPT_OSS_SETTINGS: Settings<GptOssConfig> = defineRotarySettings<GptOssConfig>({
  name: "GptOssConfig",
  modelType: "gpt_oss",
  rope: {
    ropeType: "yarn",
    ropeTheta: 150_000,
    factor: 32,
    betaFast: 32,
    betaSlow: 1,
    truncate: false,
    originalMaxPositionEmbeddings: 4096,
  },
  rows: {
    ...decoderRows({
      vocabSize: 201_088,
      hiddenSize: 2880,
      intermediateSize: 2880,
      numHiddenLayers: 36,
      numAttentionHeads: 64,
      maxPositionEmbeddings: 131_072,
    }),
    numKeyValueHeads: width.orNull(8),
    headDim: width(64),
    ...expertRows({ numLocalExperts: 128, numExpertsPerTok: 4 }),
    rmsNormEps: nonNegative(1e-5),
    attentionBias: flag(true),
    slidingWindow: whole.orNull(128),
    layerTypes: layerTypesRow,
  },
  inert: [...ROUTER_FIELDS.inert, "hiddenAct", "initialContextLength"],
  neutral: {
    ...ROUTER_FIELDS.neutral,
    swigluLimit: { values: [7], why: "experts cut off at 7" },
  },
  shapes: (config) => ({
    ...edgeShapes(),
    ...attentionShapes(config),
    "layers.0.self_attn.sinks": ["numAttentionHeads"],
    "layers.0.mlp.router.weight": ["numLocalExperts", "hiddenSize"],
    "layers.0.mlp.experts.down_proj": ["numLocalExperts", "intermediateSize", "hiddenSize"],
  }),
  complete: (config) => {
    const slides = (layer: number): boolean => layer % 2 === 0;
    requireExperts("GptOssConfig", config);
    return { ...config, layerTypes: layerTypes("GptOssConfig", config, slides) };
  },
});

/** gpt-oss settings: those given over the defaults, which are those of the 120B model. */
export function gptOssConfig(given: Given<GptOssConfig> = {}): GptOssConfig {
  return GPT_OSS_SETTINGS.read(given);
}

/** How checkpoints of gpt-oss are read. */
const gptOssFamily: ModelFamily<GptOssConfig> = decoderFamily(GPT_OSS_SETTINGS);

/** Components of a gpt-oss's layers. */
type GptOssComponent =
  | AttentionComponent
  | "mlp_input"
  | "mlp_output"
  | "mlp_addition"
  | "router_input"
  | "router_output"
  | "expert_input"
  | "expert_output";

const at = (module: string, side: "input" | "output"): ComponentSpec<GptOssConfig> => ({
  path: `layers.{layer}.${module}`,
  side,
  dimension: ({ hiddenSize }) => hiddenSize,
});

/**
 * Where the components of gpt-oss are, within the model without a head. Those of the router and of
 * the experts are [batch * sequence, ...]; `router_output` is before the choice of experts.
 */
export const gptOssCard: ModelCard<GptOssConfig, GptOssComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionComponents(),
    mlp_input: at("mlp", "input"),
    mlp_output: at("mlp", "output"),
    mlp_addition: at("mlp_addition", "output"),
    router_input: at("mlp.router", "input"),
    router_output: {
      ...at("mlp.router", "output"),
      dimension: ({ numLocalExperts }) => numLocalExperts,
    },
    expert_input: at("mlp.experts", "input"),
    expert_output: at("mlp.experts", "output"),
  },
};

/** Steepness of the gate's sigmoid, and where gate and values are cut off. */
const ALPHA = 1.702;
const LIMIT = 7;

/** All experts of a layer, as stacks of matrices; columns of gate and values take turns. */
class GptOssExperts extends Module {
  /** [experts, hiddenSize, 2 * intermediateSize] */
  readonly gate_up_proj: Parameter;
  readonly gate_up_proj_bias: Parameter;
  /** [experts, intermediateSize, hiddenSize] */
  readonly down_proj: Parameter;
  readonly down_proj_bias: Parameter;

  constructor(config: GptOssConfig) {
    super();
    const { numLocalExperts: n, hiddenSize, intermediateSize, initializerRange: std } = config;
    const matrices = (rows: number, columns: number): Parameter =>
      initialized([n, rows, columns], (shape) => normal(shape, { std }));
    this.gate_up_proj = matrices(hiddenSize, 2 * intermediateSize);
    this.gate_up_proj_bias = new Parameter(zeros([n, 2 * intermediateSize]));
    this.down_proj = matrices(intermediateSize, hiddenSize);
    this.down_proj_bias = new Parameter(zeros([n, hiddenSize]));
  }

  /**
   * @param tokens - [tokens, hiddenSize]
   * @param weights - [tokens, experts]
   */
  override forward(tokens: Tensor, weights: Tensor): Tensor {
    const mixed = tokens.unsqueeze(0).matmul(this.gate_up_proj.value);
    const gateUp = mixed.add(this.gate_up_proj_bias.value.unsqueeze(1));
    const gate = gateUp.slice(-1, 0, Infinity, 2).clamp({ max: LIMIT });
    const up = gateUp.slice(-1, 1, Infinity, 2).clamp({ min: -LIMIT, max: LIMIT });
    const gated = up.add(constant(1)).mul(gate.mul(gate.mul(constant(ALPHA)).sigmoid()));
    const outputs = gated.matmul(this.down_proj.value).add(this.down_proj_bias.value.unsqueeze(1));
    return outputs.mul(weights.t().unsqueeze(-1)).sum({ dim: 0 });
  }
}

/** Experts, of which each token is given to the likeliest; see {@link routingWeights}. */
class GptOssMLP extends Module {
  readonly router: Linear;
  /** The experts, each an MLP. */
  readonly experts: GptOssExperts;
  readonly #chosen: number;

  constructor(config: GptOssConfig) {
    super();
    const { hiddenSize, numLocalExperts, initializerRange: std } = config;
    this.router = initialLinear(hiddenSize, numLocalExperts, { bias: true, std });
    this.experts = new GptOssExperts(config);
    this.#chosen = config.numExpertsPerTok;
  }

  override forward(x: Tensor): Tensor {
    const tokens = x.flatten(0, 1);
    const weights = routingWeights(this.router.forward(tokens), this.#chosen);
    return this.experts.forward(tokens, weights).reshape(x.shape);
  }
}

/** gpt-oss without a head: heads may look nowhere, and every other layer sees the last tokens only. */
export class GptOssModel extends RotaryDecoder<GptOssConfig, PreNormLayer, GptOssComponent> {
  static readonly family: ModelFamily<GptOssConfig> = gptOssFamily;
  static override readonly card: ModelCard<GptOssConfig, GptOssComponent> = gptOssCard;

  constructor(given: Given<GptOssConfig> = {}) {
    const config = gptOssConfig(given);
    const norm = (): RMSNorm => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, { bias: config.attentionBias, sinks: true }),
        mlp: new GptOssMLP(config),
        norm,
      });
    super(config, { layer, norm, window: windowsOf(config) });
  }
}

/** gpt-oss as a language model: logits of the next token. */
export class GptOssForCausalLM extends DecoderForCausalLM<GptOssModel> {
  static readonly family: ModelFamily<GptOssConfig> = gptOssFamily;

  constructor(config: Given<GptOssConfig> = {}) {
    super(new GptOssModel(config));
  }
}

/** gpt-oss with a linear classifier on the last token that is not padding. */
export class GptOssForSequenceClassification extends DecoderForSequenceClassification<GptOssModel> {
  static readonly family: ModelFamily<GptOssConfig> = gptOssFamily;

  constructor(config: Given<GptOssConfig> = {}) {
    super(new GptOssModel(config));
  }
}
