import { requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import { constantLike, where } from "../../tensor/functions/arithmetic.ts";
import { sameShape, show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fail } from "../errors.ts";
import { embedding } from "../functional/embedding.ts";
import { normal } from "../init.ts";
import { Module } from "../module.ts";
import type { Parameter } from "../parameter.ts";
import { initialized } from "../without-init.ts";
import { requireSizes } from "./require-sizes.ts";

/** What is made of the rows of a bag. */
export type BagMode = "sum" | "mean" | "max";

/** Options of {@link EmbeddingBag}. */
export interface EmbeddingBagOptions {
  /** @default "mean" */
  readonly mode?: BagMode;
  /** Id that is left out of its bag, and whose row gets no gradient. @default none */
  readonly paddingIdx?: number;
}

/**
 * The sum, mean or largest elements of the rows of a table that a bag of ids names, as
 * torch.nn.EmbeddingBag with bags of equal size; shorter ones are filled up with `paddingIdx`.
 *
 * @example
 * ```ts
 * import { EmbeddingBag, tensor } from "tsvene";
 * const bags = tensor([[1, 2], [3, 0]], { dtype: "int64" }); // prettier-ignore
 * console.log(new EmbeddingBag(10, 4, { paddingIdx: 0 }).forward(bags).shape); // [2, 4]
 * ```
 */
export class EmbeddingBag extends Module {
  /** What is made of the rows of a bag. */
  readonly mode: BagMode;
  /** Id that is left out; undefined for none. */
  readonly paddingIdx: number | undefined;
  /** [count, dim] */
  readonly weight: Parameter;

  constructor(count: number, dim: number, options: EmbeddingBagOptions = {}) {
    super();
    requireSizes("EmbeddingBag", { count, dim });
    requireKnownOptions("EmbeddingBag", options, { mode: true, paddingIdx: true });
    const { mode = "mean", paddingIdx } = options;
    requireOneOf("EmbeddingBag", "mode", mode, ["sum", "mean", "max"]);
    if (paddingIdx !== undefined && !(paddingIdx >= 0 && paddingIdx < count)) {
      fail("EmbeddingBag", `paddingIdx ${paddingIdx} is not a row of ${count}`);
    }
    this.mode = mode;
    this.paddingIdx = paddingIdx;
    this.weight = initialized([count, dim], (shape) => normal(shape));
  }

  /**
   * `[bags, size] -> [bags, dim]`; 0 for a bag of nothing but padding.
   * @param weights [bags, size]: factors of the rows, in mode "sum". @default 1
   */
  override forward(ids: Tensor, weights?: Tensor): Tensor {
    this.#check(ids, weights);
    const { mode, paddingIdx } = this;
    const rows = embedding(ids, this.weight.value, { paddingIdx });
    const zero = constantLike(0, rows);
    const real = paddingIdx === undefined ? undefined : ids.ne(paddingIdx).unsqueeze(-1);
    if (mode === "max") {
      const seen = real ? where(real, rows, constantLike(-Infinity, rows)) : rows;
      const most = seen.amax({ dim: 1 });
      return real ? where(real.any({ dim: 1 }), most, zero) : most;
    }
    const kept = real ? where(real, rows, zero) : rows;
    const sum = (weights ? kept.mul(weights.unsqueeze(-1)) : kept).sum({ dim: 1 });
    if (mode === "sum") return sum;
    return real ? sum.div(real.to(sum.dtype).sum({ dim: 1 }).clamp({ min: 1 })) : sum.div(ids.size(1)); // prettier-ignore
  }

  #check(ids: Tensor, weights: Tensor | undefined): void {
    if (ids.ndim !== 2) fail("EmbeddingBag", `ids must be [bags, size], got ${show(ids.shape)}`);
    if (weights === undefined) return;
    if (this.mode !== "sum") fail("EmbeddingBag", `weights are for mode "sum", not "${this.mode}"`);
    if (sameShape(weights.shape, ids.shape)) return;
    fail("EmbeddingBag", `weights ${show(weights.shape)} must have the shape of ids ${show(ids.shape)}`); // prettier-ignore
  }

  override widthAt(side: "input" | "output"): number | undefined {
    return side === "output" ? this.weight.shape[1] : undefined;
  }

  override describe(): string {
    return `${this.weight.shape.join(", ")}, mode=${this.mode}`;
  }
}
