import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { sitesOf } from "../../intervenable/grid/grid-axes.ts";
import type { AxisValues, SiteGrid } from "../../intervenable/grid/site-grid.ts";
import { siteKey } from "../../intervenable/grid/site-grid.ts";
import { Module } from "../../nn/module.ts";
import type { PromptTokenizer } from "../../training/data/prompt-options.ts";
import type { ClassLabel } from "../../training/probes/classes.ts";
import {
  probeScore,
  type ProbeScore,
  type ProbeScoreOptions,
} from "../../training/probes/cross-validate.ts";
import { NamedArray } from "../results/named-array.ts";
import { ProbeScores } from "./probe-scores.ts";
import { readStates } from "./read-states.ts";

/** Texts with classes, and where these are looked for. */
export interface ProbeSweepOptions extends ProbeScoreOptions {
  /** Texts whose states are read. */
  readonly texts: readonly string[];
  /** The class of each text. */
  readonly labels: readonly ClassLabel[];
  /** The sites that are read: layers, components, heads. */
  readonly sites: Omit<SiteGrid, "position" | "step" | "dimensions">;
  /** The positions of each text's own tokens, from its start or, below 0, its end. @default "last" */
  readonly read?: AxisValues<number | "last">;
  /** Called after each site. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops before the next site. */
  readonly signal?: AbortSignal;
}

const OP = "probeSweep";
const SITES: OptionNames<ProbeSweepOptions["sites"]> = {
  layer: true,
  component: true,
  path: true,
  head: true,
};

/**
 * Where a class can be told from states: a logistic probe at each site of a grid, scored on texts that it was
 * not fitted on, beside the same for labels in another order.
 *
 * @returns The accuracy at each site with its interval, the control, and how much is about the states.
 * @throws TsveneError, before probes are fitted, for sites that are not there, and for labels or groups that are
 * not as many as the texts.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, probeSweep } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const countries = ["Italy", "Spain", "France", "Japan", "China", "Peru"];
 * const scores = await probeSweep(model, tokenizer, {
 *   texts: countries.map((country) => `The capital of ${country} is`),
 *   labels: countries.map((_, i) => (i < 3 ? "Europe" : "elsewhere")),
 *   sites: { component: "block_input", layer: [0, 4] },
 *   read: [-2, -1],
 *   folds: 3,
 * });
 * console.log(String(scores));
 * ```
 */
export async function probeSweep(
  model: Module,
  tokenizer: PromptTokenizer,
  options: ProbeSweepOptions,
): Promise<ProbeScores> {
  const { texts, labels, sites, read = "last", onProgress, signal, ...scoring } = options;
  check(model, options);
  const asked = { op: OP, model, tokenizer, texts };
  const found = await readStates(asked, { ...sites, position: read });
  const scores = new Map<string, ProbeScore>();
  for (const [i, site] of found.sites.entries()) {
    signal?.throwIfAborted();
    const state = found.states[i] ?? fail(OP, "internal: a site was not read");
    scores.set(siteKey(site), await probeScore(state, labels, scoring));
    onProgress?.(scores.size, found.sites.length);
  }
  const cells = sitesOf(found.axes);
  const array = (name: string, of: (score: ProbeScore) => number): NamedArray =>
    new NamedArray({
      name,
      axes: found.axes,
      values: cells.map((cell) => {
        const score = scores.get(siteKey(cell));
        return score === undefined ? NaN : of(score);
      }),
    });
  const [first] = scores.values();
  return new ProbeScores({
    accuracy: array("accuracy", ({ accuracy }) => accuracy),
    low: array("accuracy, lower end", ({ interval: [low] }) => low),
    high: array("accuracy, upper end", ({ interval: [, high] }) => high),
    control: array("accuracy of the control", ({ control }) => control),
    selectivity: array("selectivity", ({ selectivity }) => selectivity),
    majority: first?.majority ?? NaN,
    n: texts.length,
  });
}

function check(model: unknown, options: ProbeSweepOptions): void {
  if (!(model instanceof Module)) fail(OP, `first a model (a Module), got ${describeValue(model)}`);
  const { texts, labels, groups, sites } = options ?? {};
  if (!Array.isArray(texts) || !Array.isArray(labels)) {
    fail(OP, "texts and labels must be lists, a label for each text");
  }
  requireKnownOptions(`${OP}: sites`, sites, SITES);
  for (const [name, list] of Object.entries({ labels, ...(groups && { groups }) })) {
    if (list.length === texts.length) continue;
    fail(OP, `${name} are ${list.length}, but there are ${texts.length} texts; give one for each`);
  }
}
