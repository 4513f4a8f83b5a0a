import { normal } from "../../../nn/init.ts";
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
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { attendAll } from "../../parts/encoder/attend-all.ts";
import { DenseMLP } from "../../parts/encoder/dense-mlp.ts";
import { encode, type Encoded } from "../../parts/encoder/encode.ts";
import { checkPixels } from "../../parts/vision/check-pixels.ts";
import type { ImageInputs, ImageOutput } from "../../parts/vision/outputs.ts";
import { patchConvolution, patchCount, patchSequence } from "../../parts/vision/patch-embedding.ts";
import type { BlipVisionConfig } from "./config.ts";

export class BlipVisionEmbeddings extends Module {
  /** [1, 1, hiddenSize]: represents the image as a whole. */
  readonly class_embedding: Parameter;
  /** The convolution that turns patches into vectors. */
  readonly patch_embedding: Conv2d;
  /** [1, 1 + patches, hiddenSize] */
  readonly position_embedding: Parameter;

  constructor(config: BlipVisionConfig) {
    super();
    const { hiddenSize, initializerRange: std } = config;
    const drawn = (positions: number): Parameter =>
      initialized([1, positions, hiddenSize], (shape) => normal(shape, { std }));
    this.class_embedding = drawn(1);
    this.patch_embedding = patchConvolution(config, { bias: true });
    this.position_embedding = drawn(1 + patchCount(config));
  }

  override forward(pixelValues: Tensor): Tensor {
    const patches = patchSequence(this.patch_embedding.forward(pixelValues));
    const whole = this.class_embedding.value.expand([patches.size(0), 1, patches.size(2)]);
    return cat([whole, patches], 1).add(this.position_embedding.value);
  }
}

export class BlipAttention extends Module {
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** [..., hidden] -> [..., 3 × heads × width]: queries, keys and values. */
  readonly qkv: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly projection: Linear;
  readonly #heads: number;

  constructor(config: BlipVisionConfig) {
    super();
    const { hiddenSize, initializerRange: std } = config;
    this.dropout = new Dropout(config.attentionDropout);
    this.qkv = initialLinear(hiddenSize, 3 * hiddenSize, { bias: true, std });
    this.projection = initialLinear(hiddenSize, hiddenSize, { bias: true, std });
    this.#heads = config.numAttentionHeads;
  }

  override forward(x: Tensor): [output: Tensor, weights: Tensor] {
    const [q, k, v] = this.qkv.forward(x).chunk(3, -1) as [Tensor, Tensor, Tensor];
    const [mixed, weights] = attendAll(q, k, v, { heads: this.#heads, dropout: this.dropout });
    return [this.projection.forward(mixed), weights];
  }
}

export class BlipEncoderLayer extends Module {
  /** The attention. */
  readonly self_attn: BlipAttention;
  /** The norm before the attention. */
  readonly layer_norm1: LayerNorm;
  /** The MLP. */
  readonly mlp: DenseMLP;
  /** The norm before the MLP. */
  readonly layer_norm2: LayerNorm;

  constructor(config: BlipVisionConfig) {
    super();
    const norm = { eps: config.layerNormEps };
    this.self_attn = new BlipAttention(config);
    this.layer_norm1 = new LayerNorm(config.hiddenSize, norm);
    this.mlp = new DenseMLP(config);
    this.layer_norm2 = new LayerNorm(config.hiddenSize, norm);
  }

  override forward(x: Tensor): [output: Tensor, weights: Tensor] {
    const [attended, weights] = this.self_attn.forward(this.layer_norm1.forward(x));
    const middle = attended.add(x);
    return [this.mlp.forward(this.layer_norm2.forward(middle)).add(middle), weights];
  }
}

export class BlipEncoder extends Module {
  /** The layers, in order. */
  readonly layers: ModuleList<BlipEncoderLayer>;

  constructor(config: BlipVisionConfig) {
    super();
    const { numHiddenLayers: length } = config;
    this.layers = new ModuleList(Array.from({ length }, () => new BlipEncoderLayer(config)));
  }

  override forward(x: Tensor): Encoded {
    return encode(this.layers, x);
  }
}

/** BLIP's image encoder. */
export class BlipVisionModel extends Module {
  /** Makes the first hidden states of the inputs. */
  readonly embeddings: BlipVisionEmbeddings;
  /** The layers of the encoder. */
  readonly encoder: BlipEncoder;
  /** The norm after the last layer. */
  readonly post_layernorm: LayerNorm;
  readonly #config: BlipVisionConfig;

  constructor(config: BlipVisionConfig) {
    super();
    this.#config = config;
    this.embeddings = new BlipVisionEmbeddings(config);
    this.encoder = new BlipEncoder(config);
    this.post_layernorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps });
  }

  /** @returns `lastHiddenState` [batch, 1 + patches, hiddenSize], after the final norm. */
  override forward({ pixelValues }: ImageInputs): ImageOutput {
    const { numChannels: channels, imageSize: size } = this.#config;
    const pixels = checkPixels("BlipVisionModel", pixelValues, { channels, size });
    const encoded = this.encoder.forward(this.embeddings.forward(pixels));
    return { ...encoded, lastHiddenState: this.post_layernorm.forward(encoded.lastHiddenState) };
  }
}
