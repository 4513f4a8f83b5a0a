import { callModel } from "../../intervenable/call/trace.ts";
import type { Module } from "../../nn/module.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { logitsOf } from "../../training/alignment/logits-of.ts";
import type { ContrastBatch, ContrastSide } from "../data/contrast-data.ts";
import type { ContrastMetric } from "./contrast-metric.ts";

/** A run of some pairs, and what is measured of it. */
export interface MeasuredRun {
  /** Who asks, for errors. */
  readonly op: string;
  readonly model: Module;
  readonly metric: Required<ContrastMetric>;
  readonly batch: ContrastBatch;
  /** Which of the inputs was run. */
  readonly side: ContrastSide;
  /** What the model gave. */
  readonly output: unknown;
}

/** A traced metric. */
export interface TracedMetric {
  /** One number for each pair. */
  readonly values: Tensor;
  /** The logits where the answers are predicted, [batch, classes]; undefined if the metric reads none. */
  readonly logits: Tensor | undefined;
}

/** Traces the metric of a run. */
export function traceMetric({ op, model, metric, batch, side, output }: MeasuredRun): TracedMetric {
  const logitsAt = (of: unknown, at: ContrastSide): Tensor => {
    const labelPositions = batch.answerPositions?.[at];
    return logitsOf(op, of, labelPositions === undefined ? {} : { labelPositions });
  };
  let logits: Tensor | undefined;
  const values = metric.values({
    batch,
    get logits() {
      logits ??= logitsAt(output, side);
      return logits;
    },
    get cleanLogits() {
      return logitsAt(callModel(model, batch.clean), "clean");
    },
  });
  return { values, logits };
}
