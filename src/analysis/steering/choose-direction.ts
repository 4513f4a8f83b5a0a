import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { partsOf, range } from "../../base/lists.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { meanOf } from "../../training/alignment/statistics.ts";
import type { PromptTokenizer } from "../../training/data/prompt-options.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { type Answers, contrastPairs } from "../data/contrast-pairs.ts";
import { contrastMetric, type ContrastMetric, type ContrastMetricChoice } from "../metrics/contrast-metric.ts"; // prettier-ignore
import { traceMetric } from "../metrics/traced-metric.ts";
import { readNumbers } from "../results/read-numbers.ts";
import { DirectionChoice } from "./direction-choice.ts";
import { lengthOf } from "./additions.ts";
import { type SiteVector, Steering } from "./steering.ts";

/** How a direction is chosen. */
export interface DirectionChoiceOptions {
  /** What texts are read with. */
  readonly tokenizer: PromptTokenizer;
  /** Texts with what is looked for, others than the vectors were found in. */
  readonly positive: readonly string[];
  /** Texts without it. */
  readonly negative: readonly string[];
  /** What a text with it goes on with, `" I"` of a refusal: a token, or several of which any will do. */
  readonly says: Answers;
  /** What is measured of these tokens. @default the log odds that one of them is next */
  readonly metric?: ContrastMetricChoice;
  /** Nats that other texts may change by when the direction is taken out. @default 0.1 */
  readonly maxKl?: number;
  /** What the metric is to be at least when the vector is added to other texts. @default 0 */
  readonly minInduced?: number;
  /** The share of the layers, from the first, that a vector may be of. @default 0.8 */
  readonly deepest?: number;
  /** Called after each candidate. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops before the next candidate. */
  readonly signal?: AbortSignal;
}

const OP = "chooseDirection";
const OPTIONS: OptionNames<DirectionChoiceOptions> = {
  tokenizer: true,
  positive: true,
  negative: true,
  says: true,
  metric: true,
  maxKl: true,
  minInduced: true,
  deepest: true,
  onProgress: true,
  signal: true,
};
/** Odds are of probabilities that are this far from 0 and 1 at least. */
const LEAST = 1e-8;
/** How many texts are run in one program. */
const TEXTS = 32;

const LOG_ODDS: ContrastMetric = {
  name: "log odds",
  values: (run) => {
    const p = contrastMetric(OP, "probability").values(run);
    return p
      .add(LEAST)
      .log()
      .sub(
        p
          .neg()
          .add(1 + LEAST)
          .log(),
      );
  },
};

/** Texts that are run with edits, and what is measured of them. */
interface Measured {
  readonly model: Module;
  readonly data: ContrastData;
  readonly metric: Required<ContrastMetric>;
}

/**
 * Chooses one of several vectors as the direction of what they tell, as Arditi and others (2024) choose that of
 * refusal: without it, texts with what is looked for go on as others do; added, others go on as they do; and
 * taking it out hardly changes what is said of others.
 *
 * @param steering - The candidates: vectors of the residual stream, such as of all layers and the last positions.
 * @returns All that was measured, and the `best`.
 * @throws TsveneError, before anything runs, for vectors of heads, and an answer that is more than one token.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, chooseDirection, steeringVector } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const candidates = await steeringVector(model, {
 *   tokenizer,
 *   positive: ["The capital of Italy is", "The city of Italy is"],
 *   negative: ["The capital of Spain is", "The city of Spain is"],
 *   sites: { component: "block_input", layer: [1, 2, 3] },
 *   read: [-2, -1],
 * });
 * const choice = await chooseDirection(candidates, {
 *   tokenizer,
 *   positive: ["You know the capital of Italy is"],
 *   negative: ["You know the capital of Spain is"],
 *   says: " Rome",
 *   maxKl: Infinity,
 *   minInduced: -Infinity,
 * });
 * console.log(String(choice));
 * const without = choice.best.ablation();
 * ```
 */
