import { FileSourceError } from "./file-source-error.ts";

/** How far a download is. */
export interface DownloadProgress {
  /** Path of the file within its repository or directory. */
  readonly file: string;
  /** Bytes received so far. */
  readonly loaded: number;
  /** Bytes in all, or undefined when the server does not say. */
  readonly total: number | undefined;
}

/** Options of everything that may fetch a file. */
export interface DownloadOptions {
  /** Called as bytes arrive. Not called for what is already on disk. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops a download; what was received so far is thrown away. */
  readonly signal?: AbortSignal;
  /** Replaces the global `fetch`, for example to go through a proxy. */
  readonly fetch?: typeof fetch;
}

/** The innermost reason of a failed request: `fetch` itself only says "fetch failed". */
function reasonOf(error: unknown): string {
  if (typeof error === "string") return error;
  if (!(error instanceof Error)) return "unknown reason";
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return [code, error.message].filter((part) => part !== "").join(": ") || error.name;
}

/**
 * `fetch` that answers an unreachable server with a {@link FileSourceError} of code `"network"`, and
 * that can be stopped.
 *
 * @param purpose completes "cannot reach HOST to ...".
 */
export function fetchFor(purpose: string, options: DownloadOptions): typeof fetch {
  const { signal } = options;
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    try {
      const request = options.fetch ?? fetch;
      return await request(input, signal === undefined ? init : { ...init, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw new FileSourceError(
        "network",
        `cannot reach ${new URL(url).origin} to ${purpose} (${reasonOf(error)}): check the ` +
          "connection, or use a local directory",
        { cause: error },
      );
    }
  };
}

/**
 * The bytes of a response as they come.
 *
 * @param file path for progress reports and messages.
 * @param total bytes that must come, when known.
 * @throws {@link FileSourceError} when the connection breaks or another number of bytes comes.
 */
export async function* bodyOf(
  response: Response,
  file: string,
  total: number | undefined,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  let loaded = 0;
  const broken = (reason: string, cause?: unknown): FileSourceError =>
    new FileSourceError(
      "network",
      `the download of ${file} broke off after ${loaded} of ${total ?? "unknown"} bytes ` +
        `(${reason}): nothing was kept of it; try again`,
      { cause },
    );
  const reader = (response.body ?? new Blob([]).stream()).getReader();
  // Nothing waits for this: where the connection has been aborted, cancel() may never answer.
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  // In Node 20 a read after an abort can wait for ever; cancelling the stream ends it.
  options.signal?.addEventListener("abort", cancel);
  try {
    for (;;) {
      options.signal?.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      loaded += value.byteLength;
      if (total !== undefined && loaded > total) break;
      options.onProgress?.({ file, loaded, total });
      yield value;
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw broken(reasonOf(error), error);
  } finally {
    options.signal?.removeEventListener("abort", cancel);
    cancel();
  }
  options.signal?.throwIfAborted();
  if (total === undefined || loaded === total) return;
  throw broken("the server sent another number of bytes");
}

/** All chunks in one buffer; of `total` bytes when that is known, so that nothing is held twice. */
export async function collect(
  chunks: AsyncIterable<Uint8Array>,
  total: number | undefined,
): Promise<Uint8Array> {
  if (total === undefined) {
    const parts: BlobPart[] = [];
    for await (const chunk of chunks) parts.push(chunk.slice());
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  }
  const bytes = new Uint8Array(total);
  let offset = 0;
  for await (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
