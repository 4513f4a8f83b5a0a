/*
 * npm run check:node
 *
 * Runs the tests of the runtime, of 16-bit weights and of the tour on the versions of Node that users
 * have besides the current one. They come from npm, pinned by `scripts/node-versions`; on a platform
 * that they are not there for, that is said.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const VERSIONS = path.join(ROOT, "scripts", "node-versions");

/** Parts of the paths of test files. */
const TESTS = ["src/runtime/", "runtime-facts", "half-weights", "tour.test"] as const;

function run(command: string, args: readonly string[], label?: string): number {
  const env = { ...process.env, ...(label === undefined ? {} : { TSVENE_TEST_RUN: label }) };
  return spawnSync(command, args, { cwd: ROOT, stdio: "inherit", env }).status ?? 1;
}

let failed = run("npm", ["ci", "--no-audit", "--no-fund", "--prefix", VERSIONS]) === 0 ? 0 : 1;
for (const version of ["22", "24"]) {
  const node = path.join(VERSIONS, "node_modules", `node-${version}`, "bin", "node");
  if (!existsSync(node)) {
    console.log(`Node ${version}: skipped, for npm has no build of it for this platform here`);
    continue;
  }
  console.log(`Node ${version}`);
  const vitest = path.join(ROOT, "node_modules", "vitest", "vitest.mjs");
  failed += run(node, [vitest, "run", ...TESTS], `node-${version}`) === 0 ? 0 : 1;
}
process.exitCode = failed > 0 ? 1 : 0;
