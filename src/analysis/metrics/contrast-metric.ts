import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { requireOneOf } from "../../base/known-options.ts";
import { logSoftmax, softmax } from "../../nn/functional/activations.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { ContrastBatch } from "../data/contrast-data.ts";

/** Some runs, for a metric to look at. */
export interface ContrastRun {
  /** The pairs, one for each row. */
  readonly batch: ContrastBatch;
  /** The logits of the run where the answers are predicted, [batch, classes]. */
  readonly logits: Tensor;
  /** Those of the clean input without edits, [batch, classes]. */
  readonly cleanLogits: Tensor;
}

/** A number for each pair. */
export interface ContrastMetric {
  /** What tables and pictures call it. */
  readonly name: string;
  /** Whether each number is 1 or 0, so that the mean is a share. @default false */
  readonly isShare?: boolean;
  /** The numbers of some runs, [batch]. */
  readonly values: (run: ContrastRun) => Tensor;
}

/**
 * What is measured, for each pair:
 *
 * - `"logitDifference"`: the mean logit of the right answers less that of the wrong ones;
 * - `"logProbability"` and `"probability"`: of the right answers together;
 * - `"accuracy"`: 1 where a right answer has the greatest logit;
 * - `"rank"`: 1 for the greatest logit, of the best right answer;
 * - `"kl"`: the divergence of the run's distribution from that of the clean input without edits, summed over
 *   the classes, in nats; `"js"`: Jensen and Shannon's, at most ln 2;
 * - or a metric of your own.
 */
export type ContrastMetricChoice =
  | "logitDifference"
  | "logProbability"
  | "probability"
  | "accuracy"
  | "rank"
  | "kl"
  | "js"
  | ContrastMetric;

type Named = Extract<ContrastMetricChoice, string>;

const NAMED: { readonly [K in Named]: Required<ContrastMetric> } = {
  logitDifference: {
    name: "logit difference",
    isShare: false,
    values: ({ logits, batch }) =>
      meanAt(logits, batch.right, "right").sub(meanAt(logits, batch.wrong, "wrong")),
  },
  logProbability: {
    name: "log probability",
    isShare: false,
    values: ({ logits, batch }) =>
      at(logSoftmax(logits, -1), batch.right, -Infinity, "right").logsumexp({ dim: -1 }),
  },
  probability: {
    name: "probability",
    isShare: false,
    values: ({ logits, batch }) =>
      at(softmax(logits, -1), batch.right, 0, "right").sum({ dim: -1 }),
  },
  accuracy: {
    name: "accuracy",
    isShare: true,
    values: (run) => rankOf(run).eq(1).to("float32"),
  },
  rank: { name: "rank", isShare: false, values: rankOf },
  kl: {
    name: "KL divergence",
    isShare: false,
    values: ({ logits, cleanLogits }) =>
      divergence(logSoftmax(cleanLogits, -1), logSoftmax(logits, -1)),
  },
  js: { name: "JS divergence", isShare: false, values: jensenShannon },
};

/** @throws TsveneError for what is neither the name of a metric nor a metric. */
export function contrastMetric(
  op: string,
  choice: ContrastMetricChoice = "logitDifference",
): Required<ContrastMetric> {
  if (typeof choice !== "object" || choice === null) {
    requireOneOf(op, "metric", choice, [...Object.keys(NAMED), "an object { name, values }"]);
    return NAMED[choice];
  }
  const { name, values, isShare = false } = choice;
  if (typeof name !== "string" || typeof values !== "function") {
    fail(op, 'a metric has a name and values: { name: "logit of 5", values: ({ logits }) => ... }');
  }
  return { name, isShare, values: (run) => checked(op, name, values(run), run.batch) };
}

function checked(op: string, name: string, values: unknown, { indices }: ContrastBatch): Tensor {
  const isRow = values instanceof Tensor && values.ndim === 1 && values.numel === indices.length;
  if (isRow) return values;
  return fail(
    op,
    `the metric ${name} must give one number for each pair, a tensor [${indices.length}], got ` +
      describeValue(values),
  );
}

/** Of [batch, classes], the mean over each row's classes, [batch]. */
function meanAt(
  logits: Tensor,
  classes: readonly (readonly number[])[],
  name: "right" | "wrong",
): Tensor {
  const counts = tensor(classes.map(({ length }) => length));
  return at(logits, classes, 0, name).sum({ dim: -1 }).div(counts);
}

/** Of [batch, classes], each row's classes, [batch, most]; `filler` where a row has fewer than others. */
function at(
  values: Tensor,
  classes: readonly (readonly number[])[],
  filler: number,
  name: "right" | "wrong",
): Tensor {
  requireClasses(classes, values.size(-1), name);
  const most = Math.max(...classes.map(({ length }) => length));
  const filled = classes.map((own) =>
    Array.from({ length: most }, (_, i) => own[i] ?? own[0] ?? 0),
  );
  const taken = values.gather(-1, tensor(filled, { dtype: "int64" }));
  if (classes.every(({ length }) => length === most)) return taken;
  const isFiller = classes.map((own) => Array.from({ length: most }, (_, i) => i >= own.length));
  return taken.maskedFill(tensor(isFiller), filler);
}

function requireClasses(
  classes: readonly (readonly number[])[],
  count: number,
  name: "right" | "wrong",
): void {
  const none = classes.findIndex(({ length }) => length === 0);
  if (none >= 0) {
    fail("metric", `a pair has no ${name} answer; give it one, or another metric: "probability"`);
  }
  const outside = classes.flat().find((id) => id < 0 || id >= count);
  if (outside === undefined) return;
  fail("metric", `answer ${outside} is out of range: the model has ${count} classes`);
}

function rankOf({ logits, batch }: ContrastRun): Tensor {
  const best = at(logits, batch.right, -Infinity, "right").max(-1, true).values;
  return logits.gt(best).to("float32").sum({ dim: -1 }).add(1);
}

/** KL(p || q) over the last axis, of log probabilities, in nats. */
export function divergence(p: Tensor, q: Tensor): Tensor {
  return p.exp().mul(p.sub(q)).sum({ dim: -1 });
}

function jensenShannon({ logits, cleanLogits }: ContrastRun): Tensor {
  const [p, q] = [logSoftmax(cleanLogits, -1), logSoftmax(logits, -1)];
  const middle = p.exp().add(q.exp()).div(2).log();
  return divergence(p, middle).add(divergence(q, middle)).div(2);
}
