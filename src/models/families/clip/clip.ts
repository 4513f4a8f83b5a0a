import { fail } from "../../../nn/errors.ts";
import { normal } from "../../../nn/init.ts";
import type { Conv2d } from "../../../nn/layers/convolution.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { arange, tensor } from "../../../tensor/functions/creation.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { positionsOf } from "../../model/mask.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { causalMask } from "../../parts/attention-mask.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { embedInputs } from "../../parts/embed-inputs.ts";
import { attendAll } from "../../parts/encoder/attend-all.ts";
import { DenseMLP } from "../../parts/encoder/dense-mlp.ts";
import { encode, type Encoded } from "../../parts/encoder/encode.ts";
import { classified } from "../../parts/heads.ts";
import { checkPixels } from "../../parts/vision/check-pixels.ts";
import { type Contrast, contrast } from "../../parts/vision/contrast.ts";
import type {
  ImageClassifierInputs,
  ImageClassifierOutput,
  ImageInputs,
  ImageOutput,
} from "../../parts/vision/outputs.ts";
import { patchConvolution, patchCount, patchSequence } from "../../parts/vision/patch-embedding.ts";
import {
  clipCard,
  type CLIPComponent,
  type CLIPConfig,
  clipConfig,
  clipFamily,
  type CLIPTextConfig,
  type CLIPTowerConfig,
  clipVisionCard,
  type CLIPVisionComponent,
  type CLIPVisionConfig,
  type PartialCLIPConfig,
} from "./config.ts";

export {
  type CLIPTextConfig,
  type CLIPVisionConfig,
  type CLIPConfig,
  type PartialCLIPConfig,
  clipConfig,
} from "./config.ts";

/** Inputs of CLIP's text encoder. */
export interface CLIPTextInputs {
  /** [batch, sequence] int64, each row with the token that ends texts. */
  readonly inputIds: Tensor;
  /** [batch, sequence], 1 for real tokens and 0 for padding. @default all real */
  readonly attentionMask?: Tensor;
  /** [batch, sequence] int64. @default counted from 0 */
  readonly positionIds?: Tensor;
}

/** Inputs of a CLIP: texts and images, whose numbers may differ. */
export interface CLIPInputs extends CLIPTextInputs, ImageInputs {
  /** Give the loss of telling which text belongs to which image, the i-th to the i-th. */
  readonly returnLoss?: boolean;
}

/** Outputs of one of CLIP's encoders; `poolerOutput` [batch, hiddenSize] is one vector for each. */
export type CLIPTowerOutput = ImageOutput & { readonly poolerOutput: Tensor };

/** Outputs of a CLIP. All are lazy. */
export interface CLIPOutput extends Contrast {
  /** What the model that reads texts gave. */
  readonly textModelOutput: CLIPTowerOutput;
  /** What the model that reads images gave. */
  readonly visionModelOutput: CLIPTowerOutput;
}

/** Standard deviation at the start of weights that read or write the residual stream. */
function depthStd({ hiddenSize, numHiddenLayers, initializerFactor }: CLIPTowerConfig): number {
  return initializerFactor / Math.sqrt(hiddenSize * 2 * numHiddenLayers);
}

class CLIPAttention extends Module {
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
  readonly #heads: number;

  constructor(config: CLIPTowerConfig) {
    super();
    const { hiddenSize, initializerFactor } = config;
    const read = { bias: true, std: depthStd(config) };
    this.k_proj = initialLinear(hiddenSize, hiddenSize, read);
    this.v_proj = initialLinear(hiddenSize, hiddenSize, read);
    this.q_proj = initialLinear(hiddenSize, hiddenSize, read);
    const std = initializerFactor / Math.sqrt(hiddenSize);
    this.out_proj = initialLinear(hiddenSize, hiddenSize, { bias: true, std });
    this.dropout = new Dropout(config.attentionDropout);
    this.#heads = config.numAttentionHeads;
  }

  override forward(x: Tensor, mask?: Tensor): [output: Tensor, weights: Tensor] {
    const [q, k, v] = [this.q_proj.forward(x), this.k_proj.forward(x), this.v_proj.forward(x)];
    const options = { heads: this.#heads, dropout: this.dropout, mask };
    const [mixed, weights] = attendAll(q, k, v, options);
    return [this.out_proj.forward(mixed), weights];
  }
}

class CLIPEncoderLayer extends Module {
  /** The attention. */
  readonly self_attn: CLIPAttention;
  /** The norm before the attention. */
  readonly layer_norm1: LayerNorm;
  /** The MLP. */
  readonly mlp: DenseMLP;
  /** The norm before the MLP. */
  readonly layer_norm2: LayerNorm;

  constructor(config: CLIPTowerConfig) {
    super();
    const norm = { eps: config.layerNormEps };
    this.self_attn = new CLIPAttention(config);
    this.layer_norm1 = new LayerNorm(config.hiddenSize, norm);
    this.mlp = new DenseMLP({
      ...config,
      initializerRange: config.initializerFactor / Math.sqrt(2 * config.hiddenSize),
      outputRange: depthStd(config),
    });
    this.layer_norm2 = new LayerNorm(config.hiddenSize, norm);
  }

