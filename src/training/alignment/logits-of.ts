import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import type { AlignmentBatch } from "../data/alignment-data.ts";

/**
 * The logits of a model's output where a batch has its labels, [batch, classes]: of [batch, sequence, classes]
 * those at the label positions.
 *
 * @param output - A tensor, or what has one as `logits`.
 * @throws TsveneError for an output without logits.
 */
export function logitsOf(
  op: string,
  output: unknown,
  { labelPositions }: Pick<AlignmentBatch, "labelPositions">,
): Tensor {
  const logits =
    output instanceof Tensor ? output : (output as { readonly logits?: unknown })?.logits;
  if (!(logits instanceof Tensor)) {
    fail(
      op,
      `the model gives ${describeValue(output)} without logits; give a loss and a metric of your own`,
    );
  }
  if (logits.ndim === 2) return logits;
  if (logits.ndim !== 3) {
    fail(
      op,
      `logits must be [batch, classes] or [batch, sequence, classes], got [${logits.shape.join(", ")}]`,
    );
  }
  const [first, ...others] = labelPositions ?? [-1];
  if (others.every((position) => position === first)) return logits.select(1, first ?? -1);
  const index = tensor(labelPositions ?? [], { dtype: "int64" });
  return logits.takeAlongDim(index.reshape([-1, 1, 1]), 1).squeeze(1);
}
