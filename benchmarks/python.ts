import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PYTHON = process.env["TSVENE_PYTHON"] ?? "python3";

/** A script of this folder in a Python process that waits to be asked to run. */
export interface PythonRun {
  /** Runs it once. */
  readonly run: () => Promise<unknown>;
  /** Ends the process. */
  readonly close: () => void;
}

/**
 * Starts a script of this folder, which says "ready", and then a line after each run that a line asks
 * for (`--serve`). `TSVENE_PYTHON` names the interpreter.
 *
 * @returns the running script, or why there is none.
 */
export async function python(script: string): Promise<PythonRun | string> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(PYTHON, [file, "--serve"], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<boolean> => (await lines.next()).done !== true;
  child.on("error", () => child.kill());
  child.stdin.on("error", () => child.kill());
  if (!(await answer())) return `${PYTHON} with torch is not here`;
  return {
    async run() {
      child.stdin.write("\n");
      if (!(await answer())) throw new Error(`${script} ended early`);
    },
    close: () => void child.kill(),
  };
}