  override forward(x: Tensor, mask?: Tensor): [output: Tensor, weights: Tensor] {
    const [attended, weights] = this.self_attn.forward(this.layer_norm1.forward(x), mask);
    const middle = x.add(attended);
    return [middle.add(this.mlp.forward(this.layer_norm2.forward(middle))), weights];
  }
}

class CLIPEncoder extends Module {
  /** The layers, in order. */
  readonly layers: ModuleList<CLIPEncoderLayer>;

  constructor(config: CLIPTowerConfig) {
    super();
    const { numHiddenLayers: length } = config;
    this.layers = new ModuleList(Array.from({ length }, () => new CLIPEncoderLayer(config)));
  }

  override forward(x: Tensor, mask?: Tensor): Encoded {
    return encode(this.layers, x, mask);
  }
}

class CLIPTextEmbeddings extends Module {
  /** The token embedding. */
  readonly token_embedding: Embedding;
  /** The embedding of positions. */
  readonly position_embedding: Embedding;

  constructor(config: CLIPTextConfig) {
    super();
    const { vocabSize, hiddenSize, maxPositionEmbeddings } = config;
    const options = { std: 0.02 * config.initializerFactor };
    this.token_embedding = new Embedding(vocabSize, hiddenSize, options);
    this.position_embedding = new Embedding(maxPositionEmbeddings, hiddenSize, options);
  }

  override forward({ inputIds, positionIds, attentionMask }: CLIPTextInputs): Tensor {
    const tokens = embedInputs("CLIPTextModel", { inputIds }, this.token_embedding);
    const queries = tokens.size(1);
    const positions = positionIds ?? positionsOf({ queries, attentionMask });
    return tokens.add(this.position_embedding.forward(positions));
  }
}

/** CLIP's text encoder. */
export class CLIPTextModel extends Module {
  /** Makes the first hidden states of the inputs. */
  readonly embeddings: CLIPTextEmbeddings;
  /** The layers of the encoder. */
  readonly encoder: CLIPEncoder;
  /** The norm after the last layer. */
  readonly final_layer_norm: LayerNorm;
  readonly #config: CLIPTextConfig;

  constructor(config: CLIPTextConfig) {
    super();
    this.#config = config;
    this.embeddings = new CLIPTextEmbeddings(config);
    this.encoder = new CLIPEncoder(config);
    this.final_layer_norm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps });
  }

  override forward(inputs: CLIPTextInputs): CLIPTowerOutput {
    const { inputIds, attentionMask } = inputs;
    const longest = this.#config.maxPositionEmbeddings;
    if (inputIds.ndim === 2 && inputIds.size(1) > longest) {
      fail(
        "CLIPTextModel",
        `a text of ${inputIds.size(1)} tokens is longer than the model's ${longest} positions; ` +
          "shorten it",
      );
    }
    const x = this.embeddings.forward(inputs);
    const encoded = this.encoder.forward(
      x,
      causalMask({ past: 0, queries: x.size(1), attentionMask }),
    );
    const lastHiddenState = this.final_layer_norm.forward(encoded.lastHiddenState);
    const end = this.#endOf(inputIds, attentionMask);
    const poolerOutput = lastHiddenState.index([arange(x.size(0)), end]);
    return { ...encoded, lastHiddenState, poolerOutput };
  }

  /**
   * Where each text ends, [batch]: at the first end token. Configurations of old checkpoints name
   * token 2 instead, which is not it; the end token then is the one with the highest number. Texts
   * are padded with end tokens, so those that are padding do not count.
   */
  #endOf(inputIds: Tensor, mask: Tensor | undefined): Tensor {
    const { eosTokenId } = this.#config;
    const real = (t: Tensor): Tensor => (mask === undefined ? t : t.mul(mask.to("int64")));
    if (eosTokenId === 2) return real(inputIds).argmax(-1);
    return real(inputIds.eq(eosTokenId).to("int64")).argmax(-1);
  }
}

class CLIPVisionEmbeddings extends Module {
  /** [hiddenSize]: represents the image as a whole. */
  readonly class_embedding: Parameter;
  /** The convolution that turns patches into vectors. */
  readonly patch_embedding: Conv2d;
  /** The embedding of positions. */
  readonly position_embedding: Embedding;

  constructor(config: CLIPVisionConfig) {
    super();
    const { hiddenSize, initializerFactor: factor } = config;
    this.class_embedding = initialized([hiddenSize], (shape) =>
      normal(shape, { std: factor / Math.sqrt(hiddenSize) }),
    );
    const std = config.initializerRange * factor;
    this.patch_embedding = patchConvolution({ ...config, initializerRange: std }, { bias: false });
    this.position_embedding = new Embedding(1 + patchCount(config), hiddenSize, { std });
  }

  override forward(pixelValues: Tensor): Tensor {
    const patches = patchSequence(this.patch_embedding.forward(pixelValues));
    const whole = this.class_embedding.value.expand([patches.size(0), 1, patches.size(2)]);
    return cat([whole, patches], 1).add(this.position_embedding.weight.value);
  }
}

