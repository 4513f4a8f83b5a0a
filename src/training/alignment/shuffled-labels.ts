import { Generator, shuffle } from "../../tensor/random/random.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { AlignmentData } from "../data/alignment-data.ts";
import type { AlignmentTrainer } from "./eval-options.ts";
import { meanOf } from "./statistics.ts";
import { tally, type TallyOptions, traceVariant } from "./tally.ts";
import { randomOf } from "./variants.ts";

const NAME = "shuffled labels";

interface ShuffledOptions {
  readonly shuffledLabels?: boolean | undefined;
  readonly train?: AlignmentTrainer | undefined;
  readonly trainData?: AlignmentData | undefined;
  readonly seed?: number | undefined;
}

/**
 * What interventions of the same size get when they are trained on counterfactual labels that were dealt
 * out anew: what can be had without a variable. Undefined where it was not asked for.
 */
export async function shuffledLabelsScore(
  aligned: IntervenableModel,
  data: AlignmentData,
  settings: TallyOptions,
  { shuffledLabels = false, train, trainData, seed = 0 }: ShuffledOptions,
): Promise<number | undefined> {
  const generator = new Generator(seed);
  const fresh = shuffledLabels ? randomOf(aligned, generator) : undefined;
  if (fresh === undefined || train === undefined || trainData === undefined) return undefined;
  await train(fresh, withShuffledLabels(trainData, generator));
  const examples = Array.from({ length: data.length }, (_, example) => example);
  const control = { name: NAME, aligned: fresh, hard: true, isWhole: false };
  const silent = { ...settings, onProgress: undefined };
  const tallied = await tally(
    data,
    [examples],
    silent,
    (batch) => new Map([[NAME, traceVariant(settings, control, batch)]]),
  );
  return meanOf(Array.from(tallied.get(NAME) ?? []));
}

/** The same examples, each with the counterfactual label of another one. */
function withShuffledLabels(data: AlignmentData, generator: Generator): AlignmentData {
  const order = shuffle(
    Array.from({ length: data.length }, (_, example) => example),
    generator,
  );
  const dealt = (indices: readonly number[]): number[] => indices.map((at) => order[at] ?? at);
  return {
    length: data.length,
    batch: (indices) => ({ ...data.batch(indices), labels: data.batch(dealt(indices)).labels }),
  };
}
