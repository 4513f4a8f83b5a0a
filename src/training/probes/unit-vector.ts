import { fail } from "../../base/errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * A vector divided by its length, evaluated, float32.
 * @throws TsveneError for one of no length, which has no direction.
 */
export async function unitVector(op: string, vector: Tensor): Promise<Tensor> {
  const wide = vector.to("float64");
  const length = await wide.square().sum().sqrt().item();
  if (!(length > 1e-12)) {
    fail(op, "there is no direction: what is compared has the same mean; are the sets the same?");
  }
  const unit = wide.div(length).to("float32");
  await evaluate(unit);
  return unit.detach();
}
