import type { ContrastMetricChoice } from "../metrics/contrast-metric.ts";
import type { PatchSource } from "../paths/patching.ts";
import type { Direction } from "../results/effects.ts";

/** How edges are attributed: plain data, where the metric is named. */
export interface EdgeAttribution {
  /**
   * Where gradients are taken:
   *
   * - `"gradient"`: at the base (EAP);
   * - `"integratedGradients"`: the mean over points on the way of the embeddings from the corrupt inputs to
   *   the clean ones (EAP-IG);
   * - `"integratedActivations"`: the mean over such points of the input, of the heads of each layer and of
   *   each MLP, one after the other, where the rest is computed (EAP-IG's activations);
   * - `"ends"`: the mean of both ends.
   *
   * @default "gradient"
   */
  readonly method?: "gradient" | "integratedGradients" | "integratedActivations" | "ends";
  /** Number of points on a way. @default 10 */
  readonly steps?: number;
  /**
   * Which points: the middles of as many equal parts, or their ends on the corrupt side, which is the left.
   * EAP-IG takes the left ones of inputs, and the right ones of activations. @default "midpoint"
   */
  readonly rule?: "midpoint" | "left" | "right";
  /** Which input is the base. A circuit is what is left of it, hence not as in a sweep: @default "noise" */
  readonly direction?: Direction;
  /**
   * What senders are thought to write instead, of `"gradient"`: what they wrote for the other input, nothing, or a
   * mean.
   * @default "counterpart"
   */
  readonly source?: PatchSource;
  /** What is measured. @default "logitDifference" */
  readonly metric?: ContrastMetricChoice;
}

/** How an attribution of edges is run. */
export interface EdgeAttributionOptions {
  /** How many of the greatest edges, and as many at random, are run exactly. @default 0 */
  readonly verify?: number;
  /** Bytes that the states of one program may take. @default 256 MiB */
  readonly memoryBudget?: number;
  /** Called when pairs are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops before the next program. */
  readonly signal?: AbortSignal;
}
