import { constant, where } from "../tensor/arithmetic.ts";
import { arange } from "../tensor/creation.ts";
import { TensorError } from "../tensor/errors.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The most negative float32: it hides a score but keeps a row that hides all of them finite. */
const HIDDEN = -3.4028234663852886e38;

/** Where queries may look. */
export interface CausalMaskOptions {
  /** Tokens before the queries, in the cache. */
  readonly past: number;
  /** Queries now. */
  readonly queries: number;
  /** [batch, past + queries], 1 for real tokens, 0 for padding. @default all real */
  readonly attentionMask?: Tensor | undefined;
  /** How many keys each query sees, its own included. @default all before it */
  readonly window?: number | null | undefined;
}

/** Added to attention scores [batch, heads, queries, keys]: 0 where a query may look. */
export function causalMask(options: CausalMaskOptions): Tensor {
  const { past, queries, attentionMask, window = null } = options;
  const keys = past + queries;
  const [at, before] = [arange(past, keys).unsqueeze(1), arange(keys)];
  const seen = at.ge(before);
  const causal = window === null ? seen : seen.logicalAnd(at.sub(before).lt(window));
  if (attentionMask === undefined) return hide(causal);
  if (attentionMask.ndim !== 2 || attentionMask.shape[1] !== keys) {
    throw new TensorError(
      `attentionMask: expected [batch, ${keys}] (cached and new tokens), got ${show(attentionMask.shape)}`,
    );
  }
  const real = attentionMask.to("bool").reshape([attentionMask.size(0), 1, 1, keys]);
  return hide(causal.logicalAnd(real));
}

function hide(allowed: Tensor): Tensor {
  return where(allowed, constant(0), constant(HIDDEN));
}
