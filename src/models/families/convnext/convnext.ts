import { dropout } from "../../../nn/functional/dropout.ts";
import { normal } from "../../../nn/init.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import { Conv2d, type ConvLayerOptions } from "../../../nn/layers/convolution.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList, Sequential } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { full as filled, ones, zeros } from "../../../tensor/functions/creation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { classified } from "../../parts/heads.ts";
import { checkPixels } from "../../parts/vision/check-pixels.ts";
import type {
  ImageClassifierInputs,
  ImageClassifierOutput,
  ImageInputs,
  ImageOutput,
} from "../../parts/vision/outputs.ts";
import { requireStages, withoutNullStages } from "../../parts/vision/require-stages.ts";
import { BACKBONE_FIELDS } from "../../parts/vision/rows.ts";
import { activation } from "../../settings/activations.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  fraction,
  listOf,
  nonNegative,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a ConvNeXt, with Hugging Face's meanings and defaults. */
export interface ConvNextConfig extends ModelConfig {
  /** Channels of an image, such as 3 for red, green and blue. */
  readonly numChannels: number;
  /** Height and width of the patches that the first convolution makes vectors of. */
  readonly patchSize: number;
  /** How many stages there are, as `hiddenSizes` and `depths` say too. */
  readonly numStages?: number;
  /** Channels of each stage. */
  readonly hiddenSizes: readonly number[];
  /** Layers of each stage. */
  readonly depths: readonly number[];
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Standard deviation of weights at the start. */
  readonly initializerRange: number;
  /** Of the norm after the last stage; all others have 1e-6. */
  readonly layerNormEps: number;
  /** What each layer's output is scaled by at the start; 0 for no such scale. */
  readonly layerScaleInitValue: number;
  /** Share of images that skip the last layer while training; less in those before. */
  readonly dropPathRate: number;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

const SETTINGS = defineSettings<ConvNextConfig>({
  name: "ConvNextConfig",
  modelType: "convnext",
  rows: {
    numChannels: width(3),
    patchSize: width(4),
    numStages: count(undefined),
    hiddenSizes: listOf(width, [96, 192, 384, 768]),
    depths: listOf(count, [3, 3, 9, 3]),
    hiddenAct: activationName("gelu"),
    initializerRange: nonNegative(0.02),
    layerNormEps: nonNegative(1e-12),
    layerScaleInitValue: nonNegative(1e-6),
    dropPathRate: fraction(0),
    numLabels: whole(2),
  },
  inert: { ...BACKBONE_FIELDS, imageSize: "images may have any size" },
  translate: withoutNullStages,
  numbered: [{ path: "encoder.stages", setting: "numStages" }],
  shapes: ({ hiddenSizes }) => ({
    "embeddings.patch_embeddings.weight": [
      "hiddenSizes.0",
      "numChannels",
      "patchSize",
      "patchSize",
    ],
    ...Object.fromEntries(
      hiddenSizes.map((_, i) => [
        `encoder.stages.${i}.layers.0.layernorm.weight`,
        [`hiddenSizes.${i}`],
      ]),
    ),
  }),
  complete: (config) => {
    requireStages("ConvNextConfig", config);
    return { ...config, numStages: config.depths.length };
  },
});

/**
 * ConvNeXt settings: those given over the defaults, which are ConvNeXt-tiny's.
 * @throws ModelError for settings that cannot be.
 */
export function convNextConfig(given: Partial<ConvNextConfig> = {}): ConvNextConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of ConvNeXts are read. */
const convNextFamily: ModelFamily<ConvNextConfig> = declareFamily(SETTINGS, {
  basePrefix: "convnext",
});

/** Components of a ConvNeXt: feature maps [batch, channels, height, width], a layer being a stage. */
type ConvNextComponent = "embedder_output" | "stage_input" | "stage_output";

// The last dimension of a feature map is its width.
const byImage = (): undefined => undefined;

/** Where the components of a ConvNeXt are, within the model without a head. */
const convNextCard: ModelCard<ConvNextConfig, ConvNextComponent> = {
  layers: ({ depths }) => depths.length,
  components: {
    embedder_output: { path: "embeddings", side: "output", dimension: byImage },
    stage_input: { path: "encoder.stages.{layer}", side: "input", dimension: byImage },
    stage_output: { path: "encoder.stages.{layer}", side: "output", dimension: byImage },
  },
};

const NORM = { eps: 1e-6 };

/** [batch, channels, height, width] -> [batch, height, width, channels] */
function channelsLast(x: Tensor): Tensor {
  return x.permute([0, 2, 3, 1]);
}

function channelsFirst(x: Tensor): Tensor {
  return x.permute([0, 3, 1, 2]);
}

/** A convolution that starts as Hugging Face's do. */
function convolution(
  { initializerRange: std }: ConvNextConfig,
  [from, to, kernel]: readonly [number, number, number],
  options: ConvLayerOptions,
): Conv2d {
  const conv = new Conv2d(from, to, kernel, options);
  conv.weight.set(initialized(conv.weight.shape, (shape) => normal(shape, { std })).value);
  conv.bias?.set(zeros([to]));
  return conv;
}

/** Normalises the channels of each pixel of [batch, channels, height, width]. */
class ConvNextLayerNorm extends Module {
  /** Factors, one a feature. */
  readonly weight: Parameter;
  /** Summands, one a feature. */
  readonly bias: Parameter;
  readonly #norm: LayerNorm;

