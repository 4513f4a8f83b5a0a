import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../nn/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** @throws ModelError for an array or anything else that is not a tensor. */
export function requireTensor(
  model: string,
  name: string,
  value: unknown,
): asserts value is Tensor {
  if (value instanceof Tensor) return;
  const got = describeValue(value);
  fail(
    model,
    `${name} must be a tensor, got ${got}; tensor(values, { dtype }) makes one of numbers`,
  );
}
