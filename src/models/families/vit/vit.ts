import { truncatedNormal } from "../../../nn/init.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import type { Conv2d } from "../../../nn/layers/convolution.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { attendAll } from "../../parts/encoder/attend-all.ts";
import { encode, type Encoded } from "../../parts/encoder/encode.ts";
import { Pooler } from "../../parts/encoder/pooler.ts";
import { requireHeads } from "../../parts/encoder/require-heads.ts";
import { classified } from "../../parts/heads.ts";
import { attentionParts, type LayerPart, mlpParts } from "../../parts/layer-components.ts";
import { checkPixels } from "../../parts/vision/check-pixels.ts";
import type {
  ImageClassifierInputs,
  ImageClassifierOutput,
  ImageInputs,
  ImageOutput,
} from "../../parts/vision/outputs.ts";
import {
  type PatchConfig,
  patchConvolution,
  patchCount,
  patchSequence,
  requirePatches,
} from "../../parts/vision/patch-embedding.ts";
import {
  BACKBONE_FIELDS,
  patchRows,
  patchShape,
  positionCount,
  squareSizes,
} from "../../parts/vision/rows.ts";
import { activation } from "../../settings/activations.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  fraction,
  nonNegative,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a vision transformer, with Hugging Face's meanings and defaults. */
export interface ViTConfig extends ModelConfig, PatchConfig {
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Heads of each attention. */
  readonly numAttentionHeads: number;
  /** Width inside the MLP. */
  readonly intermediateSize: number;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly hiddenDropoutProb: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attentionProbsDropoutProb: number;
  /** Added to the variance in layer norms. */
  readonly layerNormEps: number;
  /** Whether queries, keys and values have a bias. */
  readonly qkvBias: boolean;
  /** Width of the pooled vector; null means `hiddenSize`. */
  readonly poolerOutputSize: number | null;
  /** Name of the activation after the pooler's linear layer. */
  readonly poolerAct: string;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

const SETTINGS = defineSettings<ViTConfig>({
  name: "ViTConfig",
  modelType: "vit",
  rows: {
    ...patchRows({ imageSize: 224, patchSize: 16, hiddenSize: 768, initializerRange: 0.02 }),
    numHiddenLayers: count(12),
    numAttentionHeads: width(12),
    intermediateSize: width(3072),
    hiddenAct: activationName("gelu"),
    hiddenDropoutProb: fraction(0),
    attentionProbsDropoutProb: fraction(0),
    layerNormEps: nonNegative(1e-12),
    qkvBias: flag(true),
    poolerOutputSize: width.orNull(null),
    poolerAct: activationName("tanh"),
    numLabels: whole(2),
  },
  inert: { ...BACKBONE_FIELDS, encoderStride: "for a model that fills in masked patches" },
  translate: squareSizes,
  numbered: [{ path: "encoder.layer", setting: "numHiddenLayers" }],
  shapes: (config) => ({
    "embeddings.patch_embeddings.projection.weight": patchShape(""),
    "embeddings.position_embeddings": [["1", 1], positionCount("", config), "hiddenSize"],
    "encoder.layer.0.intermediate.dense.weight": ["intermediateSize", "hiddenSize"],
    "pooler.dense.weight": [
      ["poolerOutputSize", config.poolerOutputSize ?? config.hiddenSize],
      "hiddenSize",
    ],
  }),
  complete: (config) => {
    requireHeads("ViTConfig", config);
    requirePatches("ViTConfig", config);
    return config;
  },
});

/**
 * ViT settings: those given over the defaults, which are ViT-base's.
 * @throws ModelError for settings that cannot be.
 */
export function viTConfig(given: Partial<ViTConfig> = {}): ViTConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of vision transformers are read. */
const viTFamily: ModelFamily<ViTConfig> = declareFamily(SETTINGS, {
  basePrefix: "vit",
  parts: (names) => ({ pooler: names.some((name) => /(?:^|\.)pooler\./.test(name)) }),
});

/** Components of a vision transformer's layers; positions are the image as a whole, then patches. */
type ViTComponent = LayerPart;

const LAYER = "encoder.layer.{layer}";
const ATTENTION = {
  input: ".attention",
  output: ".attention",
  addition: ".attention",
  mixed: ".attention.output.dense",
  weight: ".attention.attention.dropout",
  query: ".attention.attention.query",
  key: ".attention.attention.key",
  value: ".attention.attention.value",
};
const MLP = {
  input: ".intermediate",
  output: ".output.dense",
  addition: ".output",
  activation: ".intermediate.intermediate_act_fn",
};
const SIZES = {
  width: ({ hiddenSize }: ViTConfig): number => hiddenSize,
  inner: ({ intermediateSize }: ViTConfig): number => intermediateSize,
  heads: ({ numAttentionHeads }: ViTConfig): number => numAttentionHeads,
};

/** Where the components of a vision transformer are, within the model without a head. */
const viTCard: ModelCard<ViTConfig, ViTComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionParts(LAYER, ATTENTION, SIZES),
    ...mlpParts(LAYER, MLP, SIZES),
    attention_weight: {
      path: `${LAYER}.attention.attention.dropout`,
      side: "input",
      headsFirst: true,
      dimension: ({ imageSize, patchSize }) => Math.floor(imageSize / patchSize) ** 2 + 1,
    },
  },
};

