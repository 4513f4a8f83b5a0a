/** Fails when a layer of `src/` has more lines of code than it may have; see `line-budgets.ts`. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { budgetViolations, linesByLayer } from "./line-budgets.ts";
import { ROOT, sourceFiles } from "./source-files.ts";

const lines = linesByLayer(
  sourceFiles(["src"]).map((file) => [file, readFileSync(path.join(ROOT, file), "utf8")]),
);
const violations = budgetViolations(lines);
for (const violation of violations) console.error(violation);
const total = Object.values(lines).reduce((sum, count) => sum + count, 0);
console.log(`budgets: ${total} lines of code, ${violations.length} layers over their budget`);
if (violations.length > 0) process.exitCode = 1;
