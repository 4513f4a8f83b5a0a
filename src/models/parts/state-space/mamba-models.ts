import { Embedding } from "../../../nn/layers/embedding.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import type { ModelConfig } from "../../settings/config.ts";
import type { CausalLMInputs, CausalLMOutput, DecoderInputs, DecoderOutput } from "../outputs.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import {
  languageModelOutput,
  MambaBlock,
  type MambaCache,
  type Mixer,
  outputLayer,
  runBackbone,
} from "./mamba-blocks.ts";

/** Settings that all state-space models have. */
export interface MambaSizes extends ModelConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Added to the variance in layer norms. */
  readonly layerNormEpsilon: number;
  /** Standard deviation of weights that no checkpoint gives. */
  readonly initializerRange: number;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
}

/** A state-space model without a head: layers that differ in what mixes positions. */
export abstract class MambaBaseModel<
  Config extends MambaSizes,
  M extends Mixer,
> extends PreTrainedModel {
  static readonly auto = "AutoModel";
  readonly config: Config;
  /** The token embedding. */
  readonly embeddings: Embedding;
  /** The blocks, in order. */
  readonly layers: ModuleList<MambaBlock<M>>;
  /** The norm after the last block. */
  readonly norm_f: RMSNorm;

  protected constructor(config: Config, mixer: () => M) {
    super();
    this.config = config;
    const { vocabSize, hiddenSize, numHiddenLayers, layerNormEpsilon: eps } = config;
    this.embeddings = new Embedding(vocabSize, hiddenSize, { std: config.initializerRange });
    this.layers = new ModuleList(
      Array.from({ length: numHiddenLayers }, () => new MambaBlock(mixer(), hiddenSize, eps)),
    );
    this.norm_f = new RMSNorm(hiddenSize, { eps });
  }

  override forward(inputs: DecoderInputs<MambaCache>): DecoderOutput<MambaCache> {
    return runBackbone(this.constructor.name, this, inputs);
  }
}

/** A state-space model as a language model: logits of the next token. */
export abstract class MambaLanguageModel<
  Config extends MambaSizes,
  Base extends MambaBaseModel<Config, Mixer>,
> extends CausalLanguageModel {
  readonly config: Config;
  /** The model without a head. */
  readonly backbone: Base;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly lm_head: Linear;

  protected constructor(backbone: Base) {
    super();
    this.backbone = backbone;
    this.config = backbone.config;
    this.lm_head = outputLayer(this.config, backbone.embeddings);
  }

  /** The state keeps what it can of texts of any length. */
  override get maxLength(): undefined {
    return undefined;
  }

  /** `labels` [batch, sequence]: the ids themselves (they are shifted here); -100 is left out. */
  override forward(inputs: CausalLMInputs<MambaCache>): CausalLMOutput<MambaCache> {
    return languageModelOutput(this.backbone, this.lm_head, inputs);
  }
}
