import { Linear } from "../../../nn/layers/linear.ts";
import type { Module } from "../../../nn/module.ts";
import type { Parameter } from "../../../nn/parameter.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { classified, lastTokens, nextTokenLoss } from "../heads.ts";
import type {
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
  SequenceClassifierOutput,
} from "../outputs.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { capped } from "./attend.ts";
import type { DecoderConfig } from "./config.ts";
import { initialLinear } from "./initial-linear.ts";
import type { Changes } from "./text-lengths.ts";

/** A decoder without a head, as the heads see it. */
type Decoder = Module & { readonly forward: (inputs: DecoderInputs) => DecoderOutput };

/** A Llama-like decoder without a head. */
type LlamaLike = Decoder & {
  readonly "~components": string;
  /** Whether positions beyond one length are computed otherwise than up to it. */
  readonly changes: Changes | undefined;
  /** Its settings. */
  readonly config: DecoderConfig;
  /** The token embedding. */
  readonly embed_tokens: { readonly weight: Parameter };
};

type OutputConfig = Pick<
  DecoderConfig,
  "hiddenSize" | "vocabSize" | "initializerRange" | "tieWordEmbeddings"
>;

/** The matrix of logits: the embedding's where these are tied. With `bias`, a vector is added. */
export function outputLayer(
  { hiddenSize, vocabSize, initializerRange: std, tieWordEmbeddings }: OutputConfig,
  embedding: { readonly weight: Parameter },
  { bias = false }: { readonly bias?: boolean } = {},
): Linear {
  if (!tieWordEmbeddings) return initialLinear(hiddenSize, vocabSize, { bias, std });
  const layer = new Linear(hiddenSize, vocabSize, { bias, weight: embedding.weight });
  layer.bias?.set(zeros([vocabSize]));
  return layer;
}

/** Logits of the next token, and their loss where there are labels. */
export function languageModelOutput(
  decoder: Decoder,
  logitsOf: (hidden: Tensor) => Tensor,
  { labels, ...inputs }: CausalLMInputs,
): CausalLMOutput {
  const { lastHiddenState, ...others } = decoder.forward(inputs);
  const logits = logitsOf(lastHiddenState);
  const loss = labels === undefined ? {} : { loss: nextTokenLoss(logits, labels) };
  return { logits, ...loss, ...others };
}

/** Inputs of a classifier; `labels` [batch]: class ids, or what the config's `problemType` says. */
export type ClassifierInputs = DecoderInputs & { readonly labels?: Tensor };

/** Logits of the classes from the last token that is not padding. */
export function classifierOutput(
  decoder: Decoder & { readonly config: ModelConfig },
  score: Linear,
  { labels, ...inputs }: ClassifierInputs,
): SequenceClassifierOutput {
  const { config } = decoder;
  const output = decoder.forward(inputs);
  const last = lastTokens(output.lastHiddenState, inputs, config.padTokenId);
  return classified(score.forward(last), labels, config, output);
}

/** How a language model's logits are made. */
interface LogitsOptions {
  /** They are squeezed smoothly between plus and minus this. @default not */
  readonly softcap?: number | null;
  /** A learned number is added to each. @default false */
  readonly bias?: boolean;
}

/** A Llama-like decoder as a language model; families subclass it. */
export abstract class DecoderForCausalLM<M extends LlamaLike> extends CausalLanguageModel {
  declare readonly "~components": M["~components"];
  /** Its settings. */
  readonly config: M["config"];
  /** The model without a head. */
  readonly model: M;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly lm_head: Linear;
  readonly #softcap: number | null;

  constructor(model: M, { softcap = null, bias = false }: LogitsOptions = {}) {
    super();
    this.model = model;
    this.config = model.config;
    this.lm_head = outputLayer(model.config, model.embed_tokens, { bias });
    this.#softcap = softcap;
  }

  /** Rotary embeddings have no last position. */
  override get maxLength(): number | undefined {
    return undefined;
  }

  override changesAt(before: number, after: number): boolean {
    return this.model.changes?.(before, after) === true;
  }

  /** `labels` [batch, sequence]: the ids themselves (they are shifted here); -100 is left out. */
  override forward(inputs: CausalLMInputs): CausalLMOutput {
    const logitsOf = (x: Tensor): Tensor => capped(this.lm_head.forward(x), this.#softcap);
    return languageModelOutput(this.model, logitsOf, inputs);
  }
}

/** A Llama-like decoder with a linear classifier on the last token; families subclass it. */
export abstract class DecoderForSequenceClassification<
  M extends LlamaLike,
> extends PreTrainedModel {
  static readonly auto = "AutoModelForSequenceClassification";
  declare readonly "~components": M["~components"];
  readonly config: M["config"];
  /** The model without a head. */
  readonly model: M;
  /** [..., hidden] -> [..., labels]: the classifier. */
  readonly score: Linear;

  constructor(model: M) {
    super();
    this.model = model;
    this.config = model.config;
    const { hiddenSize, numLabels, initializerRange: std } = model.config;
    this.score = initialLinear(hiddenSize, numLabels, { bias: false, std });
  }

  /**
   * Logits [batch, labels] of the last token that is not padding; the loss too where labels are
   * given.
   */
  override forward(inputs: ClassifierInputs): SequenceClassifierOutput {
    return classifierOutput(this.model, this.score, inputs);
  }
}
