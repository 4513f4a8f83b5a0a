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

/**
 * Self-attention and two linear layers, each with a residual connection and a norm, as
 * torch.nn.TransformerEncoderLayer, with its parameters.
 *
 * Places inside are the modules: `self_attn` (with those of {@link MultiheadAttention}), `linear1`,
 * `activation`, `linear2`, `norm1`, `norm2`; `dropout1` and `dropout2` give what is added to the
 * residual stream.
 *
 * @example
 * ```ts
 * import { ones, TransformerEncoderLayer } from "tsvene";
 * const layer = new TransformerEncoderLayer(16, 4, { dimFeedforward: 32, normFirst: true });
 * console.log(layer.forward(ones([2, 5, 16]), { isCausal: true }).shape); // [2, 5, 16]
 * ```
 */
export class TransformerEncoderLayer extends Module {
  /** The attention. */
  readonly self_attn: MultiheadAttention;
  /** `[..., width] -> [..., dimFeedforward]` */
  readonly linear1: Linear;
  /** The activation between the linear layers. */
  readonly activation: Activation;
  /** Acts after the activation, in training mode only. */
  readonly dropout: Dropout;
  /** `[..., dimFeedforward] -> [..., width]` */
  readonly linear2: Linear;
  /** The norm of the attention. */
  readonly norm1: LayerNorm;
  /** The norm of the linear layers. */
  readonly norm2: LayerNorm;
  /** What the attention adds; acts in training mode only. */
  readonly dropout1: Dropout;
  /** What the linear layers add; acts in training mode only. */
  readonly dropout2: Dropout;
  /** Whether norms stand before what they belong to. */
  readonly normFirst: boolean;

  constructor(dModel: number, nHead: number, options: TransformerLayerOptions = {}) {
    super();
    const name = "TransformerEncoderLayer";
    const full = layerOptions(name, options);
    const { dimFeedforward, dropout, layerNormEps: eps, batchFirst, normFirst, bias } = full;
    requireSizes(name, { dModel, nHead });
    this.self_attn = new MultiheadAttention(dModel, nHead, { dropout, bias, batchFirst });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.activation = activationOf(name, full.activation);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.normFirst = normFirst;
  }

  /**
   * `[batch, positions, width]`, in the shape of `x`.
   * @param masks of the self-attention.
   */
  override forward(x: Tensor, masks: AttentionMasks = {}): Tensor {
    const parts: readonly NormedPart[] = [
      [this.norm1, (y) => this.#attend(y, masks)],
      [this.norm2, (y) => this.dropout2.forward(feedForward(this, y))],
    ];
    return throughParts(x, parts, this.normFirst);
  }

  #attend(x: Tensor, masks: AttentionMasks): Tensor {
    return this.dropout1.forward(this.self_attn.forward(x, undefined, undefined, masks)[0]);
  }

  override widthAt(): number {
    return this.self_attn.embedDim;
  }
}

/**
 * Layers of self-attention, one after another, as torch.nn.TransformerEncoder: `layers.0`, ..., and
 * `norm`. Every layer starts with values of its own, where PyTorch copies those of the first.
 *
 * @example
 * ```ts
 * import { ones, TransformerEncoder } from "tsvene";
 * const encoder = new TransformerEncoder(16, 4, 2, { dimFeedforward: 64, norm: true });
 * console.log(encoder.forward(ones([2, 5, 16])).shape); // [2, 5, 16]
 * ```
 */
export class TransformerEncoder extends TransformerStack<TransformerEncoderLayer> {
  constructor(
    dModel: number,
    nHead: number,
    numLayers: number,
    options: TransformerEncoderOptions = {},
  ) {
    const sizes = { dModel, nHead, numLayers };
    const make = (rest: TransformerLayerOptions) =>
      new TransformerEncoderLayer(dModel, nHead, rest);
    super("TransformerEncoder", sizes, options, make);
  }

  /** `[batch, positions, width]`, in the shape of `x`; see {@link TransformerEncoderLayer}. */
  override forward(x: Tensor, masks: AttentionMasks = {}): Tensor {
    return this.run(x, (layer, y) => layer.forward(y, masks));
  }
}
