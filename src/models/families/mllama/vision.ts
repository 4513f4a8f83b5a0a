import { internal } from "../../../base/errors.ts";
import { fail } from "../../../nn/errors.ts";
import { pad } from "../../../nn/functional/pad.ts";
import { normal } from "../../../nn/init.ts";
import type { Conv2d } from "../../../nn/layers/convolution.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import { full, zeros } from "../../../tensor/functions/creation.ts";
import { cat, stack } from "../../../tensor/functions/shaping.ts";
import { show } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { attendAll } from "../../parts/encoder/attend-all.ts";
import { DenseMLP } from "../../parts/encoder/dense-mlp.ts";
import { encode, type Encoded } from "../../parts/encoder/encode.ts";
import { patchConvolution, patchCount, patchSequence } from "../../parts/vision/patch-embedding.ts";
import type { MllamaVisionConfig } from "./config.ts";

const HIDDEN = -3.4028234663852886e38;

/** Images in tiles. */
export interface MllamaImages {
  /** [batch, images, tiles, channels, height, width] */
  readonly pixelValues: Tensor;
  /** [batch, images] int64: which of the supported aspect ratios, counted from 1; 0 for no image. */
  readonly aspectRatioIds: Tensor;
  /** [batch, images, tiles], 1 for real tiles and 0 for padding. */
  readonly aspectRatioMask: Tensor;
}

/** Vectors of tiles, by aspect ratio. */
export class MllamaPrecomputedAspectRatioEmbedding extends Module {
  /** The embedding of positions. */
  readonly embedding: Embedding;
  /** How much of the added embedding counts, through tanh. */
  readonly gate: Parameter;
  readonly #tiles: number;

  constructor(config: MllamaVisionConfig) {
    super();
    const { maxNumTiles, hiddenSize, supportedAspectRatios, initializerRange: std } = config;
    const ratios = supportedAspectRatios.length + 1;
    this.embedding = new Embedding(ratios, maxNumTiles * hiddenSize, { std });
    this.gate = new Parameter(zeros([1]));
    this.#tiles = maxNumTiles;
  }

