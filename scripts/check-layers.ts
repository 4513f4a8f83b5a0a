/** Fails when a file imports what its place in the repository does not allow; see `layers.ts`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { layerViolations } from "./layers.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = ["src", "examples", "benchmarks", "playground"];

/** Tests are exempt: they use whatever they need to check the file that they stand beside. */
const files = FOLDERS.filter((folder) => existsSync(path.join(ROOT, folder)))
  .flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((file) =>
      path.posix.join(folder, file.replaceAll(path.sep, "/")),
    ),
  )
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .filter((file) => !file.includes("node_modules/") && !file.includes("/dist/"));

const violations = files.flatMap((file) =>
  layerViolations(file, readFileSync(path.join(ROOT, file), "utf8")),
);
for (const violation of violations) console.error(violation);
console.log(`layers: ${files.length} files, ${violations.length} violations`);
if (violations.length > 0) process.exitCode = 1;
