import { ENGINE } from "#ort";
import { configureRuntime, type Device, resetStats, runtimeStats } from "tsvene";
import type { Compared, Job } from "./job.ts";

/** Median duration of a job. */
export interface Measurement {
  readonly job: string;
  /** Where its programs ran. */
  readonly device: Device;
  readonly median_ms: number;
  /** Runs behind the median. */
  readonly n: number;
  /** Median of its ratios to the passes run in turn with it, where the job has such. */
  readonly ratio?: number;
  /** What these are; or, without a ratio, why there is nothing to run in turn with it. */
  readonly beside?: string;
  /** Its multiply-adds beside those of the passes run in turn with it, where these are tensors' too. */
  readonly products?: number;
  /** Tokens a second, for jobs that write. */
  readonly tokens_per_s?: number;
}

const WARM_UP_RUNS = 3;
/**
 * Long enough for programs that run often to be compiled with their weights inside, and for the
 * engine of JavaScript to compile what traces them.
 */
const WARM_UP_MS = 5_000;
const MIN_RUNS = 7;
const MAX_RUNS = 201;
const MIN_MS = 2_000;
/** A ratio takes more runs to be told from noise. */
const MIN_MS_BESIDE = 8_000;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

async function timedBeside(
  beside: (() => Promise<unknown>) | undefined,
): Promise<number | undefined> {
  return beside && timed(beside);
}

function besideOf({ beside, other = "its ceiling" }: Compared): string {
  return typeof beside === "string" ? `${other}: ${beside}` : other;
}

/** How many multiply-adds a run takes beside another: what it would take if nothing else cost time. */
async function productsRatio(
  run: () => Promise<unknown>,
  beside: () => Promise<unknown>,
): Promise<number> {
  resetStats();
  await beside();
  const { multiplyAdds } = runtimeStats();
  await run();
  return (runtimeStats().multiplyAdds - multiplyAdds) / multiplyAdds;
}

/** Runs a job for some seconds and at least seven times, after a warm-up. */
export async function measure(job: Job, device: Device): Promise<Measurement> {
  // On WebGPU weights live on the device, and need not lie in programs too.
  const isHeld = job.weightsWithin === false || device === "webgpu";
  configureRuntime({ maxWeightBytes: isHeld ? 0 : ENGINE.weightBytes });
  const prepared = await job.prepare();
  const compared = typeof prepared === "function" ? undefined : prepared;
  const run = typeof prepared === "function" ? prepared : prepared.run;
  const beside = typeof compared?.beside === "function" ? compared.beside : undefined;
  const start = performance.now();
  for (let i = 0; i < WARM_UP_RUNS || performance.now() - start < WARM_UP_MS; i++) {
    await run();
    await beside?.();
  }
  const times: number[] = [];
  const ratios: number[] = [];
  const begin = performance.now();
  const enough = beside === undefined ? MIN_MS : MIN_MS_BESIDE;
  while (
    times.length < MIN_RUNS ||
    (times.length < MAX_RUNS && performance.now() - begin < enough)
  ) {
    // In turn first and second: garbage of the one is collected in the other.
    const before = times.length % 2 === 0 ? undefined : await timedBeside(beside);
    const time = await timed(run);
    times.push(time);
    const other = before ?? (await timedBeside(beside));
    if (other !== undefined) ratios.push(time / other);
  }
  const middle = median(times);
  const { tokens } = job;
  const products = beside && (await productsRatio(run, beside));
  compared?.close?.();
  return {
    job: job.name,
    device,
    median_ms: Number(middle.toFixed(3)),
    n: times.length,
    ...(beside === undefined ? {} : { ratio: Number(median(ratios).toFixed(4)) }),
    ...(compared === undefined ? {} : { beside: besideOf(compared) }),
    ...(products === undefined || !Number.isFinite(products)
      ? {}
      : { products: Number(products.toFixed(4)) }),
    ...(tokens === undefined ? {} : { tokens_per_s: Math.round((1000 * tokens) / middle) }),
  };
}