  /**
   * Adds an embedding of each tile.
   * @param x [images, tiles, patches, width]
   */
  override forward(x: Tensor, ids: Tensor): Tensor {
    const added = this.embedding.forward(ids).reshape([x.size(0), this.#tiles, 1, x.size(3)]);
    return x.add(added.mul(this.gate.value.tanh()));
  }
}

/** Vectors of patches, the same in all tiles and by aspect ratio, mixed by a gate. */
export class MllamaPrecomputedPositionEmbedding extends Module {
  /** How much of the added embedding counts, through tanh. */
  readonly gate: Parameter;
  /** [patches, width] */
  readonly embedding: Parameter;
  /** The embedding of tiles, by the aspect ratio. */
  readonly tile_embedding: Embedding;

  constructor(config: MllamaVisionConfig) {
    super();
    const { maxNumTiles, hiddenSize, supportedAspectRatios } = config;
    const patches = patchCount(config) + 1;
    const std = 1 / Math.sqrt(hiddenSize);
    this.gate = new Parameter(zeros([1]));
    this.embedding = initialized([patches, hiddenSize], (shape) => normal(shape, { std }));
    const ratios = supportedAspectRatios.length + 1;
    this.tile_embedding = new Embedding(ratios, maxNumTiles * patches * hiddenSize, {
      std: config.initializerRange,
    });
  }

  override forward(x: Tensor, ids: Tensor): Tensor {
    const gate = this.gate.value.tanh();
    const same = x.add(this.embedding.value.mul(constant(1).sub(gate)));
    return same.add(this.tile_embedding.forward(ids).reshape(x.shape).mul(gate));
  }
}

export class MllamaVisionAttention extends Module {
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly q_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly k_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly v_proj: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly o_proj: Linear;
  /** Drops attention weights in training mode. */
  readonly attn_dropout: Dropout;
  readonly #heads: number;

  constructor({ hiddenSize, attentionHeads, initializerRange: std }: MllamaVisionConfig) {
    super();
    const projection = (): Linear => initialLinear(hiddenSize, hiddenSize, { bias: false, std });
    this.q_proj = projection();
    this.k_proj = projection();
    this.v_proj = projection();
    this.o_proj = projection();
    this.attn_dropout = new Dropout(0);
    this.#heads = attentionHeads;
  }

  override forward(x: Tensor, mask?: Tensor): [output: Tensor, weights: Tensor] {
    const [q, k, v] = [this.q_proj.forward(x), this.k_proj.forward(x), this.v_proj.forward(x)];
    const options = { heads: this.#heads, dropout: this.attn_dropout, mask };
    const [mixed, weights] = attendAll(q, k, v, options);
    return [this.o_proj.forward(mixed), weights];
  }
}

export class MllamaVisionEncoderLayer extends Module {
  /** The attention. */
  readonly self_attn: MllamaVisionAttention;
  /** The MLP. */
  readonly mlp: DenseMLP;
  /** The norm before the attention. */
  readonly input_layernorm: LayerNorm;
  /** The norm before the MLP. */
  readonly post_attention_layernorm: LayerNorm;
  /** How much of the attention counts, through tanh. */
  readonly gate_attn: Parameter | undefined;
  /** How much of the MLP counts, through tanh. */
  readonly gate_ffn: Parameter | undefined;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();

  constructor(config: MllamaVisionConfig, gated: boolean) {
    super();
    const norm = { eps: config.normEps };
    const gate = (): Parameter | undefined =>
      gated ? new Parameter(full([1], Math.PI / 4)) : undefined;
    this.self_attn = new MllamaVisionAttention(config);
    this.mlp = new DenseMLP(config);
    this.input_layernorm = new LayerNorm(config.hiddenSize, norm);
    this.post_attention_layernorm = new LayerNorm(config.hiddenSize, norm);
    this.gate_attn = gate();
    this.gate_ffn = gate();
  }

  override forward(x: Tensor, mask?: Tensor): [output: Tensor, weights: Tensor] {
    const [attended, weights] = this.self_attn.forward(this.input_layernorm.forward(x), mask);
    const middle = x.add(this.attention_addition.forward(through(this.gate_attn, attended)));
    const inner = this.mlp.forward(this.post_attention_layernorm.forward(middle));
    return [middle.add(this.mlp_addition.forward(through(this.gate_ffn, inner))), weights];
  }
}

function through(gate: Parameter | undefined, x: Tensor): Tensor {
  return gate === undefined ? x : x.mul(gate.value.tanh());
}

export class MllamaVisionEncoder extends Module {
  /** The layers, in order. */
  readonly layers: ModuleList<MllamaVisionEncoderLayer>;

  constructor(config: MllamaVisionConfig, length: number, gated: boolean) {
    super();
    const layer = (): MllamaVisionEncoderLayer => new MllamaVisionEncoderLayer(config, gated);
    this.layers = new ModuleList(Array.from({ length }, layer));
  }

  override forward(x: Tensor, mask: Tensor): Encoded {
    return encode(this.layers, x, mask);
  }
}

/** Sequences are made as long as a multiple of this. */
const MULTIPLE = 8;

/** Mllama's image encoder: layers over the patches of all tiles, then layers with gates. */
export class MllamaVisionModel extends Module {
  /** The convolution that turns patches into vectors. */
  readonly patch_embedding: Conv2d;
  /** [hiddenSize] */
  readonly class_embedding: Parameter;
  /** The embedding of patches and tiles. */
  readonly gated_positional_embedding: MllamaPrecomputedPositionEmbedding;
  /** Added for the tile before the layers. */
  readonly pre_tile_positional_embedding: MllamaPrecomputedAspectRatioEmbedding;
  /** Added for the tile after the layers. */
  readonly post_tile_positional_embedding: MllamaPrecomputedAspectRatioEmbedding;
  /** The norm before the first layer. */
  readonly layernorm_pre: LayerNorm;
  /** The norm after the last layer. */
  readonly layernorm_post: LayerNorm;
  /** The layers whose states are handed out. */
  readonly transformer: MllamaVisionEncoder;
  /** The layers after those whose states are handed out. */
  readonly global_transformer: MllamaVisionEncoder;
  readonly #config: MllamaVisionConfig;

  constructor(config: MllamaVisionConfig) {
    super();
    const { hiddenSize, numHiddenLayers, numGlobalLayers } = config;
    this.#config = config;
    this.patch_embedding = patchConvolution(config, { bias: false });
    const std = 1 / Math.sqrt(hiddenSize);
    this.class_embedding = initialized([hiddenSize], (shape) => normal(shape, { std }));
    this.gated_positional_embedding = new MllamaPrecomputedPositionEmbedding(config);
    this.pre_tile_positional_embedding = new MllamaPrecomputedAspectRatioEmbedding(config);
    this.post_tile_positional_embedding = new MllamaPrecomputedAspectRatioEmbedding(config);
    this.layernorm_pre = new LayerNorm(hiddenSize);
    this.layernorm_post = new LayerNorm(hiddenSize);
    this.transformer = new MllamaVisionEncoder(config, numHiddenLayers, false);
    this.global_transformer = new MllamaVisionEncoder(config, numGlobalLayers, true);
  }

  /** Patches of each tile, with one vector for the tile. */
  get patches(): number {
    return patchCount(this.#config) + 1;
  }

  /** @returns [batch, images * tiles * patches, width], the last state and intermediate ones. */
  override forward(images: MllamaImages): Tensor {
    const [batch, media, tiles] = this.#checked(images);
    const count = batch * media;
    const ids = images.aspectRatioIds.reshape([count]);
    const embedded = this.#embed(images.pixelValues, ids, [count, tiles]);
    const { patches } = this;
    const more = (MULTIPLE - (patches % MULTIPLE)) % MULTIPLE;
    const [length, width] = [patches + more, embedded.size(3)];
    const mask = tileMask(images.aspectRatioMask.reshape([count, tiles]), patches, more);
    const rows = [count, tiles * length, width];
    const encoded = this.transformer.forward(pad(embedded, [0, 0, 0, more]).reshape(rows), mask);
    const normed = this.layernorm_post.forward(encoded.lastHiddenState);
    const tiled = this.post_tile_positional_embedding.forward(
      normed.reshape([count, tiles, length, width]),
      ids,
    );
    const last = this.global_transformer.forward(tiled.reshape(rows), mask).lastHiddenState;
    const between = this.#config.intermediateLayersIndices.map(
      (i) => encoded.hiddenStates[i + 1] ?? internal("a layer is missing"),
    );
    const all = cat([last, stack(between, -1).flatten(2)], -1);
    const real = all.reshape([count, tiles, length, all.size(-1)]).slice(2, 0, patches);
    return real.reshape([batch, media * tiles * patches, all.size(-1)]);
  }

  #embed(pixelValues: Tensor, ids: Tensor, [count, tiles]: readonly [number, number]): Tensor {
    const { numChannels, imageSize, hiddenSize: width } = this.#config;
    const pixels = pixelValues.reshape([count * tiles, numChannels, imageSize, imageSize]);
    const seen = patchSequence(this.patch_embedding.forward(pixels));
    const shape = [count, tiles, seen.size(1), width];
    const placed = this.pre_tile_positional_embedding.forward(seen.reshape(shape), ids);
    const whole = this.class_embedding.value.expand([count, tiles, 1, width]);
    const x = this.gated_positional_embedding.forward(cat([whole, placed], 2), ids);
    return this.layernorm_pre.forward(x);
  }

  /** Numbers of rows, images and tiles. */
  #checked({
    pixelValues,
    aspectRatioIds,
    aspectRatioMask,
  }: MllamaImages): [number, number, number] {
    const { numChannels, imageSize, maxNumTiles } = this.#config;
    const [batch = 0, media = 0] = pixelValues.shape;
    const wanted = [batch, media, maxNumTiles, numChannels, imageSize, imageSize];
    const op = "MllamaVisionModel";
    if (show(pixelValues.shape) !== show(wanted)) {
      const text = `[batch, images, ${wanted.slice(2).join(", ")}]`;
      fail(op, `pixelValues must be ${text}, got ${show(pixelValues.shape)}`);
    }
    if (show(aspectRatioIds.shape) !== show([batch, media])) {
      fail(op, `aspectRatioIds must be [${batch}, ${media}], got ${show(aspectRatioIds.shape)}`);
    }
    if (show(aspectRatioMask.shape) !== show([batch, media, maxNumTiles])) {
      const text = `[${batch}, ${media}, ${maxNumTiles}]`;
      fail(op, `aspectRatioMask must be ${text}, got ${show(aspectRatioMask.shape)}`);
    }
    return [batch, media, maxNumTiles];
  }
}

/** Hides padding from padding, as the model was trained: [images, 1, positions, positions]. */
function tileMask(real: Tensor, patches: number, more: number): Tensor {
  const [count = 0, tiles = 0] = real.shape;
  const unreal = constant(1).sub(real.to("float32")).reshape([count, tiles, 1]);
  const inTile = unreal.expand([count, tiles, patches]);
  const padded = pad(inTile, [0, more], { value: 1 }).reshape([
    count,
    1,
    tiles * (patches + more),
    1,
  ]);
  return padded.mul(padded.transpose(-1, -2)).mul(constant(HIDDEN));
}
