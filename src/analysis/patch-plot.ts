import type { HeatMapOptions } from "../plots/heat-map.ts";
import type { PatchedStates, PatchOptions } from "./patch-states.ts";

/** The texts that states were patched between. */
export type PatchPlotTexts = Pick<PatchOptions, "base" | "source" | "answer" | "against">;

/**
 * Names, titles and colours of a plot of patched states, for `heatMap` and `terminalTable`. Where base
 * and source have different tokens, a column has both.
 *
 * @example
 * ```ts no-run
 * import { heatMap, type PatchedStates, patchPlot, saveSvg } from "tsvene";
 * declare const patched: PatchedStates;
 * const texts = { base: "The capital of Spain is", source: "The capital of Italy is", answer: " Rome" };
 * await saveSvg("rome.svg", heatMap(patched.values, patchPlot(patched, texts)));
 * ```
 */
export function patchPlot(
  { measure, component, layers, tokens }: PatchedStates,
  { base, source, answer, against = "" }: PatchPlotTexts,
): HeatMapOptions {
  const isProbability = measure === "probability";
  const what = isProbability
    ? `Probability of ${JSON.stringify(answer)}`
    : `Logit of ${JSON.stringify(answer)} less that of ${JSON.stringify(against)}`;
  return {
    title: `${what} after ${JSON.stringify(base)}`,
    subtitle: `when one ${component} is replaced by that of ${JSON.stringify(source)}`,
    rows: layers.map((layer) => `layer ${layer}`),
    columns: tokens.base.map((token, i) => columnName(token, tokens.source[i] ?? "")),
    rowTitle: component,
    columnTitle: "position",
    valueTitle: isProbability ? "probability" : "difference",
    ...(isProbability ? { domain: [0, 1] } : { center: 0 }),
  };
}

function columnName(base: string, source: string): string {
  return base === source ? base : `${base.trim()}→${source.trim()}`;
}
