import { FileSourceError } from "./file-source-error.ts";
import { isMissing } from "./local-files.ts";
import type { NodeModules } from "./node.ts";

const MOST_NAMES_SHOWN = 12;

/**
 * Whether a directory has that path.
 * @throws {@link FileSourceError} when it is a file; the system's error when that cannot be seen.
 */
export async function isDirectory(node: NodeModules, path: string): Promise<boolean> {
  try {
    if ((await node.fs.stat(path)).isDirectory()) return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  throw new FileSourceError("name", `${path} is a file; a directory was expected`);
}

/** Whether a name can mean nothing but a directory: `./a`, `/a`, `~/a`, `a\b`, `a/b/c`. */
export function isPath(name: string): boolean {
  return /^[./~]|\\|\/.*\//.test(name);
}

/** The names of the directories in a directory, or undefined where there is none to look into. */
async function directoriesIn(node: NodeModules, path: string): Promise<string[] | undefined> {
  const entries = await node.fs.readdir(path, { withFileTypes: true }).catch(() => undefined);
  return entries
    ?.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .toSorted();
}

/** Says where a path ends: "/models has no gpt3, but gpt2, tsvene-mini". */
export async function whereItEnds(node: NodeModules, path: string): Promise<string> {
  let missing = node.path.resolve(path);
  for (;;) {
    const parent = node.path.dirname(missing);
    const there = await directoriesIn(node, parent);
    if (there !== undefined) {
      const shown = there.slice(0, MOST_NAMES_SHOWN).join(", ");
      const more = there.length > MOST_NAMES_SHOWN ? ", ..." : "";
      const instead = shown === "" ? "nor any other" : `but ${shown}${more}`;
      return `${parent} has no directory ${node.path.basename(missing)}, ${instead}`;
    }
    if (parent === missing) return `${parent} cannot be listed`;
    missing = parent;
  }
}
