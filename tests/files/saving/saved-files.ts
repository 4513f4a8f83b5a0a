import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FillFile } from "../../../src/files/fill-file.ts";

/** Names that one or the other save has. */
const NAMES = ["config.json", "model.safetensors", "generation_config.json", "model-2.json"];

/** Files of a save: `old` has one that others lack, and lacks one that they have. */
export function savedNames(label: string): readonly string[] {
  const lacking = label === "old" ? "model-2.json" : "generation_config.json";
  return NAMES.filter((name) => name !== lacking);
}

/** The files of a save; all of them say which. */
export function savedFiles(label: string): ReadonlyMap<string, FillFile> {
  const half = new TextEncoder().encode(`${label} `);
  return new Map(
    savedNames(label).map((name) => [
      name,
      async (write) => {
        await write(half);
        await write(half);
      },
    ]),
  );
}

export function isSuperseded(name: string): boolean {
  return NAMES.includes(name);
}

/**
 * What is there for somebody who just opens files.
 * @returns the label of the save that is there as a whole; `"nothing"`; or what is wrong.
 */
export async function savedIn(directory: string): Promise<string> {
  const found = new Map<string, string>();
  for (const name of NAMES) {
    const text = await readFile(join(directory, name), "utf8").catch(() => undefined);
    if (text !== undefined) found.set(name, text);
  }
  const label = found.get("config.json")?.split(" ")[0];
  if (found.size === 0) return "nothing";
  const wanted = savedNames(label ?? "");
  const isWhole =
    found.size === wanted.length &&
    wanted.every((name) => found.get(name) === `${label ?? ""} ${label ?? ""} `);
  return isWhole && label !== undefined ? label : `mixed: ${JSON.stringify([...found])}`;
}
