import { fail } from "../../../nn/errors.ts";
import { crossEntropy } from "../../../nn/functional/cross-entropy.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import { onesLike } from "../../../tensor/functions/creation.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { paddingOf } from "../../model/mask.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import type { Encoded } from "../../parts/encoder/encode.ts";
import { paddingMask } from "../../parts/encoder/padding-mask.ts";
import { classified, lastOf } from "../../parts/heads.ts";
import type { SequenceClassifierOutput } from "../../parts/outputs.ts";
import type {
  Seq2SeqInputs,
  Seq2SeqLMInputs,
  Seq2SeqLMOutput,
  Seq2SeqOutput,
  Seq2SeqSource,
  Seq2SeqStates,
} from "../../parts/seq2seq/outputs.ts";
import { Seq2SeqLanguageModel } from "../../parts/seq2seq/seq2seq-language-model.ts";
import { shiftRight } from "../../parts/seq2seq/shift-right.ts";
import {
  t5BaseFamily,
  t5Card,
  type T5Component,
  type T5Config,
  t5Config,
  t5Family,
} from "./config.ts";
import { projection, type StackOutput, T5Stack } from "./stack.ts";

export { type T5Config, t5Config } from "./config.ts";

/** The parts of a T5, under the names of checkpoints. */
interface Halves {
  readonly config: T5Config;
  /** The layers of the encoder. */
  readonly encoder: T5Stack;
  /** The layers of the decoder. */
  readonly decoder: T5Stack;
}

function encodeWith({ encoder }: Halves, inputs: Seq2SeqSource): StackOutput {
  const { inputIds, inputsEmbeds, attentionMask } = inputs;
  return encoder.forward({
    attentionMask,
    ...(inputIds === undefined ? {} : { inputIds }),
    ...(inputsEmbeds === undefined ? {} : { inputsEmbeds }),
  });
}

/** Reads, unless it has been read already, and runs the decoder. */
function runHalves(model: Halves, inputs: Seq2SeqInputs): Seq2SeqOutput {
  const { decoderInputIds, decoderInputsEmbeds, attentionMask, pastKeyValues } = inputs;
  if (decoderInputIds === undefined && decoderInputsEmbeds === undefined) {
    fail("T5Model", "give decoderInputIds: the start token and what has been written after it");
  }
  const read = inputs.encoderOutputs ?? encodeWith(model, inputs);
  const states = read.lastHiddenState;
  const written = model.decoder.forward({
    ...(decoderInputIds === undefined ? {} : { inputIds: decoderInputIds }),
    ...(decoderInputsEmbeds === undefined ? {} : { inputsEmbeds: decoderInputsEmbeds }),
    attentionMask: inputs.decoderAttentionMask,
    read: { states, mask: paddingMask(attentionMask, states.size(1)) },
    past: pastKeyValues,
  });
  return {
    lastHiddenState: written.lastHiddenState,
    encoderLastHiddenState: states,
    encoderHiddenStates: read.hiddenStates,
    encoderAttentions: read.attentions,
    decoderHiddenStates: written.hiddenStates,
    decoderAttentions: written.attentions,
    crossAttentions: written.crossAttentions,
    pastKeyValues: written.cache,
  };
}

/** T5 without a head. Names of modules and parameters are those of Hugging Face's checkpoints. */
export class T5Model extends PreTrainedModel {
  static readonly family: ModelFamily<T5Config> = t5BaseFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<T5Config, T5Component> = t5Card;
  declare readonly "~components": T5Component;
  readonly config: T5Config;
  /** The token embedding of encoder and decoder. */
  readonly shared: Embedding;
  /** The layers of the encoder. */
  readonly encoder: T5Stack;
  /** The layers of the decoder. */
  readonly decoder: T5Stack;

  constructor(config: Partial<T5Config> = {}) {
    super();
    this.config = t5Config(config);
    const { vocabSize, dModel, initializerFactor: std } = this.config;
    this.shared = new Embedding(vocabSize, dModel, { std });
    this.encoder = new T5Stack(this.config, this.shared, false);
    this.decoder = new T5Stack(this.config, this.shared, true);
  }

