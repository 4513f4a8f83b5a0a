import { zerosLike } from "../../../tensor/functions/creation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

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
export function routingWeights(logits: Tensor, chosen: number): Tensor {
  const { values, indices } = logits.topk(chosen);
  return zerosLike(logits).scatter(-1, indices, values.softmax(-1));
}
