import { fail } from "../../../nn/errors.ts";
import { pad } from "../../../nn/functional/pad.ts";
import { uniform } from "../../../nn/init.ts";
import { Activation } from "../../../nn/layers/activation.ts";
import { Conv1d } from "../../../nn/layers/convolution.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { constant, where } from "../../../tensor/functions/arithmetic.ts";
import { arange } from "../../../tensor/functions/creation.ts";
import { show } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { AudioClassifier, type AudioClassifierInputs } from "../../parts/audio/classifier.ts";
import type { AudioInputs } from "../../parts/audio/inputs.ts";
import { splitHeads } from "../../parts/decoder/attend.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { attendHeads } from "../../parts/encoder/attend-heads.ts";
import type { Encoded } from "../../parts/encoder/encode.ts";
import type { EncoderOutput } from "../../parts/encoder/outputs.ts";
import { paddingMask } from "../../parts/encoder/padding-mask.ts";
import type { SequenceClassifierOutput } from "../../parts/outputs.ts";
import { activation } from "../../settings/activations.ts";
import {
  wav2Vec2BertCard,
  type Wav2Vec2BertComponent,
  type Wav2Vec2BertConfig,
  wav2Vec2BertConfig,
  wav2Vec2BertFamily,
} from "./config.ts";

export { type Wav2Vec2BertConfig, wav2Vec2BertConfig } from "./config.ts";

/** Inputs of a Wav2Vec2-BERT. */
export interface Wav2Vec2BertInputs extends AudioInputs {
  /** [batch, frames, features] */
  readonly inputFeatures: Tensor;
  /** [batch, frames], 1 for real frames and 0 for padding. @default all real */
  readonly attentionMask?: Tensor;
}

/** Outputs of a Wav2Vec2-BERT. */
export interface Wav2Vec2BertOutput extends EncoderOutput {
  /** The normalised features that went in, [batch, frames, features]. */
  readonly extractFeatures: Tensor;
}

/** What every layer of a pass is given. */
interface Context {
  /** Added to attention scores. */
  readonly mask: Tensor | undefined;
  /** [batch, frames, 1] bool: which frames are real. */
  readonly real: Tensor | undefined;
}

function zeroPadding(x: Tensor, real: Tensor | undefined): Tensor {
  return real === undefined ? x : where(real, x, constant(0));
}

class Wav2Vec2BertFeatureProjection extends Module {
  /** The norm. */
  readonly layer_norm: LayerNorm;
  /** [..., features] -> [..., hidden] */
  readonly projection: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(config: Wav2Vec2BertConfig) {
    super();
    const { featureProjectionInputDim: from, hiddenSize, layerNormEps: eps } = config;
    this.layer_norm = new LayerNorm(from, { eps });
    const std = config.initializerRange;
    this.projection = initialLinear(from, hiddenSize, { bias: true, std });
    this.dropout = new Dropout(config.featProjDropout);
  }

  /** @returns the projected features, and the normalised ones. */
  override forward(x: Tensor): [projected: Tensor, normalised: Tensor] {
    const normalised = this.layer_norm.forward(x);
    return [this.dropout.forward(this.projection.forward(normalised)), normalised];
  }
}

class Wav2Vec2BertFeedForward extends Module {
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly intermediate_dense: Linear;
  /** The activation. */
  readonly intermediate_act_fn: Activation;
  /** Acts in training mode only. */
  readonly intermediate_dropout: Dropout;
  /** [..., inner] -> [..., hidden]: the MLP's second layer. */
  readonly output_dense: Linear;
  /** Acts in training mode only. */
  readonly output_dropout: Dropout;

  constructor(config: Wav2Vec2BertConfig, act: string = config.hiddenAct) {
    super();
    const { hiddenSize, intermediateSize, initializerRange: std } = config;
    this.intermediate_dense = initialLinear(hiddenSize, intermediateSize, { bias: true, std });
    this.intermediate_act_fn = activation(act);
    this.intermediate_dropout = new Dropout(config.activationDropout);
    this.output_dense = initialLinear(intermediateSize, hiddenSize, { bias: true, std });
    this.output_dropout = new Dropout(config.hiddenDropout);
  }

