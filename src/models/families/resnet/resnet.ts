import { kaimingNormal } from "../../../nn/init.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import { BatchNorm2d } from "../../../nn/layers/batch-norm.ts";
import { Conv2d } from "../../../nn/layers/convolution.ts";
import { Flatten } from "../../../nn/layers/flatten.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { AdaptiveAvgPool2d, MaxPool2d } from "../../../nn/layers/pooling.ts";
import { ModuleList, Sequential } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { initialized } from "../../../nn/without-init.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
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
import { activationName, count, flag, listOf, oneOf, whole, width } from "../../settings/kinds.ts";

/** Settings of a ResNet, with Hugging Face's meanings and defaults. */
export interface ResNetConfig extends ModelConfig {
  /** Channels of an image, such as 3 for red, green and blue. */
  readonly numChannels: number;
  /** Channels after the first convolution. */
  readonly embeddingSize: number;
  /** Channels of each stage. */
  readonly hiddenSizes: readonly number[];
  /** Layers of each stage. */
  readonly depths: readonly number[];
  /** `basic`: two 3x3 convolutions a layer; `bottleneck`: 1x1, 3x3 on a quarter of channels, 1x1. */
  readonly layerType: string;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Halve the image in the first stage too. */
  readonly downsampleInFirstStage: boolean;
  /** Halve the image in a bottleneck's first convolution instead of its second. */
  readonly downsampleInBottleneck: boolean;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

const SETTINGS = defineSettings<ResNetConfig>({
  name: "ResNetConfig",
  modelType: "resnet",
  rows: {
    numChannels: width(3),
    embeddingSize: width(64),
    hiddenSizes: listOf(width, [256, 512, 1024, 2048]),
    depths: listOf(count, [3, 4, 6, 3]),
    layerType: oneOf(["basic", "bottleneck"], "bottleneck"),
    hiddenAct: activationName("relu"),
    downsampleInFirstStage: flag(false),
    downsampleInBottleneck: flag(false),
    numLabels: whole(2),
  },
  inert: { ...BACKBONE_FIELDS, imageSize: "images may have any size" },
  translate: withoutNullStages,
  shapes: ({ hiddenSizes, layerType }) => ({
    "embedder.embedder.convolution.weight": ["embeddingSize", "numChannels", ["7", 7], ["7", 7]],
    ...Object.fromEntries(
      hiddenSizes.map((_, i) => [
        `encoder.stages.${i}.layers.0.layer.${layerType === "basic" ? 1 : 2}.normalization.weight`,
        [`hiddenSizes.${i}`],
      ]),
    ),
  }),
  complete: (config) => {
    requireStages("ResNetConfig", config);
    return config;
  },
});

/**
 * ResNet settings: those given over the defaults, which are ResNet-50's.
 * @throws ModelError for settings that cannot be.
 */
export function resNetConfig(given: Partial<ResNetConfig> = {}): ResNetConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of ResNets are read. */
const resNetFamily: ModelFamily<ResNetConfig> = declareFamily(SETTINGS, {
  basePrefix: "resnet",
});

/** Components of a ResNet: feature maps [batch, channels, height, width], a layer being a stage. */
type ResNetComponent = "embedder_output" | "stage_input" | "stage_output" | "pooler_output";

// The last dimension of a feature map is its width.
const byImage = (): undefined => undefined;

/** Where the components of a ResNet are, within the model without a head. */
const resNetCard: ModelCard<ResNetConfig, ResNetComponent> = {
  layers: ({ depths }) => depths.length,
  components: {
    embedder_output: { path: "embedder", side: "output", dimension: byImage },
    stage_input: { path: "encoder.stages.{layer}", side: "input", dimension: byImage },
    stage_output: { path: "encoder.stages.{layer}", side: "output", dimension: byImage },
    pooler_output: { path: "pooler", side: "output", dimension: () => 1 },
  },
};

/** From and to how many channels a layer goes, and by what it divides height and width. */
interface LayerShape {
  /** Channels of the input. */
  readonly from: number;
  /** Channels of the output. */
  readonly to: number;
  /** Steps of the first convolution: 2 halves height and width. */
  readonly stride: number;
}

interface ConvShape extends LayerShape {
  /** Height and width of the kernel. */
  readonly kernel: number;
}

/** A convolution that keeps the size but for its stride, without a bias: a norm follows. */
function convolution({ from, to, stride, kernel }: ConvShape): Conv2d {
  const conv = new Conv2d(from, to, kernel, {
    stride,
    padding: Math.floor(kernel / 2),
    bias: false,
  });
  conv.weight.set(
    initialized(conv.weight.shape, (shape) =>
      kaimingNormal(shape, { mode: "fanOut", nonlinearity: "relu" }),
    ).value,
  );
  return conv;
}

class ResNetConvLayer extends Module {
  /** The convolution. */
  readonly convolution: Conv2d;
  /** The batch norm after the convolution. */
  readonly normalization: BatchNorm2d;
  /** The activation. */
  readonly activation: Activation | Identity;

