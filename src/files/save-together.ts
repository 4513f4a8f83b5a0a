import type { ByteSource } from "./byte-source.ts";
import { FileSourceError } from "./file-source-error.ts";
import { readTogether } from "./file-source.ts";
import { HubUpload } from "./hub-upload.ts";
import { LocalFiles } from "./local-files.ts";
import type { Pushed, PushOptions } from "./push-options.ts";
import { type FilesTogether, writeTogether } from "./write-together.ts";

/** Where files that are saved go as well. */
export interface SaveTarget {
  /** The repository of the Hub that gets them too, if any. */
  readonly pushToHub?: PushOptions | undefined;
  /** Its `README.md`, where there is none that somebody wrote. */
  readonly card?: ((options: PushOptions) => string) | undefined;
}

async function openAll(
  directory: string,
  names: Iterable<string>,
): Promise<Map<string, ByteSource>> {
  const files = new LocalFiles(directory);
  const opened = new Map<string, ByteSource>();
  try {
    // At once, and again if they are replaced meanwhile: what is open stays as it is.
    await readTogether(files, async () => {
      await closeAll(opened);
      const readme = (await files.exists("README.md")) ? ["README.md"] : [];
      for (const name of new Set([...names, ...readme])) {
        opened.set(name, await files.openRange(name));
      }
    });
    return opened;
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

async function closeAll(opened: Map<string, ByteSource>): Promise<void> {
  for (const source of opened.values()) await source.close();
  opened.clear();
}

/**
 * Writes files that belong together into a directory, as {@link writeTogether} does, and puts them
 * into a repository of the Hub where that is asked for, with the directory's `README.md` if there is
 * one. What is asked for is checked before anything is written.
 *
 * @param caller what messages begin with.
 * @returns what the Hub has now, if it was asked for.
 * @throws {@link FileSourceError} when they cannot be written: the old ones are there then. When they
 * cannot be uploaded, they are in the directory, and the repository is as it was.
 */
export async function saveTogether(
  caller: string,
  directory: string,
  wanted: FilesTogether,
  { pushToHub, card }: SaveTarget = {},
): Promise<Pushed | undefined> {
  if (pushToHub === undefined) {
    await writeTogether(directory, wanted);
    return undefined;
  }
  const upload = await HubUpload.prepare(caller, pushToHub);
  await writeTogether(directory, wanted);
  try {
    const files = await openAll(directory, wanted.files.keys());
    try {
      return await upload.upload({
        files,
        isSuperseded: wanted.isSuperseded,
        card: card?.(pushToHub),
      });
    } finally {
      await closeAll(files);
    }
  } catch (error) {
    if (!(error instanceof FileSourceError)) throw error;
    const message = `${error.message}; the directory ${directory} was written`;
    throw new FileSourceError(error.code, message, { cause: error.cause });
  }
}
