import { expect, test } from "vitest";
import { type AlignmentData, fromPyveneLocations, trainAlignment } from "tsvene";
import { need } from "../../scripts/parity/intervention-config.ts";
import {
  expectStep,
  FREE,
  open,
  recorded,
  type Run,
  RUNS,
  type Tensors,
  TOLERANCE,
} from "../optim/recorded-training.ts";

/** The two rows, or one, that each recorded step is taken on. */
function dataOf(run: Run, tensors: Tensors, variable: string): AlignmentData {
  const labels = need(tensors, "target");
  return {
    length: labels.numel,
    batch: (indices) => ({
      indices,
      base: { inputIds: need(tensors, "base.input_ids") },
      sources: { [variable]: { inputIds: need(tensors, "source.0.input_ids") } },
      unitLocations: fromPyveneLocations(run.unit_locations),
      labels,
    }),
  };
}

test.each(RUNS)("trainAlignment goes as pyvene's training %s", async (name, run) => {
  const tensors = await recorded(name);
  const aligned = await open(run, tensors);
  const [variable = ""] = aligned.names;
  const hasBoundary = run.representations.some(({ intervention_type: kind }) =>
    String(kind).startsWith("Boundless"),
  );
  const { temperatures } = run;
  const { history } = await trainAlignment(aligned, dataOf(run, tensors, variable), {
    steps: run.losses.length,
    batchSize: need(tensors, "target").numel,
    optimizer: {
      name: run.optimizer === "Adam" ? "adam" : "adamw",
      weightDecay: run.kwargs.weight_decay,
    },
    lr: hasBoundary ? { others: 1e-2, rotation: 1e-2, boundary: 5e-2 } : 1e-2,
    schedule: "constant",
    warmUp: 0,
    ...(temperatures === null ? {} : { temperature: (step) => temperatures[step] ?? NaN }),
    ...(hasBoundary ? { regularizer: { boundary: 1 } } : {}),
    metric: "none",
    progress: false,
    onStep: async ({ step }) => {
      if (!FREE.has(name)) await expectStep(step + 1, aligned, tensors);
    },
  });
  for (const [step, { loss }] of history.entries()) {
    const difference = Math.abs(loss - (run.losses[step] ?? NaN));
    expect(difference, `loss of step ${step}`).toBeLessThanOrEqual(TOLERANCE);
  }
  expect(history).toHaveLength(run.losses.length);
});
