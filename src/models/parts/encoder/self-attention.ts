import { Dropout } from "../../../nn/layers/dropout.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { attend, splitHeads } from "../decoder/attend.ts";
import { initialLinear } from "../decoder/initial-linear.ts";
import { rotate, type Rotation } from "../decoder/rotary-embedding.ts";

/** What every layer of a pass is given. */
export interface EncoderContext {
  /** Added to attention scores. */
  readonly mask: Tensor;
  /** What queries and keys are rotated by, if they are. */
  readonly rotation?: Rotation | undefined;
}

/** Settings of an encoder's layers. */
export interface EncoderLayerConfig {
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Width of the MLP's inner layer. */
  readonly intermediateSize: number;
  /** Heads of each attention. */
  readonly numAttentionHeads: number;
  /** Added to the variance in layer norms. */
  readonly layerNormEps: number;
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly hiddenDropoutProb: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attentionProbsDropoutProb: number;
  /** Standard deviation of weights that no checkpoint gives. */
  readonly initializerRange: number;
}

/** Attention in which every token looks at every other one. */
export class EncoderSelfAttention extends Module {
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly query: Linear;
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly key: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly value: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  readonly #headDim: number;

  constructor(config: EncoderLayerConfig) {
    super();
    const { hiddenSize, initializerRange: std } = config;
    const projection = (): Linear => initialLinear(hiddenSize, hiddenSize, { bias: true, std });
    this.query = projection();
    this.key = projection();
    this.value = projection();
    this.dropout = new Dropout(config.attentionProbsDropoutProb);
    this.#headDim = hiddenSize / config.numAttentionHeads;
  }

  override forward(x: Tensor, { mask, rotation }: EncoderContext): [Tensor, Tensor] {
    const [q, k, value] = [this.query, this.key, this.value].map((projection) =>
      splitHeads(projection.forward(x), this.#headDim),
    ) as [Tensor, Tensor, Tensor];
    const turned = (t: Tensor): Tensor => (rotation === undefined ? t : rotate(t, rotation));
    const [mixed, weights] = attend(
      turned(q),
      { key: turned(k), value },
      { mask, past: undefined },
      { scale: 1 / Math.sqrt(this.#headDim), dropout: this.dropout },
    );
    return [mixed, weights];
  }
}
