import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../repository.ts";
import { MODULES_FOLDER, type DocModule } from "./modules.ts";

/**
 * Type-checks the modules together, as strictly as the sources but for code without use.
 *
 * @returns What is wrong, as `file:line: message`, by name of module. Errors in the sources
 * themselves are left to `npm run typecheck`.
 */
export function typeCheck(modules: readonly DocModule[]): ReadonlyMap<string, readonly string[]> {
  if (modules.length === 0) return new Map();
  const config = path.join(MODULES_FOLDER, "tsconfig.json");
  writeFileSync(config, JSON.stringify(tsconfig(modules)));
  const tsc = path.join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [tsc, "-p", config, "--pretty", "false"],
    { cwd: ROOT, encoding: "utf8" },
  );
  if (status !== 0 && !/^\S.*\(\d+,\d+\): error/m.test(stdout)) {
    throw new Error(`the type check itself failed: ${stdout}${stderr}`);
  }
  return errorsByModule(modules, stdout);
}

function tsconfig(modules: readonly DocModule[]): unknown {
  return {
    extends: path.join(ROOT, "tsconfig.json"),
    compilerOptions: {
      allowUnreachableCode: true,
      declaration: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
    files: modules.map(({ check }) => check),
  };
}

function errorsByModule(
  modules: readonly DocModule[],
  output: string,
): ReadonlyMap<string, readonly string[]> {
  const byPath = new Map(modules.map((module) => [module.check, module]));
  const errors = new Map<string, string[]>();
  // A line that is indented goes on with the message before it.
  for (const message of output.split(/\n(?=\S)/)) {
    const [, file = "", line, text] = /^(.*)\((\d+),\d+\): error (.*)$/s.exec(message) ?? [];
    const module = byPath.get(path.resolve(ROOT, file));
    if (module === undefined || text === undefined) continue;
    const list = errors.get(module.name) ?? [];
    errors.set(module.name, [...list, `${module.source}:${line}: ${text.trimEnd()}`]);
  }
  return errors;
}
