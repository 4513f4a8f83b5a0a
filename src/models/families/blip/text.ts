import { fail } from "../../../nn/errors.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { positionsOf } from "../../model/mask.ts";
import { splitHeads } from "../../parts/decoder/attend.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { embedInputs, type TokenInputs } from "../../parts/embed-inputs.ts";
import { attendHeads } from "../../parts/encoder/attend-heads.ts";
import { EncoderIntermediate, EncoderOutputLayer } from "../../parts/encoder/layers.ts";
import { Pooler } from "../../parts/encoder/pooler.ts";
import type { KeyValue } from "../../parts/outputs.ts";
import type { CrossCache, CrossKeyValue } from "../../parts/seq2seq/outputs.ts";
import { activation } from "../../settings/activations.ts";
import type { BlipTextConfig } from "./config.ts";

/** What an attention looks at beside its input. */
interface AttentionContext {
  /** Added to the scores. @default nothing */
  readonly mask?: Tensor | undefined;
  /** [batch, source, encoderHiddenSize] to look at in place of the input. */
  readonly source?: Tensor;
  /** Of earlier tokens or, where there is a source, of that. */
  readonly past?: KeyValue | undefined;
}

/** What every layer of a pass is given. */
export interface BlipTextContext {
  /** Added to attention scores. @default nothing */
  readonly mask?: Tensor | undefined;
  /** What the layers look at: [batch, source, encoderHiddenSize]. @default nothing */
  readonly source?: Tensor;
  /** Added to the scores of these. @default nothing */
  readonly sourceMask?: Tensor | undefined;
  /** What is kept of earlier positions; undefined at the start of a text. */
  readonly past?: CrossCache | undefined;
  /** [batch, past + sequence], which tokens of the text are real. @default all */
  readonly attentionMask?: Tensor | undefined;
}

/** What the layers give. */
export interface BlipTextOutput {
  /** Hidden states after the last layer, [batch, sequence, hidden]. */
  readonly lastHiddenState: Tensor;
  /** One vector for the whole text, [batch, width]; where there is a pooler. */
  readonly poolerOutput?: Tensor;
  /** What went in, then the output of each layer. */
  readonly hiddenStates: Tensor[];
  /** Attention weights by layer, [batch, heads, queries, keys]. */
  readonly attentions: Tensor[];
  /** Attention weights to the encoder's or image's positions, by layer. */
  readonly crossAttentions: Tensor[];
  /** What a next call needs of this one; see `pastKeyValues` of the inputs. */
  readonly pastKeyValues: CrossKeyValue[];
}

export class BlipTextEmbeddings extends Module {
  /** The token embedding. */
  readonly word_embeddings: Embedding;
  /** The embedding of positions. */
  readonly position_embeddings: Embedding;
  /** The norm. */
  readonly LayerNorm: LayerNorm;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(config: BlipTextConfig) {
    super();
    const { vocabSize, hiddenSize, maxPositionEmbeddings, initializerRange: std } = config;
    this.word_embeddings = new Embedding(vocabSize, hiddenSize, { std });
    this.position_embeddings = new Embedding(maxPositionEmbeddings, hiddenSize, { std });
    this.LayerNorm = new LayerNorm(hiddenSize, { eps: config.layerNormEps });
    this.dropout = new Dropout(config.hiddenDropoutProb);
  }

  override forward(inputs: TokenInputs, { attentionMask, past: cache }: BlipTextContext): Tensor {
    const words = embedInputs("BlipTextModel", inputs, this.word_embeddings);
    const [past, queries] = [cache?.[0]?.self.key.size(2) ?? 0, words.size(1)];
    const end = past + queries;
    const longest = this.position_embeddings.weight.shape[0] ?? 0;
    if (end > longest) {
      fail(
        "BlipTextModel",
        `a text of ${end} tokens is longer than the model's ${longest} positions; shorten it`,
      );
    }
    const at = positionsOf({ past, queries, attentionMask });
    const positions = this.position_embeddings.forward(at);
    return this.dropout.forward(this.LayerNorm.forward(words.add(positions)));
  }
}

export class BlipTextSelfAttention extends Module {
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly query: Linear;
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly key: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly value: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  readonly #headDim: number;

