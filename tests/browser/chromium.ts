import { accessSync, constants } from "node:fs";
import path from "node:path";

/** What Debian, other distributions and Google call the program. */
const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"] as const;

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function find(): string | undefined {
  const chosen = process.env["TSVENE_CHROMIUM"];
  if (chosen !== undefined) {
    if (isProgram(chosen)) return chosen;
    throw new Error(`TSVENE_CHROMIUM: ${chosen} is no program that can be run`);
  }
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(
    isProgram,
  );
  if (found === undefined && process.env["TSVENE_REQUIRE_BROWSER"] === "1") {
    throw new Error(`TSVENE_REQUIRE_BROWSER=1, but PATH has none of ${NAMES.join(", ")}`);
  }
  return found;
}

/**
 * The Chromium of this machine: what `TSVENE_CHROMIUM` names, else one of PATH. Undefined where there
 * is none, which is an error under `TSVENE_REQUIRE_BROWSER=1`.
 */
export const CHROMIUM: string | undefined = find();

/** How Chromium is started: also as root, and where shared memory is short, as in containers. */
export const CHROMIUM_FLAGS: readonly string[] = ["--no-sandbox", "--disable-dev-shm-usage"];
