import type { Tensor } from "../../../tensor/tensor.ts";
import { Module } from "../../module.ts";
import type { Activation } from "../activation.ts";
import { Dropout } from "../dropout.ts";
import { LayerNorm } from "../layer-norm.ts";
import { Linear } from "../linear.ts";
import { requireSizes } from "../require-sizes.ts";
import type { AttentionMasks } from "./attention-masks.ts";
import {
  activationOf,
  feedForward,
  layerOptions,
  type NormedPart,
  throughParts,
  type TransformerLayerOptions,
} from "./feed-forward.ts";
import { MultiheadAttention } from "./multihead-attention.ts";
import { type TransformerEncoderOptions, TransformerStack } from "./transformer-stack.ts";

/** Masks of a decoder's layers. */
export interface DecoderMasks extends AttentionMasks {
  /** Masks of the attention to what the encoder gave. @default none */
  readonly memory?: AttentionMasks;
}

/**
 * Self-attention, attention to what an encoder gave, and two linear layers, each with a residual
 * connection and a norm, as torch.nn.TransformerDecoderLayer, with its parameters.
 *
 * Places inside are the modules, as in {@link TransformerEncoderLayer}, with `multihead_attn` for the
 * attention to the encoder.
 */
export class TransformerDecoderLayer extends Module {
  /** The attention to the decoder's own positions. */
  readonly self_attn: MultiheadAttention;
  /** The attention to what the encoder gave. */
  readonly multihead_attn: MultiheadAttention;
  /** `[..., width] -> [..., dimFeedforward]` */
  readonly linear1: Linear;
  /** The activation between the linear layers. */
  readonly activation: Activation;
  /** Acts after the activation, in training mode only. */
  readonly dropout: Dropout;
  /** `[..., dimFeedforward] -> [..., width]` */
  readonly linear2: Linear;
  /** The norm of the self-attention. */
  readonly norm1: LayerNorm;
  /** The norm of the attention to the encoder. */
  readonly norm2: LayerNorm;
  /** The norm of the linear layers. */
  readonly norm3: LayerNorm;
  /** What the self-attention adds; acts in training mode only. */
  readonly dropout1: Dropout;
  /** What the attention to the encoder adds; acts in training mode only. */
  readonly dropout2: Dropout;
  /** What the linear layers add; acts in training mode only. */
  readonly dropout3: Dropout;
  /** Whether norms stand before what they belong to. */
  readonly normFirst: boolean;

  constructor(dModel: number, nHead: number, options: TransformerLayerOptions = {}) {
    super();
    const name = "TransformerDecoderLayer";
    const full = layerOptions(name, options);
    const { dimFeedforward, dropout, layerNormEps: eps, batchFirst, normFirst, bias } = full;
    requireSizes(name, { dModel, nHead });
    this.self_attn = new MultiheadAttention(dModel, nHead, { dropout, bias, batchFirst });
    this.multihead_attn = new MultiheadAttention(dModel, nHead, { dropout, bias, batchFirst });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.activation = activationOf(name, full.activation);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.norm3 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.dropout3 = new Dropout(dropout);
    this.normFirst = normFirst;
  }

  /**
   * `[batch, positions, width]`, in the shape of `x`.
   * @param memory [batch, source positions, width]: what the encoder gave.
   */
  override forward(x: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    const { memory: memoryMasks = {}, ...own } = masks;
    const parts: readonly NormedPart[] = [
      [this.norm1, (y) => this.#attend(y, own)],
      [this.norm2, (y) => this.#look(y, memory, memoryMasks)],
      [this.norm3, (y) => this.dropout3.forward(feedForward(this, y))],
    ];
    return throughParts(x, parts, this.normFirst);
  }

  #attend(x: Tensor, masks: AttentionMasks): Tensor {
    return this.dropout1.forward(this.self_attn.forward(x, undefined, undefined, masks)[0]);
  }

  #look(x: Tensor, memory: Tensor, masks: AttentionMasks): Tensor {
    return this.dropout2.forward(this.multihead_attn.forward(x, memory, memory, masks)[0]);
  }

  override widthAt(): number {
    return this.self_attn.embedDim;
  }
}

/**
 * Layers of a decoder, one after another, as torch.nn.TransformerDecoder: `layers.0`, ..., and `norm`.
 * Every layer starts with values of its own, where PyTorch copies those of the first.
 *
 * @example
 * ```ts
 * import { ones, TransformerDecoder } from "tsvene";
 * const decoder = new TransformerDecoder(16, 4, 2, { dimFeedforward: 64 });
 * const y = decoder.forward(ones([2, 5, 16]), ones([2, 7, 16]), { isCausal: true });
 * console.log(y.shape); // [2, 5, 16]
 * ```
 */
export class TransformerDecoder extends TransformerStack<TransformerDecoderLayer> {
  constructor(
    dModel: number,
    nHead: number,
    numLayers: number,
    options: TransformerEncoderOptions = {},
  ) {
    const sizes = { dModel, nHead, numLayers };
    const make = (rest: TransformerLayerOptions) =>
      new TransformerDecoderLayer(dModel, nHead, rest);
    super("TransformerDecoder", sizes, options, make);
  }

  /** `[batch, positions, width]`, in the shape of `x`; see {@link TransformerDecoderLayer}. */
  override forward(x: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    return this.run(x, (layer, y) => layer.forward(y, memory, masks));
  }
}
