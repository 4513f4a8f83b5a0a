import { fail } from "../../../nn/errors.ts";
import { gelu } from "../../../nn/functional/activations.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { constant, where } from "../../../tensor/functions/arithmetic.ts";
import { scalar } from "../../../tensor/ops/apply.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { stack } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { countReal, firstReal, positionsOf } from "../../model/mask.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { RotaryEmbedding } from "../../parts/decoder/rotary-embedding.ts";
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
import { type EncoderContext, EncoderSelfAttention } from "../../parts/encoder/self-attention.ts";
import { classified } from "../../parts/heads.ts";
import type { SequenceClassifierOutput } from "../../parts/outputs.ts";
import { type EsmConfig, esmConfig, esmFamily } from "./config.ts";

export { type EsmConfig, esmConfig } from "./config.ts";

/** Share of tokens that were masked when ESM was trained. */
const TRAINED_MASK_RATIO = 0.15 * 0.8;

class EsmEmbeddings extends Module {
  /** The token embedding. */
  readonly word_embeddings: Embedding;
  /** The embedding of positions. */
  readonly position_embeddings: Embedding | undefined;
  /** The norm. */
  readonly layer_norm: LayerNorm | undefined;
  readonly #config: EsmConfig;

  constructor(config: EsmConfig) {
    super();
    const { vocabSize, hiddenSize, maxPositionEmbeddings, initializerRange: std } = config;
    const padding = config.padTokenId === null ? {} : { paddingIdx: config.padTokenId };
    this.#config = config;
    this.word_embeddings = new Embedding(vocabSize, hiddenSize, { std, ...padding });
    this.position_embeddings =
      config.positionEmbeddingType === "absolute"
        ? new Embedding(maxPositionEmbeddings, hiddenSize, { std, ...padding })
        : undefined;
    this.layer_norm =
      config.embLayerNormBefore === true
        ? new LayerNorm(hiddenSize, { eps: config.layerNormEps })
        : undefined;
  }

  override forward(inputs: EncoderInputs): Tensor {
    const { inputIds, attentionMask } = inputs;
    let x = embedInputs("EsmModel", inputs, this.word_embeddings);
    if (inputIds !== undefined) x = this.#dropTokens(x, inputIds, attentionMask);
    if (this.position_embeddings !== undefined) {
      const positions = inputs.positionIds ?? this.#positions(x, inputs);
      x = x.add(this.position_embeddings.forward(positions));
    }
    x = this.layer_norm?.forward(x) ?? x;
    return attentionMask === undefined ? x : x.mul(attentionMask.unsqueeze(-1).to(x.dtype));
  }

  /** Masked tokens as zeros, and the others scaled as if as many had been masked as in training. */
  #dropTokens(x: Tensor, inputIds: Tensor, attentionMask: Tensor | undefined): Tensor {
    const { tokenDropout, maskTokenId } = this.#config;
    if (!tokenDropout || maskTokenId === null) return x;
    const masked = inputIds.eq(maskTokenId);
    const count = masked.to(x.dtype).sum({ dim: -1, keepdim: true });
    const length =
      attentionMask?.to(x.dtype).sum({ dim: -1, keepdim: true }) ??
      scalar(inputIds.size(1), x.dtype);
    const left = constant(1).sub(count.div(length)).unsqueeze(-1);
    const kept = where(masked.unsqueeze(-1), constant(0), x);
    return kept.mul(constant(1 - TRAINED_MASK_RATIO)).div(left);
  }

  /** Counted from after the padding token's number; padding itself has that number. */
  #positions(x: Tensor, { inputIds, attentionMask }: EncoderInputs): Tensor {
    const padding = this.#config.padTokenId ?? 0;
    if (inputIds === undefined) {
      return positionsOf({ queries: x.size(1), attentionMask }).add(padding + 1);
    }
    const word = inputIds.ne(padding);
    const real = attentionMask === undefined ? word : word.logicalAnd(attentionMask.to("bool"));
    return countReal(real).mul(real.to("int64")).add(padding);
  }
}

class EsmAttention extends Module {
  /** The attention without its output projection. */
  readonly self: EncoderSelfAttention;
  /** Projects what its block has computed, adds the block's input and normalises. */
  readonly output: EncoderOutputLayer;
  /** The norm before the attention. */
  readonly LayerNorm: LayerNorm;

  constructor(config: EsmConfig) {
    super();
    this.self = new EncoderSelfAttention(config);
    this.output = new EncoderOutputLayer(config.hiddenSize, config);
    this.LayerNorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps });
  }

  override forward(x: Tensor, context: EncoderContext): [Tensor, Tensor] {
    const [mixed, weights] = this.self.forward(this.LayerNorm.forward(x), context);
    return [this.output.forward(mixed, x), weights];
  }
}

class EsmLayer extends Module {
  /** The attention. */
  readonly attention: EsmAttention;
  /** [..., hidden] -> [..., intermediate]: the MLP's first half. */
  readonly intermediate: EncoderIntermediate;
  /** Projects what its block has computed, adds the block's input and normalises. */
  readonly output: EncoderOutputLayer;
  /** The norm before the MLP. */
  readonly LayerNorm: LayerNorm;

