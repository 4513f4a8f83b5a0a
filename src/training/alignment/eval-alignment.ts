import { fail } from "../../base/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { Generator } from "../../tensor/random/random.ts";
import type { AlignmentData } from "../data/alignment-data.ts";
import type { AlignmentGrid } from "./alignment-grid.ts";
import { AlignmentScore } from "./alignment-score.ts";
import type { AlignmentTable } from "./alignment-table.ts";
import { requireDisjoint } from "./disjoint.ts";
import { evalGrid } from "./eval-grid.ts";
import {
  type EvalAlignmentOptions,
  type EvalGridOptions,
  familiesOf,
  tallyOptions,
  trainerOf,
} from "./eval-options.ts";
import { groupedByVariables, variablesByExample } from "./examples.ts";
import type { GridData } from "./grid-views.ts";
import { maskReports, warnOfUndecided } from "./mask-reports.ts";
import { requireUnseen } from "./overlap.ts";
import { shuffledLabelsScore } from "./shuffled-labels.ts";
import { summarize } from "./summarize.ts";
import { tally, traceVariant } from "./tally.ts";
import { traceUnedited } from "./unedited.ts";
import { movedAway, type MovedAlignment, movedTo, variantsOf } from "./variants.ts";

const OP = "evalAlignment";

/**
 * Evaluates an alignment: interventions that are named after the variables of a causal model. How often
 * does the model give the counterfactual answer when their sources are put in, and how often would it
 * without a good alignment? The model is run as it is, and nothing is trained.
 *
 * Masks and boundaries are taken as decided, and their accuracy as soft as they are stands beside it.
 * More than 5 % of undecided dimensions are a warning.
 *
 * @throws TsveneError for variables that no intervention is named after, sources that are missing,
 * interventions that change the same dimensions of one place, and labels that the model does not have.
 *
 * @example
 * ```ts
 * import { type AlignmentData, evalAlignment, IntervenableModel, Linear, Module } from "tsvene";
 * import { randn, type Tensor } from "tsvene";
 * class Net extends Module {
 *   readonly up = new Linear(4, 6);
 *   readonly down = new Linear(6, 3);
 *   override forward(x: Tensor): Tensor {
 *     return this.down.forward(this.up.forward(x).relu());
 *   }
 * }
 * const net = new Net();
 * const [bases, sources] = [randn([32, 4]), randn([32, 4])];
 * const data: AlignmentData<Tensor> = {
 *   length: 32,
 *   batch: (indices) => {
 *     const source = sources.indexSelect(0, [...indices]);
 *     const base = bases.indexSelect(0, [...indices]);
 *     return { indices, base, sources: { class: source }, labels: net.forward(source).argmax(-1) };
 *   },
 * };
 * const aligned = new IntervenableModel<Net>({ name: "class", component: "up.output" }, net);
 * const score = await evalAlignment(aligned, data);
 * console.log(String(score)); // 1.000, beside what there is without an edit
 * ```
 */
export async function evalAlignment(
  aligned: IntervenableModel,
  data: AlignmentData,
  options?: EvalAlignmentOptions,
): Promise<AlignmentScore>;
/**
 * Searches a grid of sites for a variable: evaluates interventions at each of them, as they are made, or
 * trained at each site first where `train` is given. What sites have in common is computed once.
 *
 * @param grid - The axes are plain data: `{ layer: "all", position: ["last", 3] }`.
 * @param data - Examples that intervene on other variables as well are left out. A function gives the
 * data for each named position.
 * @returns A table with named axes, which prints, is drawn, and is kept as JSON.
 * @throws TsveneError for axes that are unknown or empty, and as above. What was evaluated before an error
 * has been handed to `onCell`.
 *
 * @example
 * ```ts
 * import { type AlignmentData, evalAlignment, Linear, Module, randn, type Tensor } from "tsvene";
 * class Net extends Module {
 *   readonly up = new Linear(4, 6);
 *   readonly down = new Linear(6, 3);
 *   override forward(x: Tensor): Tensor {
 *     return this.down.forward(this.up.forward(x).relu());
 *   }
 * }
 * const net = new Net();
 * const [bases, sources] = [randn([32, 4]), randn([32, 4])];
 * const data: AlignmentData<Tensor> = {
 *   length: 32,
 *   batch: (indices) => {
 *     const source = sources.indexSelect(0, [...indices]);
 *     const base = bases.indexSelect(0, [...indices]);
 *     return { indices, base, sources: { class: source }, labels: net.forward(source).argmax(-1) };
 *   },
 * };
 * const path = ["up.output", "down.output"];
 * const table = await evalAlignment({ model: net, variable: "class", sites: { path } }, data);
 * console.log(String(table), table.ranked()[0]?.site);
 * console.log(table.at({ path: "up.output" }).rows[0]?.score.iia);
 * ```
 */
