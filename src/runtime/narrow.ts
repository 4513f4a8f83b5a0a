import type { Tensor } from "../tensor/tensor.ts";

export function narrow(targets: readonly Tensor[]): readonly Tensor[] {
  return targets;
}
