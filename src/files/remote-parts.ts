import { type ByteSource, checkRange } from "./byte-source.ts";
import { download, type DownloadOptions, MemorySink } from "./download.ts";
import { type Answer, dismiss } from "./http-request.ts";

/** Bytes that are asked for at once: the headers of most files of weights fit. */
const PART_BYTES = 1 << 18;
/** Parts that are kept: what is read next lies in one of them, or in the one after. */
const KEPT_PARTS = 8;

/** A file on a server, of known size. */
export interface RemoteFile {
  /** Path for progress reports and messages. */
  readonly file: string;
  /** What messages call the whole. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /** What no message may say. */
  readonly secrets: readonly string[];
  /** Asks for bytes `begin` to `end` (exclusive); throws when the server refuses. */
  readonly ask: (begin: number, end: number) => Promise<Answer>;
}

/** The server sent other bytes than were asked for. */
class NoParts extends Error {}

/**
 * A file on a server that is read part by part, as it is asked for; `undefined` for a server that
 * sends whole files only. The first part is fetched at once.
 *
 * @throws {@link FileSourceError} when the server refuses, or cannot be had.
 */
export async function openRemoteParts(
  remote: RemoteFile,
  options: DownloadOptions,
): Promise<ByteSource | undefined> {
  const part = keptParts((begin) => fetchPart(remote, begin, options));
  try {
    await part(0);
  } catch (error) {
    if (error instanceof NoParts) return undefined;
    throw error;
  }
  const source: ByteSource = {
    name: remote.name,
    size: remote.size,
    async read(begin, end, into) {
      checkRange(source, begin, end);
      const bytes = into?.subarray(0, end - begin) ?? new Uint8Array(end - begin);
      for (let at = begin; at < end;) {
        const offset = at % PART_BYTES;
        const have = (await part(at - offset)).subarray(offset, offset + end - at);
        bytes.set(have, at - begin);
        at += have.length;
      }
      return bytes;
    },
    close: async () => undefined,
  };
  return source;
}

/** Keeps the parts that were read last; what failed is asked for again. */
function keptParts(
  fetchFrom: (begin: number) => Promise<Uint8Array>,
): (begin: number) => Promise<Uint8Array> {
  const parts = new Map<number, Promise<Uint8Array>>();
  return (begin) => {
    const found = parts.get(begin) ?? fetchFrom(begin);
    parts.delete(begin);
    parts.set(begin, found);
    found.catch(() => parts.delete(begin));
    const [oldest] = parts.keys();
    if (oldest !== undefined && parts.size > KEPT_PARTS) parts.delete(oldest);
    return found;
  };
}

async function fetchPart(
  { file, size, secrets, ask }: RemoteFile,
  begin: number,
  options: DownloadOptions,
): Promise<Uint8Array> {
  const end = Math.min(size, begin + PART_BYTES);
  const sink = new MemorySink(end - begin);
  const askPart = async (): Promise<Answer> => {
    // What there is of a part is not gone on from: it is asked for anew.
    sink.restart();
    const answer = await ask(begin, end);
    const range = `bytes ${begin}-${end - 1}/${size}`;
    const { status, headers } = answer.response;
    if (status === 206 && headers.get("content-range") === range) return answer;
    await dismiss(answer);
    throw new NoParts(`${file}: ${range} were asked for, and other bytes came`);
  };
  await download({ file, size: end - begin, secrets, ask: askPart }, sink, options);
  return sink.bytes();
}
