/**
 * Saves the files of one directory and of another into a third, in turn, until it is killed:
 * `endless-saver DIRECTORY ONE OTHER [TIMES]`. They are what `savePretrained` or `save` has written.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FillFile } from "../../../src/files/fill-file.ts";
import { writeTogether } from "../../../src/files/write-together.ts";

async function filesOf(directory: string): Promise<Map<string, FillFile>> {
  const files = new Map<string, FillFile>();
  for (const name of await readdir(directory)) {
    const bytes = await readFile(join(directory, name));
    files.set(name, (write) => write(bytes));
  }
  return files;
}

const [directory = "", one = "", other = "", times = "Infinity"] = process.argv.slice(2);
const saves = [await filesOf(one), await filesOf(other)] as const;
const names = new Set(saves.flatMap((files) => [...files.keys()]));
console.log("ready");
for (let i = process.pid; i < process.pid + Number(times); i++) {
  const files = saves[i % 2 === 0 ? 0 : 1];
  await writeTogether(directory, { files, isSuperseded: (name) => names.has(name) });
}
