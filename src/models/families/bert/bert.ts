import { internal } from "../../../base/errors.ts";
import { fail } from "../../../nn/errors.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Parameter } from "../../../nn/parameter.ts";
import { zerosLike } from "../../../tensor/functions/creation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { positionsOf } from "../../model/mask.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { embedInputs } from "../../parts/embed-inputs.ts";
import { encoderCard, type EncoderComponent } from "../../parts/encoder/card.ts";
import { encode } from "../../parts/encoder/encode.ts";
import { EncoderIntermediate, EncoderOutputLayer } from "../../parts/encoder/layers.ts";
import { maskedLMOutput } from "../../parts/encoder/masked-lm-output.ts";
import type {
  EncoderInputs,
  EncoderOutput,
  MaskedLMOutput,
  WithLabels,
} from "../../parts/encoder/outputs.ts";
import { paddingMask } from "../../parts/encoder/padding-mask.ts";
import { Pooler } from "../../parts/encoder/pooler.ts";
import { requireHeads } from "../../parts/encoder/require-heads.ts";
import { ABSOLUTE_POSITIONS, encoderRows } from "../../parts/encoder/rows.ts";
import {
  type EncoderContext,
  type EncoderLayerConfig,
  EncoderSelfAttention,
} from "../../parts/encoder/self-attention.ts";
import { classified, PROBLEM_TYPES, type ProblemType } from "../../parts/heads.ts";
import type { SequenceClassifierOutput } from "../../parts/outputs.ts";
import { activation } from "../../settings/activations.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  fraction,
  oneOf,
  token,
  whole,
  width,
} from "../../settings/kinds.ts";

const ORIGINAL = "left over from the first BERTs; transformers does not read it";

/** Settings of a BERT, with Hugging Face's meanings and defaults. */
export interface BertConfig extends ModelConfig, EncoderLayerConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Longest sequence. */
  readonly maxPositionEmbeddings: number;
  /** Kinds of tokens, such as those of a first and of a second sentence. */
  readonly typeVocabSize: number;
  /** Of the classifier; null means hiddenDropoutProb. */
  readonly classifierDropout: number | null;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
  /** Classes of a classifier. */
  readonly numLabels: number;
  readonly problemType: ProblemType | null;
}

const SETTINGS = defineSettings<BertConfig>({
  name: "BertConfig",
  modelType: "bert",
  rows: {
    ...encoderRows({
      hiddenSize: 768,
      intermediateSize: 3072,
      numAttentionHeads: 12,
      hiddenDropoutProb: 0.1,
    }),
    vocabSize: width(30522),
    numHiddenLayers: count(12),
    hiddenAct: activationName("gelu"),
    maxPositionEmbeddings: width(512),
    typeVocabSize: width(2),
    classifierDropout: fraction.orNull(null),
    tieWordEmbeddings: flag(true),
    numLabels: whole(2),
    problemType: oneOf([...PROBLEM_TYPES, null], null),
    padTokenId: token.orNull(0),
  },
  neutral: { positionEmbeddingType: ABSOLUTE_POSITIONS },
  inert: {
    directionality: ORIGINAL,
    poolerFcSize: ORIGINAL,
    poolerNumAttentionHeads: ORIGINAL,
    poolerNumFcLayers: ORIGINAL,
    poolerSizePerHead: ORIGINAL,
    poolerType: ORIGINAL,
  },
  numbered: [{ path: "encoder.layer", setting: "numHiddenLayers" }],
  shapes: () => ({
    "embeddings.word_embeddings.weight": ["vocabSize", "hiddenSize"],
    "embeddings.position_embeddings.weight": ["maxPositionEmbeddings", "hiddenSize"],
    "embeddings.token_type_embeddings.weight": ["typeVocabSize", "hiddenSize"],
    "encoder.layer.0.intermediate.dense.weight": ["intermediateSize", "hiddenSize"],
  }),
  complete: (config) => {
    requireHeads("BertConfig", config);
    return config;
  },
});

/**
 * BERT settings: those given over the defaults, which are BERT base's.
 * @throws ModelError for settings that cannot be.
 */
export function bertConfig(given: Partial<BertConfig> = {}): BertConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of BERT are read. */
const bertFamily: ModelFamily<BertConfig> = declareFamily(SETTINGS, {
  basePrefix: "bert",
  parts: (names) => ({ pooler: names.some((name) => /(?:^|\.)pooler\./.test(name)) }),
  // As the first checkpoints call them.
  renamed: [
    [/LayerNorm\.gamma$/, "LayerNorm.weight"],
    [/LayerNorm\.beta$/, "LayerNorm.bias"],
  ],
  ignored: [/(?:^|\.)embeddings\.position_ids$/],
});

/** Of models that need neither the pooled first token nor the guess of the next sentence. */
const unpooledBertFamily: ModelFamily<BertConfig> = {
  ...bertFamily,
  ignored: [...(bertFamily.ignored ?? []), /^bert\.pooler\./, /^cls\.seq_relationship\./],
};

