import { isFloat } from "./dtype.ts";
import type { Tensor } from "./tensor.ts";
import { traits } from "./ops/traits.ts";

const NONE: readonly Tensor[] = [];

/** What a tensor is still to be computed from: nothing, if it holds its values. */
export function pendingOperands(t: Tensor): readonly Tensor[] {
  return t.values === undefined ? (t.origin?.inputs ?? NONE) : NONE;
}

/** What a gradient of a tensor flows on to. */
export function gradientOperands({ origin }: Tensor): readonly Tensor[] {
  if (origin === undefined || traits[origin.op].gradient === "stops") return NONE;
  return origin.inputs.filter(({ dtype }) => isFloat(dtype));
}

/**
 * Everything that tensors come from, themselves included, each once and after its operands; without
 * recursion, for graphs are as deep as models. The one walk over graphs.
 *
 * @param operands what to go on to from a tensor; asked twice of each.
 */
export function upstream(
  tensors: readonly Tensor[],
  operands: (t: Tensor) => readonly Tensor[] = pendingOperands,
): Set<Tensor> {
  const order = new Set<Tensor>();
  const stack = [...tensors].reverse();
  while (stack.length > 0) {
    const t = stack[stack.length - 1] as Tensor;
    if (order.has(t)) {
      stack.pop();
      continue;
    }
    const depth = stack.length;
    for (const u of operands(t)) if (!order.has(u)) stack.push(u);
    if (stack.length > depth) continue;
    order.add(t);
    stack.pop();
  }
  return order;
}

/** Of all that tensors come from, what is still to be computed. */
export function pending(tensors: readonly Tensor[]): Tensor[] {
  return [...upstream(tensors)].filter((t) => t.values === undefined);
}