  constructor(channels: number) {
    super();
    this.#norm = new LayerNorm(channels, NORM);
    this.weight = this.#norm.weight;
    this.bias = this.#norm.bias ?? new Parameter(zeros([channels]));
  }

  override forward(x: Tensor): Tensor {
    return channelsFirst(this.#norm.forward(channelsLast(x)));
  }
}

class ConvNextEmbeddings extends Module {
  /** Turns patches of an image into vectors. */
  readonly patch_embeddings: Conv2d;
  /** The norm. */
  readonly layernorm: ConvNextLayerNorm;

  constructor(config: ConvNextConfig) {
    super();
    const { numChannels, patchSize, hiddenSizes } = config;
    const [width = 1] = hiddenSizes;
    const stride = { stride: patchSize };
    this.patch_embeddings = convolution(config, [numChannels, width, patchSize], stride);
    this.layernorm = new ConvNextLayerNorm(width);
  }

  override forward(pixelValues: Tensor): Tensor {
    return this.layernorm.forward(this.patch_embeddings.forward(pixelValues));
  }
}

/** Zeroes whole images at random while training, scaling the others up. */
class ConvNextDropPath extends Module {
  readonly #rate: number;

  constructor(rate: number) {
    super();
    this.#rate = rate;
  }

  override forward(x: Tensor): Tensor {
    if (!this.training || this.#rate === 0) return x;
    const kept = dropout(ones([x.size(0), 1, 1, 1]), this.#rate, { training: true });
    return x.mul(kept);
  }

  override describe(): string {
    return `p=${this.#rate}`;
  }
}

class ConvNextLayer extends Module {
  readonly dwconv: Conv2d;
  /** The norm. */
  readonly layernorm: LayerNorm;
  readonly pwconv1: Linear;
  /** The activation. */
  readonly act: Activation;
  readonly pwconv2: Linear;
  /** [channels] */
  readonly layer_scale_parameter: Parameter | undefined;
  readonly drop_path: ConvNextDropPath;

  constructor(config: ConvNextConfig, width: number, dropPath: number) {
    super();
    const { initializerRange: std, layerScaleInitValue: scale } = config;
    this.dwconv = convolution(config, [width, width, 7], { padding: 3, groups: width });
    this.layernorm = new LayerNorm(width, NORM);
    this.pwconv1 = initialLinear(width, 4 * width, { bias: true, std });
    this.act = activation(config.hiddenAct);
    this.pwconv2 = initialLinear(4 * width, width, { bias: true, std });
    this.layer_scale_parameter = scale > 0 ? new Parameter(filled([width], scale)) : undefined;
    this.drop_path = new ConvNextDropPath(dropPath);
  }

  override forward(x: Tensor): Tensor {
    const pixels = this.layernorm.forward(channelsLast(this.dwconv.forward(x)));
    const mixed = this.pwconv2.forward(this.act.forward(this.pwconv1.forward(pixels)));
    const scale = this.layer_scale_parameter;
    const scaled = scale === undefined ? mixed : mixed.mul(scale.value);
    return x.add(this.drop_path.forward(channelsFirst(scaled)));
  }
}

class ConvNextStage extends Module {
  /** Lowers the resolution before the stage's layers. */
  readonly downsampling_layer: Sequential;
  /** The layers of the stage, in order. */
  readonly layers: Sequential;

  /** @param from channels of what comes in; undefined for the first stage, which keeps the size. */
  constructor(
    config: ConvNextConfig,
    [from, to]: readonly [number | undefined, number],
    dropPaths: readonly number[],
  ) {
    super();
    const halving =
      from === undefined
        ? []
        : [new ConvNextLayerNorm(from), convolution(config, [from, to, 2], { stride: 2 })];
    this.downsampling_layer = new Sequential(...halving);
    this.layers = new Sequential(...dropPaths.map((rate) => new ConvNextLayer(config, to, rate)));
  }

  override forward(x: Tensor): Tensor {
    return this.layers.forward(this.downsampling_layer.forward(x));
  }
}

/** How often the layers of each stage are skipped: from 0 up to `dropPathRate`, evenly. */
function dropPaths({ depths, dropPathRate }: ConvNextConfig): number[][] {
  const layers = depths.reduce((sum, depth) => sum + depth, 0);
  let layer = 0;
  return depths.map((depth) =>
    Array.from({ length: depth }, () => (dropPathRate * layer++) / Math.max(1, layers - 1)),
  );
}

class ConvNextEncoder extends Module {
  /** The stages, each at a lower resolution than the one before. */
  readonly stages: ModuleList<ConvNextStage>;

  constructor(config: ConvNextConfig) {
    super();
    const { hiddenSizes } = config;
    this.stages = new ModuleList(
      dropPaths(config).map(
        (rates, i) => new ConvNextStage(config, [hiddenSizes[i - 1], hiddenSizes[i] ?? 1], rates),
      ),
    );
  }

  /** What goes in, then the output of each stage. */
  override forward(x: Tensor): Tensor[] {
    let state = x;
    return [x, ...[...this.stages].map((stage) => (state = stage.forward(state)))];
  }
}

/** A ConvNeXt without a head. Names are those of Hugging Face's checkpoints. */
export class ConvNextModel extends PreTrainedModel {
  static readonly family: ModelFamily<ConvNextConfig> = convNextFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<ConvNextConfig, ConvNextComponent> = convNextCard;
  declare readonly "~components": ConvNextComponent;
  readonly config: ConvNextConfig;
  /** Makes the first hidden states of the inputs. */
  readonly embeddings: ConvNextEmbeddings;
  /** The layers of the encoder. */
  readonly encoder: ConvNextEncoder;
  /** The norm after pooling. */
  readonly layernorm: LayerNorm;

  constructor(config: Partial<ConvNextConfig> = {}) {
    super();
    const full = convNextConfig(config);
    this.config = full;
    this.embeddings = new ConvNextEmbeddings(full);
    this.encoder = new ConvNextEncoder(full);
    this.layernorm = new LayerNorm(full.hiddenSizes.at(-1) ?? 1, { eps: full.layerNormEps });
  }

  /** @returns `lastHiddenState` [batch, channels, height, width], `poolerOutput` [batch, channels]. */
  override forward({ pixelValues }: ImageInputs): ImageOutput & { readonly poolerOutput: Tensor } {
    const { numChannels: channels } = this.config;
    const pixels = checkPixels("ConvNextModel", pixelValues, { channels });
    const hiddenStates = this.encoder.forward(this.embeddings.forward(pixels));
    const lastHiddenState = hiddenStates.at(-1) ?? pixels;
    const poolerOutput = this.layernorm.forward(lastHiddenState.mean({ dim: [-2, -1] }));
    return { lastHiddenState, poolerOutput, hiddenStates, attentions: [] };
  }
}

/** A ConvNeXt with a linear classifier on the mean over the image. */
export class ConvNextForImageClassification extends PreTrainedModel {
  static readonly family: ModelFamily<ConvNextConfig> = convNextFamily;
  static readonly auto = "AutoModelForImageClassification";
  declare readonly "~components": ConvNextComponent;
  readonly config: ConvNextConfig;
  /** The model without a head. */
  readonly convnext: ConvNextModel;
  /** [..., width] -> [..., labels]: the classifier. */
  readonly classifier: Linear;

  constructor(config: Partial<ConvNextConfig> = {}) {
    super();
    this.convnext = new ConvNextModel(config);
    this.config = this.convnext.config;
    const { hiddenSizes, numLabels, initializerRange: std } = this.config;
    this.classifier = initialLinear(hiddenSizes.at(-1) ?? 1, numLabels, { bias: true, std });
  }

  override forward({ labels, ...inputs }: ImageClassifierInputs): ImageClassifierOutput {
    const output = this.convnext.forward(inputs);
    const logits = this.classifier.forward(output.poolerOutput);
    return classified(logits, labels, this.config, output);
  }
}
