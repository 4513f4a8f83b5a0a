import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import type { Module } from "../../nn/module.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import type { PatchingOptions } from "../paths/patching.ts";
import { CircuitCurve, shareName } from "./circuit-curve.ts";
import type { CircuitMeasure } from "./circuit-runs.ts";
import { EdgeScores } from "./edge-scores.ts";
import { type CircuitControls, evaluateCircuits } from "./evaluate-circuits.ts";
import type { EdgeSelection } from "./select-edges.ts";

/** Circuits of which sizes are evaluated, and how: plain data, where the metric is named. */
export interface CurveSettings
  extends CircuitMeasure, CircuitControls, Pick<EdgeSelection, "selection" | "by" | "prune"> {
  /** What the edges are ordered by. */
  readonly scores: EdgeScores;
  /** Shares of all edges, from small to great. @default those of MIB: from .001 to 1 */
  readonly shares?: readonly number[];
}

const OP = "faithfulnessCurve";
const MIB_SHARES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const ASKED: OptionNames<CurveSettings> = {
  scores: true,
  shares: true,
  selection: true,
  by: true,
  prune: true,
  source: true,
  metric: true,
  controls: true,
  seed: true,
};

/**
 * How faithful circuits of growing size are, each made of the edges that matter most; with the areas of the
 * MIB benchmark: CPR under the curve, CMD between it and 1 (Mueller et al., 2025).
 *
 * @param model - Of a family whose layers add to a residual stream.
 * @param pairs - Others than those of the scores, for figures that hold.
 * @throws TsveneError, before anything runs, for shares that are none and scores of another model.
 */
export async function faithfulnessCurve(
  model: Module,
  pairs: ContrastData,
  asked: CurveSettings,
  options: PatchingOptions = {},
): Promise<CircuitCurve> {
  requireKnownOptions(OP, asked, ASKED);
  const { scores, shares = MIB_SHARES, selection, by, prune, ...measure } = asked;
  if (!(scores instanceof EdgeScores)) {
    fail(OP, `scores: expected what attributeEdges gives, got ${describeValue(scores)}`);
  }
  requireShares(shares);
  const { length: count } = scores.changes.entries();
  const chosen = { ...(selection && { selection }), ...(by && { by }), ...(prune === undefined ? {} : { prune }) }; // prettier-ignore
  const circuits = Object.fromEntries(
    shares.map((share) => [
      shareName(share),
      scores.circuit({ ...chosen, edges: Math.floor(share * count + 1e-9) }),
    ]),
  );
  const evaluation = await evaluateCircuits(model, pairs, { circuits, ...measure }, options);
  return new CircuitCurve({ shares, evaluation });
}

function requireShares(shares: unknown): void {
  const isGrowing =
    Array.isArray(shares) &&
    shares.length > 1 &&
    shares.every((share, i) => share > (i === 0 ? 0 : shares[i - 1]) && share <= 1);
  if (isGrowing) return;
  fail(
    OP,
    `shares must be growing numbers from above 0 to 1, such as [0.01, 0.1, 1], got ${shown(shares)}`,
  );
}
