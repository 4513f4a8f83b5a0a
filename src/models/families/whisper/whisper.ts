import { fail } from "../../../nn/errors.ts";
import { gelu } from "../../../nn/functional/activations.ts";
import { crossEntropy } from "../../../nn/functional/cross-entropy.ts";
import { normal } from "../../../nn/init.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import { Conv1d, type ConvLayerOptions } from "../../../nn/layers/convolution.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { initialized } from "../../../nn/without-init.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import { show } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { maskOf, noted } from "../../model/cache-notes.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { positionsOf } from "../../model/mask.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { causalMask } from "../../parts/attention-mask.ts";
import { AudioClassifier, type AudioClassifierInputs } from "../../parts/audio/classifier.ts";
import { splitHeads } from "../../parts/decoder/attend.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { embedInputs } from "../../parts/embed-inputs.ts";
import { attendHeads } from "../../parts/encoder/attend-heads.ts";
import { encode, type Encoded } from "../../parts/encoder/encode.ts";
import type { KeyValue, SequenceClassifierOutput } from "../../parts/outputs.ts";
import type {
  CrossKeyValue,
  Seq2SeqInputs,
  Seq2SeqLMInputs,
  Seq2SeqLMOutput,
  Seq2SeqOutput,
  Seq2SeqSource,
} from "../../parts/seq2seq/outputs.ts";
import { Seq2SeqLanguageModel } from "../../parts/seq2seq/seq2seq-language-model.ts";
import { shiftRight } from "../../parts/seq2seq/shift-right.ts";
import { activation } from "../../settings/activations.ts";
import {
  whisperCard,
  type WhisperComponent,
  type WhisperConfig,
  whisperConfig,
  whisperEncoderCard,
  type WhisperEncoderComponent,
  whisperFamily,
} from "./config.ts";
import { sinusoids } from "./sinusoids.ts";

export { type WhisperConfig, whisperConfig } from "./config.ts";

/** What an attention looks at beside its input. */
interface AttentionContext {
  /** Added to the scores. @default nothing */
  readonly mask?: Tensor;
  /** [batch, source, dModel] to look at in place of the input. */
  readonly source?: Tensor;
  /** Of earlier tokens or, where there is a source, of that. */
  readonly past?: KeyValue | undefined;
}

class WhisperAttention extends Module {
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly k_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly v_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly q_proj: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly out_proj: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  readonly #headDim: number;

  constructor({ dModel, attentionDropout, initStd: std }: WhisperConfig, heads: number) {
    super();
    const projection = (bias: boolean): Linear => initialLinear(dModel, dModel, { bias, std });
    this.k_proj = projection(false);
    this.v_proj = projection(true);
    this.q_proj = projection(true);
    this.out_proj = projection(true);
    this.dropout = new Dropout(attentionDropout);
    this.#headDim = dModel / heads;
  }

