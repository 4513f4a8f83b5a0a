import type { Linear } from "../../../nn/layers/linear.ts";
import type { Module } from "../../../nn/module.ts";
import type { Parameter } from "../../../nn/parameter.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import type { ModelConfig } from "../../settings/config.ts";
import type {
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
  SequenceClassifierOutput,
} from "../outputs.ts";
import {
  type ClassifierInputs,
  classifierOutput,
  languageModelOutput,
  outputLayer,
} from "./heads.ts";
import { initialLinear } from "./initial-linear.ts";
import type { Changes } from "./text-lengths.ts";

/** A decoder without a head that its heads keep as `transformer`. */
type Transformer = Module & {
  readonly "~components": string;
  /** Its settings. */
  readonly config: ModelConfig & {
    readonly vocabSize: number;
    readonly initializerRange: number;
    readonly tieWordEmbeddings: boolean;
    readonly numLabels: number;
  };
  /** The table of tokens, [vocabulary, width]. */
  readonly embedding: { readonly weight: Parameter };
  /** Longest sequence; undefined where there is no bound. */
  readonly maxLength?: number | undefined;
  /** Whether a cache of a text of one length is of no use at another. @default never */
  readonly changes?: Changes | undefined;
  readonly forward: (inputs: DecoderInputs) => DecoderOutput;
};

/** A decoder such as GPT-J or Bloom as a language model; families subclass it. */
export abstract class TransformerForCausalLM<M extends Transformer> extends CausalLanguageModel {
  declare readonly "~components": M["~components"];
  /** Its settings. */
  readonly config: M["config"];
  /** The model without a head. */
  readonly transformer: M;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly lm_head: Linear;

  /** With `bias`, each token has a logit of its own to begin with. */
  constructor(transformer: M, { bias = false }: { readonly bias?: boolean } = {}) {
    super();
    const { config, embedding } = transformer;
    this.transformer = transformer;
    this.config = config;
    const hiddenSize = embedding.weight.shape[1] ?? 0;
    this.lm_head = outputLayer({ ...config, hiddenSize }, embedding, { bias });
  }

  override get maxLength(): number | undefined {
    return this.transformer.maxLength;
  }

  override changesAt(before: number, after: number): boolean {
    return this.transformer.changes?.(before, after) === true;
  }

  /** `labels` [batch, sequence]: the ids themselves (they are shifted here); -100 is left out. */
  override forward(inputs: CausalLMInputs): CausalLMOutput {
    return languageModelOutput(this.transformer, (x) => this.lm_head.forward(x), inputs);
  }
}

/** The same with a linear classifier on the last token that is not padding. */
export abstract class TransformerForSequenceClassification<
  M extends Transformer,
> extends PreTrainedModel {
  static readonly auto = "AutoModelForSequenceClassification";
  declare readonly "~components": M["~components"];
  readonly config: M["config"];
  /** The model without a head. */
  readonly transformer: M;
  /** [..., hidden] -> [..., labels]: the classifier. */
  readonly score: Linear;

  constructor(transformer: M) {
    super();
    const { config, embedding } = transformer;
    this.transformer = transformer;
    this.config = config;
    const { numLabels, initializerRange: std } = config;
    this.score = initialLinear(embedding.weight.shape[1] ?? 0, numLabels, { bias: false, std });
  }

  override forward(inputs: ClassifierInputs): SequenceClassifierOutput {
    return classifierOutput(this.transformer, this.score, inputs);
  }
}
