import { Embedding } from "../../../nn/layers/embedding.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import type { Module } from "../../../nn/module.ts";
import type { Parameter } from "../../../nn/parameter.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { DecoderInputs, DecoderOutput } from "../outputs.ts";
import type { ModelCard } from "../../model/card.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import type { LayerOutput } from "./attend.ts";
import type { RotaryContext } from "./attention.ts";
import { type LlamaComponent, llamaCard } from "./card.ts";
import { headDimOf, type RotaryConfig } from "./config.ts";
import type { Transform } from "./layers.ts";
import { beginPass, runLayers } from "./pass.ts";
import { RotaryEmbedding } from "./rotary-embedding.ts";
import type { Changes } from "./text-lengths.ts";

/** A layer with rotary embeddings. */
export type RotaryLayer = Module & {
  /** [batch, sequence, hidden] -> the same shape, with keys, values and weights. */
  readonly forward: (x: Tensor, context: RotaryContext) => LayerOutput;
};

/** A table of embeddings. */
export type TokenEmbedding = Module & {
  /** [vocabulary, hidden] */
  readonly weight: Parameter;
  /** ids [batch, sequence] -> [batch, sequence, hidden] */
  readonly forward: (ids: Tensor) => Tensor;
};

/** What a family's decoder is made of. */
export interface DecoderParts<Layer extends RotaryLayer> {
  /** @default a plain table */
  readonly embedding?: TokenEmbedding;
  /** Makes the layer of a number. */
  readonly layer: (index: number) => Layer;
  /** Makes the norm after the last layer. */
  readonly norm: () => Transform;
  /** How many tokens each one sees in a layer, itself included; null: all before it. @default null */
  readonly window?: (index: number) => number | null;
}

/**
 * Base of decoders with rotary embeddings: a family says what its layers are made of. Names of
 * modules and parameters are those of the checkpoints.
 */
export abstract class RotaryDecoder<
  Config extends RotaryConfig,
  Layer extends RotaryLayer = RotaryLayer,
  Names extends string = LlamaComponent,
> extends PreTrainedModel {
  static readonly auto = "AutoModel";
  /** Of layers with a gated MLP; other families give their own, with its `Names`. */
  static readonly card: ModelCard<never> = llamaCard;
  declare readonly "~components": Names;
  readonly config: Config;
  /** The token embedding. */
  readonly embed_tokens: TokenEmbedding;
  /** The layers, in order. */
  readonly layers: ModuleList<Layer>;
  /** The norm after the last layer. */
  readonly norm: Transform;
  /** Angles that queries and keys are turned by, from positions. */
  readonly rotary_emb: RotaryEmbedding;
  readonly #windows: readonly (number | null)[];

  constructor(config: Config, parts: DecoderParts<Layer>) {
    super();
    const { vocabSize, hiddenSize, initializerRange: std, maxPositionEmbeddings } = config;
    const { window = () => null } = parts;
    const indices = Array.from({ length: config.numHiddenLayers }, (_, i) => i);
    this.config = config;
    this.embed_tokens = parts.embedding ?? new Embedding(vocabSize, hiddenSize, { std });
    this.layers = new ModuleList(indices.map(parts.layer));
    this.norm = parts.norm();
    const sizes = { headDim: headDimOf(config), maxPositionEmbeddings };
    this.rotary_emb = new RotaryEmbedding(config.ropeParameters, sizes);
    this.#windows = indices.map(window);
  }

  /** Whether a cache of a text of one length is of no use at another; undefined for never. */
  get changes(): Changes | undefined {
    return this.rotary_emb.changes;
  }

  /** Hidden states [batch, sequence, hidden], and keys and values for a next call. */
  override forward(inputs: DecoderInputs): DecoderOutput {
    const { layers, norm, changes, embed_tokens: embed } = this;
    const pass = beginPass(inputs, { name: this.constructor.name, embed, changes });
    const rotation = this.rotary_emb.forward(pass.positions, pass.attentionMask);
    const masks = new Map([...new Set(this.#windows)].map((w) => [w, pass.mask(w)]));
    const context = (i: number): Omit<RotaryContext, "past"> => ({
      rotation,
      mask: masks.get(this.#windows[i] ?? null) ?? pass.mask(),
    });
    return runLayers(pass.embedded, { layers, norm, pass, context });
  }
}