export async function evalAlignment(
  grid: AlignmentGrid,
  data: GridData,
  options?: EvalGridOptions,
): Promise<AlignmentTable>;
export async function evalAlignment(
  searched: IntervenableModel | AlignmentGrid,
  data: GridData,
  options: EvalAlignmentOptions | EvalGridOptions = {},
): Promise<AlignmentScore | AlignmentTable> {
  if (searched instanceof IntervenableModel) {
    return evalOne(searched, data as AlignmentData, options as EvalAlignmentOptions);
  }
  if (typeof searched === "object" && searched !== null && "sites" in searched) {
    return evalGrid(searched, data, options);
  }
  return fail(
    OP,
    "the first argument must be an IntervenableModel, or a grid { model, variable, sites }",
  );
}

async function evalOne(
  aligned: IntervenableModel,
  data: AlignmentData,
  options: EvalAlignmentOptions,
): Promise<AlignmentScore> {
  const settings = tallyOptions(OP, options);
  const variables = variablesByExample(OP, data, settings.batchSize);
  const groups = [...groupedByVariables(variables).values()];
  const examples = groups.flat();
  requireUnseen(OP, data, options.trainData);
  const first = data.batch([0]);
  aligned.inferWidths(first.base);
  requireVariables(aligned, variables);
  requireDisjoint(OP, aligned, first);
  const otherSite = otherSiteOf(aligned, options);
  const generator = new Generator(options.seed ?? 0);
  const variants = variantsOf(aligned, options, generator, otherSite?.aligned);
  const tallied = await tally(data, groups, settings, (batch) => {
    const traced = traceUnedited(settings, aligned.model, batch);
    for (const one of variants) traced.set(one.name, traceVariant(settings, one, batch));
    return traced;
  });
  const masks = await maskReports(aligned);
  warnOfUndecided(OP, masks);
  const training = { ...options, train: trainerOf(options) };
  return new AlignmentScore(
    summarize({
      metric: settings.metric,
      edited: tallied,
      unedited: tallied,
      variables: examples.map((example) => variables[example] ?? []),
      families: familiesOf(options, examples),
      others: 0,
      masks,
      otherSite: otherSite?.site,
      shuffledLabels: await shuffledLabelsScore(aligned, data, settings, training),
    }),
  );
}

function otherSiteOf(
  aligned: IntervenableModel,
  { otherSite }: EvalAlignmentOptions,
): MovedAlignment | undefined {
  if (otherSite === false) return undefined;
  return otherSite === undefined ? movedAway(aligned) : movedTo(aligned, otherSite);
}

/** Each group that reads a source needs a variable that some example intervenes on, and the other way round. */
function requireVariables(
  { groups, names, interventions }: IntervenableModel,
  variables: readonly (readonly string[])[],
): void {
  const used = [...new Set(variables.flat())];
  const unknown = used.find((variable) => !names.includes(variable));
  if (unknown !== undefined) {
    fail(
      OP,
      `the data intervenes on ${unknown}, which no intervention is named after; ` +
        `${didYouMean(unknown, names)} Name interventions in the configuration: { name: "${unknown}", ... }`,
    );
  }
  for (const group of groups) {
    const reads = group.some((name) => interventions.get(name).sourceUse === "required");
    if (!reads || group.some((name) => used.includes(name))) continue;
    fail(
      OP,
      `no example intervenes on ${group.join(", ")}; the data's variables are ${used.join(", ") || "none"}`,
    );
  }
}
