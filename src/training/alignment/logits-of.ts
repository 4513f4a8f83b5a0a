import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { isElementwise } from "../../runtime/program/narrowings.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { linear } from "../../tensor/functions/linear-algebra.ts";
import { apply } from "../../tensor/ops/apply.ts";
import { NONE } from "../../tensor/ops/ops.ts";
import { sameShape } from "../../tensor/shape.ts";
import type { AlignmentBatch } from "../data/alignment-data.ts";

/** Of a tensor that is not computed. */
const LEAF = { op: undefined, inputs: [] as readonly Tensor[], attributes: NONE, sizes: [] };

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
  return atPositions(logits, index.reshape([-1, 1, 1])).squeeze(1);
}

/**
 * A tensor [batch, sequence, ...] at one position of each row, [batch, 1, ...]. Of a product with weights what
 * it is a product of is read there, so that the others are never computed, nor is their gradient.
 */
function atPositions(x: Tensor, index: Tensor): Tensor {
  const { op, inputs, attributes, sizes } = x.values === undefined ? (x.origin ?? LEAF) : LEAF;
  const [from, weight, bias] = inputs;
  if (op === "linear" && from?.ndim === 3 && weight !== undefined) {
    return linear(atPositions(from, index), weight, bias);
  }
  const isNumber = (t: Tensor): boolean => t.numel === 1;
  const fits = (t: Tensor): boolean => isNumber(t) || sameShape(t.shape, x.shape);
  if (op === undefined || !isElementwise(op) || sizes.length > 0 || !inputs.every(fits)) {
    return x.takeAlongDim(index, 1);
  }
  const parts = inputs.map((t) => (isNumber(t) ? t : atPositions(t, index)));
  return apply(op, parts, attributes);
}
