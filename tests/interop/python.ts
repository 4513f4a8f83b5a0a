import { runCommand } from "../repository/repository.ts";

const PYTHON = process.env["TSVENE_PYTHON"] ?? "python3";
const TIMEOUT = 120_000;

/**
 * Why Python cannot be asked, or undefined where it can.
 * @param modules What it has to have.
 */
export async function missingFromPython(
  ...modules: readonly string[]
): Promise<string | undefined> {
  for (const name of modules) {
    const run = await runCommand([PYTHON, "-c", `import ${name}`], {
      cwd: ".",
      timeout: TIMEOUT,
    }).catch(() => undefined);
    if (run?.code !== 0) return `${PYTHON} with ${name} is not here`;
  }
  return undefined;
}

/** What a script of this folder prints, which is JSON. */
export async function askPython(script: string, ...args: readonly string[]): Promise<unknown> {
  const command = [PYTHON, `tests/interop/${script}`, ...args];
  const { code, stdout, stderr } = await runCommand(command, { cwd: ".", timeout: TIMEOUT });
  if (code !== 0) throw new Error(`${script} failed:\n${stderr}`);
  return JSON.parse(stdout.slice(stdout.lastIndexOf("\n", stdout.length - 2) + 1));
}

/** What a program prints, line by line. */
export async function askPythonLines(file: string): Promise<string[]> {
  const { code, stdout, stderr } = await runCommand([PYTHON, file], { cwd: ".", timeout: TIMEOUT });
  if (code !== 0) throw new Error(`${file} failed:\n${stderr}`);
  return stdout.trim().split("\n");
}
