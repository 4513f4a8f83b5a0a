import { describeValue } from "../../../base/describe-value.ts";
import { requireKnownOptions } from "../../../base/known-options.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { linear } from "../../../tensor/functions/linear-algebra.ts";
import { show } from "../../../tensor/shape.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import { fail } from "../../errors.ts";
import { xavierUniform } from "../../init.ts";
import { Module } from "../../module.ts";
import { Parameter } from "../../parameter.ts";
import { initialized } from "../../without-init.ts";
import { Dropout } from "../dropout.ts";
import { Identity } from "../identity.ts";
import { Linear } from "../linear.ts";
import { requireSizes } from "../require-sizes.ts";
import { type AttentionMasks, scoreMask } from "./attention-masks.ts";

/** Options of {@link MultiheadAttention}. */
export interface MultiheadAttentionOptions {
  /** Share of attention weights that is zeroed in training mode. @default 0 */
  readonly dropout?: number;
  /** Whether projections have a bias. @default true */
  readonly bias?: boolean;
  /** Width of the keys' inputs. @default embedDim */
  readonly kDim?: number;
  /** Width of the values' inputs. @default embedDim */
  readonly vDim?: number;
  /**
   * Whether inputs and outputs are [batch, positions, width], which is where interventions look for
   * rows; false for PyTorch's own default, [positions, batch, width]. @default true
   */
  readonly batchFirst?: boolean;
}

/** Queries, keys and values. */
type Three = [query: Tensor, key: Tensor, value: Tensor];

/**
 * Attention of several heads, as torch.nn.MultiheadAttention, with its parameters. Vaswani and others,
 * "Attention is all you need" (2017).
 *
 * Places inside: `queries`, `keys`, `values` and `heads` (what each head gives), each
 * [batch, heads, positions, headDim], and `weights` [batch, heads, queries, keys]. Units there are
 * "h" and "h.pos": `layer.self_attn.heads.output` with `{ head: 1, position: 3 }`.
 *
 * @example
 * ```ts
 * import { MultiheadAttention, ones } from "tsvene";
 * const attention = new MultiheadAttention(16, 4);
 * const x = ones([2, 5, 16]);
 * const [mixed, weights] = attention.forward(x, x, x, { isCausal: true });
 * console.log(mixed.shape, weights.shape); // [2, 5, 16] [2, 4, 5, 5]
 * ```
 */