  override forward(inputs: Seq2SeqInputs): Seq2SeqOutput {
    return runHalves(this, inputs);
  }
}

/** T5 as it reads a text and writes another. */
export class T5ForConditionalGeneration extends Seq2SeqLanguageModel {
  static readonly family: ModelFamily<T5Config> = t5Family;
  static readonly card: ModelCard<T5Config, T5Component> = t5Card;
  declare readonly "~components": T5Component;
  readonly config: T5Config;
  /** The token embedding of encoder and decoder. */
  readonly shared: Embedding;
  /** The layers of the encoder. */
  readonly encoder: T5Stack;
  /** The layers of the decoder. */
  readonly decoder: T5Stack;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly lm_head: Linear;

  constructor(config: Partial<T5Config> = {}) {
    super();
    this.config = t5Config(config);
    const { vocabSize, dModel, initializerFactor: std, tieWordEmbeddings } = this.config;
    this.shared = new Embedding(vocabSize, dModel, { std });
    this.encoder = new T5Stack(this.config, this.shared, false);
    this.decoder = new T5Stack(this.config, this.shared, true);
    this.lm_head = tieWordEmbeddings
      ? new Linear(dModel, vocabSize, { bias: false, weight: this.shared.weight })
      : projection(dModel, vocabSize, std);
  }

  /** Distances have no bound. */
  override get maxLength(): undefined {
    return undefined;
  }

  override encode(inputs: Seq2SeqSource): Encoded {
    return encodeWith(this, inputs);
  }

  /**
   * `labels` [batch, length]: the text to write; -100 is left out. Without `decoderInputIds`,
   * they are the labels after the start token.
   */
  override forward({ labels, ...inputs }: Seq2SeqLMInputs): Seq2SeqLMOutput {
    const read = inputs.decoderInputIds ?? inputs.decoderInputsEmbeds;
    const shifted = read === undefined && labels !== undefined;
    const written = shifted
      ? { decoderInputIds: shiftRight("T5ForConditionalGeneration", labels, this.config) }
      : {};
    const { lastHiddenState, ...others } = runHalves(this, { ...inputs, ...written });
    const { scaleDecoderOutputs, tieWordEmbeddings, dModel } = this.config;
    const scales = scaleDecoderOutputs ?? tieWordEmbeddings;
    const state = scales ? lastHiddenState.mul(constant(dModel ** -0.5)) : lastHiddenState;
    const logits = this.lm_head.forward(state);
    if (labels === undefined) return { logits, ...others };
    return { logits, loss: crossEntropy(logits.flatten(0, 1), labels.flatten()), ...others };
  }
}

const NAME = "T5ForSequenceClassification";

/** Inputs of a T5 that classifies texts, which each row of `inputIds` holds to its end token. */
export interface T5ClassifierInputs extends Omit<Seq2SeqInputs, "inputsEmbeds" | "pastKeyValues"> {
  /** [batch, source] int64, with the end token in each row. */
  readonly inputIds: Tensor;
  /** [batch, source] int64. @default the source, after the start token */
  readonly decoderInputIds?: Tensor;
  /** [batch]: class ids, or what the config's `problemType` says. */
  readonly labels?: Tensor;
}

/** Outputs of a T5 that classifies texts. `hiddenStates` and `attentions` are the decoder's. */
export type T5ClassifierOutput = SequenceClassifierOutput & Seq2SeqStates;

class T5ClassificationHead extends Module {
  /** The linear layer. */
  readonly dense: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** [..., hidden] -> [..., labels] */
  readonly out_proj: Linear;

  constructor({ dModel, numLabels, classifierDropout, initializerFactor }: T5Config) {
    super();
    const options = { bias: true, std: initializerFactor / Math.sqrt(dModel) };
    this.dense = initialLinear(dModel, dModel, options);
    this.dropout = new Dropout(classifierDropout);
    this.out_proj = initialLinear(dModel, numLabels, options);
  }

