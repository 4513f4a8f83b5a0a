import { FileSourceError } from "./file-source-error.ts";
import { requireNode } from "./node.ts";

/** A file that is read in ranges. */
export interface ByteSource {
  /** What messages call it: a path, a URL, or the name given by the caller. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * Bytes `begin` to `end` (exclusive): a view where the whole file lies in memory, else a buffer of
   * their own that holds nothing but them.
   *
   * @param into a buffer of at least their number, in which they may be put instead: what is given
   * back is then a view of it, which the next read into it overwrites.
   */
  read(begin: number, end: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Gives the file back; reading afterwards fails. */
  close(): Promise<void>;
}

/** Consecutive ranges of at most `length` bytes that fill the range from `begin` to `end`. */
export function* partsOf(
  begin: number,
  end: number,
  length: number,
): Generator<[begin: number, end: number]> {
  // Whole numbers of every width.
  const step = Math.max(8, length - (length % 8));
  for (let at = begin; at < end; at += step) yield [at, Math.min(end, at + step)];
}

/** More than this in one call is refused by some systems. */
const LARGEST_READ = 1 << 30;

/** Throws for a range outside of the file. */
export function checkRange(source: ByteSource, begin: number, end: number): void {
  const inside = Number.isSafeInteger(begin) && begin >= 0 && begin <= end && end <= source.size;
  if (inside) return;
  throw new RangeError(
    `${source.name}: read(${begin}, ${end}) is outside of the file, which has ${source.size} bytes`,
  );
}

/** Bytes that lie in memory; ranges of them are views, not copies. */
export function bytesInMemory(data: ArrayBuffer | Uint8Array, name: string): ByteSource {
  // A view of its own, as the slices of Node's Buffers are not copies and need not be aligned.
  const bytes =
    data instanceof Uint8Array
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);
  const source: ByteSource = {
    name,
    size: bytes.byteLength,
    read: async (begin, end) => {
      checkRange(source, begin, end);
      return bytes.subarray(begin, end);
    },
    close: async () => undefined,
  };
  return source;
}

/** A `Blob` or `File`, read range by range as it is asked for. */
export function bytesOfBlob(blob: Blob, name: string): ByteSource {
  const source: ByteSource = {
    name,
    size: blob.size,
    read: async (begin, end) => {
      checkRange(source, begin, end);
      return new Uint8Array(await blob.slice(begin, end).arrayBuffer());
    },
    close: async () => undefined,
  };
  return source;
}

/** What the parts of a directory that are no files are called in messages. */
const SPECIAL = {
  isDirectory: "a directory",
  isFIFO: "a pipe",
  isSocket: "a socket",
  isCharacterDevice: "a device",
  isBlockDevice: "a device",
} as const;

/** What a path is that is no file, or undefined for a file. */
export function specialKind(
  stat: { readonly isFile: () => boolean } & {
    readonly [K in keyof typeof SPECIAL]: () => boolean;
  },
): string | undefined {
  if (stat.isFile()) return undefined;
  const kinds = Object.entries(SPECIAL) as [keyof typeof SPECIAL, string][];
  return kinds.find(([is]) => stat[is]())?.[1] ?? "no file";
}

/**
 * Opens a file of the local disk (Node only). It stays open until `close()`.
 *
 * @throws the system's error (`ENOENT`, `EACCES`, ...), and {@link FileSourceError} for a directory,
 * a pipe, a device or a socket.
 */
export async function openFile(path: string): Promise<ByteSource> {
  const { fs } = requireNode("openFile()");
  // Before it is opened: a pipe that nobody writes to is only opened when somebody does.
  const kind = specialKind(await fs.stat(path));
  if (kind !== undefined) {
    throw new FileSourceError("content", `${path} is ${kind}; a file was wanted`);
  }
  const handle = await fs.open(path, "r");
  try {
    const stat = await handle.stat();
    const source: ByteSource = {
      name: path,
      size: stat.size,
      read: async (begin, end, into) => {
        checkRange(source, begin, end);
        return readFully(handle, begin, into?.subarray(0, end - begin) ?? end - begin, path);
      },
      close: () => handle.close(),
    };
    return source;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

interface Readable {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }>;
}

/** Fills a buffer, or a new one of a length. */
async function readFully(
  handle: Readable,
  begin: number,
  into: Uint8Array | number,
  path: string,
): Promise<Uint8Array> {
  const bytes = typeof into === "number" ? new Uint8Array(into) : into;
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(bytes.length - done, LARGEST_READ);
    const { bytesRead } = await handle.read(bytes, done, length, begin + done);
    if (bytesRead === 0) {
      throw new Error(`${path} ended at byte ${begin + done}: it became shorter while it was read`);
    }
    done += bytesRead;
  }
  return bytes;
}
