import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isSame } from "../../base/same-value.ts";
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
import { type ReadPosition, readStates, requireReadable, type SiteStates } from "./read-states.ts";

/** Texts with classes, and where these are looked for. */
export interface ProbeSweepOptions extends ProbeScoreOptions {
  /** What texts are read with. */
  readonly tokenizer: PromptTokenizer;
  /** Texts whose states are read. */
  readonly texts: readonly string[];
  /** The class of each text. */
  readonly labels: readonly ClassLabel[];
  /** The sites that are read: layers, components, heads. */
  readonly sites: Omit<SiteGrid, "position" | "step" | "dimensions">;
  /**
   * The positions of each text's own tokens, from its start or, below 0, its end; `"mean"` is the mean of all that
   * read it.
   * @default "last"
   */
  readonly read?: AxisValues<ReadPosition>;
  /**
   * A model of the same kind with random weights, such as `new GPT2LMHeadModel(model.config)`: how much its states
   * tell of a class is what words and architecture give away without any training.
   * @default none
   */
  readonly untrained?: Module;
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
 * const scores = await probeSweep(model, {
 *   tokenizer,
 *   texts: countries.map((country) => `The capital of ${country} is`),
 *   labels: countries.map((_, i) => (i < 3 ? "Europe" : "elsewhere")),
 *   sites: { component: "block_input", layer: [0, 4] },
 *   read: [-2, -1],
 *   folds: 3,
 * });
 * console.log(String(scores));
 * ```
 */
export async function probeSweep(model: Module, options: ProbeSweepOptions): Promise<ProbeScores> {
  const { tokenizer, texts, labels, sites, read = "last", untrained, ...rest } = options;
  const { onProgress, signal, ...scoring } = rest;
  check(model, options);
  const grid = { ...sites, position: read };
  const found = await readStates({ op: OP, model, tokenizer, texts }, grid);
  const others =
    untrained && (await readStates({ op: OP, model: untrained, tokenizer, texts }, grid));
  if (others !== undefined && !isSame(others.axes, found.axes)) {
    fail(OP, "untrained has other layers or heads than the model; give one of the same sizes");
  }
  const total = found.sites.length * (others === undefined ? 1 : 2);
  const run = { labels, scoring, onProgress, signal, total };
  const scores = await scoresOf(found, run, 0);
  const random = others && (await scoresOf(others, run, found.sites.length));
  const cells = sitesOf(found.axes);
  const array = (name: string, of: (score: ProbeScore) => number, from = scores): NamedArray =>
    new NamedArray({
      name,
      axes: found.axes,
      values: cells.map((cell) => {
        const score = from.get(siteKey(cell));
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
    ...(random && {
      untrained: array("accuracy with random weights", ({ accuracy }) => accuracy, random),
    }),
    majority: first?.majority ?? NaN,
    n: texts.length,
  });
}

/** How states are scored. */
interface Scoring extends Pick<ProbeSweepOptions, "labels"> {
  readonly scoring: ProbeScoreOptions;
  readonly onProgress: ProbeSweepOptions["onProgress"] | undefined;
  readonly signal: AbortSignal | undefined;
  /** How many sites are scored in all. */
  readonly total: number;
}

/** The score of the states at each site, by the key of the site, where others were scored before. */
async function scoresOf(
  { sites, states }: SiteStates,
  { labels, scoring, onProgress, signal, total }: Scoring,
  before: number,
): Promise<ReadonlyMap<string, ProbeScore>> {
  const scores = new Map<string, ProbeScore>();
  for (const [i, site] of sites.entries()) {
    signal?.throwIfAborted();
    const state = states[i] ?? fail(OP, "internal: a site was not read");
    scores.set(siteKey(site), await probeScore(state, labels, scoring));
    onProgress?.(before + scores.size, total);
  }
  return scores;
}

function check(model: unknown, options: ProbeSweepOptions): void {
  if (!(model instanceof Module)) fail(OP, `first a model (a Module), got ${describeValue(model)}`);
  const { tokenizer, texts, labels, groups, sites, read, untrained } = options ?? {};
  if (untrained !== undefined && !(untrained instanceof Module)) {
    fail(OP, `untrained must be a model (a Module), got ${describeValue(untrained)}`);
  }
  if (!Array.isArray(texts) || !Array.isArray(labels)) {
    fail(OP, "texts and labels must be lists, a label for each text");
  }
  requireReadable(OP, tokenizer, read);
  requireKnownOptions(`${OP}: sites`, sites, SITES);
  for (const [name, list] of Object.entries({ labels, ...(groups && { groups }) })) {
    if (list.length === texts.length) continue;
    fail(OP, `${name} are ${list.length}, but there are ${texts.length} texts; give one for each`);
  }
}
