import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { windowsOf } from "../../parts/decoder/layer-types.ts";
import { SandwichNormLayer } from "../../parts/decoder/layers.ts";
import { beginPass, runLayers } from "../../parts/decoder/pass.ts";
import { RotaryEmbedding, type Rotation } from "../../parts/decoder/rotary-embedding.ts";
import type { Changes } from "../../parts/decoder/text-lengths.ts";
import type { ModelCard } from "../../model/card.ts";
import { llamaCard, type LlamaComponent } from "../../parts/decoder/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { OffsetRMSNorm } from "../../parts/decoder/offset-rms-norm.ts";
import { ScaledEmbedding } from "../../parts/decoder/scaled-embedding.ts";
import type { DecoderInputs, DecoderOutput } from "../../parts/outputs.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import {
  type Gemma3TextConfig,
  gemma3TextConfig,
  gemma3TextFamily,
  type GivenGemma3,
} from "./config.ts";

export { type Gemma3TextConfig, gemma3TextConfig } from "./config.ts";

/** Angles of positions, one kind for each type of layer. */
class Gemma3RotaryEmbedding extends Module {
  readonly full_attention: RotaryEmbedding;
  readonly sliding_attention: RotaryEmbedding;

  constructor({ ropeParameters, headDim, maxPositionEmbeddings }: Gemma3TextConfig) {
    super();
    const sizes = { headDim, maxPositionEmbeddings };
    this.full_attention = new RotaryEmbedding(ropeParameters.fullAttention, sizes);
    this.sliding_attention = new RotaryEmbedding(ropeParameters.slidingAttention, sizes);
  }

  /** Whether texts of two lengths are rotated differently in some layer; undefined where none are. */
  get changes(): Changes | undefined {
    const { full_attention: full, sliding_attention: sliding } = this;
    if (full.changes === undefined || sliding.changes === undefined) {
      return full.changes ?? sliding.changes;
    }
    return (...lengths) => [full, sliding].some(({ changes }) => changes?.(...lengths) === true);
  }

  override forward(
    positions: Tensor,
    attentionMask?: Tensor,
  ): Record<"full_attention" | "sliding_attention", Rotation> {
    return {
      full_attention: this.full_attention.forward(positions, attentionMask),
      sliding_attention: this.sliding_attention.forward(positions, attentionMask),
    };
  }
}

function decoderLayer(config: Gemma3TextConfig): SandwichNormLayer {
  const norm = (width: number): OffsetRMSNorm =>
    new OffsetRMSNorm(width, { eps: config.rmsNormEps });
  return new SandwichNormLayer({
    attention: new DecoderAttention(config, {
      bias: config.attentionBias,
      scale: 1 / Math.sqrt(config.queryPreAttnScalar),
      softcap: config.attnLogitSoftcapping,
      norm: { of: "head", make: norm },
    }),
    mlp: new GatedMLP(config, { act: config.hiddenActivation }),
    norm: () => norm(config.hiddenSize),
  });
}

/** Gemma 3 (text) without a head: most layers see the last tokens only, and rotate faster. */
export class Gemma3TextModel extends PreTrainedModel {
  static readonly family: ModelFamily<Gemma3TextConfig> = gemma3TextFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<Gemma3TextConfig, LlamaComponent> = llamaCard;
  declare readonly "~components": LlamaComponent;
  readonly config: Gemma3TextConfig;
  readonly embed_tokens: ScaledEmbedding;
  readonly layers: ModuleList<SandwichNormLayer>;
  readonly norm: OffsetRMSNorm;
  readonly rotary_emb: Gemma3RotaryEmbedding;

  constructor(given: GivenGemma3 = {}) {
    super();
    const config = gemma3TextConfig(given);
    this.config = config;
    this.embed_tokens = new ScaledEmbedding(config);
    const { numHiddenLayers: length } = config;
    this.layers = new ModuleList(Array.from({ length }, () => decoderLayer(config)));
    this.norm = new OffsetRMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    this.rotary_emb = new Gemma3RotaryEmbedding(config);
  }

  /** Whether a cache of a text of one length is of no use at another; undefined for never. */
  get changes(): Changes | undefined {
    return this.rotary_emb.changes;
  }

  override forward(inputs: DecoderInputs): DecoderOutput {
    const { layers, norm, config } = this;
    const { changes } = this;
    const pass = beginPass(inputs, { name: "Gemma3TextModel", embed: this.embed_tokens, changes });
    const rotations = this.rotary_emb.forward(pass.positions, pass.attentionMask);
    const window = windowsOf(config);
    return runLayers(pass.embedded, {
      layers,
      norm,
      pass,
      context: (i) => ({
        rotation: rotations[config.layerTypes[i] ?? "full_attention"],
        mask: pass.mask(window(i)),
      }),
    });
  }
}

/** Gemma 3 (text) as a language model: logits of the next token. */
export class Gemma3ForCausalLM extends DecoderForCausalLM<Gemma3TextModel> {
  static readonly family: ModelFamily<Gemma3TextConfig> = gemma3TextFamily;

  constructor(config: GivenGemma3 = {}) {
    const model = new Gemma3TextModel(config);
    super(model, { softcap: model.config.finalLogitSoftcapping });
  }
}

/** Gemma 3 (text) with a linear classifier on the last token that is not padding. */
export class Gemma3TextForSequenceClassification extends DecoderForSequenceClassification<Gemma3TextModel> {
  static readonly family: ModelFamily<Gemma3TextConfig> = gemma3TextFamily;

  constructor(config: GivenGemma3 = {}) {
    super(new Gemma3TextModel(config));
  }
}