export async function chooseDirection<M extends Module>(
  steering: Steering<M>,
  options: DirectionChoiceOptions,
): Promise<DirectionChoice<M>> {
  const { maxKl = 0.1, minInduced = 0, deepest = 0.8 } = checked(steering, options);
  const metric = contrastMetric(OP, options.metric ?? LOG_ODDS);
  const { model } = steering;
  const measured = (texts: readonly string[], own: Required<ContrastMetric>): Measured => ({
    model,
    data: contrastPairs(
      options.tokenizer,
      texts.map((clean) => ({ clean, right: options.says })),
    ),
    metric: own,
  });
  const withIt = measured(options.positive, metric);
  const others = measured(options.negative, metric);
  const changed = measured(options.negative, contrastMetric(OP, "kl"));
  const scores = new Map<SiteVector, Scores>();
  // Where texts do not differ, there is no candidate.
  const found = steering.vectors.filter(({ vector }) => lengthOf(vector) > 0);
  for (const vector of found) {
    options.signal?.throwIfAborted();
    const one = alone(steering, vector);
    const without = one.ablation();
    const ablated = await meanIn(withIt, without);
    const kl = await meanIn(changed, without);
    const induced = await meanIn(others, one.intervention());
    const fits = kl <= maxKl && induced >= minInduced && isShallow(model, vector, deepest);
    scores.set(vector, { ablated, kl, induced, allowed: Number(fits) });
    options.onProgress?.(scores.size, found.length);
  }
  const array = (name: string, of: keyof Scores): DirectionChoice["kl"] =>
    steering.arrayOf(name, (vector) => scores.get(vector)?.[of] ?? NaN);
  return new DirectionChoice({
    candidates: steering,
    metric: metric.name,
    ablated: array(`${metric.name}, taken out`, "ablated"),
    induced: array(`${metric.name}, added`, "induced"),
    kl: array("KL divergence", "kl"),
    allowed: array("allowed", "allowed"),
    plain: { positive: await meanIn(withIt), negative: await meanIn(others) },
  });
}

/** What was measured of a candidate. */
interface Scores {
  readonly ablated: number;
  readonly induced: number;
  readonly kl: number;
  readonly allowed: number;
}

function checked(steering: unknown, options: DirectionChoiceOptions): DirectionChoiceOptions {
  if (!(steering instanceof Steering)) {
    fail(OP, `first vectors, as steeringVector finds them, got ${describeValue(steering)}`);
  }
  requireKnownOptions(OP, options, OPTIONS);
  const { positive, negative, deepest = 0.8, maxKl = 0.1, minInduced = 0 } = options;
  for (const [name, texts] of Object.entries({ positive, negative })) {
    if (!Array.isArray(texts) || texts.length === 0) {
      fail(OP, `${name} must be a list of texts, got ${shown(texts)}`);
    }
  }
  if (!(deepest > 0) || deepest > 1) {
    fail(OP, `deepest is a share of the layers, above 0 and up to 1, got ${shown(deepest)}`);
  }
  if (!(maxKl >= 0) || typeof minInduced !== "number" || Number.isNaN(minInduced)) {
    fail(
      OP,
      `maxKl must be 0 or more and minInduced a number, got ${shown(maxKl)} and ${shown(minInduced)}`,
    );
  }
  return options;
}

function alone<M extends Module>({ model, origin }: Steering<M>, vector: SiteVector): Steering<M> {
  return new Steering({ model, origin, axes: [], vectors: [vector] });
}

/** Vectors of late layers are near to what is said, and leave what was thought as it was. */
function isShallow(model: Module, { site: { layer } }: SiteVector, deepest: number): boolean {
  const layers = cardOf(model)?.layers;
  return layers === undefined || typeof layer !== "number" || layer < deepest * layers;
}

/** The mean of the metric over all texts, with edits or without. */
async function meanIn(
  { model, data, metric }: Measured,
  edited?: IntervenableModel,
): Promise<number> {
  const found: number[] = [];
  for (const rows of partsOf(range(data.length), TEXTS)) {
    const batch = data.batch(rows);
    const output = edited?.forward(batch.clean).intervened ?? callModel(model, batch.clean);
    const { values } = traceMetric({ op: OP, model, metric, batch, side: "clean", output });
    found.push(...(await readNumbers(values)));
  }
  return meanOf(found);
}