  constructor(config: EsmConfig) {
    super();
    this.attention = new EsmAttention(config);
    this.intermediate = new EncoderIntermediate(config, "gelu");
    this.output = new EncoderOutputLayer(config.intermediateSize, config);
    this.LayerNorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps });
  }

  override forward(x: Tensor, context: EncoderContext): [Tensor, Tensor] {
    const [attended, weights] = this.attention.forward(x, context);
    const inner = this.intermediate.forward(this.LayerNorm.forward(attended));
    return [this.output.forward(inner, attended), weights];
  }
}

class EsmEncoder extends Module {
  /** The layers, in order. */
  readonly layer: ModuleList<EsmLayer>;
  /** The norm after the last layer. */
  readonly emb_layer_norm_after: LayerNorm;

  constructor(config: EsmConfig) {
    super();
    const { numHiddenLayers: length, hiddenSize, layerNormEps: eps } = config;
    this.layer = new ModuleList(Array.from({ length }, () => new EsmLayer(config)));
    this.emb_layer_norm_after = new LayerNorm(hiddenSize, { eps });
  }

  override forward(embedded: Tensor, context: EncoderContext): EncoderOutput {
    const {
      lastHiddenState: last,
      hiddenStates,
      attentions,
    } = encode(this.layer, embedded, context);
    const lastHiddenState = this.emb_layer_norm_after.forward(last);
    return {
      lastHiddenState,
      hiddenStates: [...hiddenStates.slice(0, -1), lastHiddenState],
      attentions,
    };
  }
}

/** Which residues touch each other in the folded protein, from the attention weights of all layers. */
class EsmContactPredictionHead extends Module {
  /** Weighs the attention maps, one weight a head of a layer. */
  readonly regression: Linear;

  constructor({ numHiddenLayers, numAttentionHeads, initializerRange: std }: EsmConfig) {
    super();
    this.regression = initialLinear(numHiddenLayers * numAttentionHeads, 1, { bias: true, std });
  }

  /**
   * @param attentions [batch, layers, heads, sequence, sequence]
   * @param real [batch, sequence], false at the token that ends the protein and at padding.
   * @returns probabilities [batch, residues, residues], without the first and the last token.
   */
  override forward(attentions: Tensor, real: Tensor): Tensor {
    const seen = real.to(attentions.dtype);
    const pairs = seen.unsqueeze(1).mul(seen.unsqueeze(2)).unsqueeze(1).unsqueeze(1);
    const last = attentions.size(-1) - 1;
    const inner = attentions.mul(pairs).slice(-1, 1, last).slice(-2, 1, last).flatten(1, 2);
    const symmetric = inner.add(inner.transpose(-1, -2));
    const rows = symmetric.sum({ dim: -1, keepdim: true });
    const columns = symmetric.sum({ dim: -2, keepdim: true });
    const total = symmetric.sum({ dim: [-1, -2], keepdim: true });
    const corrected = symmetric.sub(rows.mul(columns).div(total));
    return this.regression
      .forward(corrected.permute([0, 2, 3, 1]))
      .squeeze(3)
      .sigmoid();
  }
}

/** ESM without a head. Names of modules and parameters are those of Hugging Face's checkpoints. */
export class EsmModel extends PreTrainedModel {
  static readonly family: ModelFamily<EsmConfig> = esmFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<EsmConfig, EncoderComponent> = encoderCard;
  declare readonly "~components": EncoderComponent;
  readonly config: EsmConfig;
  /** Makes the first hidden states of the inputs. */
  readonly embeddings: EsmEmbeddings;
  /** Angles that queries and keys are turned by, from positions. */
  readonly rotary_embeddings: RotaryEmbedding | undefined;
  /** The layers of the encoder. */
  readonly encoder: EsmEncoder;
  /** Predicts which residues touch, from attention weights. */
  readonly contact_head: EsmContactPredictionHead;

  constructor(config: Partial<EsmConfig> = {}) {
    super();
    const full = esmConfig(config);
    this.config = full;
    const { hiddenSize, numAttentionHeads, maxPositionEmbeddings, ropeTheta } = full;
    const headDim = hiddenSize / numAttentionHeads;
    this.embeddings = new EsmEmbeddings(full);
    this.rotary_embeddings =
      full.positionEmbeddingType === "rotary"
        ? new RotaryEmbedding(
            { ropeType: "default", ropeTheta },
            { headDim, maxPositionEmbeddings },
          )
        : undefined;
    this.encoder = new EsmEncoder(full);
    this.contact_head = new EsmContactPredictionHead(full);
  }

  override forward(inputs: EncoderInputs): EncoderOutput {
    const embedded = this.embeddings.forward(inputs);
    const { attentionMask } = inputs;
    const queries = embedded.size(1);
    const positions = inputs.positionIds ?? positionsOf({ queries, attentionMask });
    const mask = paddingMask(attentionMask, queries);
    const rotation = this.rotary_embeddings?.forward(positions);
    return this.encoder.forward(embedded, { mask, rotation });
  }

