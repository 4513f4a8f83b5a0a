/**
 * Measures jobs: `npm run bench -- [--json] [--device webgpu] [job ...]`. With `--json` one object a line,
 * `{"job": name, "device": "cpu", "median_ms": x, "n": runs}`, `"ratio"` for jobs that run in turn with a plain
 * pass or with a ceiling, and `"tokens_per_s"` for writers; otherwise a table with each plain pass
 * beside the engine's own limit.
 */
import { Command } from "commander";
import { availableDevices, configureRuntime, type Device } from "tsvene";
import type { Job } from "./job.ts";
import { jobs } from "./jobs.ts";
import { measure, type Measurement } from "./measure.ts";
import { table } from "./table.ts";

const command = new Command("bench")
  .description("Measures how long tsvene takes, as medians in milliseconds.")
  .argument("[job...]", `jobs to run (default: all): ${jobs.map(({ name }) => name).join(", ")}`)
  .option("--json", "print one JSON object a line")
  .option("--device <device>", "where programs run: cpu, webgpu, cuda or tensorrt", "cpu")
  .parse();

const { json = false, device } = command.opts<{
  readonly json?: boolean;
  readonly device: Device;
}>();
if (!(await availableDevices()).includes(device)) {
  const message = `no device "${device}" here; there are ${(await availableDevices()).join(", ")}`;
  command.error(message);
}
configureRuntime({ device });

function chosen(names: readonly string[]): readonly Job[] {
  const known = new Map(jobs.map((job) => [job.name, job]));
  return names.map((name) => known.get(name) ?? command.error(`no job "${name}"; see --help`));
}

const measurements: Measurement[] = [];
for (const job of command.args.length === 0 ? jobs : chosen(command.args)) {
  const measurement = await measure(job, device);
  measurements.push(measurement);
  if (json) console.log(JSON.stringify(measurement));
  else process.stderr.write(`${job.name} `);
}
if (!json) console.log(`\n${table(measurements)}`);
