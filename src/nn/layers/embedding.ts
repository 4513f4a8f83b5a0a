import { fail } from "../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { embedding } from "../functional/embedding.ts";
import { normal } from "../init.ts";
import { Module } from "../module.ts";
import type { Parameter } from "../parameter.ts";
import { initialized } from "../without-init.ts";

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /** A row that gets no gradient. @default none */
  readonly paddingIdx?: number;
  /** Standard deviation of the values to start from. @default 1 */
  readonly std?: number;
}

/** Rows of a table by their number: ids [...] -> [..., dim]. */
export class Embedding extends Module {
  /** Id whose row gets no gradient; undefined for none. */
  readonly paddingIdx: number | undefined;
  /** [count, dim] */
  readonly weight: Parameter;

  constructor(count: number, dim: number, { paddingIdx, std = 1 }: EmbeddingOptions = {}) {
    super();
    if (paddingIdx !== undefined && (paddingIdx < 0 || paddingIdx >= count)) {
      fail("Embedding", `paddingIdx ${paddingIdx} is not a row of ${count}`);
    }
    this.paddingIdx = paddingIdx;
    this.weight = initialized([count, dim], (shape) => normal(shape, { std }));
  }

  /** `[...] -> [..., embeddingDim]`: the rows of the table for ids of int64. */
  override forward(ids: Tensor): Tensor {
    const { paddingIdx } = this;
    return embedding(ids, this.weight.value, paddingIdx === undefined ? {} : { paddingIdx });
  }

  override widthAt(side: "input" | "output"): number | undefined {
    return side === "output" ? this.weight.shape.at(-1) : undefined;
  }

  override describe(): string {
    return this.weight.value.shape.join(", ");
  }
}
