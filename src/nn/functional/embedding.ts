import { requireTensors } from "../../tensor/require-tensors.ts";
import { apply } from "../../tensor/ops/apply.ts";
import { fail } from "../../tensor/errors.ts";
import { knownPositions } from "../../tensor/functions/indexing.ts";
import { normalizeDim, show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * Rows of a table by id.
 *
 * @param ids int64 or int32, of any shape.
 * @param weight [vocabulary, features].
 * @param options.paddingIdx Row that gets no gradient. @default none
 * @returns [...ids, features]
 * @throws TensorError for an id outside the vocabulary; where ids are lazy, when they are computed.
 */
export function embedding(
  ids: Tensor,
  weight: Tensor,
  { paddingIdx }: { readonly paddingIdx?: number | undefined } = {},
): Tensor {
  requireTensors("embedding", ids, weight);
  if (weight.ndim !== 2) fail("embedding", `weight must be 2-d, got ${show(weight.shape)}`);
  const rows = weight.size(0);
  const known = checkIds(ids, rows);
  return apply("indexSelect", [weight, ids], {
    dim: 0,
    ...(paddingIdx !== undefined && { frozen: normalizeDim("embedding", paddingIdx, rows) }),
    ...(!known && { fromZero: true }),
  });
}

/** @returns whether the values are known already; others are checked when they are computed. */
function checkIds(ids: Tensor, rows: number): boolean {
  if (ids.dtype !== "int64" && ids.dtype !== "int32") {
    fail("embedding", `ids must be int64 or int32, got ${ids.dtype}`);
  }
  const known = knownPositions(ids);
  for (const id of known ?? []) {
    if (id >= 0 && id < rows) continue;
    fail("embedding", `id ${id} is not in the vocabulary of ${rows}; expected 0 to ${rows - 1}`);
  }
  return known !== undefined;
}