  override forward(x: Tensor): Tensor {
    const inner = this.intermediate_act_fn.forward(this.intermediate_dense.forward(x));
    const output = this.output_dense.forward(this.intermediate_dropout.forward(inner));
    return this.output_dropout.forward(output);
  }
}

class Wav2Vec2BertSelfAttention extends Module {
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly linear_q: Linear;
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly linear_k: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly linear_v: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly linear_out: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** A vector for each distance, [left + 1 + right, headDim]. */
  readonly distance_embedding: Embedding | undefined;
  readonly #config: Wav2Vec2BertConfig;

  constructor(config: Wav2Vec2BertConfig) {
    super();
    const { hiddenSize, initializerRange: std, positionEmbeddingsType } = config;
    const projection = (): Linear => initialLinear(hiddenSize, hiddenSize, { bias: true, std });
    this.#config = config;
    this.linear_q = projection();
    this.linear_k = projection();
    this.linear_v = projection();
    this.linear_out = projection();
    this.dropout = new Dropout(config.attentionDropout);
    const { leftMaxPositionEmbeddings: left, rightMaxPositionEmbeddings: right } = config;
    this.distance_embedding =
      positionEmbeddingsType === null
        ? undefined
        : new Embedding(left + right + 1, this.#headDim, { std });
  }

  override forward(x: Tensor, { mask }: Context): [output: Tensor, weights: Tensor] {
    const [query, key, value] = [
      splitHeads(this.linear_q.forward(x), this.#headDim),
      splitHeads(this.linear_k.forward(x), this.#headDim),
      splitHeads(this.linear_v.forward(x), this.#headDim),
    ];
    const bias = this.#distanceScores(query);
    const added = bias === undefined || mask === undefined ? (bias ?? mask) : bias.add(mask);
    const { dropout } = this;
    const [mixed, weights] = attendHeads(query, { key, value }, { dropout, mask: added });
    return [this.linear_out.forward(mixed), weights];
  }

  get #headDim(): number {
    return this.#config.hiddenSize / this.#config.numAttentionHeads;
  }

  /** What the distance of each key adds to the scores, [batch, heads, frames, frames]. */
  #distanceScores(query: Tensor): Tensor | undefined {
    if (this.distance_embedding === undefined) return undefined;
    const { leftMaxPositionEmbeddings: left, rightMaxPositionEmbeddings: right } = this.#config;
    const at = arange(query.size(2));
    const distance = at.sub(at.unsqueeze(1)).clamp({ min: -left, max: right }).add(left);
    const vectors = this.distance_embedding.forward(distance);
    // Each query meets the vectors of its own distances: [b, h, q, 1, d] x [q, d, k].
    const scores = query.unsqueeze(3).matmul(vectors.transpose(-1, -2)).squeeze(3);
    return scores.mul(constant(1 / Math.sqrt(this.#headDim)));
  }
}

/** A convolution over frames before each one, with gates. */
class Wav2Vec2BertConvolutionModule extends Module {
  /** The norm. */
  readonly layer_norm: LayerNorm;
  /** Doubles the channels, for the gate. */
  readonly pointwise_conv1: Conv1d;
  /** The activation of the gate. */
  readonly glu: Activation;
  /** The convolution along time, each channel by itself. */
  readonly depthwise_conv: Conv1d;
  /** The norm after the convolution along time. */
  readonly depthwise_layer_norm: LayerNorm;
  /** The activation. */
  readonly activation: Activation;
  /** Brings the channels together again. */
  readonly pointwise_conv2: Conv1d;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  readonly #kernel: number;

  constructor(config: Wav2Vec2BertConfig) {
    super();
    const { hiddenSize: width, convDepthwiseKernelSize: kernel, layerNormEps: eps } = config;
    this.#kernel = kernel;
    this.layer_norm = new LayerNorm(width, { eps });
    this.pointwise_conv1 = new Conv1d(width, 2 * width, 1, { bias: false });
    this.glu = new Activation("glu", gated);
    this.depthwise_conv = new Conv1d(width, width, kernel, { groups: width, bias: false });
    this.depthwise_layer_norm = new LayerNorm(width, { eps });
    this.activation = activation(config.hiddenAct);
    this.pointwise_conv2 = new Conv1d(width, width, 1, { bias: false });
    this.dropout = new Dropout(config.conformerConvDropout);
  }

  override forward(x: Tensor, { real }: Context): Tensor {
    const turned = zeroPadding(this.layer_norm.forward(x), real).transpose(1, 2);
    const heard = pad(this.glu.forward(this.pointwise_conv1.forward(turned)), [
      this.#kernel - 1,
      0,
    ]);
    const convolved = this.depthwise_conv.forward(heard).transpose(1, 2);
    const normed = this.depthwise_layer_norm.forward(convolved).transpose(1, 2);
    const output = this.pointwise_conv2.forward(this.activation.forward(normed));
    return this.dropout.forward(output).transpose(1, 2);
  }
}

/** One half of the channels of [batch, channels, frames], let through by the other. */
function gated(x: Tensor): Tensor {
  const [values = x, gates = x] = x.chunk(2, 1);
  return values.mul(gates.sigmoid());
}

/** Attention and a convolution between two halves of an MLP. */
class Wav2Vec2BertEncoderLayer extends Module {
  /** The norm before the first MLP. */
  readonly ffn1_layer_norm: LayerNorm;
  /** The first MLP, which counts half. */
  readonly ffn1: Wav2Vec2BertFeedForward;
  /** The norm of the attention. */
  readonly self_attn_layer_norm: LayerNorm;
  /** Acts in training mode only. */
  readonly self_attn_dropout: Dropout;
  /** The attention. */
  readonly self_attn: Wav2Vec2BertSelfAttention;
  /** The convolution of the layer. */
  readonly conv_module: Wav2Vec2BertConvolutionModule;
  /** The norm before the second MLP. */
  readonly ffn2_layer_norm: LayerNorm;
  /** The second MLP, which counts half. */
  readonly ffn2: Wav2Vec2BertFeedForward;
  /** The norm after the second MLP. */
  readonly final_layer_norm: LayerNorm;
  /** Sites of the halves of the MLPs' outputs, which are added to the residual stream. */
  readonly ffn1_addition: Identity = new Identity();
  /** What the second MLP adds to the residual stream, a site without weights. */
  readonly ffn2_addition: Identity = new Identity();

  constructor(config: Wav2Vec2BertConfig) {
    super();
    const norm = (): LayerNorm => new LayerNorm(config.hiddenSize, { eps: config.layerNormEps });
    this.ffn1_layer_norm = norm();
    this.ffn1 = new Wav2Vec2BertFeedForward(config);
    this.self_attn_layer_norm = norm();
    this.self_attn_dropout = new Dropout(config.attentionDropout);
    this.self_attn = new Wav2Vec2BertSelfAttention(config);
    this.conv_module = new Wav2Vec2BertConvolutionModule(config);
    this.ffn2_layer_norm = norm();
    this.ffn2 = new Wav2Vec2BertFeedForward(config);
    this.final_layer_norm = norm();
  }

  override forward(x: Tensor, context: Context): [output: Tensor, weights: Tensor] {
    const half = constant(0.5);
    const before = this.ffn1.forward(this.ffn1_layer_norm.forward(x)).mul(half);
    const first = this.ffn1_addition.forward(before).add(x);
    const normed = this.self_attn_layer_norm.forward(first);
    const [attended, weights] = this.self_attn.forward(normed, context);
    const second = this.self_attn_dropout.forward(attended).add(first);
    const third = second.add(this.conv_module.forward(second, context));
    const after = this.ffn2.forward(this.ffn2_layer_norm.forward(third)).mul(half);
    const fourth = this.ffn2_addition.forward(after).add(third);
    return [this.final_layer_norm.forward(fourth), weights];
  }
}

class Wav2Vec2BertEncoder extends Module {
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** The layers, in order. */
  readonly layers: ModuleList<Wav2Vec2BertEncoderLayer>;

  constructor(config: Wav2Vec2BertConfig) {
    super();
    const { numHiddenLayers: length } = config;
    this.dropout = new Dropout(config.hiddenDropout);
    this.layers = new ModuleList(
      Array.from({ length }, () => new Wav2Vec2BertEncoderLayer(config)),
    );
  }

  override forward(x: Tensor, attentionMask: Tensor | undefined): Encoded {
    const mask = attentionMask && paddingMask(attentionMask, x.size(1));
    const real = attentionMask?.to("bool").unsqueeze(-1);
    let state = this.dropout.forward(zeroPadding(x, real));
    const hiddenStates = [state];
    const attentions: Tensor[] = [];
    for (const layer of this.layers) {
      const [output, weights] = layer.forward(state, { mask, real });
      state = output;
      hiddenStates.push(output);
      attentions.push(weights);
    }
    return { lastHiddenState: state, hiddenStates, attentions };
  }
}

/**
 * Wav2Vec2-BERT, an encoder of sound, without a head. Names of modules and parameters are those of
 * Hugging Face's checkpoints.
 */
export class Wav2Vec2BertModel extends PreTrainedModel {
  static readonly family: ModelFamily<Wav2Vec2BertConfig> = wav2Vec2BertFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<Wav2Vec2BertConfig, Wav2Vec2BertComponent> = wav2Vec2BertCard;
  declare readonly "~components": Wav2Vec2BertComponent;
  readonly config: Wav2Vec2BertConfig;
  /** [..., features] -> [..., hidden] */
  readonly feature_projection: Wav2Vec2BertFeatureProjection;
  /** [hiddenSize]: stands for masked frames in Python's training; kept for checkpoints. */
  readonly masked_spec_embed: Parameter | undefined;
  /** The layers of the encoder. */
  readonly encoder: Wav2Vec2BertEncoder;
  /** The MLP between the adapter and the head. */
  readonly intermediate_ffn: Wav2Vec2BertFeedForward | undefined;

  constructor(config: Partial<Wav2Vec2BertConfig> = {}) {
    super();
    const full = wav2Vec2BertConfig(config);
    this.config = full;
    this.feature_projection = new Wav2Vec2BertFeatureProjection(full);
    this.masked_spec_embed =
      full.maskTimeProb > 0 || full.maskFeatureProb > 0
        ? initialized([full.hiddenSize], (shape) => uniform(shape))
        : undefined;
    this.encoder = new Wav2Vec2BertEncoder(full);
    this.intermediate_ffn = full.useIntermediateFfnBeforeAdapter
      ? new Wav2Vec2BertFeedForward(full, "relu")
      : undefined;
  }

  override forward({ inputFeatures, attentionMask }: Wav2Vec2BertInputs): Wav2Vec2BertOutput {
    const width = this.config.featureProjectionInputDim;
    if (inputFeatures?.ndim !== 3 || inputFeatures.size(2) !== width) {
      const got = inputFeatures === undefined ? "none" : show(inputFeatures.shape);
      fail("Wav2Vec2BertModel", `inputFeatures must be [batch, frames, ${width}], got ${got}`);
    }
    const [projected, extractFeatures] = this.feature_projection.forward(inputFeatures);
    const encoded = this.encoder.forward(projected, attentionMask);
    const { lastHiddenState: x } = encoded;
    const ffn = this.intermediate_ffn;
    const lastHiddenState = ffn === undefined ? x : x.add(ffn.forward(x).mul(constant(0.5)));
    return { ...encoded, lastHiddenState, extractFeatures };
  }
}

/** Wav2Vec2-BERT with a classifier on the mean of the real frames. */
export class Wav2Vec2BertForSequenceClassification extends AudioClassifier<Wav2Vec2BertConfig> {
  static readonly family: ModelFamily<Wav2Vec2BertConfig> = wav2Vec2BertFamily;
  declare readonly "~components": Wav2Vec2BertComponent;
  /** The model without a head. */
  readonly wav2vec2_bert: Wav2Vec2BertModel;

  constructor(config: Partial<Wav2Vec2BertConfig> = {}) {
    const full = wav2Vec2BertConfig(config);
    const { hiddenSize: width, numHiddenLayers: layers, initializerRange: std } = full;
    super(full, { width, layers, std });
    this.wav2vec2_bert = new Wav2Vec2BertModel(full);
  }

  override forward({
    labels,
    ...inputs
  }: Wav2Vec2BertInputs & AudioClassifierInputs): SequenceClassifierOutput {
    return this.classify(this.wav2vec2_bert.forward(inputs), labels, inputs.attentionMask);
  }
}
