import { FileSourceError } from "./file-source-error.ts";
import { HubUpload } from "./hub-upload.ts";
import { LocalFiles } from "./local-files.ts";
import { withFilesOpen } from "./open-together.ts";
import type { Pushed, PushOptions } from "./push-options.ts";
import { type FilesTogether, writeTogether } from "./write-together.ts";

/** Where files that are saved go as well. */
export interface SaveTarget {
  /** The repository of the Hub that gets them too, if any. */
  readonly pushToHub?: PushOptions | undefined;
  /** Its `README.md`, where there is none that somebody wrote. */
  readonly card?: ((options: PushOptions) => string) | undefined;
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
    const written = new LocalFiles(directory);
    const list = async (): Promise<Iterable<string>> => {
      const readme = (await written.exists("README.md")) ? ["README.md"] : [];
      return new Set([...wanted.files.keys(), ...readme]);
    };
    const { isSuperseded } = wanted;
    return await withFilesOpen(written, list, (files) =>
      upload.upload({ files, isSuperseded, card: card?.(pushToHub) }),
    );
  } catch (error) {
    if (!(error instanceof FileSourceError)) throw error;
    const message = `${error.message}; the directory ${directory} was written`;
    throw new FileSourceError(error.code, message, { cause: error.cause });
  }
}
