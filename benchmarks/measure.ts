import type { Job } from "./jobs.ts";

/** Median duration of a job. */
export interface Measurement {
  readonly job: string;
  readonly median_ms: number;
  /** Runs behind the median. */
  readonly n: number;
}

const WARM_UP = 3;
const MIN_RUNS = 7;
const MAX_RUNS = 201;
const MIN_MS = 2_000;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Runs a job for at least two seconds and seven times, after a warm-up. */
export async function measure(job: Job): Promise<Measurement> {
  const run = await job.prepare();
  for (let i = 0; i < WARM_UP; i++) await run();
  const times: number[] = [];
  const begin = performance.now();
  while (
    times.length < MIN_RUNS ||
    (times.length < MAX_RUNS && performance.now() - begin < MIN_MS)
  ) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return { job: job.name, median_ms: Number(median(times).toFixed(3)), n: times.length };
}