/** CLIP's image encoder. */
export class CLIPVisionModel extends Module {
  /** Makes the first hidden states of the inputs. */
  readonly embeddings: CLIPVisionEmbeddings;
  /** The norm before the first layer, under the checkpoint's name. */
  readonly pre_layrnorm: LayerNorm;
  /** The layers of the encoder. */
  readonly encoder: CLIPEncoder;
  /** The norm after the last layer. */
  readonly post_layernorm: LayerNorm;
  readonly #config: CLIPVisionConfig;

  constructor(config: CLIPVisionConfig) {
    super();
    const norm = { eps: config.layerNormEps };
    this.#config = config;
    this.embeddings = new CLIPVisionEmbeddings(config);
    this.pre_layrnorm = new LayerNorm(config.hiddenSize, norm);
    this.encoder = new CLIPEncoder(config);
    this.post_layernorm = new LayerNorm(config.hiddenSize, norm);
  }

  override forward({ pixelValues }: ImageInputs): CLIPTowerOutput {
    const { numChannels: channels, imageSize: size } = this.#config;
    const pixels = checkPixels("CLIPVisionModel", pixelValues, { channels, size });
    const encoded = this.encoder.forward(
      this.pre_layrnorm.forward(this.embeddings.forward(pixels)),
    );
    const poolerOutput = this.post_layernorm.forward(encoded.lastHiddenState.select(1, 0));
    return { ...encoded, poolerOutput };
  }
}

/**
 * CLIP: an encoder of texts and one of images, whose vectors are compared. Names of modules and
 * parameters are those of Hugging Face's checkpoints.
 */
export class CLIPModel extends PreTrainedModel {
  static readonly family: ModelFamily<CLIPConfig> = clipFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<CLIPConfig, CLIPComponent> = clipCard;
  declare readonly "~components": CLIPComponent;
  readonly config: CLIPConfig;
  /** Reads texts. */
  readonly text_model: CLIPTextModel;
  /** Reads images. */
  readonly vision_model: CLIPVisionModel;
  /** [..., hidden] -> [..., shared width]: an image among texts. */
  readonly visual_projection: Linear;
  /** [..., hidden] -> [..., shared width]: a text among images. */
  readonly text_projection: Linear;
  /** Logarithm of the factor of similarities, without dimensions. */
  readonly logit_scale: Parameter;

  constructor(config: PartialCLIPConfig = {}) {
    super();
    const full = clipConfig(config);
    const { textConfig, visionConfig, projectionDim } = full;
    this.config = full;
    this.text_model = new CLIPTextModel(textConfig);
    this.vision_model = new CLIPVisionModel(visionConfig);
    const projection = (width: number): Linear =>
      initialLinear(width, projectionDim, {
        bias: false,
        std: full.initializerFactor / Math.sqrt(width),
      });
    this.visual_projection = projection(visionConfig.hiddenSize);
    this.text_projection = projection(textConfig.hiddenSize);
    this.logit_scale = new Parameter(tensor(full.logitScaleInitValue));
  }

  override forward(inputs: CLIPInputs): CLIPOutput {
    const { pixelValues, returnLoss = false, ...text } = inputs;
    const textModelOutput = this.text_model.forward(text);
    const visionModelOutput = this.vision_model.forward({ pixelValues });
    const texts = this.text_projection.forward(textModelOutput.poolerOutput);
    const images = this.visual_projection.forward(visionModelOutput.poolerOutput);
    const options = { logitScale: this.logit_scale.value, returnLoss };
    const compared = contrast("CLIPModel", [texts, images], options);
    return { ...compared, textModelOutput, visionModelOutput };
  }
}

/** CLIP's image encoder with a linear classifier on the mean of the patches. */
export class CLIPForImageClassification extends PreTrainedModel {
  static readonly family: ModelFamily<CLIPConfig> = clipFamily;
  static readonly auto = "AutoModelForImageClassification";
  static readonly card: ModelCard<CLIPConfig, CLIPVisionComponent> = clipVisionCard;
  declare readonly "~components": CLIPVisionComponent;
  readonly config: CLIPConfig;
  /** Reads images. */
  readonly vision_model: CLIPVisionModel;
  /** [..., width] -> [..., labels]: the classifier. */
  readonly classifier: Linear;

  constructor(config: PartialCLIPConfig = {}) {
    super();
    this.config = clipConfig(config);
    const { visionConfig, numLabels, initializerFactor } = this.config;
    const { hiddenSize } = visionConfig;
    this.vision_model = new CLIPVisionModel(visionConfig);
    const std = initializerFactor / Math.sqrt(hiddenSize);
    this.classifier = initialLinear(hiddenSize, numLabels, { bias: true, std });
  }

  override forward({ labels, ...inputs }: ImageClassifierInputs): ImageClassifierOutput {
    const output = this.vision_model.forward(inputs);
    const patches = output.lastHiddenState.slice(1, 1);
    const logits = this.classifier.forward(patches.mean({ dim: 1 }));
    return classified(logits, labels, this.config, output);
  }
}
