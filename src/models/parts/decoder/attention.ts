import { Dropout } from "../../../nn/layers/dropout.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { attend, type LayerContext, type LayerOutput, splitHeads } from "./attend.ts";
import { type DecoderConfig, headDimOf, keyValueHeadsOf } from "./config.ts";
import { initialLinear } from "./initial-linear.ts";
import { rotate, type Rotation } from "./rotary-embedding.ts";

/** What layers with rotary embeddings are given. */
export interface RotaryContext extends LayerContext {
  /** Angles that queries and keys are turned by. */
  readonly rotation: Rotation;
}

/** A norm of queries or of keys, and whether it is of each head or of all heads together. */
export interface HeadNorm {
  /** Whether each head is normalised by itself, or all together. */
  readonly of: "head" | "heads";
  /** Makes the norm of a width. */
  readonly make: (width: number) => Module & { readonly forward: (x: Tensor) => Tensor };
}

/** What distinguishes the attention of one family from another's. */
export interface AttentionOptions {
  /** Of the projections to queries, keys and values. @default false */
  readonly bias?: boolean;
  /** Of the projection of the mixed values. @default as `bias` */
  readonly outputBias?: boolean;
  /** Factor of the scores. @default 1 / sqrt(headDim) */
  readonly scale?: number;
  /** Scores are squeezed smoothly between plus and minus this. @default not */
  readonly softcap?: number | null;
  /** Queries, keys and values are cut off at plus and minus this. @default not */
  readonly clip?: number | null;
  /** Norm of queries and of keys, before they are rotated. @default none */
  readonly norm?: HeadNorm;
  /** Each head has a learned score of looking nowhere. @default false */
  readonly sinks?: boolean;
}

/** Attention of Llama and those like it: rotated queries and keys, heads in groups. */
export class DecoderAttention extends Module {
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly q_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly k_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly v_proj: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly o_proj: Linear;
  /** The norm of the queries; undefined without one. */
  readonly q_norm: ReturnType<HeadNorm["make"]> | undefined;
  /** The norm of the keys; undefined without one. */
  readonly k_norm: ReturnType<HeadNorm["make"]> | undefined;
  /** [heads] */
  readonly sinks: Parameter | undefined;
  /** Its input is the site of the attention weights. */
  readonly attn_dropout: Dropout;
  readonly #headDim: number;
  readonly #scale: number;
  readonly #options: AttentionOptions;

  constructor(config: DecoderConfig, options: AttentionOptions = {}) {
    super();
    const { hiddenSize, initializerRange: std, numAttentionHeads: heads } = config;
    const { bias = false, outputBias = bias, norm, sinks = false } = options;
    const headDim = headDimOf(config);
    const [queries, keys] = [heads * headDim, keyValueHeadsOf(config) * headDim];
    this.q_proj = initialLinear(hiddenSize, queries, { bias, std });
    this.k_proj = initialLinear(hiddenSize, keys, { bias, std });
    this.v_proj = initialLinear(hiddenSize, keys, { bias, std });
    this.o_proj = initialLinear(queries, hiddenSize, { bias: outputBias, std });
    this.q_norm = norm?.make(norm.of === "head" ? headDim : queries);
    this.k_norm = norm?.make(norm.of === "head" ? headDim : keys);
    this.sinks = sinks ? new Parameter(zeros([heads])) : undefined;
    this.attn_dropout = new Dropout(config.attentionDropout);
    this.#headDim = headDim;
    this.#scale = options.scale ?? 1 / Math.sqrt(headDim);
    this.#options = options;
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const query = this.#heads(this.q_proj.forward(x), this.q_norm);
    const key = this.#heads(this.k_proj.forward(x), this.k_norm);
    const value = this.#heads(this.v_proj.forward(x), undefined);
    const { rotation } = context;
    const added = { key: rotate(key, rotation), value };
    const [mixed, weights, cache] = attend(rotate(query, rotation), added, context, {
      scale: this.#scale,
      dropout: this.attn_dropout,
      softcap: this.#options.softcap ?? null,
      sinks: this.sinks?.value,
    });
    return [this.o_proj.forward(mixed), weights, cache];
  }

  /** Projected values, cut off, normed and split: [batch, heads, sequence, headDim]. */
  #heads(projected: Tensor, norm: DecoderAttention["q_norm"]): Tensor {
    const { clip = null, norm: kind } = this.#options;
    const x = clip === null ? projected : projected.clamp({ min: -clip, max: clip });
    if (norm === undefined) return splitHeads(x, this.#headDim);
    if (kind?.of === "heads") return splitHeads(norm.forward(x), this.#headDim);
    const [b = 1, s = 1, d = 1] = x.shape;
    return norm.forward(x.reshape([b, s, d / this.#headDim, this.#headDim])).permute([0, 2, 1, 3]);
  }
}
