import { cp, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import path from "node:path";
import { buildForPages } from "../../scripts/build-browser.ts";
import { TSC } from "../repository/installed-package.ts";
import { ROOT, runCommand } from "../repository/repository.ts";

/**
 * Makes a project that has the package built, and finds what that depends on in the repository.
 *
 * @returns Its folder, in `out/`.
 */
export async function stagePackage(): Promise<string> {
  await mkdir(path.join(ROOT, "out"), { recursive: true });
  const folder = await mkdtemp(path.join(ROOT, "out", "pages-"));
  const staged = path.join(folder, "node_modules", "tsvene");
  const dist = path.join(staged, "dist");
  const compile = [...TSC, "-p", path.join(ROOT, "tsconfig.build.json"), "--outDir", dist];
  const { code, stdout } = await runCommand(compile, { cwd: ROOT, timeout: 120_000 });
  if (code !== 0) throw new Error(`the package does not compile:\n${stdout}`);
  for (const name of ["package.json", "models"]) {
    await cp(path.join(ROOT, name), path.join(staged, name), { recursive: true });
  }
  // A package of its own, or its imports of tsvene would be the repository's own.
  await writeFile(path.join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  await buildForPages(dist);
  return folder;
}
