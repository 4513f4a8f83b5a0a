import { provideEvaluator } from "../tensor/evaluate.ts";
import { OrtBackend } from "./ort/ort-backend.ts";
import { Runtime, type RuntimeOptions } from "./runtime.ts";
import type { RuntimeStats } from "./stats.ts";

/** The runtime that computes tensors unless another is asked to. */
export const defaultRuntime: Runtime = new Runtime(new OrtBackend());

provideEvaluator((tensors) => defaultRuntime.evaluate(tensors));

/**
 * Changes settings of the default runtime: all that are given or, where one is wrong, none. Programs
 * that are compiled already keep theirs.
 * @throws TsveneError for a count below 1, a setting that is not known, and what the engine cannot
 * do, such as threads in a page that may not share memory.
 *
 * @example
 * ```ts no-run
 * configureRuntime({ wasmPaths: "/assets/onnxruntime/" }); // in a page
 * ```
 */
export function configureRuntime(options: RuntimeOptions): void {
  defaultRuntime.configure(options);
}

/** Releases every program that the default runtime has compiled; they are compiled again when needed. */
export function clearSessions(): Promise<void> {
  return defaultRuntime.clear();
}

/** A copy of the default runtime's counters as they are now. */
export function runtimeStats(): RuntimeStats {
  return defaultRuntime.stats;
}

/** Sets the default runtime's counters of work done to zero; what is alive stays counted. */
export function resetStats(): void {
  defaultRuntime.resetStats();
}
