import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { AlignmentBatch } from "../data/alignment-data.ts";
import { logitsOf } from "./logits-of.ts";
import { runOf, type TallyOptions } from "./tally.ts";

/** Names of what is tallied of the examples without interventions. */
export const UNEDITED = {
  noEdit: "no edit",
  right: "right on the bases",
  label: "label",
} as const;

/**
 * What there is without interventions: whether the base's answer is the counterfactual one, whether the
 * model gives the base's answer, and the labels, each [batch].
 */
export function traceUnedited(
  { op, metric }: TallyOptions,
  model: IntervenableModel["model"],
  batch: AlignmentBatch,
): Map<string, Tensor> {
  const output = callModel(model, batch.base);
  const original = (): unknown => output;
  const { baseLabels, labels } = batch;
  const traced = new Map<string, Tensor>();
  const saysLabels = metric.name === "argmax" && baseLabels !== undefined;
  traced.set(
    UNEDITED.noEdit,
    saysLabels
      ? baseLabels.eq(labels).to("float32")
      : metric.values(runOf(op, batch, original, original)),
  );
  if (metric.name === "argmax") traced.set(UNEDITED.label, labels);
  if (baseLabels === undefined || !metric.isShare) return traced;
  const right = logitsOf(op, output, batch).argmax(-1).eq(baseLabels).to("float32");
  return traced.set(UNEDITED.right, right);
}
