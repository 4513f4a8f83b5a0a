import type { Linear } from "../../../nn/layers/linear.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import {
  attentionComponents,
  type LlamaComponent,
  mlpComponents,
} from "../../parts/decoder/card.ts";
import type { Given } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { routingWeights } from "../../parts/decoder/routing.ts";
import { hasExperts, type Qwen3MoeConfig, qwen3MoeConfig, qwen3MoeFamily } from "./config.ts";

export { type Qwen3MoeConfig, qwen3MoeConfig } from "./config.ts";

/** Components of a Qwen 3 with experts. */
export type Qwen3MoeComponent = LlamaComponent | "router_output";

/**
 * Where the components are, within the model without a head. `mlp_activation` is there in layers
 * without experts; `router_output`, [batch * sequence, experts], in those with, before the choice of experts.
 */
const card: ModelCard<Qwen3MoeConfig, Qwen3MoeComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionComponents(),
    ...mlpComponents(),
    router_output: {
      path: "layers.{layer}.mlp.gate",
      side: "output",
      dimension: ({ numLocalExperts }) => numLocalExperts,
    },
  },
};

/** Experts, of which each token is given to the likeliest; see {@link routingWeights}. */
class Qwen3MoeSparseMoeBlock extends Module {
  readonly gate: Linear;
  readonly experts: ModuleList<GatedMLP>;
  readonly #chosen: number;
  readonly #over: "chosen" | "all";

  constructor(config: Qwen3MoeConfig) {
    super();
    const { hiddenSize, numLocalExperts: length, hiddenAct: act, initializerRange: std } = config;
    const inner = { ...config, intermediateSize: config.moeIntermediateSize };
    this.gate = initialLinear(hiddenSize, length, { bias: false, std });
    this.experts = new ModuleList(Array.from({ length }, () => new GatedMLP(inner, { act })));
    this.#chosen = config.numExpertsPerTok;
    this.#over = config.normTopkProb ? "chosen" : "all";
  }

  override forward(x: Tensor): Tensor {
    const tokens = x.flatten(0, 1);
    const logits = this.gate.forward(tokens);
    const weights = routingWeights(logits, this.#chosen, { over: this.#over });
    const outputs = [...this.experts].map((expert, i) =>
      expert.forward(tokens).mul(weights.slice(-1, i, i + 1)),
    );
    return outputs.reduce((sum, output) => sum.add(output)).reshape(x.shape);
  }
}

/** Qwen 3 with experts, without a head. */
export class Qwen3MoeModel extends RotaryDecoder<Qwen3MoeConfig, PreNormLayer, Qwen3MoeComponent> {
  static readonly family: ModelFamily<Qwen3MoeConfig> = qwen3MoeFamily;
  static override readonly card: ModelCard<Qwen3MoeConfig, Qwen3MoeComponent> = card;

  constructor(given: Given<Qwen3MoeConfig, "numExperts"> = {}) {
    const config = qwen3MoeConfig(given);
    const { attentionBias: bias, hiddenAct: act, rmsNormEps: eps } = config;
    const norm = (): RMSNorm => new RMSNorm(config.hiddenSize, { eps });
    const headNorm = { of: "head", make: (width: number) => new RMSNorm(width, { eps }) } as const;
    const layer = (index: number): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, { bias, norm: headNorm }),
        mlp: hasExperts(config, index)
          ? new Qwen3MoeSparseMoeBlock(config)
          : new GatedMLP(config, { act }),
        norm,
      });
    const window = config.useSlidingWindow ? config.slidingWindow : null;
    super(config, { layer, norm, window: () => window });
  }
}

/** Qwen 3 with experts as a language model: logits of the next token. */
export class Qwen3MoeForCausalLM extends DecoderForCausalLM<Qwen3MoeModel> {
  static readonly family: ModelFamily<Qwen3MoeConfig> = qwen3MoeFamily;

  constructor(config: Given<Qwen3MoeConfig, "numExperts"> = {}) {
    super(new Qwen3MoeModel(config));
  }
}

/** Qwen 3 with experts, with a linear classifier on the last token that is not padding. */
export class Qwen3MoeForSequenceClassification extends DecoderForSequenceClassification<Qwen3MoeModel> {
  static readonly family: ModelFamily<Qwen3MoeConfig> = qwen3MoeFamily;

  constructor(config: Given<Qwen3MoeConfig, "numExperts"> = {}) {
    super(new Qwen3MoeModel(config));
  }
}
