import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the repository. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));
/** The example that `npm start` runs. */
export const TOUR = "examples/quickstart.ts";

const SKIPPED: ReadonlySet<string> = new Set(["node_modules", "dist", "out", "coverage"]);

/**
 * Lists the files below a folder of the repository, hidden and generated ones left out.
 *
 * @param folder - Path from the root; a folder that is not there holds no files.
 * @param ending - What the names end with.
 * @returns Sorted paths from the root, with `/` between their parts.
 */
export function listFiles(folder: string, ending: string): string[] {
  const absolute = path.join(ROOT, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith(".") && !SKIPPED.has(name))
    .flatMap((entry) => {
      const file = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) return listFiles(file, ending);
      return file.endsWith(ending) ? [file] : [];
    })
    .sort();
}

/** How a program ended. */
export interface ProgramResult {
  /** Exit code, or null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program in a process of its own.
 *
 * @param command - The program and its arguments.
 * @param options - `timeout` is in milliseconds, after which it is killed.
 */
export async function runCommand(
  [program = "", ...args]: readonly string[],
  { cwd, timeout }: { readonly cwd: string; readonly timeout: number },
): Promise<ProgramResult> {
  const child = spawn(program, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    timeout,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/**
 * Runs a TypeScript file in a process of its own, from the root, with `tsvene` as the sources.
 *
 * @param file - Path of the file.
 * @param timeout - Milliseconds after which it is killed.
 */
export async function runProgram(file: string, timeout: number): Promise<ProgramResult> {
  const flags = ["--conditions=tsvene-source", "--import=tsx"];
  const command = [process.execPath, ...flags, path.resolve(ROOT, file)];
  return runCommand(command, { cwd: ROOT, timeout });
}