  /** @param from width of what is looked at. */
  constructor(config: BlipTextConfig, from: number) {
    super();
    const { hiddenSize, initializerRange: std } = config;
    this.query = initialLinear(hiddenSize, hiddenSize, { bias: true, std });
    this.key = initialLinear(from, hiddenSize, { bias: true, std });
    this.value = initialLinear(from, hiddenSize, { bias: true, std });
    this.dropout = new Dropout(config.attentionProbsDropoutProb);
    this.#headDim = hiddenSize / config.numAttentionHeads;
  }

  override forward(x: Tensor, context: AttentionContext): [Tensor, Tensor, KeyValue] {
    const query = splitHeads(this.query.forward(x), this.#headDim);
    const keyValue = this.#lookedAt(x, context);
    const options = { dropout: this.dropout, mask: context.mask };
    const [mixed, weights] = attendHeads(query, keyValue, options);
    return [mixed, weights, keyValue];
  }

  #lookedAt(x: Tensor, { source, past }: AttentionContext): KeyValue {
    if (source !== undefined && past !== undefined) return past;
    const from = source ?? x;
    const key = splitHeads(this.key.forward(from), this.#headDim);
    const value = splitHeads(this.value.forward(from), this.#headDim);
    if (past === undefined) return { key, value };
    return { key: cat([past.key, key], 2), value: cat([past.value, value], 2) };
  }
}

export class BlipTextAttention extends Module {
  /** The attention without its output projection. */
  readonly self: BlipTextSelfAttention;
  /** Projects what its block has computed, adds the block's input and normalises. */
  readonly output: EncoderOutputLayer;

  constructor(config: BlipTextConfig, from: number) {
    super();
    this.self = new BlipTextSelfAttention(config, from);
    this.output = new EncoderOutputLayer(config.hiddenSize, config, { norm: true });
  }

  override forward(x: Tensor, context: AttentionContext): [Tensor, Tensor, KeyValue] {
    const [mixed, weights, keyValue] = this.self.forward(x, context);
    return [this.output.forward(mixed, x), weights, keyValue];
  }
}

export class BlipTextLayer extends Module {
  /** The attention. */
  readonly attention: BlipTextAttention;
  /** The attention to the image. */
  readonly crossattention: BlipTextAttention;
  /** [..., hidden] -> [..., intermediate]: the MLP's first half. */
  readonly intermediate: EncoderIntermediate;
  /** Projects what its block has computed, adds the block's input and normalises. */
  readonly output: EncoderOutputLayer;

  constructor(config: BlipTextConfig) {
    super();
    this.attention = new BlipTextAttention(config, config.hiddenSize);
    this.crossattention = new BlipTextAttention(config, config.encoderHiddenSize);
    this.intermediate = new EncoderIntermediate(config, config.hiddenAct);
    this.output = new EncoderOutputLayer(config.intermediateSize, config, { norm: true });
  }

  /** @returns the output, the attention weights, and what is looked at, if there is something. */
  override forward(
    x: Tensor,
    { mask, source, sourceMask }: BlipTextContext,
    past: CrossKeyValue | undefined,
  ): [Tensor, Tensor, { self: KeyValue; cross?: readonly [weights: Tensor, KeyValue] }] {
    const [attended, weights, self] = this.attention.forward(x, { mask, past: past?.self });
    if (source === undefined) return [this.#mlp(attended), weights, { self }];
    const [read, crossWeights, cross] = this.crossattention.forward(attended, {
      source,
      mask: sourceMask,
      past: past?.cross,
    });
    return [this.#mlp(read), weights, { self, cross: [crossWeights, cross] }];
  }

  #mlp(x: Tensor): Tensor {
    return this.output.forward(this.intermediate.forward(x), x);
  }
}

export class BlipTextEncoder extends Module {
  /** The layers, in order. */
  readonly layer: ModuleList<BlipTextLayer>;

  constructor(config: BlipTextConfig) {
    super();
    const { numHiddenLayers: length } = config;
    this.layer = new ModuleList(Array.from({ length }, () => new BlipTextLayer(config)));
  }

  override forward(x: Tensor, context: BlipTextContext): BlipTextOutput {
    let state = x;
    const hiddenStates = [x];
    const attentions: Tensor[] = [];
    const crossAttentions: Tensor[] = [];
    const pastKeyValues: CrossKeyValue[] = [];
    for (const [i, layer] of [...this.layer].entries()) {
      const [output, weights, { self, cross }] = layer.forward(state, context, context.past?.[i]);
      state = output;
      hiddenStates.push(output);
      attentions.push(weights);
      if (cross === undefined) continue;
      crossAttentions.push(cross[0]);
      pastKeyValues.push({ self, cross: cross[1] });
    }
    return { lastHiddenState: state, hiddenStates, attentions, crossAttentions, pastKeyValues };
  }
}

/** BLIP's layers for text, which look at an image or, in the decoder, at a question. */
export class BlipTextModel extends Module {
  /** Makes the first hidden states of the inputs. */
  readonly embeddings: BlipTextEmbeddings;
  /** The layers of the encoder. */
  readonly encoder: BlipTextEncoder;
  /** Makes one vector of the first position; undefined where it was not trained. */
  readonly pooler: Pooler | undefined;

  constructor(config: BlipTextConfig, { pooler = false }: { readonly pooler?: boolean } = {}) {
    super();
    this.embeddings = new BlipTextEmbeddings(config);
    this.encoder = new BlipTextEncoder(config);
    this.pooler = pooler ? new Pooler(config) : undefined;
  }

  override forward(inputs: TokenInputs, context: BlipTextContext): BlipTextOutput {
    const embedded = this.embeddings.forward(inputs, context);
    const output = this.encoder.forward(embedded, context);
    const poolerOutput = this.pooler?.forward(output.lastHiddenState, context.attentionMask);
    return { ...output, ...(poolerOutput && { poolerOutput }) };
  }
}

export class BlipTextPredictionHeadTransform extends Module {
  /** The linear layer. */
  readonly dense: Linear;
  /** The activation. */
  readonly transform_act_fn: Activation;
  /** The norm. */
  readonly LayerNorm: LayerNorm;

  constructor({ hiddenSize, hiddenAct, layerNormEps: eps, initializerRange: std }: BlipTextConfig) {
    super();
    this.dense = initialLinear(hiddenSize, hiddenSize, { bias: true, std });
    this.transform_act_fn = activation(hiddenAct);
    this.LayerNorm = new LayerNorm(hiddenSize, { eps });
  }

  override forward(x: Tensor): Tensor {
    return this.LayerNorm.forward(this.transform_act_fn.forward(this.dense.forward(x)));
  }
}

export class BlipTextLMPredictionHead extends Module {
  /** A linear layer, an activation and a norm. */
  readonly transform: BlipTextPredictionHeadTransform;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly decoder: Linear;
  /** [vocabSize] */
  readonly bias: Parameter;

  constructor(config: BlipTextConfig, weight: Parameter) {
    super();
    this.transform = new BlipTextPredictionHeadTransform(config);
    this.decoder = new Linear(config.hiddenSize, config.vocabSize, { bias: false, weight });
    this.bias = new Parameter(zeros([config.vocabSize]));
  }

  override forward(x: Tensor): Tensor {
    return this.decoder.forward(this.transform.forward(x)).add(this.bias.value);
  }
}

export class BlipTextOnlyMLMHead extends Module {
  /** The transform and the projection to logits. */
  readonly predictions: BlipTextLMPredictionHead;

  constructor(config: BlipTextConfig, weight: Parameter) {
    super();
    this.predictions = new BlipTextLMPredictionHead(config, weight);
  }

  override forward(x: Tensor): Tensor {
    return this.predictions.forward(x);
  }
}

/** BLIP's layers for text with logits of the next token. The output matrix is the embedding's. */
export class BlipTextLMHeadModel extends Module {
  /** The model without a head. */
  readonly bert: BlipTextModel;
  /** The head that fills in masked tokens. */
  readonly cls: BlipTextOnlyMLMHead;

  constructor(config: BlipTextConfig) {
    super();
    this.bert = new BlipTextModel(config);
    this.cls = new BlipTextOnlyMLMHead(config, this.bert.embeddings.word_embeddings.weight);
  }

  override forward(
    inputs: TokenInputs,
    context: BlipTextContext,
  ): BlipTextOutput & { readonly logits: Tensor } {
    const output = this.bert.forward(inputs, context);
    return { ...output, logits: this.cls.forward(output.lastHiddenState) };
  }
}
