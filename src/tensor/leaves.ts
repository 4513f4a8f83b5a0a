import type { Tensor } from "./tensor.ts";

/** What lazy tensors are computed from: all tensors behind them that hold values. */
export function leavesBehind(outputs: readonly Tensor[]): ReadonlySet<Tensor> {
  const seen = new Set<Tensor>();
  const leaves = new Set<Tensor>();
  const stack = [...outputs];
  for (let t = stack.pop(); t !== undefined; t = stack.pop()) {
    if (seen.has(t)) continue;
    seen.add(t);
    if (t.values !== undefined) leaves.add(t);
    else stack.push(...(t.origin?.inputs ?? []));
  }
  return leaves;
}