/** Inputs of a BERT. */
export interface BertInputs extends EncoderInputs {
  /** [batch, sequence] int64: which sentence a token is of. @default 0 for all */
  readonly tokenTypeIds?: Tensor;
}

/** Outputs of a BERT without a head. */
export interface BertOutput extends EncoderOutput {
  /** [batch, width]: the first token, which represents the whole text; if the model pools. */
  readonly poolerOutput?: Tensor;
}

class BertEmbeddings extends Module {
  /** The token embedding. */
  readonly word_embeddings: Embedding;
  /** The embedding of positions. */
  readonly position_embeddings: Embedding;
  /** The embedding of a token's part: the first or the second text. */
  readonly token_type_embeddings: Embedding;
  /** The norm. */
  readonly LayerNorm: LayerNorm;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(config: BertConfig) {
    super();
    const { vocabSize, maxPositionEmbeddings, typeVocabSize, hiddenSize } = config;
    const options = { std: config.initializerRange };
    this.word_embeddings = new Embedding(vocabSize, hiddenSize, options);
    this.position_embeddings = new Embedding(maxPositionEmbeddings, hiddenSize, options);
    this.token_type_embeddings = new Embedding(typeVocabSize, hiddenSize, options);
    this.LayerNorm = new LayerNorm(hiddenSize, { eps: config.layerNormEps });
    this.dropout = new Dropout(config.hiddenDropoutProb);
  }

  override forward(inputs: BertInputs): Tensor {
    const words = embedInputs("BertModel", inputs, this.word_embeddings);
    const [, steps = 0] = words.shape;
    const most = this.position_embeddings.weight.shape[0] ?? 0;
    if (inputs.positionIds === undefined && steps > most) {
      fail(
        "BertModel",
        `a sequence of ${steps} tokens is longer than the model's ${most} positions`,
      );
    }
    const { attentionMask } = inputs;
    const positions = inputs.positionIds ?? positionsOf({ queries: steps, attentionMask });
    const types = inputs.tokenTypeIds ?? zerosLike(positions);
    const sum = words
      .add(this.token_type_embeddings.forward(types))
      .add(this.position_embeddings.forward(positions));
    return this.dropout.forward(this.LayerNorm.forward(sum));
  }
}

class BertAttention extends Module {
  /** The attention without its output projection. */
  readonly self: EncoderSelfAttention;
  /** Projects what its block has computed, adds the block's input and normalises. */
  readonly output: EncoderOutputLayer;

  constructor(config: BertConfig) {
    super();
    this.self = new EncoderSelfAttention(config);
    this.output = new EncoderOutputLayer(config.hiddenSize, config, { norm: true });
  }

  override forward(x: Tensor, context: EncoderContext): [Tensor, Tensor] {
    const [mixed, weights] = this.self.forward(x, context);
    return [this.output.forward(mixed, x), weights];
  }
}

class BertLayer extends Module {
  /** The attention. */
  readonly attention: BertAttention;
  /** [..., hidden] -> [..., intermediate]: the MLP's first half. */
  readonly intermediate: EncoderIntermediate;
  /** Projects what its block has computed, adds the block's input and normalises. */
  readonly output: EncoderOutputLayer;

  constructor(config: BertConfig) {
    super();
    this.attention = new BertAttention(config);
    this.intermediate = new EncoderIntermediate(config, config.hiddenAct);
    this.output = new EncoderOutputLayer(config.intermediateSize, config, { norm: true });
  }

  override forward(x: Tensor, context: EncoderContext): [Tensor, Tensor] {
    const [attended, weights] = this.attention.forward(x, context);
    return [this.output.forward(this.intermediate.forward(attended), attended), weights];
  }
}

class BertEncoder extends Module {
  /** The layers, in order. */
  readonly layer: ModuleList<BertLayer>;

  constructor(config: BertConfig) {
    super();
    const { numHiddenLayers: length } = config;
    this.layer = new ModuleList(Array.from({ length }, () => new BertLayer(config)));
  }

  override forward(embedded: Tensor, context: EncoderContext): EncoderOutput {
    return encode(this.layer, embedded, context);
  }
}

/** BERT without a head. Names of modules and parameters are those of Hugging Face's checkpoints. */
export class BertModel extends PreTrainedModel {
  static readonly family: ModelFamily<BertConfig> = bertFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<BertConfig, EncoderComponent> = encoderCard;
  declare readonly "~components": EncoderComponent;
  readonly config: BertConfig;
  /** Makes the first hidden states of the inputs. */
  readonly embeddings: BertEmbeddings;
  /** The layers of the encoder. */
  readonly encoder: BertEncoder;
  /** Makes one vector of the first position; undefined where it was not trained. */
  readonly pooler: Pooler | undefined;

  /** @param options.pooler whether `poolerOutput` is given. @default true */
  constructor(
    config: Partial<BertConfig> = {},
    { pooler = true }: { readonly pooler?: boolean } = {},
  ) {
    super();
    this.config = bertConfig(config);
    this.embeddings = new BertEmbeddings(this.config);
    this.encoder = new BertEncoder(this.config);
    this.pooler = pooler ? new Pooler(this.config) : undefined;
  }

