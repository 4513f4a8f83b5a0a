/**
 * Trains an alignment of a small network and prints, as JSON, the process's memory after a tenth of the
 * steps and after all. Needs node --expose-gc.
 */
import { setTimeout } from "node:timers/promises";
import {
  Adam,
  functional as F,
  Generator,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  MLPForClassification,
  randint,
  randn,
  runtimeStats,
} from "tsvene";

const STEPS = Number(process.argv[2]);
const [BATCH, WIDTH, CLASSES] = [8, 8, 2];
const sizes = { hDim: WIDTH, nLayer: 2, numClasses: CLASSES, activationFunction: "relu", pdrop: 0 };
const model = new MLPForClassification(sizes).eval();
model.requiresGrad(false);
const intervention = LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 });
const aligned = new IntervenableModel({ layer: 0, intervention }, model);
const optimizer = new Adam(aligned.trainableParameters(), { lr: 1e-3 });
const generator = new Generator(1);

/** A step on data of its own, such as a loader gives. */
async function step(): Promise<void> {
  const inputs = () => ({ inputsEmbeds: randn([BATCH, 1, WIDTH], { generator }) });
  const labels = randint(0, CLASSES, [BATCH], { generator });
  const { intervened } = aligned.forward(inputs(), { sources: inputs() });
  await optimizer.step(F.crossEntropy(intervened.logits, labels));
}

async function memory(): Promise<Readonly<Record<string, number>>> {
  // Finalizers, which free native memory, run between turns of the event loop.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await setTimeout(20);
  }
  const { rss, heapUsed: heap, external } = process.memoryUsage();
  return { rss, heap, external, held: runtimeStats().bytesHeld };
}

if (globalThis.gc === undefined) throw new Error("run me with node --expose-gc");
const measured: Record<string, Readonly<Record<string, number>>> = {};
for (let i = 1; i <= STEPS; i++) {
  await step();
  if (i === STEPS / 10) measured["tenth"] = await memory();
}
measured["all"] = await memory();
console.log(JSON.stringify(measured));