  /** @param act name of the activation function; null for none. */
  constructor(shape: ConvShape, act: string | null) {
    super();
    this.convolution = convolution(shape);
    this.normalization = new BatchNorm2d(shape.to);
    this.activation = act === null ? new Identity() : activation(act);
  }

  override forward(x: Tensor): Tensor {
    return this.activation.forward(this.normalization.forward(this.convolution.forward(x)));
  }
}

class ResNetEmbeddings extends Module {
  /** The first convolution, which halves height and width. */
  readonly embedder: ResNetConvLayer;
  /** Pools over height and width. */
  readonly pooler: MaxPool2d;

  constructor({ numChannels, embeddingSize, hiddenAct }: ResNetConfig) {
    super();
    const shape = { from: numChannels, to: embeddingSize, kernel: 7, stride: 2 };
    this.embedder = new ResNetConvLayer(shape, hiddenAct);
    this.pooler = new MaxPool2d(3, { stride: 2, padding: 1 });
  }

  override forward(pixelValues: Tensor): Tensor {
    return this.pooler.forward(this.embedder.forward(pixelValues));
  }
}

class ResNetShortCut extends Module {
  /** The convolution. */
  readonly convolution: Conv2d;
  /** The batch norm after the convolution. */
  readonly normalization: BatchNorm2d;

  constructor(shape: LayerShape) {
    super();
    this.convolution = convolution({ ...shape, kernel: 1 });
    this.normalization = new BatchNorm2d(shape.to);
  }

  override forward(x: Tensor): Tensor {
    return this.normalization.forward(this.convolution.forward(x));
  }
}

/** Convolutions and, around them, the way past them. */
class ResNetLayer extends Module {
  readonly shortcut: ResNetShortCut | Identity;
  readonly layer: Sequential;
  /** The activation. */
  readonly activation: Activation;

  constructor(config: ResNetConfig, shape: LayerShape) {
    super();
    const changes = shape.from !== shape.to || shape.stride !== 1;
    this.shortcut = changes ? new ResNetShortCut(shape) : new Identity();
    this.layer = new Sequential(
      ...(config.layerType === "bottleneck" ? bottleneck(config, shape) : basic(shape)),
    );
    this.activation = activation(config.hiddenAct);
  }

  override forward(x: Tensor): Tensor {
    const changed = this.layer.forward(x);
    return this.activation.forward(changed.add(this.shortcut.forward(x)));
  }
}

// Within a layer the function is always relu, whatever the configuration says of the others.
const INNER_ACT = "relu";

function basic({ from, to, stride }: LayerShape): ResNetConvLayer[] {
  return [
    new ResNetConvLayer({ from, to, stride, kernel: 3 }, INNER_ACT),
    new ResNetConvLayer({ from: to, to, stride: 1, kernel: 3 }, null),
  ];
}

function bottleneck(
  { downsampleInBottleneck: early }: ResNetConfig,
  { from, to, stride }: LayerShape,
): ResNetConvLayer[] {
  const inner = Math.floor(to / 4);
  return [
    new ResNetConvLayer({ from, to: inner, stride: early ? stride : 1, kernel: 1 }, INNER_ACT),
    new ResNetConvLayer(
      { from: inner, to: inner, stride: early ? 1 : stride, kernel: 3 },
      INNER_ACT,
    ),
    new ResNetConvLayer({ from: inner, to, stride: 1, kernel: 1 }, null),
  ];
}

class ResNetStage extends Module {
  /** The layers of the stage, in order. */
  readonly layers: Sequential;

