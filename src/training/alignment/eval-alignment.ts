import { fail } from "../../base/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { Generator } from "../../tensor/random/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { AlignmentBatch, AlignmentData } from "../data/alignment-data.ts";
import { AlignmentScore } from "./alignment-score.ts";
import { requireDisjoint } from "./disjoint.ts";
import { type EvalAlignmentOptions, tallyOptions } from "./eval-options.ts";
import { variablesByExample } from "./examples.ts";
import { isMasked, maskReports, warnOfUndecided } from "./mask-reports.ts";
import { shuffledLabelsScore } from "./shuffled-labels.ts";
import { EDITED, summarize } from "./summarize.ts";
import { tally, traceVariant, type Variant } from "./tally.ts";
import { traceUnedited } from "./unedited.ts";
import { fullSwapOf, movedAway, type MovedAlignment, movedTo, randomOf } from "./variants.ts";

const OP = "evalAlignment";
const DRAWS = 5;

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
 * import { type AlignmentData, evalAlignment, IntervenableModel, Linear, randn, Tensor } from "tsvene";
 * const net = new Linear(4, 3);
 * const inputs = [randn([32, 4]), randn([32, 4])] as const;
 * const data: AlignmentData<Tensor> = {
 *   length: 32,
 *   batch: (indices) => {
 *     const [base, source] = inputs.map((all) => all.indexSelect(0, [...indices])) as [Tensor, Tensor];
 *     return { indices, base, sources: { class: source }, labels: net.forward(source).argmax(-1) };
 *   },
 * };
 * const aligned = new IntervenableModel({ name: "class", component: ".output" }, net);
 * const score = await evalAlignment(aligned, data);
 * console.log(String(score)); // 1.000, beside what there is without an edit
 * ```
 */
export async function evalAlignment(
  aligned: IntervenableModel,
  data: AlignmentData,
  options: EvalAlignmentOptions = {},
): Promise<AlignmentScore> {
  if (!(aligned instanceof IntervenableModel)) {
    fail(
      OP,
      "the first argument must be an IntervenableModel, or a grid { model, variable, sites }",
    );
  }
  const settings = tallyOptions(OP, options);
  const variables = variablesByExample(OP, data, settings.batchSize);
  const examples = variables.map((_, example) => example);
  aligned.inferWidths(data.batch([0]).base);
  requireVariables(aligned, variables);
  requireDisjoint(OP, aligned, data.batch([0]));
  const otherSite = otherSiteOf(aligned, options);
  const variants = variantsOf(aligned, otherSite?.aligned, options);
  const trace = (batch: AlignmentBatch): Map<string, Tensor> => {
    const unedited = traceUnedited(settings, aligned.model, batch);
    for (const one of variants) unedited.set(one.name, traceVariant(settings, one, batch));
    return unedited;
  };
  const tallied = await tally(data, examples, settings, trace);
  const masks = await maskReports(aligned);
  warnOfUndecided(OP, masks);
  return new AlignmentScore(
    summarize({
      metric: settings.metric,
      edited: tallied,
      unedited: tallied,
      variables,
      others: 0,
      masks,
      otherSite: otherSite?.site,
      shuffledLabels: await shuffledLabelsScore(aligned, data, settings, options),
    }),
  );
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

function otherSiteOf(
  aligned: IntervenableModel,
  { otherSite }: EvalAlignmentOptions,
): MovedAlignment | undefined {
  if (otherSite === false) return undefined;
  return otherSite === undefined ? movedAway(aligned) : movedTo(aligned, otherSite);
}

/** All that is run on each batch. */
function variantsOf(
  aligned: IntervenableModel,
  otherSite: IntervenableModel | undefined,
  { randomDraws = DRAWS, seed = 0 }: EvalAlignmentOptions,
): readonly Variant[] {
  const generator = new Generator(seed);
  const isSoft = [...aligned.interventions].some(([, one]) => isMasked(one));
  const drawn = Array.from({ length: randomDraws }, (_, i) =>
    variant(`${EDITED.random}${i}`, randomOf(aligned, generator.split())),
  );
  return [
    variant(EDITED.hard, aligned),
    variant(EDITED.soft, isSoft ? aligned : undefined, false),
    variant(EDITED.fullSwap, fullSwapOf(aligned)),
    variant(EDITED.otherSite, otherSite),
    ...drawn,
  ].flat();
}

function variant(name: string, aligned: IntervenableModel | undefined, hard = true): Variant[] {
  return aligned === undefined ? [] : [{ name, aligned, hard }];
}
