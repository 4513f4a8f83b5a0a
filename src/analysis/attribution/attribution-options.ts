import type { GridSite, SiteGrid } from "../../intervenable/grid/site-grid.ts";
import type { ContrastMetricChoice } from "../metrics/contrast-metric.ts";
import type { Direction, Effects } from "../results/effects.ts";

/** Where gradients are taken, to estimate what a change of state changes. */
export interface GradientRule {
  /**
   * `"gradient"`: at the base, one backward pass for all cells; `"integratedGradients"`: the mean over points
   * on the way of the embeddings from the corrupt inputs to the clean ones. @default "gradient"
   */
  readonly method?: "gradient" | "integratedGradients";
  /** Number of points on the way. @default 10 */
  readonly steps?: number;
  /**
   * Which points: the middles of as many equal parts, or their ends on the corrupt side, as EAP-IG takes them.
   * @default "midpoint"
   */
  readonly rule?: "midpoint" | "left";
}

/** What is estimated: plain data, where the metric is named. */
export interface Attribution extends GradientRule {
  /**
   * The cells: each is one value along each axis; or `"nodes"`, all that writes to the residual stream, which
   * are along one axis, `node`, by the names of EAP-IG: `input`, `a0.h1`, `m0`.
   */
  readonly sites: SiteGrid | "nodes";
  /** Which input is the base, whose states are replaced. @default "denoise" */
  readonly direction?: Direction;
  /** What is measured. @default "logitDifference" */
  readonly metric?: ContrastMetricChoice;
  /**
   * Compute what other queries and keys make of attention weights exactly, where a saturated softmax hides it
   * from the gradient: of `head_query_output` and `head_key_output`. (AtP*, Kramár et al. 2024)
   * @default false
   */
  readonly qkFix?: boolean;
  /**
   * Leave out the gradient through one layer after the other, and take the mean magnitude of the estimates,
   * so that a direct and an indirect effect do not cancel out; without sign. (AtP*) @default false
   */
  readonly gradDrop?: boolean;
}

/** How an attribution is run, and held to what is so. */
export interface AttributionOptions {
  /** How many of the greatest cells, and as many at random, are run exactly. @default 0 */
  readonly verify?: number;
  /** Bytes that the states of one program may take. @default 256 MiB */
  readonly memoryBudget?: number;
  /** Called when pairs are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops before the next program. */
  readonly signal?: AbortSignal;
}

/** An estimate beside what running the edit gives. */
export interface CheckedEstimate {
  /** The cell. */
  readonly at: GridSite | { readonly node: string };
  /** The estimated change of the metric, the mean over the pairs. */
  readonly estimate: number;
  /** The change that the edit makes. */
  readonly exact: number;
}

/** How good estimates are. */
export interface AttributionCheck {
  /** The cells that were run, the greatest estimates first, then random ones. */
  readonly cells: readonly CheckedEstimate[];
  /** Spearman's rank correlation of estimate and exact change. */
  readonly spearman: number;
  /** The cell whose estimate is furthest off. */
  readonly largestMiss: CheckedEstimate;
}

/** What an attribution finds. */
export interface Attributed {
  /**
   * As a sweep would give them: the metric of the base and the estimated change, of every cell and pair.
   * `change()` is the estimate, `importance()` what a cell does for the answer.
   */
  readonly effects: Effects;
  /**
   * For each pair, of integrated gradients: what all positions of the embeddings are said to change, less what
   * they do. With more steps it goes to 0.
   */
  readonly convergenceDelta?: readonly number[];
  /** Of `verify`. */
  readonly verified?: AttributionCheck;
}