  override forward(x: Tensor, context: AttentionContext = {}): [Tensor, Tensor, KeyValue] {
    const query = splitHeads(this.q_proj.forward(x), this.#headDim);
    const keyValue = this.#lookedAt(x, context);
    const { dropout } = this;
    const [mixed, weights] = attendHeads(query, keyValue, { dropout, mask: context.mask });
    return [this.out_proj.forward(mixed), weights, keyValue];
  }

  #lookedAt(x: Tensor, { source, past }: AttentionContext): KeyValue {
    if (source !== undefined && past !== undefined) return past;
    const from = source ?? x;
    const key = splitHeads(this.k_proj.forward(from), this.#headDim);
    const value = splitHeads(this.v_proj.forward(from), this.#headDim);
    if (past === undefined) return { key, value };
    return { key: cat([past.key, key], 2), value: cat([past.value, value], 2) };
  }
}

/** The MLP at the end of a layer: its parts lie in the layer itself. */
abstract class WhisperLayer extends Module {
  /** The attention. */
  readonly self_attn: WhisperAttention;
  /** The norm of the attention. */
  readonly self_attn_layer_norm: LayerNorm;
  /** The activation. */
  readonly activation_fn: Activation;
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly fc1: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's second layer. */
  readonly fc2: Linear;
  /** The norm before the MLP. */
  readonly final_layer_norm: LayerNorm;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** Acts in training mode only. */
  readonly activation_dropout: Dropout;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();

  constructor(config: WhisperConfig, heads: number, inner: number) {
    super();
    const { dModel, initStd: std } = config;
    this.self_attn = new WhisperAttention(config, heads);
    this.self_attn_layer_norm = new LayerNorm(dModel);
    this.activation_fn = activation(config.activationFunction);
    this.fc1 = initialLinear(dModel, inner, { bias: true, std });
    this.fc2 = initialLinear(inner, dModel, { bias: true, std });
    this.final_layer_norm = new LayerNorm(dModel);
    this.dropout = new Dropout(config.dropout);
    this.activation_dropout = new Dropout(config.activationDropout);
  }

  /** `x` and what the MLP makes of it. */
  protected withMlp(x: Tensor): Tensor {
    const inner = this.activation_fn.forward(this.fc1.forward(this.final_layer_norm.forward(x)));
    const output = this.fc2.forward(this.activation_dropout.forward(inner));
    return x.add(this.mlp_addition.forward(this.dropout.forward(output)));
  }
}

class WhisperEncoderLayer extends WhisperLayer {
  constructor(config: WhisperConfig) {
    super(config, config.encoderAttentionHeads, config.encoderFfnDim);
  }

  override forward(x: Tensor): [output: Tensor, weights: Tensor] {
    const [attended, weights] = this.self_attn.forward(this.self_attn_layer_norm.forward(x));
    const added = this.attention_addition.forward(this.dropout.forward(attended));
    return [this.withMlp(x.add(added)), weights];
  }
}

/** What a layer of the decoder is given beside its input. */
interface DecoderContext {
  /** Added to the scores of the attention within the text. */
  readonly mask: Tensor;
  /** [batch, source, dModel] */
  readonly source: Tensor;
  /** What is kept of earlier positions; undefined at the start of a text. */
  readonly past: CrossKeyValue | undefined;
}

class WhisperDecoderLayer extends WhisperLayer {
  /** The attention to the encoder's states. */
  readonly encoder_attn: WhisperAttention;
  /** The norm before the attention to the encoder's states. */
  readonly encoder_attn_layer_norm: LayerNorm;
  /** What the cross-attention adds to the residual stream, a site without weights. */
  readonly cross_attention_addition: Identity = new Identity();

  constructor(config: WhisperConfig) {
    super(config, config.decoderAttentionHeads, config.decoderFfnDim);
    this.encoder_attn = new WhisperAttention(config, config.decoderAttentionHeads);
    this.encoder_attn_layer_norm = new LayerNorm(config.dModel);
  }

  /** @returns the output, the attention weights, those at the source, and what is kept. */
  override forward(
    x: Tensor,
    { mask, source, past }: DecoderContext,
  ): [Tensor, Tensor, Tensor, CrossKeyValue] {
    const [attended, weights, self] = this.self_attn.forward(this.self_attn_layer_norm.forward(x), {
      mask,
      past: past?.self,
    });
    const middle = x.add(this.attention_addition.forward(this.dropout.forward(attended)));
    const [read, crossWeights, cross] = this.encoder_attn.forward(
      this.encoder_attn_layer_norm.forward(middle),
      { source, past: past?.cross },
    );
    const output = this.withMlp(
      middle.add(this.cross_attention_addition.forward(this.dropout.forward(read))),
    );
    return [output, weights, crossWeights, { self, cross }];
  }
}

/** Three frames wide, keeping the number of frames but for the stride. */
function convolution(
  from: number,
  { dModel, initStd: std }: WhisperConfig,
  stride: number,
): Conv1d {
  const options: ConvLayerOptions = { padding: 1, stride };
  const conv = new Conv1d(from, dModel, 3, options);
  conv.weight.set(initialized(conv.weight.shape, (shape) => normal(shape, { std })).value);
  conv.bias?.set(zeros([dModel]));
  return conv;
}

class WhisperEncoder extends Module {
  /** The first convolution over time. */
  readonly conv1: Conv1d;
  /** The second convolution over time, which halves the positions. */
  readonly conv2: Conv1d;
  /** Fixed, not learned. */
  readonly embed_positions: Embedding;
  /** The layers, in order. */
  readonly layers: ModuleList<WhisperEncoderLayer>;
  /** The norm after the last layer. */
  readonly layer_norm: LayerNorm;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  readonly #config: WhisperConfig;

  constructor(config: WhisperConfig) {
    super();
    const { numMelBins, dModel, maxSourcePositions, encoderLayers: length } = config;
    this.#config = config;
    this.conv1 = convolution(numMelBins, config, 1);
    this.conv2 = convolution(dModel, config, 2);
    this.embed_positions = new Embedding(maxSourcePositions, dModel);
    this.embed_positions.weight.set(initialized([maxSourcePositions, dModel], sinusoids).value);
    this.embed_positions.weight.requiresGrad = false;
    this.layers = new ModuleList(Array.from({ length }, () => new WhisperEncoderLayer(config)));
    this.layer_norm = new LayerNorm(dModel);
    this.dropout = new Dropout(config.dropout);
  }

  /**
   * States [batch, maxSourcePositions, hidden] of all layers.
   * @param inputFeatures [batch, numMelBins, 2 maxSourcePositions]
   */
  override forward(inputFeatures: Tensor): Encoded {
    const heard = gelu(this.conv2.forward(gelu(this.conv1.forward(this.#checked(inputFeatures)))));
    const x = heard.permute([0, 2, 1]).add(this.embed_positions.weight.value);
    const encoded = encode(this.layers, this.dropout.forward(x));
    const lastHiddenState = this.layer_norm.forward(encoded.lastHiddenState);
    return {
      lastHiddenState,
      hiddenStates: [...encoded.hiddenStates.slice(0, -1), lastHiddenState],
      attentions: encoded.attentions,
    };
  }

  #checked(features: Tensor): Tensor {
    const { numMelBins, maxSourcePositions } = this.#config;
    const frames = 2 * maxSourcePositions;
    const { shape } = features;
    if (shape.length === 3 && shape[1] === numMelBins && shape[2] === frames) return features;
    return fail(
      "WhisperModel",
      `inputFeatures must be [batch, ${numMelBins}, ${frames}] (mel bins, frames), got ` +
        `${show(shape)}; pad or cut the sound to ${frames} frames`,
    );
  }
}

class WhisperDecoder extends Module {
  /** The token embedding. */
  readonly embed_tokens: Embedding;
  /** The embedding of positions. */
  readonly embed_positions: Embedding;
  /** The layers, in order. */
  readonly layers: ModuleList<WhisperDecoderLayer>;
  /** The norm after the last layer. */
  readonly layer_norm: LayerNorm;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  readonly #longest: number;

  constructor(config: WhisperConfig) {
    super();
    const { vocabSize, dModel, maxTargetPositions, decoderLayers: length, initStd: std } = config;
    this.embed_tokens = new Embedding(vocabSize, dModel, { std });
    this.embed_positions = new Embedding(maxTargetPositions, dModel, { std });
    this.layers = new ModuleList(Array.from({ length }, () => new WhisperDecoderLayer(config)));
    this.layer_norm = new LayerNorm(dModel);
    this.dropout = new Dropout(config.dropout);
    this.#longest = maxTargetPositions;
  }

  override forward(inputs: Seq2SeqInputs, encoded: Encoded): Seq2SeqOutput {
    const { pastKeyValues, decoderPositionIds } = inputs;
    const embedded = this.#embed(inputs);
    const [past, queries] = [pastKeyValues?.[0]?.self.key.size(2) ?? 0, embedded.size(1)];
    const attentionMask = maskOf(inputs.decoderAttentionMask, pastKeyValues, queries);
    const tokens = { past, queries, attentionMask };
    const mask = causalMask(tokens);
    this.#checkLength(past + queries);
    const positions = this.embed_positions.forward(decoderPositionIds ?? positionsOf(tokens));
    let x = this.dropout.forward(embedded.add(positions));
    const decoderHiddenStates = [x];
    const decoderAttentions: Tensor[] = [];
    const crossAttentions: Tensor[] = [];
    const cache: CrossKeyValue[] = [];
    for (const [i, layer] of [...this.layers].entries()) {
      const context = { mask, source: encoded.lastHiddenState, past: pastKeyValues?.[i] };
      const [output, weights, crossWeights, kept] = layer.forward(x, context);
      x = output;
      decoderHiddenStates.push(output);
      decoderAttentions.push(weights);
      crossAttentions.push(crossWeights);
      cache.push(kept);
    }
    const lastHiddenState = this.layer_norm.forward(x);
    decoderHiddenStates[decoderHiddenStates.length - 1] = lastHiddenState;
    return {
      lastHiddenState,
      pastKeyValues: noted(cache, { attentionMask }),
      decoderHiddenStates,
      decoderAttentions,
      crossAttentions,
      encoderLastHiddenState: encoded.lastHiddenState,
      encoderHiddenStates: encoded.hiddenStates,
      encoderAttentions: encoded.attentions,
    };
  }

  #embed({ decoderInputIds: inputIds, decoderInputsEmbeds: inputsEmbeds }: Seq2SeqInputs): Tensor {
    if (inputIds === undefined && inputsEmbeds === undefined) {
      fail("WhisperModel", "give decoderInputIds, what the decoder has written so far");
    }
    const tokens = { ...(inputIds && { inputIds }), ...(inputsEmbeds && { inputsEmbeds }) };
    return embedInputs("WhisperModel's decoder", tokens, this.embed_tokens);
  }

  #checkLength(length: number): void {
    if (length <= this.#longest) return;
    fail(
      "WhisperModel",
      `a text of ${length} tokens is longer than the decoder's ${this.#longest} positions`,
    );
  }
}

/** Whisper without a head. Names of modules and parameters are those of Hugging Face's checkpoints. */
export class WhisperModel extends PreTrainedModel {
  static readonly family: ModelFamily<WhisperConfig> = whisperFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<WhisperConfig, WhisperComponent> = whisperCard;
  declare readonly "~components": WhisperComponent;
  readonly config: WhisperConfig;
  /** The layers of the encoder. */
  readonly encoder: WhisperEncoder;
  /** The layers of the decoder. */
  readonly decoder: WhisperDecoder;

  constructor(config: Partial<WhisperConfig> = {}) {
    super();
    this.config = whisperConfig(config);
    this.encoder = new WhisperEncoder(this.config);
    this.decoder = new WhisperDecoder(this.config);
  }

  /** What the encoder makes of `inputFeatures` [batch, numMelBins, 2 maxSourcePositions]. */
  encode({ inputFeatures }: Seq2SeqSource): Encoded {
    if (inputFeatures === undefined) fail("WhisperModel", "give inputFeatures, or encoderOutputs");
    return this.encoder.forward(inputFeatures);
  }

  /** Hidden states of the decoder, [batch, sequence, hidden], and those of the encoder. */
  override forward(inputs: Seq2SeqInputs): Seq2SeqOutput {
    return this.decoder.forward(inputs, inputs.encoderOutputs ?? this.encode(inputs));
  }
}

/** Whisper as a writer of what it hears. The output matrix is the decoder's embedding. */
export class WhisperForConditionalGeneration extends Seq2SeqLanguageModel {
  static readonly family: ModelFamily<WhisperConfig> = whisperFamily;
  declare readonly "~components": WhisperComponent;
  readonly config: WhisperConfig;
  /** The model without a head. */
  readonly model: WhisperModel;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly proj_out: Linear;

  constructor(config: Partial<WhisperConfig> = {}) {
    super();
    this.model = new WhisperModel(config);
    this.config = this.model.config;
    const { dModel, vocabSize, tieWordEmbeddings, initStd: std } = this.config;
    const { weight } = this.model.decoder.embed_tokens;
    this.proj_out = tieWordEmbeddings
      ? new Linear(dModel, vocabSize, { bias: false, weight })
      : initialLinear(dModel, vocabSize, { bias: false, std });
  }

  override get maxLength(): number {
    return this.config.maxTargetPositions;
  }

  override encode(source: Seq2SeqSource): Encoded {
    return this.model.encode(source);
  }

  /** Logits [batch, sequence, vocabulary]; the loss too where labels are given. */
  override forward({ labels, ...inputs }: Seq2SeqLMInputs): Seq2SeqLMOutput {
    const given = inputs.decoderInputIds ?? inputs.decoderInputsEmbeds;
    const read =
      labels === undefined || given !== undefined
        ? inputs
        : { ...inputs, decoderInputIds: shiftRight("WhisperModel", labels, this.config) };
    const { lastHiddenState, ...states } = this.model.forward(read);
    const logits = this.proj_out.forward(lastHiddenState);
    const loss =
      labels === undefined ? {} : { loss: crossEntropy(logits.flatten(0, 1), labels.flatten()) };
    return { logits, ...loss, ...states };
  }
}

/** Whisper's encoder with a classifier on the mean of its frames. */
export class WhisperForAudioClassification extends AudioClassifier<WhisperConfig> {
  static readonly family: ModelFamily<WhisperConfig> = whisperFamily;
  static readonly card: ModelCard<WhisperConfig, WhisperEncoderComponent> = whisperEncoderCard;
  declare readonly "~components": WhisperEncoderComponent;
  /** The layers of the encoder. */
  readonly encoder: WhisperEncoder;

  constructor(config: Partial<WhisperConfig> = {}) {
    const full = whisperConfig(config);
    const { dModel: width, encoderLayers: layers, initStd: std } = full;
    super(full, { width, layers, std });
    this.encoder = new WhisperEncoder(full);
  }

  /** Logits [batch, labels]; the loss too where labels are given. */
  override forward({ inputFeatures, labels }: AudioClassifierInputs): SequenceClassifierOutput {
    return this.classify(this.encoder.forward(inputFeatures), labels);
  }
}
