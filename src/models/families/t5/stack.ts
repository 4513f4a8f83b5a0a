import { fail } from "../../../nn/errors.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { maskOf, noted } from "../../model/cache-notes.ts";
import { causalMask, distances } from "../../parts/attention-mask.ts";
import { attend, splitHeads } from "../../parts/decoder/attend.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { embedInputs, type TokenInputs } from "../../parts/embed-inputs.ts";
import type { Encoded } from "../../parts/encoder/encode.ts";
import { paddingMask } from "../../parts/encoder/padding-mask.ts";
import type { KeyValue } from "../../parts/outputs.ts";
import type { CrossCache, CrossKeyValue } from "../../parts/seq2seq/outputs.ts";
import { activation } from "../../settings/activations.ts";
import { feedForwardOf, type T5Config } from "./config.ts";
import { relativeBuckets } from "../../parts/relative-buckets.ts";

/** What every layer of a pass is given. */
interface Context {
  /** Added to the scores of the tokens of the own sequence, distances included. */
  readonly mask: Tensor;
  /** What the decoder looks at, and what is added to its scores. */
  readonly read?: { readonly states: Tensor; readonly mask: Tensor } | undefined;
  /** What is kept of earlier positions; undefined at the start of a text. */
  readonly past?: CrossKeyValue | undefined;
}

/** What an attention gives: its output, its weights, and its keys and values. */
type Attended = [output: Tensor, weights: Tensor, cache: KeyValue];

export function projection(inFeatures: number, outFeatures: number, std: number): Linear {
  return initialLinear(inFeatures, outFeatures, { bias: false, std });
}

class T5Attention extends Module {
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly q: Linear;
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly k: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly v: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly o: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** [buckets, heads]: what distances add to scores; the first layer's holds for all. */
  readonly relative_attention_bias: Embedding | undefined;
  readonly #headDim: number;

  constructor(config: T5Config, { bias = false }: { readonly bias?: boolean } = {}) {
    super();
    const { dModel, dKv, numHeads, initializerFactor: factor } = config;
    const inner = dKv * numHeads;
    const std = factor / Math.sqrt(dModel);
    this.q = projection(dModel, inner, factor / Math.sqrt(dModel * dKv));
    this.k = projection(dModel, inner, std);
    this.v = projection(dModel, inner, std);
    this.o = projection(inner, dModel, factor / Math.sqrt(inner));
    this.dropout = new Dropout(config.dropoutRate);
    this.relative_attention_bias = bias
      ? new Embedding(config.relativeAttentionNumBuckets, numHeads, { std })
      : undefined;
    this.#headDim = dKv;
  }

