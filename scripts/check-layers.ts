/** Fails when a file imports what its place in the repository does not allow; see `layers.ts`. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { layerViolations } from "./layers.ts";
import { ROOT, sourceFiles } from "./source-files.ts";

const files = sourceFiles(["src", "examples", "benchmarks", "playground"]);
const violations = files.flatMap((file) =>
  layerViolations(file, readFileSync(path.join(ROOT, file), "utf8")),
);
for (const violation of violations) console.error(violation);
console.log(`layers: ${files.length} files, ${violations.length} violations`);
if (violations.length > 0) process.exitCode = 1;