class ViTPatchEmbeddings extends Module {
  /** The convolution that turns patches into vectors. */
  readonly projection: Conv2d;

  constructor(config: ViTConfig) {
    super();
    this.projection = patchConvolution(config, { bias: true });
  }

  override forward(pixelValues: Tensor): Tensor {
    return patchSequence(this.projection.forward(pixelValues));
  }
}

class ViTEmbeddings extends Module {
  /** [1, 1, hiddenSize]: represents the image as a whole. */
  readonly cls_token: Parameter;
  /** Turns patches of an image into vectors. */
  readonly patch_embeddings: ViTPatchEmbeddings;
  /** [1, 1 + patches, hiddenSize] */
  readonly position_embeddings: Parameter;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(config: ViTConfig) {
    super();
    const { hiddenSize, initializerRange: std } = config;
    const drawn = (positions: number): Parameter =>
      initialized([1, positions, hiddenSize], (shape) => truncatedNormal(shape, { std }));
    this.cls_token = drawn(1);
    this.patch_embeddings = new ViTPatchEmbeddings(config);
    this.position_embeddings = drawn(1 + patchCount(config));
    this.dropout = new Dropout(config.hiddenDropoutProb);
  }

  override forward(pixelValues: Tensor): Tensor {
    const patches = this.patch_embeddings.forward(pixelValues);
    const whole = this.cls_token.value.expand([patches.size(0), 1, patches.size(2)]);
    return this.dropout.forward(cat([whole, patches], 1).add(this.position_embeddings.value));
  }
}

class ViTSelfAttention extends Module {
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly query: Linear;
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly key: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly value: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  readonly #heads: number;

  constructor({ hiddenSize, numAttentionHeads, qkvBias, ...config }: ViTConfig) {
    super();
    const options = { bias: qkvBias, std: config.initializerRange };
    this.query = initialLinear(hiddenSize, hiddenSize, options);
    this.key = initialLinear(hiddenSize, hiddenSize, options);
    this.value = initialLinear(hiddenSize, hiddenSize, options);
    this.dropout = new Dropout(config.attentionProbsDropoutProb);
    this.#heads = numAttentionHeads;
  }

