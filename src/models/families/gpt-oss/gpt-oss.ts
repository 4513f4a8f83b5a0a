import type { Linear } from "../../../nn/layers/linear.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { normal } from "../../../nn/init.ts";
import { initialized } from "../../../nn/without-init.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import type { Given } from "../../parts/decoder/config.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { windowsOf } from "../../parts/decoder/layer-types.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { routingWeights } from "../../parts/decoder/routing.ts";
import type { ModelCard } from "../../model/card.ts";
import { gptOssCard, type GptOssComponent } from "./card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { type GptOssConfig, gptOssConfig, gptOssFamily } from "./config.ts";

export { gptOssCard } from "./card.ts";
export { type GptOssConfig, gptOssConfig } from "./config.ts";

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
