import { zerosLike } from "../../../tensor/functions/creation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** How {@link routingWeights} are shared out. */
export interface RoutingOptions {
  /** What the softmax is over: the chosen experts, or all, so that weights add up to less than 1. @default "chosen" */
  readonly over?: "chosen" | "all";
}

/**
 * How much each expert says to each token: the softmax over the likeliest experts, 0 for others.
 *
 * Every expert is then computed for every token and weighted by this, so that shapes depend on no
 * data. What is not chosen costs as much as what is; the numbers are the same.
 *
 * @param logits - [tokens, experts]
 * @param chosen - How many experts a token is given to.
 * @returns [tokens, experts]
 */
export function routingWeights(
  logits: Tensor,
  chosen: number,
  { over = "chosen" }: RoutingOptions = {},
): Tensor {
  const { values, indices } = (over === "all" ? logits.softmax(-1) : logits).topk(chosen);
  const shares = over === "all" ? values : values.softmax(-1);
  return zerosLike(logits).scatter(-1, indices, shares);
}
