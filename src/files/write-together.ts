import { makeDirectory, syncDirectory, writeNewFile } from "./atomic-file.ts";
import type { FillFile } from "./fill-file.ts";
import { isUnsupported, randomName, withFileLock } from "./file-lock.ts";
import { FileSourceError } from "./file-source-error.ts";
import { isMissing } from "./local-files.ts";
import { type NodeModules, requireNode } from "./node.ts";
import { writeError } from "./write-error.ts";

/** All that a save makes for itself begins like this. */
const OWN = ".tsvene-";
const LOCK = `${OWN}lock`;
/** While files change places, a link to the directory that has those which count. */
const CURRENT = `${OWN}current`;

/** Files that belong together; see {@link writeTogether}. */
export interface FilesTogether {
  /** Content by name. */
  readonly files: ReadonlyMap<string, FillFile>;
  /** Names of files of an earlier save that go when there is no new one of that name. */
  readonly isSuperseded?: (name: string) => boolean;
}

/** A directory that is being written to. */
interface Destination {
  readonly node: NodeModules;
  readonly directory: string;
}

function within({ node, directory }: Destination, ...parts: readonly string[]): string {
  return node.path.join(directory, ...parts);
}

async function linkTarget(place: Destination, name: string): Promise<string | undefined> {
  return place.node.fs.readlink(within(place, name)).catch(() => undefined);
}

/** Puts a symbolic link in the place of `name`, in one step. */
async function replaceByLink(place: Destination, name: string, target: string): Promise<void> {
  const { fs } = place.node;
  const made = within(place, `${OWN}link-${randomName()}`);
  await fs.symlink(target, made);
  await fs.rename(made, within(place, name));
}

/** Gives a file another name beside the one it has. */
async function alsoNamed({ fs }: NodeModules, file: string, name: string): Promise<void> {
  if ((await fs.lstat(file)).isSymbolicLink()) await fs.symlink(await fs.realpath(file), name);
  else await fs.link(file, name);
}

/** Keeps a file under another name as well; as a copy, where the system allows no second name. */
async function keep({ node, directory }: Destination, name: string, former: string): Promise<void> {
  const [from, to] = [name, node.path.join(former, name)].map((path) =>
    node.path.join(directory, path),
  ) as [string, string];
  try {
    await alsoNamed(node, from, to).catch(async (error: unknown) => {
      if (!isUnsupported(error)) throw error;
      await node.fs.copyFile(from, to);
    });
  } catch (error) {
    // A link to nothing, or a file that somebody else has just taken away.
    if (!isMissing(error)) throw error;
  }
}

/** Files of the directory that a save would replace or take away. */
async function replacedNames(
  place: Destination,
  { files, isSuperseded }: FilesTogether,
): Promise<string[]> {
  const names: string[] = [];
  for (const name of await place.node.fs.readdir(place.directory)) {
    if (!files.has(name) && !isSuperseded?.(name)) continue;
    const found = await place.node.fs.stat(within(place, name)).catch(() => undefined);
    if (found === undefined || found.isFile()) {
      names.push(name);
      continue;
    }
    const path = within(place, name);
    throw new FileSourceError("name", `cannot write ${path}: it is there, and it is not a file`);
  }
  return names;
}

/**
 * Makes an end of a save, wherever it was stopped: of files that are links to those which count,
 * these take the place, and all that the save made for itself goes. Stopped in its turn, it can be
 * done again.
 */
async function settle(place: Destination): Promise<void> {
  const { fs } = place.node;
  const names = await fs.readdir(place.directory);
  const current = await linkTarget(place, CURRENT);
  for (const name of current === undefined ? [] : names) {
    if ((await linkTarget(place, name)) !== `${CURRENT}/${name}`) continue;
    const file = within(place, current ?? "", name);
    const made = within(place, `${OWN}link-${randomName()}`);
    try {
      // Moved only if need be: whoever is on the way through the links shall find it.
      const source = await alsoNamed(place.node, file, made).then(
        () => made,
        () => file,
      );
      await fs.rename(source, within(place, name));
    } catch (error) {
      if (!isMissing(error)) throw error;
      await fs.rm(within(place, name), { force: true });
    }
  }
  if (current !== undefined) {
    await syncDirectory(place.node, place.directory);
    await fs.rm(within(place, CURRENT), { force: true });
  }
  for (const name of await fs.readdir(place.directory)) {
    if (!name.startsWith(OWN) || name.startsWith(LOCK)) continue;
    await fs.rm(within(place, name), { recursive: true, force: true });
  }
}

