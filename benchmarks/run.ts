/**
 * Measures jobs: `npm run bench -- [--json] [job ...]`. With `--json` one object a line,
 * `{"job": name, "median_ms": x, "n": runs}`, `"ratio"` for jobs that run in turn with a plain
 * pass or with a ceiling, and `"tokens_per_s"` for writers; otherwise a table with each plain pass
 * beside the engine's own limit.
 */
import { Command } from "commander";
import type { Job } from "./job.ts";
import { jobs } from "./jobs.ts";
import { measure, type Measurement } from "./measure.ts";
import { table } from "./table.ts";

const command = new Command("bench")
  .description("Measures how long tsvene takes, as medians in milliseconds.")
  .argument("[job...]", `jobs to run (default: all): ${jobs.map(({ name }) => name).join(", ")}`)
  .option("--json", "print one JSON object a line")
  .parse();

const { json = false } = command.opts<{ readonly json?: boolean }>();

function chosen(names: readonly string[]): readonly Job[] {
  const known = new Map(jobs.map((job) => [job.name, job]));
  return names.map((name) => known.get(name) ?? command.error(`no job "${name}"; see --help`));
}

const measurements: Measurement[] = [];
for (const job of command.args.length === 0 ? jobs : chosen(command.args)) {
  const measurement = await measure(job);
  measurements.push(measurement);
  if (json) console.log(JSON.stringify(measurement));
  else process.stderr.write(`${job.name} `);
}
if (!json) console.log(`\n${table(measurements)}`);
