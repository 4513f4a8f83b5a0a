import type { Measurement } from "./measure.ts";

/** The plain pass that a job's duration is set beside. */
function reference(job: string): string {
  const length = /T\d+$/.exec(job)?.[0];
  if (job === "plain_T64" || job === "plain_T16") return `floor_${length}`;
  if (job.startsWith("generate")) return "generate_plain_16+32";
  if (job.startsWith("tiny")) return "tiny_plain";
  if (job.includes("B8")) return "plain_B8_T32";
  return `plain_${length}`;
}

/** What a job runs in turn with. */
function besideOf(job: string): string {
  return job.startsWith("overhead") ? "the plain pass" : "its ceiling";
}

/** Measurements as a table, each with its ratio to a plain pass of the same run. */
export function table(measurements: readonly Measurement[]): string {
  const medians = new Map(measurements.map(({ job, median_ms: ms }) => [job, ms]));
  const rows = measurements.map(({ job, median_ms: ms, n, ratio: inTurn, tokens_per_s: speed }) => {
    if (inTurn !== undefined) {
      return [
        job,
        ms.toFixed(2),
        String(n),
        `${inTurn.toFixed(3)} x ${besideOf(job)} in turn${speed === undefined ? "" : `, ${speed} tokens/s`}`,
      ] as const;
    }
    const other = reference(job);
    const base = medians.get(other);
    const ratio =
      base === undefined || other === job || job.startsWith("floor")
        ? ""
        : `${(ms / base).toFixed(2)} x ${other}`;
    return [job, ms.toFixed(2), String(n), ratio] as const;
  });
  const lines = [["job", "median ms", "runs", "beside"] as const, ...rows];
  return lines
    .map(([job, ms, n, ratio]) =>
      `${job.padEnd(28)}${ms.padStart(10)}${n.padStart(6)}  ${ratio}`.trimEnd(),
    )
    .join("\n");
}