  override forward(inputs: BertInputs): BertOutput {
    const embedded = this.embeddings.forward(inputs);
    const mask = paddingMask(inputs.attentionMask, embedded.size(1));
    const output = this.encoder.forward(embedded, { mask });
    const pooled = this.pooler?.forward(output.lastHiddenState, inputs.attentionMask);
    return { ...output, ...(pooled === undefined ? {} : { poolerOutput: pooled }) };
  }
}

class BertPredictionHeadTransform extends Module {
  /** The linear layer. */
  readonly dense: Linear;
  /** The activation. */
  readonly transform_act_fn: Activation;
  /** The norm. */
  readonly LayerNorm: LayerNorm;

  constructor({ hiddenSize, initializerRange: std, hiddenAct, layerNormEps }: BertConfig) {
    super();
    this.dense = initialLinear(hiddenSize, hiddenSize, { bias: true, std });
    this.transform_act_fn = activation(hiddenAct);
    this.LayerNorm = new LayerNorm(hiddenSize, { eps: layerNormEps });
  }

  override forward(x: Tensor): Tensor {
    return this.LayerNorm.forward(this.transform_act_fn.forward(this.dense.forward(x)));
  }
}

class BertLMPredictionHead extends Module {
  /** A linear layer, an activation and a norm. */
  readonly transform: BertPredictionHeadTransform;
  /** The decoder's, under the name that checkpoints have. */
  readonly bias: Parameter | undefined;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly decoder: Linear;

  constructor(config: BertConfig, embedding: Embedding) {
    super();
    const { hiddenSize, vocabSize, initializerRange: std, tieWordEmbeddings } = config;
    this.transform = new BertPredictionHeadTransform(config);
    this.decoder = tieWordEmbeddings
      ? new Linear(hiddenSize, vocabSize, { weight: embedding.weight })
      : initialLinear(hiddenSize, vocabSize, { bias: true, std });
    this.bias = this.decoder.bias;
    this.bias?.set(zerosLike(this.bias.value));
  }

  override forward(x: Tensor): Tensor {
    return this.decoder.forward(this.transform.forward(x));
  }
}

/** The heads that BERT was trained with, of which this library has the one for masked tokens. */
class BertOnlyMLMHead extends Module {
  /** The transform and the projection to logits. */
  readonly predictions: BertLMPredictionHead;

  constructor(config: BertConfig, embedding: Embedding) {
    super();
    this.predictions = new BertLMPredictionHead(config, embedding);
  }

  override forward(x: Tensor): Tensor {
    return this.predictions.forward(x);
  }
}

/** BERT that fills in masked tokens. */
export class BertForMaskedLM extends PreTrainedModel {
  static readonly family: ModelFamily<BertConfig> = unpooledBertFamily;
  static readonly auto = "AutoModelForMaskedLM";
  declare readonly "~components": EncoderComponent;
  readonly config: BertConfig;
  /** The model without a head. */
  readonly bert: BertModel;
  /** The head that fills in masked tokens. */
  readonly cls: BertOnlyMLMHead;

  constructor(config: Partial<BertConfig> = {}) {
    super();
    this.bert = new BertModel(config, { pooler: false });
    this.config = this.bert.config;
    this.cls = new BertOnlyMLMHead(this.config, this.bert.embeddings.word_embeddings);
  }

  override forward({ labels, ...inputs }: BertInputs & WithLabels): MaskedLMOutput {
    const { lastHiddenState, hiddenStates, attentions } = this.bert.forward(inputs);
    return maskedLMOutput(this.cls.forward(lastHiddenState), labels, { hiddenStates, attentions });
  }
}

/** BERT with a linear classifier on the pooled first token. */
export class BertForSequenceClassification extends PreTrainedModel {
  static readonly family: ModelFamily<BertConfig> = bertFamily;
  static readonly auto = "AutoModelForSequenceClassification";
  declare readonly "~components": EncoderComponent;
  readonly config: BertConfig;
  /** The model without a head. */
  readonly bert: BertModel;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** [..., width] -> [..., labels]: the classifier. */
  readonly classifier: Linear;

  constructor(config: Partial<BertConfig> = {}) {
    super();
    this.bert = new BertModel(config);
    this.config = this.bert.config;
    const { hiddenSize, numLabels, initializerRange: std } = this.config;
    this.dropout = new Dropout(this.config.classifierDropout ?? this.config.hiddenDropoutProb);
    this.classifier = initialLinear(hiddenSize, numLabels, { bias: true, std });
  }

  /** `labels` [batch]: class ids, or what `problemType` says. */
  override forward({ labels, ...inputs }: BertInputs & WithLabels): SequenceClassifierOutput {
    const output = this.bert.forward(inputs);
    const pooled = output.poolerOutput ?? internal("a classifier's BERT pools");
    const logits = this.classifier.forward(this.dropout.forward(pooled));
    return classified(logits, labels, this.config, output);
  }
}
