import type {
  AlignmentControls,
  AlignmentScoreFields,
  MaskReport,
  PartScore,
} from "./alignment-score.ts";
import { groupedByVariables } from "./examples.ts";
import { groupedBy } from "./grouped.ts";
import type { Metric } from "./metrics.ts";
import { type Interval, meanInterval, meanOf, spreadOf, wilsonInterval } from "./statistics.ts";
import type { Tally } from "./tally.ts";
import { UNEDITED } from "./unedited.ts";
import { EDITED } from "./variants.ts";

/** All that a score is made of. */
export interface Evaluated {
  readonly metric: Metric;
  /** Numbers of the examples, by what was run. */
  readonly edited: Tally;
  /** Of the same examples without interventions. */
  readonly unedited: Tally;
  /** The variables of each of these examples. */
  readonly variables: readonly (readonly string[])[];
  /** The family of each of them; empty where they have none. */
  readonly families: readonly string[];
  /** Number of examples of the data that are not among these. */
  readonly others: number;
  readonly masks: readonly MaskReport[];
  readonly otherSite?: string | undefined;
  readonly shuffledLabels?: number | undefined;
}

/** A score from numbers of examples. */
export function summarize(evaluated: Evaluated): AlignmentScoreFields {
  const { metric, edited, variables, families, masks, others } = evaluated;
  const values = listOf(edited, EDITED.hard);
  const known = values.filter((value) => !Number.isNaN(value));
  const iia = meanOf(values);
  const controls = controlsOf(evaluated);
  const soft = optionalMean(edited, EDITED.soft);
  const baseAccuracy = optionalMean(evaluated.unedited, UNEDITED.right);
  const score = scoreOf(metric, iia, controls);
  return {
    metric: metric.name,
    lowerIsBetter: metric.lowerIsBetter,
    iia,
    n: known.length,
    leftOut: others + values.length - known.length,
    interval: intervalOf(metric, known),
    ...(score === undefined ? {} : { score }),
    controls,
    ...(baseAccuracy === undefined ? {} : { baseAccuracy }),
    ...(soft === undefined ? {} : { soft }),
    masks,
    byVariables: [...groupedByVariables(variables)].map(([key, rows]) => ({
      variables: JSON.parse(key) as string[],
      ...partScore(evaluated, rows),
    })),
    byFamily: [...groupedBy(families.keys(), (row) => families[row] ?? "")].map(
      ([family, rows]) => ({ family, ...partScore(evaluated, rows) }),
    ),
  };
}

function intervalOf({ isShare }: Metric, values: readonly number[]): Interval {
  return isShare ? wilsonInterval(meanOf(values), values.length) : meanInterval(values);
}

/** How much of the way from what there is anyway to all right. */
function scoreOf(
  { isShare }: Metric,
  iia: number,
  { noEdit, majority = 0 }: AlignmentControls,
): number | undefined {
  const least = Math.max(noEdit, majority);
  return isShare && least < 1 ? (iia - least) / (1 - least) : undefined;
}

function controlsOf(evaluated: Evaluated): AlignmentControls {
  const { metric, edited, unedited, otherSite, shuffledLabels } = evaluated;
  const fullSwap = optionalMean(edited, EDITED.fullSwap);
  const elsewhere = optionalMean(edited, EDITED.otherSite);
  const draws = drawsIn(edited).map((name) => meanOf(listOf(edited, name)));
  const majority = majorityOf(unedited) ?? metric.chance;
  return {
    noEdit: meanOf(listOf(unedited, UNEDITED.noEdit)),
    ...(fullSwap === undefined ? {} : { fullSwap }),
    ...(draws.length === 0 ? {} : { random: spreadOf(draws) }),
    ...(elsewhere === undefined ? {} : { otherSite: { iia: elsewhere, site: otherSite ?? "" } }),
    ...(majority === undefined ? {} : { majority }),
    ...(shuffledLabels === undefined ? {} : { shuffledLabels }),
  };
}

/** Share of the most frequent label. */
function majorityOf(unedited: Tally): number | undefined {
  const labels = unedited.get(UNEDITED.label);
  if (labels === undefined) return undefined;
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(...counts.values()) / labels.length;
}

function partScore({ metric, edited, unedited }: Evaluated, rows: readonly number[]): PartScore {
  const of = (tally: Tally, name: string): number => meanOf(picked(listOf(tally, name), rows));
  const known = picked(listOf(edited, EDITED.hard), rows).filter((value) => !Number.isNaN(value));
  const draws = drawsIn(edited).map((name) => of(edited, name));
  return {
    iia: meanOf(known),
    n: known.length,
    interval: intervalOf(metric, known),
    noEdit: of(unedited, UNEDITED.noEdit),
    ...(edited.has(EDITED.fullSwap) ? { fullSwap: of(edited, EDITED.fullSwap) } : {}),
    ...(draws.length === 0 ? {} : { random: meanOf(draws) }),
  };
}

function drawsIn(edited: Tally): string[] {
  return [...edited.keys()].filter((name) => name.startsWith(EDITED.random));
}

function optionalMean(tally: Tally, name: string): number | undefined {
  return tally.has(name) ? meanOf(listOf(tally, name)) : undefined;
}

function listOf(tally: Tally, name: string): readonly number[] {
  return Array.from(tally.get(name) ?? []);
}

function picked(values: readonly number[], rows: readonly number[]): readonly number[] {
  return rows.map((row) => values[row] ?? NaN);
}