  /** Probabilities [batch, residues, residues] that residues touch; the ends' tokens are left out. */
  predictContacts(inputs: EncoderInputs): Tensor {
    const { inputIds, attentionMask } = inputs;
    if (inputIds === undefined) fail("EsmModel.predictContacts", "give inputIds");
    const { eosTokenId } = this.config;
    const end = typeof eosTokenId === "number" ? eosTokenId : 2;
    const { attentions } = this.forward(inputs);
    const inside = inputIds.ne(end);
    // Padding before the protein, and the token that begins it.
    const begun = attentionMask && countReal(attentionMask).gt(1);
    const real = attentionMask && begun?.logicalAnd(attentionMask.to("bool")).logicalAnd(inside);
    return this.contact_head.forward(stack(attentions, 1), real ?? inside);
  }
}

class EsmLMHead extends Module {
  /** The linear layer. */
  readonly dense: Linear;
  /** The norm. */
  readonly layer_norm: LayerNorm;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly decoder: Linear;
  /** Summands, one a feature. */
  readonly bias: Parameter;

  constructor(config: EsmConfig, embedding: Embedding) {
    super();
    const { hiddenSize, vocabSize, layerNormEps: eps, initializerRange: std } = config;
    this.dense = initialLinear(hiddenSize, hiddenSize, { bias: true, std });
    this.layer_norm = new LayerNorm(hiddenSize, { eps });
    this.decoder = config.tieWordEmbeddings
      ? new Linear(hiddenSize, vocabSize, { bias: false, weight: embedding.weight })
      : initialLinear(hiddenSize, vocabSize, { bias: false, std });
    this.bias = new Parameter(zeros([vocabSize]));
  }

  override forward(x: Tensor): Tensor {
    const inner = this.layer_norm.forward(gelu(this.dense.forward(x)));
    return this.decoder.forward(inner).add(this.bias.value);
  }
}

/** ESM that fills in masked residues. */
export class EsmForMaskedLM extends PreTrainedModel {
  static readonly family: ModelFamily<EsmConfig> = esmFamily;
  static readonly auto = "AutoModelForMaskedLM";
  declare readonly "~components": EncoderComponent;
  readonly config: EsmConfig;
  /** The model without a head. */
  readonly esm: EsmModel;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly lm_head: EsmLMHead;

  constructor(config: Partial<EsmConfig> = {}) {
    super();
    this.esm = new EsmModel(config);
    this.config = this.esm.config;
    this.lm_head = new EsmLMHead(this.config, this.esm.embeddings.word_embeddings);
  }

  override forward({ labels, ...inputs }: EncoderInputs & WithLabels): MaskedLMOutput {
    const { lastHiddenState, hiddenStates, attentions } = this.esm.forward(inputs);
    const logits = this.lm_head.forward(lastHiddenState);
    return maskedLMOutput(logits, labels, { hiddenStates, attentions });
  }
}

class EsmClassificationHead extends Module {
  /** The linear layer. */
  readonly dense: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** [..., hidden] -> [..., labels] */
  readonly out_proj: Linear;

  constructor({ hiddenSize, numLabels, hiddenDropoutProb, initializerRange: std }: EsmConfig) {
    super();
    this.dense = initialLinear(hiddenSize, hiddenSize, { bias: true, std });
    this.dropout = new Dropout(hiddenDropoutProb);
    this.out_proj = initialLinear(hiddenSize, numLabels, { bias: true, std });
  }

  /**
   * [batch, sequence, width] -> [batch, labels], from the first token.
   * @param mask - [batch, sequence], which tokens are real. @default all
   */
  override forward(x: Tensor, mask?: Tensor): Tensor {
    const inner = this.dense.forward(this.dropout.forward(firstReal(x, mask))).tanh();
    return this.out_proj.forward(this.dropout.forward(inner));
  }
}

/** ESM with a classifier on the first token. */
export class EsmForSequenceClassification extends PreTrainedModel {
  static readonly family: ModelFamily<EsmConfig> = esmFamily;
  static readonly auto = "AutoModelForSequenceClassification";
  declare readonly "~components": EncoderComponent;
  readonly config: EsmConfig;
  /** The model without a head. */
  readonly esm: EsmModel;
  /** The classifier. */
  readonly classifier: EsmClassificationHead;

  constructor(config: Partial<EsmConfig> = {}) {
    super();
    this.esm = new EsmModel(config);
    this.config = this.esm.config;
    this.classifier = new EsmClassificationHead(this.config);
  }

  /** `labels` [batch]: class ids, or what `problemType` says. */
  override forward({ labels, ...inputs }: EncoderInputs & WithLabels): SequenceClassifierOutput {
    const output = this.esm.forward(inputs);
    const logits = this.classifier.forward(output.lastHiddenState, inputs.attentionMask);
    return classified(logits, labels, this.config, output);
  }
}