  constructor(config: ResNetConfig, shape: LayerShape, depth: number) {
    super();
    const rest = { from: shape.to, to: shape.to, stride: 1 };
    this.layers = new Sequential(
      ...Array.from({ length: depth }, (_, i) => new ResNetLayer(config, i === 0 ? shape : rest)),
    );
  }

  override forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }
}

class ResNetEncoder extends Module {
  /** The stages, each at a lower resolution than the one before. */
  readonly stages: ModuleList<ResNetStage>;

  constructor(config: ResNetConfig) {
    super();
    const { embeddingSize, hiddenSizes, depths, downsampleInFirstStage } = config;
    this.stages = new ModuleList(
      hiddenSizes.map((to, i) => {
        const from = hiddenSizes[i - 1] ?? embeddingSize;
        const stride = i > 0 || downsampleInFirstStage ? 2 : 1;
        return new ResNetStage(config, { from, to, stride }, depths[i] ?? 1);
      }),
    );
  }

  /** What goes in, then the output of each stage. */
  override forward(x: Tensor): Tensor[] {
    let state = x;
    return [x, ...[...this.stages].map((stage) => (state = stage.forward(state)))];
  }
}

/** A ResNet without a head. Names of modules and parameters are those of Hugging Face's checkpoints. */
export class ResNetModel extends PreTrainedModel {
  static readonly family: ModelFamily<ResNetConfig> = resNetFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<ResNetConfig, ResNetComponent> = resNetCard;
  declare readonly "~components": ResNetComponent;
  readonly config: ResNetConfig;
  /** Makes the first hidden states of the image. */
  readonly embedder: ResNetEmbeddings;
  /** The layers of the encoder. */
  readonly encoder: ResNetEncoder;
  /** Pools over height and width. */
  readonly pooler: AdaptiveAvgPool2d;

  constructor(config: Partial<ResNetConfig> = {}) {
    super();
    const full = resNetConfig(config);
    this.config = full;
    this.embedder = new ResNetEmbeddings(full);
    this.encoder = new ResNetEncoder(full);
    this.pooler = new AdaptiveAvgPool2d(1);
  }

  /** @returns `lastHiddenState` [batch, channels, height, width], `poolerOutput` [batch, channels, 1, 1]. */
  override forward({ pixelValues }: ImageInputs): ImageOutput & { readonly poolerOutput: Tensor } {
    const { numChannels: channels } = this.config;
    const pixels = checkPixels("ResNetModel", pixelValues, { channels });
    const hiddenStates = this.encoder.forward(this.embedder.forward(pixels));
    const lastHiddenState = hiddenStates.at(-1) ?? pixels;
    const poolerOutput = this.pooler.forward(lastHiddenState);
    return { lastHiddenState, poolerOutput, hiddenStates, attentions: [] };
  }
}

/** A ResNet with a linear classifier on the mean over the image. */
export class ResNetForImageClassification extends PreTrainedModel {
  static readonly family: ModelFamily<ResNetConfig> = resNetFamily;
  static readonly auto = "AutoModelForImageClassification";
  declare readonly "~components": ResNetComponent;
  readonly config: ResNetConfig;
  /** The model without a head. */
  readonly resnet: ResNetModel;
  /** The classifier. */
  readonly classifier: Sequential;

  constructor(config: Partial<ResNetConfig> = {}) {
    super();
    this.resnet = new ResNetModel(config);
    this.config = this.resnet.config;
    const { hiddenSizes, numLabels } = this.config;
    this.classifier = new Sequential(new Flatten(), new Linear(hiddenSizes.at(-1) ?? 1, numLabels));
  }

  override forward({ labels, ...inputs }: ImageClassifierInputs): ImageClassifierOutput {
    const output = this.resnet.forward(inputs);
    const logits = this.classifier.forward(output.poolerOutput);
    return classified(logits, labels, this.config, output);
  }
}