  override forward(x: Tensor): Tensor {
    const inner = this.dense.forward(this.dropout.forward(x)).tanh();
    return this.out_proj.forward(this.dropout.forward(inner));
  }
}

/**
 * T5 with a classifier on what the decoder makes of the end token: it reads the text once more,
 * after the start token. Names of modules and parameters are those of Hugging Face's checkpoints.
 */
export class T5ForSequenceClassification extends PreTrainedModel {
  static readonly family: ModelFamily<T5Config> = t5BaseFamily;
  static readonly auto = "AutoModelForSequenceClassification";
  declare readonly "~components": T5Component;
  readonly config: T5Config;
  /** The model without a head. */
  readonly transformer: T5Model;
  /** The classifier. */
  readonly classification_head: T5ClassificationHead;

  constructor(config: Partial<T5Config> = {}) {
    super();
    this.transformer = new T5Model(config);
    this.config = this.transformer.config;
    this.classification_head = new T5ClassificationHead(this.config);
  }

  /**
   * As in Hugging Face's code, what is classified stands where the source's last end token does, so
   * that a `decoderInputIds` of your own must be as long as the source.
   *
   * @throws ModelError for a source without an end token.
   */
  override forward({ labels, ...inputs }: T5ClassifierInputs): T5ClassifierOutput {
    const ends = this.#ends(inputs.inputIds);
    const read = inputs.decoderInputIds ?? inputs.decoderInputsEmbeds;
    const output = this.transformer.forward(
      read === undefined ? { ...inputs, ...this.#readAgain(inputs) } : inputs,
    );
    const { lastHiddenState, ...states } = output;
    if (lastHiddenState.size(1) !== inputs.inputIds.size(1)) {
      fail(NAME, `decoderInputIds must be as long as inputIds, ${inputs.inputIds.size(1)} tokens`);
    }
    const logits = this.classification_head.forward(lastOf(lastHiddenState, ends));
    const { decoderHiddenStates: hiddenStates, decoderAttentions: attentions } = states;
    return { ...classified(logits, labels, this.config, { hiddenStates, attentions }), ...states };
  }

  /** The source after the start token, with the same padding. */
  #readAgain(inputs: T5ClassifierInputs): Partial<Seq2SeqInputs> {
    const { inputIds, attentionMask, decoderAttentionMask } = inputs;
    const decoderInputIds = shiftRight(NAME, inputIds, this.config);
    if (attentionMask === undefined || decoderAttentionMask !== undefined) {
      return { decoderInputIds };
    }
    if (paddingOf(attentionMask) === "within") {
      fail(NAME, "there is padding between the tokens of a row; leave it out, or put it at an end");
    }
    const before = attentionMask.slice(1, 0, inputIds.size(1) - 1);
    const start = onesLike(attentionMask.slice(1, 0, 1));
    return { decoderInputIds, decoderAttentionMask: cat([start, before], 1) };
  }

  /** [batch, source] bool: where the end tokens are. */
  #ends(inputIds: Tensor | undefined): Tensor {
    const { eosTokenId } = this.config;
    if (typeof eosTokenId !== "number") fail(NAME, "eosTokenId must be set in the config");
    if (inputIds?.ndim !== 2) fail(NAME, "give inputIds [batch, source], to say where texts end");
    const without = rowWithout(inputIds, eosTokenId);
    if (without !== undefined) {
      fail(NAME, `row ${without} of inputIds has no end token ${eosTokenId}, which is classified`);
    }
    return inputIds.eq(eosTokenId);
  }
}

/** The first row of ids [batch, sequence] that lacks an id; undefined where they are not at hand. */
function rowWithout({ values, shape }: Tensor, wanted: number): number | undefined {
  const [batch = 0, length = 0] = shape;
  if (values === undefined) return undefined;
  const ids = Array.from(values, Number);
  const rows = Array.from({ length: batch }, (_, row) => row);
  return rows.find((row) => !ids.slice(row * length, (row + 1) * length).includes(wanted));
}
