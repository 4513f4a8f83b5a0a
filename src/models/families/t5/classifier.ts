import { Dropout } from "../../../nn/layers/dropout.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import { onesLike } from "../../../tensor/functions/creation.ts";
import { fail } from "../../../nn/errors.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import type { T5Component } from "./card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { classified, lastOf } from "../../parts/heads.ts";
import { paddingOf } from "../../model/mask.ts";
import type { SequenceClassifierOutput } from "../../parts/outputs.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import type { Seq2SeqInputs, Seq2SeqStates } from "../../parts/seq2seq/outputs.ts";
import { shiftRight } from "../../parts/seq2seq/shift-right.ts";
import { t5BaseFamily, type T5Config } from "./config.ts";
import { T5Model } from "./t5.ts";

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

export class T5ClassificationHead extends Module {
  readonly dense: Linear;
  readonly dropout: Dropout;
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
  declare readonly "~components": T5Component;
  readonly config: T5Config;
  readonly transformer: T5Model;
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
      fail(NAME, "padding stands between the tokens of a row; leave it out, or put it at an end");
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
