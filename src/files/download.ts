import { FileSourceError } from "./file-source-error.ts";
import { type Answer, backOff, dismiss, reasonOf } from "./http-request.ts";
import { redact, redactedCause } from "./redact.ts";

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
  /**
   * Seconds without a byte from the server after which a request is given up, and tried again.
   * @default the environment variable `HF_HUB_DOWNLOAD_TIMEOUT`, else 10
   */
  readonly timeout?: number;
  /**
   * How often a request is tried again when the connection breaks, or the server is overloaded
   * (status 408, 429 or 5xx): after 0.25 s, and twice as long each time, or as the server asks.
   * Where there is no server, at most twice. A download goes on from where it was.
   * @default 4
   */
  readonly retries?: number;
}

/** Where the bytes of a download go. */
export interface Sink {
  /** How many are there. */
  readonly length: number;
  /** Takes the next bytes, in order. */
  write(chunk: Uint8Array): Promise<void> | void;
  /** Throws away what is there. */
  restart(): Promise<void> | void;
}

/** A file to download. */
export interface Download {
  /** Path for progress reports and messages. */
  readonly file: string;
  /** Bytes that must come, when known. */
  readonly size: number | undefined;
  /** What no message may say. */
  readonly secrets: readonly string[];
  /**
   * Asks for the bytes from one on.
   * @throws {@link FileSourceError} when the server refuses; it may answer 200, 206 or 416.
   */
  readonly ask: (from: number) => Promise<Answer>;
}

/** What a download found out about its server. */
export interface DownloadState {
  /** False when it sends whole files only, so that what there is of one is of no use. */
  resumes: boolean;
}

function contentStart(response: Response): [start: number, size: number] | undefined {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  return range === null ? undefined : [Number(range[1]), Number(range[2])];
}

/** Makes the sink fit to the answer: what comes goes on from it, or begins. */
async function prepare(
  { response }: Answer,
  sink: Sink,
  { size }: Download,
  state: DownloadState,
): Promise<void> {
  if (sink.length === 0) return;
  if (response.status === 206) {
    const [start, total] = contentStart(response) ?? [];
    const fits = start === sink.length && (size === undefined || Number.isNaN(total) || total === size); // prettier-ignore
    if (fits) return;
  } else if (response.status !== 416) state.resumes = false;
  await sink.restart();
  if (response.status !== 200) throw new Error("the server sent another part than was asked for");
}

async function receive(
  answer: Answer,
  sink: Sink,
  { file, size }: Download,
  options: DownloadOptions,
): Promise<void> {
  const { response, watch } = answer;
  const reader = (response.body ?? new Blob([]).stream()).getReader();
  // Nothing waits for this: where the connection has been aborted, cancel() may never answer.
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  // In Node 20 a read after an abort can wait for ever; cancelling the stream ends it.
  watch.signal.addEventListener("abort", cancel);
  try {
    for (;;) {
      options.signal?.throwIfAborted();
      const { done, value } = await reader.read();
      if (watch.timedOut) throw new Error(`nothing came for ${watch.seconds} s`);
      if (done) break;
      watch.alive();
      if (size !== undefined && sink.length + value.byteLength > size) {
        await sink.restart();
        throw new Error("the server sent another number of bytes");
      }
      await sink.write(value);
      options.onProgress?.({ file, loaded: sink.length, total: size });
    }
  } finally {
    watch.signal.removeEventListener("abort", cancel);
    watch.end();
    cancel();
  }
  options.signal?.throwIfAborted();
  if (size !== undefined && sink.length !== size) {
    throw new Error("the server sent another number of bytes");
  }
}

const DEFAULT_RETRIES = 4;

/**
 * Downloads a file, on from what the sink has of it. When the connection breaks or falls silent, it
 * goes on from there, if the server can do that; as often as there is progress, and else as often as
 * options say.
 *
 * @throws {@link FileSourceError} when it cannot be brought to an end.
 */
export async function download(
  what: Download,
  sink: Sink,
  options: DownloadOptions,
  state: DownloadState = { resumes: true },
): Promise<void> {
  let most = sink.length;
  for (let failures = 0; ;) {
    if (what.size !== undefined && sink.length === what.size && most > 0) return;
    const answer = await what.ask(sink.length);
    try {
      await prepare(answer, sink, what, state);
      return await receive(answer, sink, what, options);
    } catch (cause) {
      const { timedOut, seconds } = answer.watch;
      await dismiss(answer);
      options.signal?.throwIfAborted();
      if (cause instanceof FileSourceError) throw cause;
      const error = timedOut ? new Error(`nothing came for ${seconds} s`) : cause;
      if (sink.length > most) failures = 0;
      most = Math.max(most, sink.length);
      const isLast = failures >= (options.retries ?? DEFAULT_RETRIES);
      if (isLast) throw brokenOff(what, most, state, error);
    }
    await backOff(failures, 0, options.signal);
    failures++;
  }
}

function brokenOff(
  { file, size, secrets }: Download,
  loaded: number,
  { resumes }: DownloadState,
  error: unknown,
): FileSourceError {
  const kept = resumes ? "try again" : "nothing was kept of it; try again";
  return new FileSourceError(
    "network",
    `the download of ${file} broke off after ${loaded} of ${size ?? "unknown"} bytes ` +
      `(${redact(reasonOf(error), secrets)}): ${kept}`,
    { cause: redactedCause(error, secrets) },
  );
}

/** Keeps a download in memory; in one buffer when its size is known, so that nothing is held twice. */
export class MemorySink implements Sink {
  readonly #whole: Uint8Array | undefined;
  #parts: BlobPart[] = [];
  #length = 0;

  constructor(size: number | undefined) {
    try {
      this.#whole = size === undefined ? undefined : new Uint8Array(size);
    } catch (error) {
      const message = `a file of ${size} bytes does not fit into memory`;
      throw new FileSourceError("content", message, { cause: error });
    }
  }

  get length(): number {
    return this.#length;
  }

  write(chunk: Uint8Array): void {
    if (this.#whole === undefined) this.#parts.push(chunk.slice());
    else this.#whole.set(chunk, this.#length);
    this.#length += chunk.byteLength;
  }

  restart(): void {
    this.#parts = [];
    this.#length = 0;
  }

  async bytes(): Promise<Uint8Array> {
    return this.#whole ?? new Uint8Array(await new Blob(this.#parts).arrayBuffer());
  }
}
