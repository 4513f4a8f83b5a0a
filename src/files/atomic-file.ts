import { specialKind } from "./byte-source.ts";
import { randomName } from "./file-lock.ts";
import { FileSourceError } from "./file-source-error.ts";
import type { FillFile } from "./fill-file.ts";
import { isMissing } from "./local-files.ts";
import { type NodeModules, requireNode } from "./node.ts";
import { writeError } from "./write-error.ts";

/** More than this in one call is refused by some systems. */
const LARGEST_WRITE = 1 << 30;

/** Writes a new file, down to the disk itself. One that could not be filled is taken away again. */
export async function writeNewFile(node: NodeModules, path: string, fill: FillFile): Promise<void> {
  const handle = await node.fs.open(path, "wx");
  try {
    await fill(async (bytes) => {
      for (let done = 0; done < bytes.length;) {
        const part = bytes.subarray(done, done + LARGEST_WRITE);
        done += (await handle.write(part)).bytesWritten;
      }
    });
    await handle.sync();
    await handle.close();
  } catch (error) {
    await handle.close().catch(() => undefined);
    await node.fs.rm(path, { force: true });
    throw error;
  }
}

/** Makes sure that a directory's names are on the disk, where the system can do that. */
export async function syncDirectory(node: NodeModules, directory: string): Promise<void> {
  const handle = await node.fs.open(directory, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/**
 * Makes a directory and those that it lies in.
 * @returns the outermost one that was missing.
 */
export async function makeDirectory(
  { fs, path }: NodeModules,
  directory: string,
): Promise<string | undefined> {
  try {
    return await fs.mkdir(directory, { recursive: true });
  } catch (error) {
    if (!isMissing(error)) throw error;
    // Where none can be made, as on a read-only disk, Node says that it is missing.
    let missing = directory;
    while (!(await fs.stat(path.dirname(missing)).catch(() => undefined))) {
      if (path.dirname(missing) === missing) throw error;
      missing = path.dirname(missing);
    }
    await fs.mkdir(missing);
    await fs.mkdir(directory, { recursive: true });
    return missing;
  }
}

/** Throws unless something may be written in the place of `path`: a file, or nothing. */
async function requireFileOrNothing(node: NodeModules, path: string): Promise<void> {
  try {
    const found = await node.fs.stat(path);
    const kind = specialKind(found);
    if (kind === undefined) return;
    throw new FileSourceError("name", `cannot write ${path}: it is ${kind}; a file was expected`);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Takes away what killed writers of the same file left, once it is an hour old. */
async function removeRemains(node: NodeModules, path: string): Promise<void> {
  const directory = node.path.dirname(path);
  const base = `${node.path.basename(path)}.`;
  for (const name of await node.fs.readdir(directory)) {
    if (!name.startsWith(base) || !/^[0-9a-f]{16}\.incomplete$/.test(name.slice(base.length))) {
      continue;
    }
    const remains = node.path.join(directory, name);
    const age = await node.fs.stat(remains).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > 3_600_000) await node.fs.rm(remains, { force: true });
  }
}

/**
 * Writes a file so that it is there whole or not at all: into another one beside it, which then
 * takes its name. Missing directories are made. When that fails, an old file of that name stays
 * as it was.
 *
 * @throws {@link FileSourceError} when it cannot be written, with the path and the system's reason.
 */
export async function writeFileAtomic(path: string, fill: FillFile): Promise<void> {
  const node = requireNode(`writing ${path}`);
  const directory = node.path.dirname(path);
  const partial = `${path}.${randomName()}.incomplete`;
  try {
    await makeDirectory(node, directory);
    await requireFileOrNothing(node, path);
    await writeNewFile(node, partial, fill);
    try {
      await node.fs.rename(partial, path);
    } catch (error) {
      await node.fs.rm(partial, { force: true });
      throw error;
    }
    await syncDirectory(node, directory);
    await removeRemains(node, path);
  } catch (error) {
    throw writeError(path, "what was there is as it was", error);
  }
}
