import { fail } from "../../nn/errors.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { requireTensor } from "./require-tensor.ts";

/** Vectors of tokens, by their ids. */
interface Table {
  forward(ids: Tensor): Tensor;
}

/** Tokens as ids, or as vectors in their place. */
export interface TokenInputs {
  /** [batch, sequence] int64 */
  readonly inputIds?: Tensor;
  /** [batch, sequence, width] */
  readonly inputsEmbeds?: Tensor;
}

/**
 * Vectors [batch, sequence, width] of tokens.
 * @param model what messages begin with.
 * @param table the embeddings; undefined for a model that has none.
 * @throws ModelError for both or none of ids and vectors, ids without embeddings, other ranks.
 */
export function embedInputs(
  model: string,
  { inputIds, inputsEmbeds }: TokenInputs,
  table: Table | undefined,
): Tensor {
  if (inputIds !== undefined && inputsEmbeds !== undefined) {
    fail(model, "give inputIds or inputsEmbeds, and not both");
  }
  if (inputsEmbeds !== undefined) {
    requireTensor(model, "inputsEmbeds", inputsEmbeds);
    if (inputsEmbeds.ndim === 3) return inputsEmbeds;
    fail(model, `inputsEmbeds must be [batch, sequence, width], got ${show(inputsEmbeds.shape)}`);
  }
  if (table === undefined) fail(model, "it has no embeddings for inputIds; give inputsEmbeds");
  if (inputIds === undefined) {
    fail(model, "give inputIds or inputsEmbeds, as in forward(tokenizer.tokenize(text))");
  }
  requireTensor(model, "inputIds", inputIds);
  if (inputIds.ndim === 2) return table.forward(inputIds);
  return fail(model, `inputIds must be [batch, sequence], got ${show(inputIds.shape)}`);
}

/** Adds the vectors of positions, where some are given. */
export function addPositions(
  model: string,
  x: Tensor,
  positionIds: Tensor | undefined,
  table: Table | undefined,
): Tensor {
  if (positionIds === undefined) return x;
  if (table === undefined) fail(model, "it has no embeddings for positionIds; leave them out");
  return x.add(table.forward(positionIds));
}
