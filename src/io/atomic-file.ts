import { requireNode } from "./node.ts";

/** More than this in one call is refused by some systems. */
const LARGEST_WRITE = 1 << 30;

/** Takes the next bytes of a file. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/**
 * Writes a file so that it is there whole or not at all: into another one beside it, which then
 * takes its name. Missing directories are made. When `fill` fails, an old file of that name stays
 * as it was.
 *
 * @param fill writes the content by calling its argument, in order.
 */
export async function writeFileAtomic(
  path: string,
  fill: (write: WriteBytes) => Promise<void>,
): Promise<void> {
  const node = requireNode(`writing ${path}`);
  await node.fs.mkdir(node.path.dirname(path), { recursive: true });
  const partial = `${path}.${crypto.randomUUID()}.incomplete`;
  try {
    const handle = await node.fs.open(partial, "wx");
    try {
      await fill(async (bytes) => {
        for (let done = 0; done < bytes.length;) {
          const part = bytes.subarray(done, done + LARGEST_WRITE);
          done += (await handle.write(part)).bytesWritten;
        }
      });
      await handle.sync();
    } finally {
      await handle.close();
    }
    await node.fs.rename(partial, path);
  } catch (error) {
    await node.fs.rm(partial, { force: true });
    throw error;
  }
}
