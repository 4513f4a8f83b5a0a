import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { requireOneOf } from "../../base/known-options.ts";
import { logSoftmax } from "../../nn/functional/activations.ts";
import { where } from "../../tensor/functions/arithmetic.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { AlignmentBatch } from "../data/alignment-data.ts";

/** Some examples that a model with interventions was run on, for a metric to look at. */
export interface EvaluatedRun {
  /** The examples. */
  readonly batch: AlignmentBatch;
  /** The model's output with the interventions; of the run without them, the same as `original`. */
  readonly output: unknown;
  /** The model's output without them. */
  readonly original: unknown;
  /** The logits of `output` where the labels are: [batch, classes]. */
  readonly logits: Tensor;
  /** The logits of `original` there. */
  readonly originalLogits: Tensor;
}

/** A number for each example. */
export interface EvaluationMetric {
  /** What tables and pictures call it. */
  readonly name: string;
  /** Whether a lower number is better, as for a squared error. @default false */
  readonly lowerIsBetter?: boolean;
  /** Whether each number is 1 for right or 0 for wrong, so that the mean is a share. @default false */
  readonly isShare?: boolean;
  /** The numbers of some examples, [batch]; NaN leaves an example out. */
  readonly values: (run: EvaluatedRun) => Tensor;
}

/**
 * How answers are read:
 *
 * - `"argmax"`: right where the counterfactual label has the greatest logit of all;
 * - `"pairwise"`: right where it has a greater logit than the base label has. Examples whose two labels are
 *   the same say nothing, and are left out;
 * - `"odds"`: by how much the interventions move the odds, log p(base) - log p(label) without them, plus
 *   log p'(label) - log p'(base) with them (CausalGym: Arora and others, 2024);
 * - or a metric of your own.
 */
export type MetricChoice = "argmax" | "pairwise" | "odds" | EvaluationMetric;

/** A metric with every default filled in. */
export interface Metric extends Required<EvaluationMetric> {
  /** How often a guess between the labels that it compares is right; undefined where it compares all. */
  readonly chance: number | undefined;
}

type Named = Extract<MetricChoice, string>;

const NAMED: { readonly [K in Named]: Omit<Metric, "name" | "lowerIsBetter"> } = {
  argmax: { isShare: true, chance: undefined, values: isArgmax },
  pairwise: { isShare: true, chance: 0.5, values: isGreater },
  odds: { isShare: false, chance: undefined, values: oddsMoved },
};

/** @throws TsveneError for what is neither the name of a metric nor a metric. */
export function metricOf(op: string, choice: MetricChoice = "argmax"): Metric {
  if (typeof choice === "object" && choice !== null) return ownMetric(op, choice);
  requireOneOf(op, "metric", choice, [...Object.keys(NAMED), "an object { name, values }"]);
  return { name: choice, lowerIsBetter: false, ...NAMED[choice] };
}

function ownMetric(op: string, choice: EvaluationMetric): Metric {
  const { name, values, lowerIsBetter = false, isShare = false } = choice;
  if (typeof name !== "string" || typeof values !== "function") {
    fail(op, 'a metric has a name and values: { name: "logit difference", values: (run) => ... }');
  }
  return {
    name,
    lowerIsBetter,
    isShare,
    chance: undefined,
    values: (run) => checked(op, name, values(run), run.batch),
  };
}

function checked(op: string, name: string, values: unknown, { indices }: AlignmentBatch): Tensor {
  const isRow = values instanceof Tensor && values.ndim === 1 && values.numel === indices.length;
  if (isRow) return values;
  return fail(
    op,
    `the metric ${name} must give one number for each example, a tensor [${indices.length}], got ` +
      describeValue(values),
  );
}

function isArgmax({ logits, batch: { labels } }: EvaluatedRun): Tensor {
  requireClasses(labels, logits.size(-1));
  return logits.argmax(-1).eq(labels).to("float32");
}

/** @throws TsveneError for labels that the model has no logits of. */
function requireClasses(labels: Tensor, classes: number): void {
  const wrong = Array.from(labels.values ?? [], Number).find((at) => at < 0 || at >= classes);
  if (wrong === undefined) return;
  fail("evalAlignment", `label ${wrong} is out of range: the model has ${classes} classes`);
}

function isGreater({ logits, batch }: EvaluatedRun): Tensor {
  const base = baseLabelsOf("pairwise", batch);
  const right = at(logits, batch.labels).gt(at(logits, base)).to("float32");
  return whereDifferent(batch, base, right);
}

function oddsMoved({ logits, originalLogits, batch }: EvaluatedRun): Tensor {
  const base = baseLabelsOf("odds", batch);
  const oddsIn = (given: Tensor): Tensor => {
    const logs = logSoftmax(given, -1);
    return at(logs, batch.labels).sub(at(logs, base));
  };
  const moved = oddsIn(logits).sub(oddsIn(originalLogits));
  return whereDifferent(batch, base, moved);
}

/** An example whose counterfactual label is the base's cannot tell an edit from none. */
function whereDifferent({ labels }: AlignmentBatch, base: Tensor, values: Tensor): Tensor {
  const none = Tensor.fromData(Float32Array.of(NaN), [1]);
  return where(labels.eq(base), none, values);
}

function baseLabelsOf(metric: string, { baseLabels }: AlignmentBatch): Tensor {
  if (baseLabels !== undefined) return baseLabels;
  return fail(
    "evalAlignment",
    `the metric "${metric}" compares with the base's label; give the data baseLabels, or use "argmax"`,
  );
}

/** Of [batch, classes], the number of each row's class. */
function at(logits: Tensor, classes: Tensor): Tensor {
  requireClasses(classes, logits.size(-1));
  return logits.gather(-1, classes.unsqueeze(-1)).squeeze(-1);
}
