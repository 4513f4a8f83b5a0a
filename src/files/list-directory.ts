import type { Dirent } from "node:fs";
import { FileSourceError } from "./file-source-error.ts";
import { checkRelativePath } from "./file-source.ts";
import { isDirectory, whereItEnds } from "./missing-directory.ts";
import { type NodeModules, requireNode } from "./node.ts";

/** What programs keep beside files for themselves: histories, caches, locks and unfinished files. */
const ASIDE =
  /^(?:\.git|\.cache|\.DS_Store|\.tsvene-.*|\.#.*|.*~|.*\.(?:lock|tmp|swp|incomplete))$/;

/**
 * Paths of all files in a directory and in those below it, with "/" between their parts, but for
 * `.git`, `.cache`, locks and temporary files.
 *
 * @param caller - What messages begin with.
 * @throws {@link FileSourceError} for a directory that is missing or has no files, and for a link to
 * a directory or to nothing.
 */
export async function listDirectory(caller: string, directory: string): Promise<string[]> {
  const node = requireNode(caller);
  if (directory === "" || !(await isDirectory(node, directory))) {
    const ends = directory === "" ? "" : `: ${await whereItEnds(node, directory)}`;
    const missing = `there is no directory ${JSON.stringify(directory)}${ends}`;
    throw new FileSourceError("missing", `${caller}: ${missing}`);
  }
  const paths = (await walk(node, directory, "")).toSorted();
  for (const path of paths) checkRelativePath(path, `${caller}: ${directory}`);
  if (paths.length > 0) return paths;
  throw new FileSourceError("missing", `${caller}: the directory ${directory} has no files`);
}

async function walk(node: NodeModules, directory: string, under: string): Promise<string[]> {
  const place = node.path.join(directory, under);
  const entries = await node.fs.readdir(place, { withFileTypes: true });
  const kept = entries.filter(({ name }) => !ASIDE.test(name));
  const paths = kept.map(async (entry) => {
    const path = under === "" ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) return walk(node, directory, path);
    await requireFile(node, entry, node.path.join(directory, path));
    return [path];
  });
  return (await Promise.all(paths)).flat();
}

async function requireFile(node: NodeModules, entry: Dirent, path: string): Promise<void> {
  if (!entry.isSymbolicLink()) return;
  const found = await node.fs.stat(path).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) return;
  const what = found === undefined ? "nothing" : "a directory, which is not followed";
  throw new FileSourceError("name", `${path} is a link to ${what}; take it away, or copy it there`);
}
