import { execFile, execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../repository/repository.ts";

const run = promisify(execFile);

/** The native library writes its device id at once, and looks its host up after 11 s. */
const UNTIL_LOOK_UP = 13_000;

const COMPUTE = `
import { ones } from "tsvene";
await ones([2]).add(1).data();
await new Promise((resolve) => setTimeout(resolve, Number(process.argv[2])));
`;
const IN_A_WORKER = `
import { Worker } from "node:worker_threads";
new Worker(new URL("./worker.mjs", import.meta.url));
`;
const WORKER = `
import { register } from "tsx/esm/api";
register();
const { ones } = await import("tsvene");
await ones([2]).add(1).data();
`;

function hasStrace(): boolean {
  try {
    execFileSync("strace", ["-f", "-o", "/dev/null", process.execPath, "--version"]);
    return true;
  } catch {
    return false;
  }
}

let directory = "";
beforeAll(async () => {
  await mkdir(join(ROOT, "out"), { recursive: true });
  directory = await mkdtemp(join(ROOT, "out", "telemetry-"));
  await writeFile(join(directory, "compute.mjs"), COMPUTE);
  await writeFile(join(directory, "starts-worker.mjs"), IN_A_WORKER);
  await writeFile(join(directory, "worker.mjs"), WORKER);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Result {
  /** Files below the home that was new. */
  readonly files: string[];
  readonly stderr: string;
  readonly home: string;
}

/** Runs one of the programs with a new home and a setting of the environment variable. */
async function runAtHome(
  program: string,
  setting: string | undefined,
  { wait = 0, tracer = [] as readonly string[] } = {},
): Promise<Result> {
  const home = await mkdtemp(join(directory, "home-"));
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: home };
  delete env["XDG_CACHE_HOME"];
  delete env["ORT_DISABLE_TELEMETRY"];
  // Where it is set, the engine sends nothing in any case.
  delete env["CI"];
  if (setting !== undefined) env["ORT_DISABLE_TELEMETRY"] = setting;
  const node = [process.execPath, "--import=tsx", "--conditions=tsvene-source"];
  const [file, ...args] = [...tracer, ...node, join(directory, program), String(wait)];
  const { stderr } = await run(file, args, { cwd: ROOT, env });
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  return {
    files: entries.filter((entry) => entry.isFile()).map(({ name }) => name),
    stderr,
    home,
  };
}

describe.runIf(process.platform === "linux")("telemetry of ONNX Runtime", () => {
  it.each([undefined, "", "true"])("is off with the setting %j", async (setting) => {
    expect((await runAtHome("compute.mjs", setting)).files).toEqual([]);
  });

  it.each(["0", "false"])("is on for who asks for it with %j", async (setting) => {
    expect((await runAtHome("compute.mjs", setting)).files).toContain("deviceid");
  });

  it("is said to be on where a worker thread cannot turn it off", async () => {
    const alone = await runAtHome("starts-worker.mjs", undefined);
    expect(alone.stderr).toContain("TelemetryWarning");
    expect(alone.stderr).toContain("set ORT_DISABLE_TELEMETRY=1 in the environment");
    const told = await runAtHome("starts-worker.mjs", "1");
    expect(told).toMatchObject({ files: [], stderr: "" });
  });

  it.runIf(hasStrace())("looks no host up", { timeout: 60_000 }, async () => {
    const traced = async (setting?: string): Promise<string> => {
      const log = join(directory, `trace-${setting ?? "default"}`);
      const tracer = ["strace", "-f", "-e", "trace=network", "-o", log];
      await runAtHome("compute.mjs", setting, { wait: UNTIL_LOOK_UP, tracer });
      return readFile(log, "utf8");
    };
    const [off, on] = await Promise.all([traced(), traced("0")]);
    expect(on).toContain("AF_INET");
    expect(off).not.toContain("AF_INET");
  });
});
