/**
 * Trains tsvene-mini from scratch on generated text and writes it to `models/tsvene-mini/`.
 * Seeded: a run repeats. `npm run train:mini -- --help` lists the settings.
 */
import { SingleBar } from "cli-progress";
import { Command } from "commander";
import { AdamW, cosineScheduleWithWarmup, GPT2LMHeadModel, manualSeed, tensor } from "tsvene";
import { evaluateFacts, evaluateIndirectObjects } from "./accuracy.ts";
import { miniConfig } from "./model.ts";
import { CONTEXT_LENGTH, loadTokenizer, MODEL_DIRECTORY } from "./tokenizer-files.ts";
import { packTokens } from "./tokens.ts";

interface Settings {
  readonly steps: string;
  readonly batch: string;
  readonly lr: string;
  readonly seed: string;
  readonly out: string;
}

const settings = new Command("train:mini")
  .option("--steps <n>", "optimiser steps", "3000")
  .option("--batch <n>", "sequences a step", "16")
  .option("--lr <x>", "peak learning rate", "0.003")
  .option("--seed <n>", "seed of weights and text", "1")
  .option("--out <directory>", "where the model goes", MODEL_DIRECTORY)
  .parse()
  .opts<Settings>();

/** @throws Error for what is no whole number, with which training would not end. */
function whole(name: "steps" | "batch" | "seed", least: number): number {
  const value = Number(settings[name]);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name} must be a whole number of ${least} or more, got ${settings[name]}`);
}

const steps = whole("steps", 1);
const batch = whole("batch", 1);
const seed = whole("seed", 0);

manualSeed(seed);
const model = new GPT2LMHeadModel(miniConfig()).train();
const count = model.parameters().reduce((n, p) => n + p.numel, 0);
console.log(
  `tsvene-mini: ${count.toLocaleString("en")} parameters, ${steps} steps of ${batch} x ${CONTEXT_LENGTH} tokens`,
);

const matrices = model.parameters().filter((p) => p.shape.length > 1);
const vectors = model.parameters().filter((p) => p.shape.length <= 1);
const optimizer = new AdamW(
  [
    { parameters: matrices, weightDecay: 0.1 },
    { parameters: vectors, weightDecay: 0 },
  ],
  { lr: Number(settings.lr), betas: [0.9, 0.98] },
);
const schedule = cosineScheduleWithWarmup(optimizer, { warmupSteps: 200, totalSteps: steps });
const bar = new SingleBar({
  format: "{bar} {value}/{total} | loss {loss} | {duration_formatted}, {eta_formatted} left",
  noTTYOutput: true,
  notTTYSchedule: 30_000,
});
bar.start(steps, 0, { loss: "-" });

let smooth = 0;
let step = 0;
for (const tokens of packTokens({ seed, batch })) {
  const inputIds = tensor(BigInt64Array.from(tokens, BigInt), { shape: [batch, CONTEXT_LENGTH] });
  const { loss } = model.forward({ inputIds, labels: inputIds });
  if (loss === undefined) throw new Error("the model gave no loss");
  const value = await optimizer.step(loss, { maxGradNorm: 1 });
  schedule.step();
  smooth = step === 0 ? value : 0.98 * smooth + 0.02 * value;
  step++;
  bar.update(step, { loss: smooth.toFixed(3) });
  if (step === steps) break;
}
bar.stop();

model.eval();
const tokenizer = loadTokenizer();
for (const split of ["trained", "heldOut"] as const) {
  const facts = await evaluateFacts(model, tokenizer, split);
  const objects = await evaluateIndirectObjects(model, tokenizer, split);
  console.log(`${split}: facts ${facts.percent}, indirect objects ${objects.percent}`);
}
await model.savePretrained(settings.out);
console.log(`written to ${settings.out}`);
