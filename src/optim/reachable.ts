import { isFloat } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Which of the targets a gradient of `output` can reach. */
export function reachable(output: Tensor, targets: ReadonlySet<Tensor>): Set<Tensor> {
  const seen = new Set<Tensor>([output]);
  const found = new Set<Tensor>();
  const stack = [output];
  for (let t = stack.pop(); t !== undefined; t = stack.pop()) {
    if (targets.has(t)) found.add(t);
    if (t.origin === undefined || t.origin.op === "detach") continue;
    for (const u of t.origin.inputs) {
      if (seen.has(u) || !isFloat(u.dtype)) continue;
      seen.add(u);
      stack.push(u);
    }
  }
  return found;
}