  override forward(x: Tensor): [mixed: Tensor, weights: Tensor] {
    const [q, k, v] = [this.query.forward(x), this.key.forward(x), this.value.forward(x)];
    return attendAll(q, k, v, { heads: this.#heads, dropout: this.dropout });
  }
}

/** A linear layer, then dropout. */
class ViTOutput extends Module {
  /** The linear layer. */
  readonly dense: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor({ hiddenSize, hiddenDropoutProb, initializerRange: std }: ViTConfig, from: number) {
    super();
    this.dense = initialLinear(from, hiddenSize, { bias: true, std });
    this.dropout = new Dropout(hiddenDropoutProb);
  }

  override forward(x: Tensor): Tensor {
    return this.dropout.forward(this.dense.forward(x));
  }
}

class ViTAttention extends Module {
  /** The attention. */
  readonly attention: ViTSelfAttention;
  /** Projects what its block has computed and adds the block's input. */
  readonly output: ViTOutput;

  constructor(config: ViTConfig) {
    super();
    this.attention = new ViTSelfAttention(config);
    this.output = new ViTOutput(config, config.hiddenSize);
  }

  override forward(x: Tensor): [output: Tensor, weights: Tensor] {
    const [mixed, weights] = this.attention.forward(x);
    return [this.output.forward(mixed), weights];
  }
}

class ViTIntermediate extends Module {
  /** The linear layer. */
  readonly dense: Linear;
  /** The activation. */
  readonly intermediate_act_fn: Activation;

  constructor({ hiddenSize, intermediateSize, hiddenAct, initializerRange: std }: ViTConfig) {
    super();
    this.dense = initialLinear(hiddenSize, intermediateSize, { bias: true, std });
    this.intermediate_act_fn = activation(hiddenAct);
  }

  override forward(x: Tensor): Tensor {
    return this.intermediate_act_fn.forward(this.dense.forward(x));
  }
}

class ViTLayer extends Module {
  /** The attention. */
  readonly attention: ViTAttention;
  /** [..., hidden] -> [..., intermediate]: the MLP's first half. */
  readonly intermediate: ViTIntermediate;
  /** Projects what its block has computed and adds the block's input. */
  readonly output: ViTOutput;
  /** The norm before the attention. */
  readonly layernorm_before: LayerNorm;
  /** The norm before the MLP. */
  readonly layernorm_after: LayerNorm;

  constructor(config: ViTConfig) {
    super();
    const norm = { eps: config.layerNormEps };
    this.attention = new ViTAttention(config);
    this.intermediate = new ViTIntermediate(config);
    this.output = new ViTOutput(config, config.intermediateSize);
    this.layernorm_before = new LayerNorm(config.hiddenSize, norm);
    this.layernorm_after = new LayerNorm(config.hiddenSize, norm);
  }

  override forward(x: Tensor): [output: Tensor, weights: Tensor] {
    const [attended, weights] = this.attention.forward(this.layernorm_before.forward(x));
    const middle = attended.add(x);
    const inner = this.intermediate.forward(this.layernorm_after.forward(middle));
    return [this.output.forward(inner).add(middle), weights];
  }
}

class ViTEncoder extends Module {
  /** The layers, in order. */
  readonly layer: ModuleList<ViTLayer>;

  constructor(config: ViTConfig) {
    super();
    const { numHiddenLayers: length } = config;
    this.layer = new ModuleList(Array.from({ length }, () => new ViTLayer(config)));
  }

  override forward(x: Tensor): Encoded {
    return encode(this.layer, x);
  }
}

/** Parts of a {@link ViTModel} that some checkpoints do not have. */
export interface ViTParts {
  /** A vector for the whole image, `poolerOutput`. @default true */
  readonly pooler?: boolean;
}

/**
 * A vision transformer without a head. Names of modules and parameters are those of Hugging Face's
 * checkpoints.
 */
export class ViTModel extends PreTrainedModel {
  static readonly family: ModelFamily<ViTConfig> = viTFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<ViTConfig, ViTComponent> = viTCard;
  declare readonly "~components": ViTComponent;
  readonly config: ViTConfig;
  /** Makes the first hidden states of the inputs. */
  readonly embeddings: ViTEmbeddings;
  /** The layers of the encoder. */
  readonly encoder: ViTEncoder;
  /** The norm after the last layer. */
  readonly layernorm: LayerNorm;
  /** Makes one vector of the first position; undefined where it was not trained. */
  readonly pooler: Pooler | undefined;

  constructor(config: Partial<ViTConfig> = {}, { pooler = true }: ViTParts = {}) {
    super();
    const full = viTConfig(config);
    this.config = full;
    this.embeddings = new ViTEmbeddings(full);
    this.encoder = new ViTEncoder(full);
    this.layernorm = new LayerNorm(full.hiddenSize, { eps: full.layerNormEps });
    this.pooler = pooler
      ? new Pooler({ ...full, outputSize: full.poolerOutputSize, act: full.poolerAct })
      : undefined;
  }

  /** @returns `lastHiddenState` [batch, 1 + patches, hiddenSize], after the final norm. */
  override forward({ pixelValues }: ImageInputs): ImageOutput {
    const { numChannels: channels, imageSize: size } = this.config;
    const pixels = checkPixels("ViTModel", pixelValues, { channels, size });
    const encoded = this.encoder.forward(this.embeddings.forward(pixels));
    const lastHiddenState = this.layernorm.forward(encoded.lastHiddenState);
    const poolerOutput = this.pooler?.forward(lastHiddenState);
    return { ...encoded, lastHiddenState, ...(poolerOutput && { poolerOutput }) };
  }
}

/** A vision transformer with a linear classifier on the first position. */
export class ViTForImageClassification extends PreTrainedModel {
  static readonly family: ModelFamily<ViTConfig> = viTFamily;
  static readonly auto = "AutoModelForImageClassification";
  declare readonly "~components": ViTComponent;
  readonly config: ViTConfig;
  /** The model without a head. */
  readonly vit: ViTModel;
  /** [..., width] -> [..., labels]: the classifier. */
  readonly classifier: Linear;

  constructor(config: Partial<ViTConfig> = {}) {
    super();
    this.vit = new ViTModel(config, { pooler: false });
    this.config = this.vit.config;
    const { hiddenSize, numLabels, initializerRange: std } = this.config;
    this.classifier = initialLinear(hiddenSize, numLabels, { bias: true, std });
  }

  override forward({ labels, ...inputs }: ImageClassifierInputs): ImageClassifierOutput {
    const output = this.vit.forward(inputs);
    const logits = this.classifier.forward(output.lastHiddenState.select(1, 0));
    return classified(logits, labels, this.config, output);
  }
}