/**
 * Lets new files take the place of old ones, all in one step: every name becomes a link through one
 * other link, first to the old files, under which nothing changes; then that one link is turned to
 * the new files.
 */
async function exchange(place: Destination, fresh: string, wanted: FilesTogether): Promise<void> {
  const { node, directory } = place;
  const former = `${OWN}old-${randomName()}`;
  const replaced = await replacedNames(place, wanted);
  await node.fs.mkdir(within(place, former));
  for (const name of replaced) await keep(place, name, former);
  await syncDirectory(node, within(place, former));
  await replaceByLink(place, CURRENT, former);
  for (const name of new Set([...replaced, ...wanted.files.keys()])) {
    await replaceByLink(place, name, `${CURRENT}/${name}`);
  }
  await syncDirectory(node, directory);
  await replaceByLink(place, CURRENT, fresh);
  await syncDirectory(node, directory);
}

/** One file after the other, where there are no symbolic links: all of them whole, but not at once. */
async function moveEach(place: Destination, fresh: string, wanted: FilesTogether): Promise<void> {
  const { fs } = place.node;
  const replaced = await replacedNames(place, wanted);
  for (const name of wanted.files.keys()) {
    await fs.rename(within(place, fresh, name), within(place, name));
  }
  for (const name of replaced) {
    if (!wanted.files.has(name)) await fs.rm(within(place, name), { force: true });
  }
  await syncDirectory(place.node, place.directory);
}

async function hasLinks(place: Destination, fresh: string): Promise<boolean> {
  try {
    await replaceByLink(place, `${OWN}trial`, fresh);
    return true;
  } catch (error) {
    if (isUnsupported(error)) return false;
    throw error;
  }
}

async function replaceAll(
  place: Destination,
  wanted: FilesTogether,
  stillHeld: () => Promise<void>,
): Promise<void> {
  await settle(place);
  await replacedNames(place, wanted);
  const fresh = `${OWN}new-${randomName()}`;
  try {
    await place.node.fs.mkdir(within(place, fresh));
    for (const [name, fill] of wanted.files) {
      await writeNewFile(place.node, within(place, fresh, name), fill);
    }
    await syncDirectory(place.node, within(place, fresh));
    await stillHeld();
    if (await hasLinks(place, fresh)) await exchange(place, fresh, wanted);
    else await moveEach(place, fresh, wanted);
  } catch (error) {
    // What could not be written is the news, and not what follows from it.
    await settle(place).catch(() => undefined);
    throw error;
  }
  await settle(place);
}

/** Takes away directories that were made for nothing, as long as they are empty. */
async function removeEmpty(node: NodeModules, directory: string, first: string): Promise<void> {
  for (let path = directory; path.startsWith(first); path = node.path.dirname(path)) {
    await node.fs.rmdir(path).catch(() => undefined);
  }
}

/**
 * Writes files that belong together into a directory, which is made when it is missing: at every
 * moment, and after a crash at any, it holds all old ones or all new ones. Other files in it stay as
 * they are. Of several saves at once, one comes after the other. What killed saves left is taken
 * away by the next.
 *
 * Where the file system has no symbolic links, the files, though each is whole, are replaced one
 * after the other.
 *
 * @throws {@link FileSourceError} when they cannot be written, with the path and the system's
 * reason; the old ones are there then.
 */
export async function writeTogether(path: string, wanted: FilesTogether): Promise<void> {
  const node = requireNode(`writing ${path}`);
  const absolute = node.path.resolve(path);
  let made: string | undefined;
  try {
    made = await makeDirectory(node, absolute);
    const place = { node, directory: await node.fs.realpath(absolute) };
    await withFileLock(node, within(place, LOCK), (stillHeld) =>
      replaceAll(place, wanted, stillHeld),
    );
  } catch (error) {
    if (made !== undefined) await removeEmpty(node, absolute, made);
    throw writeError(path, "what was there is as it was", error);
  }
}
