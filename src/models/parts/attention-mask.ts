import { constant, where } from "../../tensor/functions/arithmetic.ts";
import { arange } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { checkMask, countReal, isContiguous } from "../model/mask.ts";

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
  /** How many real tokens each query sees, its own included. @default all before it */
  readonly window?: number | null | undefined;
}

/** Added to attention scores [batch, heads, queries, keys]: 0 where a query may look. */
export function causalMask(options: CausalMaskOptions): Tensor {
  const { past, queries, attentionMask, window = null } = options;
  const keys = past + queries;
  const [at, before] = [arange(past, keys).unsqueeze(1), arange(keys)];
  const seen = at.ge(before);
  const near = window === null ? undefined : distances(options).lt(window).logicalAnd(seen);
  const causal = near?.ndim === 3 ? near.unsqueeze(1) : (near ?? seen);
  if (attentionMask === undefined) return hide(causal);
  checkMask(attentionMask, keys);
  const real = attentionMask.to("bool").reshape([attentionMask.size(0), 1, 1, keys]);
  return hide(causal.logicalAnd(real));
}

/**
 * How many real tokens each query stands after each key: int64 [queries, keys], or
 * [batch, queries, keys] where padding may stand between them.
 */
export function distances({ past, queries, attentionMask }: CausalMaskOptions): Tensor {
  const keys = past + queries;
  if (attentionMask === undefined || isContiguous(attentionMask)) {
    return arange(past, keys).unsqueeze(1).sub(arange(keys));
  }
  checkMask(attentionMask, keys);
  const at = countReal(attentionMask);
  return at.slice(1, past).unsqueeze(2).sub(at.unsqueeze(1));
}

function hide(allowed: Tensor): Tensor {
  return where(allowed, constant(0), constant(HIDDEN));
}
