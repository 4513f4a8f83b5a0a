import { cp, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { markdownBlocks } from "./docs/blocks.ts";
import { type ProgramResult, ROOT, runCommand } from "./repository.ts";

/** What npm adds to `files`, or is built anew. */
const BESIDE_FILES = ["package.json", "README.md", "LICENSE"] as const;

/** The compiler's command. */
export const TSC: readonly string[] = [
  process.execPath,
  path.join(ROOT, "node_modules", "typescript", "bin", "tsc"),
];

/** How npm says that nobody answers. */
const UNREACHABLE =
  /\b(?:ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENOTCACHED|EHOSTUNREACH|ENETUNREACH)\b/;

const TIMEOUT = 120_000;

/** A fresh project with the package in it. */
export interface Installed {
  readonly folder: string;
  /** Paths of all files of the package, from its root. */
  readonly files: readonly string[];
}

async function succeed(command: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await runCommand(command, { cwd, timeout: TIMEOUT });
  if (code === 0) return stdout;
  throw new Error(`${command.join(" ")} ended with ${code}:\n${stderr}${stdout}`);
}

/** Builds and packs the package aside, so that a build of the repository stays as it is. */
async function pack(folder: string): Promise<string> {
  const staged = path.join(folder, "staged");
  const json = JSON.parse(await readFile(path.join(ROOT, "package.json"), "utf8")) as {
    readonly files: readonly string[];
  };
  const copied = [...BESIDE_FILES, ...json.files.filter((name) => name !== "dist")];
  for (const name of copied) {
    await cp(path.join(ROOT, name), path.join(staged, name), { recursive: true });
  }
  const built = path.join(staged, "dist");
  await succeed([...TSC, "-p", path.join(ROOT, "tsconfig.build.json"), "--outDir", built], ROOT);
  const out = await succeed(["npm", "pack", "--ignore-scripts", "--silent"], staged);
  return path.join(staged, out.trim());
}

/**
 * Packs the package and installs it into a new folder.
 *
 * @returns Why not, where npm's registry cannot be reached and its cache does not have all.
 */
export async function installPackage(): Promise<Installed | string> {
  const root = await mkdtemp(path.join(tmpdir(), "tsvene-package-"));
  const packed = await pack(root);
  const folder = await mkdtemp(path.join(root, "project-"));
  await writeFile(path.join(folder, "package.json"), '{ "private": true }\n');
  const flags = "--prefer-offline --no-audit --no-fund --ignore-scripts --no-package-lock";
  // Else npm tries for minutes where nobody answers.
  const patience = "--fetch-retries=1 --fetch-retry-mintimeout=500 --fetch-retry-maxtimeout=1000";
  const install = ["npm", "install", ...`${flags} ${patience}`.split(" "), packed];
  const result = await runCommand(install, { cwd: folder, timeout: TIMEOUT });
  if (result.code === 0) {
    const files = await readdir(path.join(folder, "node_modules", "tsvene"), { recursive: true });
    return { folder, files: files.map((file) => file.replaceAll("\\", "/")) };
  }
  const [reason] = UNREACHABLE.exec(result.stderr) ?? [];
  if (reason !== undefined) return `npm's registry cannot be reached (${reason})`;
  throw new Error(`npm install failed:\n${result.stderr}`);
}

/** The first program of the README. */
export async function readmeProgram(): Promise<string> {
  const [first] = markdownBlocks(await readFile(path.join(ROOT, "README.md"), "utf8"));
  if (first === undefined) throw new Error("the README has no program");
  return first.code;
}

/** The same program for CommonJS, which has neither `import` nor `await` at its top level. */
export function withRequire(program: string): string {
  const [statement = "", names = ""] = /^import (\{[^}]*\}) from "tsvene";\n/.exec(program) ?? [];
  const body = program.slice(statement.length);
  return `const ${names} = require("tsvene");\n(async () => {\n${body}\n})();\n`;
}

/** Runs a program of the project, by its text. */
export async function runIn(
  { folder }: Installed,
  name: string,
  code: string,
): Promise<ProgramResult> {
  await writeFile(path.join(folder, name), code);
  return runCommand([process.execPath, name], { cwd: folder, timeout: TIMEOUT });
}
