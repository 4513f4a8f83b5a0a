import { apply } from "../../tensor/ops/apply.ts";
import { constantLike, where } from "../../tensor/functions/arithmetic.ts";
import { arange } from "../../tensor/functions/creation.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { fail } from "../../tensor/errors.ts";
import { NONE } from "../../tensor/ops/ops.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { requireFloat } from "./check.ts";
import { dropout, type DropoutOptions } from "./dropout.ts";

/** Options of {@link scaledDotProductAttention}. */
export interface AttentionOptions extends DropoutOptions {
  /**
   * bool: true where a query may look; floating-point: added to the scores. Broadcast to
   * [..., queries, keys]. @default none
   */
  readonly attnMask?: Tensor | undefined;
  /** Let query i look at keys 0 to i only. @default false */
  readonly isCausal?: boolean;
  /** Factor of the scores. @default 1 / sqrt(features) */
  readonly scale?: number | undefined;
  /** Let groups of query heads share a head of keys and values. @default false */
  readonly enableGqa?: boolean;
  /** Part of the attention weights set to 0. @default 0 */
  readonly dropoutP?: number;
}

/**
 * softmax(q kᵀ scale + mask) v.
 *
 * @param query [..., heads, queries, features]
 * @param key [..., heads, keys, features]
 * @param value [..., heads, keys, out]
 * @returns [..., heads, queries, out]; zeros for a query that may look nowhere.
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const { attnMask, isCausal = false, enableGqa = false, dropoutP = 0 } = options;
  checkOperands(query, key, value);
  if (isCausal && attnMask !== undefined) {
    fail("scaledDotProductAttention", "give isCausal or attnMask, not both");
  }
  const [k, v] = enableGqa ? shared(query, key, value) : [key, value];
  const scale = constantLike(options.scale ?? 1 / Math.sqrt(query.size(-1)), query);
  const scores = query.matmul(k.transpose(-1, -2)).mul(scale);
  const mask = attnMask === undefined ? undefined : usable(attnMask, scores);
  const limited = isCausal ? causal(scores) : (mask?.scores ?? scores);
  const out = dropout(limited.softmax(-1), dropoutP, options).matmul(v);
  return mask === undefined ? out : where(mask.alive, out, constantLike(0, out));
}

function checkOperands(query: Tensor, key: Tensor, value: Tensor): void {
  requireFloat("scaledDotProductAttention", query, "query");
  const [q, k, v] = [query, key, value].map((t) => t.shape);
  const fits =
    query.ndim >= 2 &&
    key.ndim >= 2 &&
    value.ndim >= 2 &&
    query.size(-1) === key.size(-1) &&
    key.size(-2) === value.size(-2);
  if (fits) return;
  fail(
    "scaledDotProductAttention",
    `query ${show(q ?? [])}, key ${show(k ?? [])} and value ${show(v ?? [])} must be ` +
      `[..., queries, features], [..., keys, features] and [..., keys, out]`,
  );
}

function shared(query: Tensor, key: Tensor, value: Tensor): [Tensor, Tensor] {
  const heads = query.size(-3);
  const repeated = (t: Tensor): Tensor => {
    const times = heads / t.size(-3);
    if (!Number.isInteger(times)) {
      fail(
        "scaledDotProductAttention",
        `${heads} query heads cannot share ${t.size(-3)} heads of keys or values`,
      );
    }
    return times === 1 ? t : t.repeatInterleave(times, -3);
  };
  return [repeated(key), repeated(value)];
}

function causal(scores: Tensor): Tensor {
  const queries = arange(scores.size(-2)).unsqueeze(-1);
  const keys = arange(scores.size(-1));
  return where(queries.ge(keys), scores, constantLike(-Infinity, scores));
}

/** Masked scores, and which queries may look anywhere; the others' scores stay as they are. */
function usable(mask: Tensor, scores: Tensor): { scores: Tensor; alive: Tensor } {
  const closed = constantLike(-Infinity, scores);
  if (mask.dtype === "bool") {
    const alive = mask.any({ dim: -1, keepdim: true });
    const open = apply("or", [mask, alive.logicalNot()], NONE);
    return { scores: where(open, scores, closed), alive };
  }
  if (!isFloat(mask.dtype)) {
    fail(
      "scaledDotProductAttention",
      `attnMask must be bool (true where a query may look) or floating-point, got ${mask.dtype}`,
    );
  }
  const alive = mask.detach().amax({ dim: -1, keepdim: true }).gt(closed);
  return { scores: scores.add(where(alive, mask, constantLike(0, mask))), alive };
}
