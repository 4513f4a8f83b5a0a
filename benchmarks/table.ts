import type { Measurement } from "./measure.ts";

/** The plain pass that a job's duration is set beside. */
function reference(job: string): string {
  const length = /T\d+$/.exec(job)?.[0];
  if (job === "plain_T64" || job === "plain_T16") return `floor_${length}`;
  if (job.startsWith("generate")) return "generate_plain_16+32";
  if (job.startsWith("tiny")) return "tiny_plain";
  if (job.includes("B8")) return "plain_B8_T32";
  if (job.startsWith("das")) return "plain_T64";
  return `plain_${length}`;
}

/** What a measurement is set beside, and how fast a writer is. */
function besides(
  { job, median_ms: ms, ratio, beside, products, tokens_per_s: speed }: Measurement,
  medians: ReadonlyMap<string, number>,
): string[] {
  // A pass in turn says more than one some seconds before; a training is set beside both.
  const alone = ratio === undefined && !job.startsWith("floor");
  const others = [...(alone || job.startsWith("das") ? [reference(job)] : []), `floor_${job}`];
  return [
    ...(beside === undefined
      ? []
      : [ratio === undefined ? beside : `${ratio.toFixed(3)} x ${beside} in turn`]),
    ...(products === undefined ? [] : [`${products.toFixed(2)} x its products`]),
    ...others.flatMap((other) => {
      const base = other === job ? undefined : medians.get(other);
      return base === undefined ? [] : [`${(ms / base).toFixed(2)} x ${other}`];
    }),
    ...(speed === undefined ? [] : [`${speed} tokens/s`]),
  ];
}

/** Measurements as a table, each with its ratio to a plain pass of the same run. */
export function table(measurements: readonly Measurement[]): string {
  const medians = new Map(measurements.map(({ job, median_ms: ms }) => [job, ms]));
  const rows = measurements.map((measurement) => {
    const { job, median_ms: ms, n } = measurement;
    return [job, ms.toFixed(2), String(n), besides(measurement, medians).join(", ")] as const;
  });
  const lines = [["job", "median ms", "runs", "beside"] as const, ...rows];
  return lines
    .map(([job, ms, n, ratio]) =>
      `${job.padEnd(28)}${ms.padStart(10)}${n.padStart(6)}  ${ratio}`.trimEnd(),
    )
    .join("\n");
}
