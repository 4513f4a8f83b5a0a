import { spawn, type ChildProcess } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type ProgramResult, ROOT } from "../repository/repository.ts";

/** The command line, built as it is shipped. */
export interface BuiltCli {
  /** A folder for what commands write, which is their working directory. */
  readonly folder: () => string;
  /** Starts a command. */
  readonly start: (args: readonly string[], options?: StartOptions) => ChildProcess;
  /** Runs a command to its end. */
  readonly run: (args: readonly string[], options?: StartOptions) => Promise<ProgramResult>;
}

/** What a command is given. */
export interface StartOptions {
  /** What stands on its standard input; nothing by default. */
  readonly input?: string;
  /** Further variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const TIMEOUT = 120_000;

/** Builds the package aside, once for a file of tests: starting it from the sources takes far longer. */
export function useBuiltCli(): BuiltCli {
  let built = "";
  beforeAll(async () => {
    await mkdir(path.join(ROOT, "out"), { recursive: true });
    built = await mkdtemp(path.join(ROOT, "out", "cli-"));
    await cp(path.join(ROOT, "package.json"), path.join(built, "package.json"));
    await symlink(path.join(ROOT, "models"), path.join(built, "models"));
    await mkdir(path.join(built, "work"));
    const tsc = path.join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const flags = [
      "-p",
      path.join(ROOT, "tsconfig.build.json"),
      "--outDir",
      path.join(built, "dist"),
    ];
    const { code, stdout } = await end(spawn(process.execPath, [tsc, ...flags], { cwd: ROOT }));
    if (code !== 0) throw new Error(`the build failed:\n${stdout}`);
  }, TIMEOUT);
  afterAll(() => rm(built, { recursive: true, force: true }));
  const folder = (): string => path.join(built, "work");
  const start = (args: readonly string[], { input, env }: StartOptions = {}): ChildProcess => {
    const main = path.join(built, "dist", "cli", "main.js");
    const child = spawn(process.execPath, [main, ...args], {
      cwd: folder(),
      env: { ...process.env, HF_HUB_OFFLINE: "1", COLUMNS: "80", ...env },
      timeout: TIMEOUT,
      killSignal: "SIGKILL",
    });
    child.stdin.end(input ?? "");
    return child;
  };
  return { folder, start, run: (args, options) => end(start(args, options)) };
}

/** Waits until a process has ended. */
export async function end(child: ChildProcess): Promise<ProgramResult> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
