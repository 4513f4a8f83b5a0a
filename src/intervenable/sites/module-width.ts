import { Conv1D } from "../../nn/layers/conv1d.ts";
import { Embedding } from "../../nn/layers/embedding.ts";
import { LayerNorm } from "../../nn/layers/layer-norm.ts";
import { Linear } from "../../nn/layers/linear.ts";
import { RMSNorm } from "../../nn/layers/rms-norm.ts";
import type { Module } from "../../nn/module.ts";

/** Size of the last dimension at a module's input or output, for modules that know it. */
export function moduleWidth({
  module,
  side,
}: {
  readonly module: Module;
  readonly side: "input" | "output";
}): number | undefined {
  if (module instanceof Linear) return side === "input" ? module.inFeatures : module.outFeatures;
  if (module instanceof Conv1D) return module.weight.shape[side === "input" ? 1 : 0];
  if (module instanceof LayerNorm || module instanceof RMSNorm) return module.shape.at(-1);
  if (module instanceof Embedding && side === "output") return module.weight.shape.at(-1);
  return undefined;
}
