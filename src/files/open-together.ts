import type { ByteSource } from "./byte-source.ts";
import { type FileSource, readTogether } from "./file-source.ts";

/**
 * Works with files that belong together, all of them open: what is open stays as it is, whoever
 * writes there meanwhile. They are closed afterwards.
 *
 * @param list - Says which files; asked again when they were replaced while they were opened.
 */
export async function withFilesOpen<T>(
  files: FileSource,
  list: () => Promise<Iterable<string>>,
  work: (opened: ReadonlyMap<string, ByteSource>) => Promise<T>,
): Promise<T> {
  const opened = new Map<string, ByteSource>();
  try {
    await readTogether(files, async () => {
      await closeAll(opened);
      for (const name of await list()) opened.set(name, await files.openRange(name));
    });
    return await work(opened);
  } finally {
    await closeAll(opened);
  }
}

async function closeAll(opened: Map<string, ByteSource>): Promise<void> {
  for (const source of opened.values()) await source.close();
  opened.clear();
}
