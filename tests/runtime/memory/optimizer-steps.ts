/**
 * Trains a small network and prints, as JSON, the process's memory after 200 and after 2,000 steps.
 * Needs node --expose-gc.
 */
import { setTimeout } from "node:timers/promises";
import { Adam, Generator, init, Parameter, randn, runtimeStats, type Tensor } from "tsvene";

const generator = new Generator(1);
const weight = (...shape: number[]): Parameter =>
  new Parameter(init.normal(shape, { std: 0.3, generator }));
const layers = [
  [weight(64, 128), weight(128)],
  [weight(128, 128), weight(128)],
  [weight(128, 1), weight(1)],
] as const;
const x = randn([32, 64], { generator });
const y = randn([32, 1], { generator });

function loss(): Tensor {
  const output = layers.reduce((h, [w, b], i) => {
    const sum = h.matmul(w.value).add(b.value);
    return i < layers.length - 1 ? sum.tanh() : sum;
  }, x);
  return output.sub(y).square().mean();
}

async function memory(): Promise<{ rss: number; heap: number; held: number }> {
  // Finalizers, which free native memory, run between turns of the event loop.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await setTimeout(20);
  }
  const { rss, heapUsed: heap } = process.memoryUsage();
  return { rss, heap, held: runtimeStats().bytesHeld };
}

if (globalThis.gc === undefined) throw new Error("run me with node --expose-gc");
const optimizer = new Adam(layers.flat(), { lr: 1e-4 });
const measured: Record<number, Awaited<ReturnType<typeof memory>>> = {};
for (let step = 1; step <= 2000; step++) {
  await optimizer.step(loss(), { maxGradNorm: 1 });
  if (step === 200 || step === 2000) measured[step] = await memory();
}
console.log(JSON.stringify(measured));
