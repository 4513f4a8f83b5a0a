import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type AlignmentData, fromPyveneLocations, tensor, trainAlignment } from "tsvene";
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

const ownFile = join(import.meta.dirname, "..", "goldens", "training", "train_alignment.json");

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

/** What pyvene's `train_alignment` was given, and what its loss was. */
interface OwnTraining {
  readonly base: readonly (readonly number[])[];
  readonly source: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly batch: number;
  readonly epochs: number;
  readonly positions: readonly [source: number, base: number];
  readonly lr: number;
  readonly losses: readonly number[];
}

test("a training without masks goes as pyvene's train_alignment with its defaults", async () => {
  const own = JSON.parse(readFileSync(ownFile, "utf8")) as OwnTraining;
  const [, run] = RUNS.find(([name]) => name === "rotated") ?? [];
  if (run === undefined) throw new Error("there is no recorded rotation");
  const aligned = await open(run, await recorded("rotated"));
  const [variable = ""] = aligned.names;
  const ids = (rows: readonly (readonly number[])[], indices: readonly number[]) => ({
    inputIds: tensor(
      indices.map((i) => [...(rows[i] ?? [])]),
      { dtype: "int64" },
    ),
  });
  const [source, base] = own.positions;
  const data: AlignmentData = {
    length: own.labels.length,
    batch: (indices) => ({
      indices,
      base: ids(own.base, indices),
      sources: { [variable]: ids(own.source, indices) },
      unitLocations: { "sources->base": { source, base } },
      labels: tensor(
        indices.map((i) => own.labels[i] ?? 0),
        { dtype: "int64" },
      ),
    }),
  };
  const { epochs, lr, batch: batchSize } = own;
  const options = { epochs, lr, batchSize, shuffle: false, progress: false };
  const { history } = await trainAlignment(aligned, data, options);
  expect(history).toHaveLength(own.losses.length);
  for (const [step, { loss }] of history.entries()) {
    const difference = Math.abs(loss - (own.losses[step] ?? NaN));
    expect(difference, `loss of step ${step}`).toBeLessThanOrEqual(TOLERANCE);
  }
});