  /** Keys and values of tokens, [batch, heads, sequence, dKv] each. */
  project(x: Tensor): KeyValue {
    const [key, value] = [this.k, this.v].map((layer) =>
      splitHeads(layer.forward(x), this.#headDim),
    ) as [Tensor, Tensor];
    return { key, value };
  }

  /**
   * [batch, queries, width] -> the same shape, with weights, keys and values.
   * @param added keys and values to look at, after those of `past`.
   */
  override forward(
    x: Tensor,
    added: KeyValue | undefined,
    { mask, past }: { readonly mask: Tensor; readonly past: KeyValue | undefined },
  ): Attended {
    const query = splitHeads(this.q.forward(x), this.#headDim);
    const [mixed, weights, cache] = attend(
      query,
      added ?? this.project(x),
      { mask, past },
      { scale: 1, dropout: this.dropout },
    );
    return [this.o.forward(mixed), weights, cache];
  }
}

class T5LayerSelfAttention extends Module {
  /** The attention within the text. */
  readonly SelfAttention: T5Attention;
  /** The norm. */
  readonly layer_norm: RMSNorm;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(config: T5Config, options: { readonly bias: boolean }) {
    super();
    this.SelfAttention = new T5Attention(config, options);
    this.layer_norm = new RMSNorm(config.dModel, { eps: config.layerNormEpsilon });
    this.dropout = new Dropout(config.dropoutRate);
  }

  override forward(x: Tensor, { mask, past }: Context): Attended {
    const normed = this.layer_norm.forward(x);
    const own = { mask, past: past?.self };
    const [output, weights, cache] = this.SelfAttention.forward(normed, undefined, own);
    return [x.add(this.dropout.forward(output)), weights, cache];
  }
}

class T5LayerCrossAttention extends Module {
  /** The attention to the encoder's states. */
  readonly EncDecAttention: T5Attention;
  /** The norm. */
  readonly layer_norm: RMSNorm;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(config: T5Config) {
    super();
    this.EncDecAttention = new T5Attention(config);
    this.layer_norm = new RMSNorm(config.dModel, { eps: config.layerNormEpsilon });
    this.dropout = new Dropout(config.dropoutRate);
  }

  override forward(
    x: Tensor,
    read: { readonly states: Tensor; readonly mask: Tensor },
    past: KeyValue | undefined,
  ): Attended {
    const seen = past ?? this.EncDecAttention.project(read.states);
    const normed = this.layer_norm.forward(x);
    const context = { mask: read.mask, past: undefined };
    const [output, weights, cache] = this.EncDecAttention.forward(normed, seen, context);
    return [x.add(this.dropout.forward(output)), weights, cache];
  }
}

class T5DenseActDense extends Module {
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly wi: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's last layer. */
  readonly wo: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** The activation. */
  readonly act: Activation;

  constructor(config: T5Config) {
    super();
    const { dModel, dFf, initializerFactor: factor } = config;
    this.wi = projection(dModel, dFf, factor / Math.sqrt(dModel));
    this.wo = projection(dFf, dModel, factor / Math.sqrt(dFf));
    this.dropout = new Dropout(config.dropoutRate);
    this.act = activation(feedForwardOf(config).act);
  }

  override forward(x: Tensor): Tensor {
    return this.wo.forward(this.dropout.forward(this.act.forward(this.wi.forward(x))));
  }
}

class T5DenseGatedActDense extends Module {
  /** [..., hidden] -> [..., inner]: what the activation is taken of. */
  readonly wi_0: Linear;
  /** [..., hidden] -> [..., inner]: what the activation is multiplied with. */
  readonly wi_1: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's last layer. */
  readonly wo: Linear;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** The activation. */
  readonly act: Activation;

  constructor(config: T5Config) {
    super();
    const { dModel, dFf, initializerFactor: factor } = config;
    this.wi_0 = projection(dModel, dFf, factor / Math.sqrt(dModel));
    this.wi_1 = projection(dModel, dFf, factor / Math.sqrt(dModel));
    this.wo = projection(dFf, dModel, factor / Math.sqrt(dFf));
    this.dropout = new Dropout(config.dropoutRate);
    this.act = activation(feedForwardOf(config).act);
  }

  override forward(x: Tensor): Tensor {
    const gate = this.act.forward(this.wi_0.forward(x));
    return this.wo.forward(this.dropout.forward(gate.mul(this.wi_1.forward(x))));
  }
}

class T5LayerFF extends Module {
  /** The MLP without its norm. */
  readonly DenseReluDense: T5DenseActDense | T5DenseGatedActDense;
  /** The norm. */
  readonly layer_norm: RMSNorm;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(config: T5Config) {
    super();
    this.DenseReluDense = feedForwardOf(config).gated
      ? new T5DenseGatedActDense(config)
      : new T5DenseActDense(config);
    this.layer_norm = new RMSNorm(config.dModel, { eps: config.layerNormEpsilon });
    this.dropout = new Dropout(config.dropoutRate);
  }

  override forward(x: Tensor): Tensor {
    const fed = this.DenseReluDense.forward(this.layer_norm.forward(x));
    return x.add(this.dropout.forward(fed));
  }
}

/** What a block gives beside its output. */
interface BlockResult {
  /** Weights of the attention within the text, [batch, heads, queries, keys]. */
  readonly weights: Tensor;
  /** Keys and values of the attention within the text. */
  readonly self: KeyValue;
  /** The same of the attention to the encoder's states; only in decoders. */
  readonly cross?: { readonly weights: Tensor; readonly cache: KeyValue };
}

class T5Block extends Module {
  /** The attention, the attention to the encoder's states (in decoders) and the MLP. */
  readonly layer: ModuleList;
  readonly #self: T5LayerSelfAttention;
  readonly #cross: T5LayerCrossAttention | undefined;
  readonly #feedForward: T5LayerFF;

  constructor(config: T5Config, options: { readonly bias: boolean; readonly decoder: boolean }) {
    super();
    this.#self = new T5LayerSelfAttention(config, options);
    this.#cross = options.decoder ? new T5LayerCrossAttention(config) : undefined;
    this.#feedForward = new T5LayerFF(config);
    this.layer = new ModuleList([this.#self, this.#cross ?? [], this.#feedForward].flat());
  }

  /** The layer in which the distances' table may be. */
  get attention(): T5Attention {
    return this.#self.SelfAttention;
  }

  override forward(x: Tensor, context: Context): [Tensor, BlockResult] {
    const [attended, weights, self] = this.#self.forward(x, context);
    if (this.#cross === undefined || context.read === undefined) {
      return [this.#feedForward.forward(attended), { weights, self }];
    }
    const past = context.past?.cross;
    const [read, crossWeights, cache] = this.#cross.forward(attended, context.read, past);
    const cross = { weights: crossWeights, cache };
    return [this.#feedForward.forward(read), { weights, self, cross }];
  }
}

/** What a stack reads, and what it looks at. */
interface StackInputs extends TokenInputs {
  /** [batch, sequence]: 1 for tokens, 0 for padding. */
  readonly attentionMask?: Tensor | undefined;
  /** The encoder's states and their mask, for decoders. */
  readonly read?: Context["read"];
  /** What is kept of earlier positions; undefined at the start of a text. */
  readonly past?: CrossCache | undefined;
}

export interface StackOutput extends Encoded {
  /** Attention weights to the encoder's or image's positions, by layer. */
  readonly crossAttentions: readonly Tensor[];
  /** Keys and values of all layers. */
  readonly cache: CrossCache;
}

/** The encoder or the decoder. */
export class T5Stack extends Module {
  /** The token embedding. */
  readonly embed_tokens: Embedding;
  /** The layers, in order. */
  readonly block: ModuleList<T5Block>;
  /** The norm after the last layer. */
  readonly final_layer_norm: RMSNorm;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  readonly #config: T5Config;
  readonly #decoder: boolean;
  readonly #buckets: Tensor;

  constructor(config: T5Config, embedding: Embedding, decoder: boolean) {
    super();
    const { numLayers, numDecoderLayers } = config;
    const length = decoder ? (numDecoderLayers ?? numLayers) : numLayers;
    this.embed_tokens = embedding;
    this.block = new ModuleList(
      Array.from({ length }, (_, i) => new T5Block(config, { bias: i === 0, decoder })),
    );
    this.final_layer_norm = new RMSNorm(config.dModel, { eps: config.layerNormEpsilon });
    this.dropout = new Dropout(config.dropoutRate);
    this.#config = config;
    this.#decoder = decoder;
    this.#buckets = relativeBuckets({
      buckets: config.relativeAttentionNumBuckets,
      maxDistance: config.relativeAttentionMaxDistance,
      bidirectional: !decoder,
    });
  }

  override forward({ read, past, ...inputs }: StackInputs): StackOutput {
    const name = this.#decoder ? "T5 decoder" : "T5 encoder";
    const embedded = this.dropout.forward(embedInputs(name, inputs, this.embed_tokens));
    const [before, queries] = [past?.[0]?.self.key.size(2) ?? 0, embedded.size(1)];
    const attentionMask = maskOf(inputs.attentionMask, past, queries);
    const mask = this.#mask(queries, before, attentionMask);
    let x = embedded;
    const hiddenStates = [x];
    const results: BlockResult[] = [];
    for (const [i, block] of [...this.block].entries()) {
      const [output, result] = block.forward(x, { mask, read, past: past?.[i] });
      x = output;
      hiddenStates.push(x);
      results.push(result);
    }
    const lastHiddenState = this.dropout.forward(this.final_layer_norm.forward(x));
    const cache = results.flatMap(({ self, cross }) =>
      cross === undefined ? [] : { self, cross: cross.cache },
    );
    return {
      lastHiddenState,
      hiddenStates: [...hiddenStates.slice(0, -1), lastHiddenState],
      attentions: results.map(({ weights }) => weights),
      crossAttentions: results.flatMap(({ cross }) => cross?.weights ?? []),
      cache: noted(cache, { attentionMask }),
    };
  }

  /** What distances add to scores, and what hides positions, [1 or batch, heads, queries, keys]. */
  #mask(queries: number, past: number, attentionMask: Tensor | undefined): Tensor {
    const keys = past + queries;
    const hidden = this.#decoder
      ? causalMask({ past, queries, attentionMask })
      : paddingMask(attentionMask, keys);
    const most = this.#config.relativeAttentionMaxDistance;
    const table = this.block.at(0).attention.relative_attention_bias;
    if (table === undefined) fail("T5Stack", "the first layer has no table of distances");
    const relative = distances({ past, queries, attentionMask }).neg();
    const buckets = this.#buckets.index([relative.clamp({ min: -most, max: most }).add(most)]);
    const scores = table.forward(buckets);
    // [queries, keys, heads], or [batch, queries, keys, heads].
    const byHead = scores.ndim === 3 ? scores.unsqueeze(0) : scores;
    return byHead.permute([0, 3, 1, 2]).add(hidden);
  }
}
