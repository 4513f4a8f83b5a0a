import { isFloat } from "../tensor/dtype.ts";
import { evaluate } from "../tensor/evaluate.ts";
import { refuseOverflow } from "../tensor/overflow.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What a tensor is rounded from that has not been computed yet, past changes of its shape. */
function widerOf({ values, dtype, origin }: Tensor): Tensor | undefined {
  if (values !== undefined || origin === undefined || !isFloat(dtype)) return undefined;
  const [input] = origin.inputs;
  if (input === undefined) return undefined;
  const { op } = origin;
  if (op === "cast") return widerOf(input) ?? input;
  return ["reshape", "permute", "detach"].includes(op) ? widerOf(input) : undefined;
}

/**
 * Computes the tensors that a file is to hold, all together.
 *
 * @param named what messages call each, and the tensor.
 * @throws TensorError for a number that becomes infinite in the element type of its tensor.
 */
export async function compute(
  caller: string,
  named: Iterable<readonly [name: string, tensor: Tensor]>,
): Promise<void> {
  const lazy = [...named].map(([name, tensor]) => ({ name, tensor, wide: widerOf(tensor) }));
  await evaluate(...lazy.flatMap(({ tensor, wide }) => (wide === undefined ? [tensor] : [tensor, wide]))); // prettier-ignore
  for (const { name, tensor, wide } of lazy) {
    if (wide === undefined) continue;
    const { dtype, values = [] } = wide;
    refuseOverflow(caller, name, { values, dtype, to: tensor.dtype });
  }
}
