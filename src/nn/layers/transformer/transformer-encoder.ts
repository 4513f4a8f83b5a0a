import type { Tensor } from "../../../tensor/tensor.ts";
import { ModuleList } from "../../module-list.ts";
import { Module } from "../../module.ts";
import type { Activation } from "../activation.ts";
import { Dropout } from "../dropout.ts";
import { LayerNorm } from "../layer-norm.ts";
import { Linear } from "../linear.ts";
import { requireSizes } from "../require-sizes.ts";
import type { AttentionMasks } from "./attention-masks.ts";
import { activationOf, layerOptions, type TransformerLayerOptions } from "./feed-forward.ts";
import { MultiheadAttention } from "./multihead-attention.ts";

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
    if (this.normFirst) {
      const middle = x.add(this.#attend(this.norm1.forward(x), masks));
      return middle.add(this.#feed(this.norm2.forward(middle)));
    }
    const middle = this.norm1.forward(x.add(this.#attend(x, masks)));
    return this.norm2.forward(middle.add(this.#feed(middle)));
  }

  #attend(x: Tensor, masks: AttentionMasks): Tensor {
    return this.dropout1.forward(this.self_attn.forward(x, undefined, undefined, masks)[0]);
  }

  #feed(x: Tensor): Tensor {
    const inner = this.dropout.forward(this.activation.forward(this.linear1.forward(x)));
    return this.dropout2.forward(this.linear2.forward(inner));
  }

  override widthAt(): number {
    return this.self_attn.embedDim;
  }
}

/** Options of {@link TransformerEncoder}. */
export interface TransformerEncoderOptions extends TransformerLayerOptions {
  /** Whether there is a norm after the last layer. @default false */
  readonly norm?: boolean;
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
export class TransformerEncoder extends Module {
  /** The layers, in order. */
  readonly layers: ModuleList<TransformerEncoderLayer>;
  /** The norm after the last layer; undefined without. */
  readonly norm: LayerNorm | undefined;

  constructor(
    dModel: number,
    nHead: number,
    numLayers: number,
    options: TransformerEncoderOptions = {},
  ) {
    super();
    const { norm = false, ...rest } = options;
    requireSizes("TransformerEncoder", { dModel, nHead, numLayers });
    const { layerNormEps: eps, bias } = layerOptions("TransformerEncoder", rest);
    const layers = Array.from({ length: numLayers }, () => new TransformerEncoderLayer(dModel, nHead, rest)); // prettier-ignore
    this.layers = new ModuleList(layers);
    this.norm = norm ? new LayerNorm(dModel, { eps, bias }) : undefined;
  }

  /** `[batch, positions, width]`, in the shape of `x`; see {@link TransformerEncoderLayer}. */
  override forward(x: Tensor, masks: AttentionMasks = {}): Tensor {
    const top = [...this.layers].reduce((y, layer) => layer.forward(y, masks), x);
    return this.norm?.forward(top) ?? top;
  }
}
