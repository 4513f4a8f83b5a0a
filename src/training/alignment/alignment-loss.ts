import { fail } from "../../base/errors.ts";
import { requireKnownOptions } from "../../base/known-options.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { Intervention } from "../../interventions/intervention.ts";
import { crossEntropy } from "../../nn/functional/cross-entropy.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { AlignmentBatch } from "../data/alignment-data.ts";
import type { TracedBatch, TrainingMoment } from "../loop/train-options.ts";
import { callAlignment } from "./call-alignment.ts";
import { logitsOf } from "./logits-of.ts";

/** A batch that an aligned model was run on. All is lazy: what is not read is not computed. */
export interface AlignmentRun {
  /** What it was run on. */
  readonly batch: AlignmentBatch;
  /** The model's output with the interventions. */
  readonly output: unknown;
  /** The model's output without them. */
  readonly original: unknown;
  /** The logits of `output` where the labels are, [batch, classes]. */
  readonly logits: Tensor;
  /** The logits of `original` there. */
  readonly originalLogits: Tensor;
  /** Where the training stands. */
  readonly moment: TrainingMoment;
}

/** A loss of a batch that an aligned model was run on. */
export type AlignmentLoss = (run: AlignmentRun) => Tensor;

/** A metric, or several by name: one number each, or one for each example. */
export type AlignmentMetric = (run: AlignmentRun) => Tensor | Readonly<Record<string, Tensor>>;

/** Weights of what interventions say of their size, by kind of parameter. */
export type Regularizer = Readonly<Partial<Record<"boundary" | "mask", number>>>;

/** How much of the dimensions interventions swap, as one number that has a gradient. */
const SIZES: { readonly [K in keyof Regularizer]-?: (one: Intervention) => Tensor | undefined } = {
  boundary: (one: Intervention) => one.boundary?.().sum(),
  mask: (one: Intervention) => (one.boundary === undefined ? one.shares?.().sum() : undefined),
};

/** What the loss of an alignment is made of. */
export interface AlignmentLossOptions {
  readonly loss?: AlignmentLoss | undefined;
  readonly metric?: AlignmentMetric | "accuracy" | "none" | undefined;
  readonly factual?: number | undefined;
  readonly regularizer?: Regularizer | undefined;
  /** How many positions are read before those that are edited. */
  readonly prefix?: number | undefined;
}

/**
 * Traces a batch, while evaluating with masks as decided: the counterfactual loss, what is added to it
 * where asked for, and metrics.
 */
export function alignmentLoss(
  op: string,
  aligned: IntervenableModel,
  options: AlignmentLossOptions,
): (batch: AlignmentBatch, moment: TrainingMoment) => TracedBatch {
  return (batch, moment) => {
    const run = alignmentRun(op, aligned, { batch, moment, prefix: options.prefix });
    const parts = [(options.loss ?? crossEntropyLoss)(run), ...added(op, aligned, run, options)];
    return { loss: sum(parts), metrics: metricsOf(run, options.metric) };
  };
}

function alignmentRun(
  op: string,
  aligned: IntervenableModel,
  {
    batch,
    moment,
    prefix,
  }: Pick<AlignmentRun, "batch" | "moment"> & { readonly prefix: number | undefined },
): AlignmentRun {
  const more = prefix === undefined ? {} : { reusePrefix: prefix };
  const result = callAlignment(op, aligned, batch, { hard: !moment.training, ...more });
  return {
    batch,
    moment,
    output: result.intervened,
    get original() {
      return result.original;
    },
    get logits() {
      return logitsOf(op, result.intervened, batch);
    },
    get originalLogits() {
      return logitsOf(op, result.original, batch);
    },
  };
}

/** Cross entropy of the counterfactual labels. */
function crossEntropyLoss({ logits, batch }: AlignmentRun): Tensor {
  return crossEntropy(logits, batch.labels);
}

/** The factual loss and the interventions' own penalties, each with its weight. */
function added(
  op: string,
  { interventions }: IntervenableModel,
  run: AlignmentRun,
  { factual = 0, regularizer = {} }: AlignmentLossOptions,
): readonly Tensor[] {
  requireKnownOptions(`${op}: regularizer`, regularizer, SIZES);
  const all = [...new Set([...interventions].map(([, intervention]) => intervention))];
  const penalties = Object.entries(regularizer).flatMap(([kind, weight]) => {
    const own = all.flatMap((one) => SIZES[kind as keyof Regularizer](one) ?? []);
    if (own.length === 0) fail(op, `regularizer: no intervention has a ${kind}`);
    return own.map((penalty) => penalty.mul(weight));
  });
  return factual === 0 ? penalties : [factualLoss(op, run).mul(factual), ...penalties];
}

function factualLoss(op: string, { batch, originalLogits }: AlignmentRun): Tensor {
  const { baseLabels } = batch;
  if (baseLabels !== undefined) return crossEntropy(originalLogits, baseLabels);
  return fail(
    op,
    "a factual loss needs baseLabels, what the model should say of each base as it is",
  );
}

function metricsOf(
  run: AlignmentRun,
  metric: AlignmentLossOptions["metric"],
): Readonly<Record<string, Tensor>> {
  const { labels } = run.batch;
  if (metric === undefined && (isFloat(labels.dtype) || labels.ndim !== 1)) return {};
  if (metric === undefined || metric === "accuracy") {
    return { accuracy: run.logits.argmax(-1).eq(labels) };
  }
  if (metric === "none") return {};
  const given = metric(run);
  return given instanceof Tensor ? { metric: given } : given;
}

function sum([first, ...rest]: readonly Tensor[]): Tensor {
  return rest.reduce((total, part) => total.add(part), first as Tensor);
}
