import { Dropout } from "../../../nn/layers/dropout.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { attend, type LayerContext, type LayerOutput, splitHeads } from "./attend.ts";
import type { AttentionPlaces } from "../layer-components.ts";
import { initialLinear } from "./initial-linear.ts";
import { rotate, type Rotation } from "./rotary-embedding.ts";

/** Paths within a layer that keeps its {@link FusedAttention} as `self_attention`. */
export const FUSED_PLACES: AttentionPlaces = {
  input: ".self_attention",
  output: ".self_attention",
  addition: ".attention_addition",
  mixed: ".self_attention.dense",
  weight: ".self_attention.attn_dropout",
  query: ".self_attention.query",
  key: ".self_attention.key",
  value: ".self_attention.value",
};

/** What layers with one projection are given: with `rotation`, queries and keys are rotated. */
export interface FusedContext extends LayerContext {
  /** Angles that queries and keys are turned by; undefined for none. */
  readonly rotation?: Rotation | undefined;
}

/** What a {@link FusedAttention} is made of. */
export interface FusedAttentionOptions {
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Heads of queries. */
  readonly heads: number;
  /** Heads of keys and values, which groups of query heads share. */
  readonly keyValueHeads: number;
  /** Of both projections. */
  readonly bias: boolean;
  /** Standard deviation of the weights to start from. */
  readonly std: number;
  /** Share of the attention weights that is dropped in training. */
  readonly dropout: number;
}

/**
 * Attention with one projection to queries, keys and values, group by group: the query heads of the
 * group, its key, its value.
 */
export class FusedAttention extends Module {
  /** [..., hidden] -> queries, keys and values of all heads. */
  readonly query_key_value: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly dense: Linear;
  /** Sites of the queries, keys and values of all heads, [batch, sequence, heads * headDim] each. */
  readonly query: Identity = new Identity();
  /** The keys, a site without weights. */
  readonly key: Identity = new Identity();
  /** The values, a site without weights. */
  readonly value: Identity = new Identity();
  /** Its input is the site of the attention weights. */
  readonly attn_dropout: Dropout;
  readonly #headDim: number;
  readonly #groups: number;
  /** Query heads of a group. */
  readonly #shared: number;

  constructor({ hiddenSize, heads, keyValueHeads, bias, std, dropout }: FusedAttentionOptions) {
    super();
    this.#headDim = hiddenSize / heads;
    this.#groups = keyValueHeads;
    this.#shared = heads / keyValueHeads;
    const width = hiddenSize + 2 * keyValueHeads * this.#headDim;
    this.query_key_value = initialLinear(hiddenSize, width, { bias, std });
    this.dense = initialLinear(hiddenSize, hiddenSize, { bias, std });
    this.attn_dropout = new Dropout(dropout);
  }

  override forward(x: Tensor, context: FusedContext): LayerOutput {
    const [q, k, v] = this.#parts(this.query_key_value.forward(x));
    const query = splitHeads(this.query.forward(q), this.#headDim);
    const key = splitHeads(this.key.forward(k), this.#headDim);
    const value = splitHeads(this.value.forward(v), this.#headDim);
    const { rotation } = context;
    const turned = (t: Tensor): Tensor => (rotation === undefined ? t : rotate(t, rotation));
    const added = { key: turned(key), value };
    const [mixed, weights, cache] = attend(turned(query), added, context, {
      scale: 1 / Math.sqrt(this.#headDim),
      dropout: this.attn_dropout,
    });
    return [this.dense.forward(mixed), weights, cache];
  }

  /** Queries, keys and values of all heads, side by side. */
  #parts(fused: Tensor): [query: Tensor, key: Tensor, value: Tensor] {
    const [b = 1, s = 1] = fused.shape;
    const shared = this.#shared;
    const groups = fused.reshape([b, s, this.#groups, shared + 2, this.#headDim]);
    const part = (first: number, after: number): Tensor =>
      groups.slice(3, first, after).reshape([b, s, -1]);
    return [part(0, shared), part(shared, shared + 1), part(shared + 1, shared + 2)];
  }
}