export class MultiheadAttention extends Module {
  /** Width of queries and outputs. */
  readonly embedDim: number;
  /** How many heads the width is split into. */
  readonly numHeads: number;
  /** Whether dimension 0 of inputs and outputs counts texts. */
  readonly batchFirst: boolean;
  /** [3 × embedDim, embedDim]; undefined where keys or values are of another width. */
  readonly in_proj_weight: Parameter | undefined;
  /** [embedDim, embedDim], where keys or values are of another width. */
  readonly q_proj_weight: Parameter | undefined;
  /** [embedDim, kDim], where keys or values are of another width. */
  readonly k_proj_weight: Parameter | undefined;
  /** [embedDim, vDim], where keys or values are of another width. */
  readonly v_proj_weight: Parameter | undefined;
  /** [3 × embedDim] */
  readonly in_proj_bias: Parameter | undefined;
  /** The output projection. */
  readonly out_proj: Linear;
  /** [batch, heads, positions, headDim] */
  readonly queries: Identity;
  /** [batch, heads, positions, headDim] */
  readonly keys: Identity;
  /** [batch, heads, positions, headDim] */
  readonly values: Identity;
  /** Drops attention weights [batch, heads, queries, keys] in training mode. */
  readonly weights: Dropout;
  /** What each head gives, [batch, heads, positions, headDim]. */
  readonly heads: Identity;

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const name = "MultiheadAttention";
    const known = { dropout: true, bias: true, kDim: true, vDim: true, batchFirst: true };
    requireKnownOptions(name, options, known);
    requireSizes(name, { embedDim, numHeads });
    if (embedDim % numHeads !== 0) {
      fail(name, `embedDim ${embedDim} does not split into ${numHeads} heads of equal width`);
    }
    const { dropout = 0, bias = true, kDim = embedDim, vDim = embedDim } = options;
    const isFused = kDim === embedDim && vDim === embedDim;
    const own = (out: number, width: number): Parameter => initialized([out, width], xavierUniform);
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.batchFirst = options.batchFirst ?? true;
    this.in_proj_weight = isFused ? own(3 * embedDim, embedDim) : undefined;
    this.q_proj_weight = isFused ? undefined : own(embedDim, embedDim);
    this.k_proj_weight = isFused ? undefined : own(embedDim, kDim);
    this.v_proj_weight = isFused ? undefined : own(embedDim, vDim);
    this.in_proj_bias = bias ? new Parameter(zeros([3 * embedDim])) : undefined;
    this.out_proj = new Linear(embedDim, embedDim, { bias });
    this.out_proj.bias?.set(zeros([embedDim]));
    [this.queries, this.keys, this.values] = [new Identity(), new Identity(), new Identity()];
    this.weights = new Dropout(dropout);
    this.heads = new Identity();
  }

  /**
   * What the queries take of the values, [batch, queries, embedDim], and the attention weights
   * [batch, heads, queries, keys]: one for each head, where PyTorch gives their mean unless asked.
   *
   * A query that may look nowhere looks at everything alike.
   *
   * @param query [batch, queries, embedDim]
   * @param key [batch, keys, kDim] @default query
   * @param value [batch, keys, vDim] @default key
   */
  override forward(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    masks: AttentionMasks = {},
  ): [output: Tensor, weights: Tensor] {
    this.#check(query, key, value);
    const [q, k, v] = this.#project(query, key, value).map((x) => this.#split(x)) as Three;
    const [queries, keys] = [this.queries.forward(q), this.keys.forward(k)];
    const values = this.values.forward(v);
    const scale = constant(1 / Math.sqrt(this.embedDim / this.numHeads));
    const scores = queries.matmul(keys.transpose(-1, -2)).mul(scale);
    const mask = scoreMask("MultiheadAttention", masks, scores.shape);
    const weights = this.weights.forward((mask ? scores.add(mask) : scores).softmax(-1));
    const heads = this.heads.forward(weights.matmul(values)).permute([0, 2, 1, 3]);
    const mixed = heads.reshape([...heads.shape.slice(0, 2), this.embedDim]);
    return [this.#turned(this.out_proj.forward(mixed)), weights];
  }

  #check(query: Tensor, key: Tensor, value: Tensor): void {
    const { embedDim, k_proj_weight: k, v_proj_weight: v } = this;
    const widths = {
      query: embedDim,
      key: k?.shape[1] ?? embedDim,
      value: v?.shape[1] ?? embedDim,
    };
    for (const [name, x] of Object.entries({ query, key, value })) {
      const width = widths[name as keyof typeof widths];
      if (x instanceof Tensor && x.ndim === 3 && x.size(2) === width) continue;
      const order = this.batchFirst ? "batch, positions" : "positions, batch";
      const got = x instanceof Tensor ? show(x.shape) : describeValue(x);
      fail("MultiheadAttention", `${name} must be [${order}, ${width}], got ${got}`);
    }
    const of = ({ shape }: Tensor): Tensor["shape"] => shape.slice(0, 2);
    const batch = this.batchFirst ? 0 : 1;
    if (query.size(batch) === key.size(batch) && show(of(key)) === show(of(value))) return;
    fail(
      "MultiheadAttention",
      `query ${show(query.shape)}, key ${show(key.shape)} and value ${show(value.shape)} must be of one ` +
        `batch, and there must be a value for each key`,
    );
  }

  /** [batch, positions, embedDim] each. */
  #project(query: Tensor, key: Tensor, value: Tensor): Three {
    const weight = this.in_proj_weight?.value;
    const bias = this.in_proj_bias?.value;
    if (weight !== undefined && query === key && key === value) {
      return linear(this.#turned(query), weight, bias).chunk(3, -1) as Three;
    }
    const parts = [this.q_proj_weight?.value, this.k_proj_weight?.value, this.v_proj_weight?.value];
    const weights = (weight?.chunk(3, 0) ?? parts) as Three;
    const biases = bias?.chunk(3, 0);
    return [query, key, value].map((x, i) =>
      linear(this.#turned(x), weights[i] as Tensor, biases?.[i]),
    ) as Three;
  }

  /** [batch, positions, embedDim] -> [batch, heads, positions, headDim] */
  #split(x: Tensor): Tensor {
    const [batch = 0, positions = 0] = x.shape;
    const width = this.embedDim / this.numHeads;
    return x.reshape([batch, positions, this.numHeads, width]).permute([0, 2, 1, 3]);
  }

  /** Inputs as [batch, positions, ...], and back. */
  #turned(x: Tensor): Tensor {
    return this.batchFirst ? x : x.transpose(0, 1);
  }

  override widthAt(): number {
    return this.embedDim;
  }

  override describe(): string {
    return `${this.embedDim}, ${this.numHeads}${this.batchFirst ? "" : ", batchFirst=false"}`;
  }
}
