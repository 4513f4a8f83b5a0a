import type { ByteSource } from "./byte-source.ts";
import { FileSourceError } from "./file-source-error.ts";
import { reasonOf } from "./http-request.ts";

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/**
 * One try of an upload by the Hub's client, which is told of no failure: with several transfers at
 * once it can lose one, and wait for ever, or reject what nobody waits for, which ends the process.
 * So what fails is told here, and the client waits for the rest in vain, until it is collected.
 */
export class UploadAttempt {
  /** Rejects with the first failure, or when the caller wants it stopped. */
  readonly failed: Promise<never>;
  readonly #stop = new AbortController();
  readonly #caller: AbortSignal | undefined;
  #reject: (error: unknown) => void = () => undefined;
  readonly #abort = (): void => this.#fail(this.#caller?.reason);

  constructor(caller: AbortSignal | undefined) {
    this.failed = new Promise<never>((_, reject) => (this.#reject = reject));
    // It is looked at in a race, which may be over.
    this.failed.catch(() => undefined);
    this.#caller = caller;
    caller?.addEventListener("abort", this.#abort);
    if (caller?.aborted) this.#abort();
  }

  /** Stops what is still going on. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Does a part of the work; gives nothing, ever, once a part has failed. */
  async part<T>(work: () => Promise<T>): Promise<T> {
    if (this.signal.aborted) return never();
    try {
      return await work();
    } catch (error) {
      this.#fail(error);
      return never();
    }
  }

  /** A source whose failures are this try's. */
  sourceOf(source: ByteSource): ByteSource {
    const { name, size } = source;
    const read: ByteSource["read"] = (...range) =>
      this.part(async () => {
        try {
          return await source.read(...range);
        } catch (error) {
          const message = `cannot read ${name}: ${reasonOf(error)}; nothing was uploaded`;
          throw new FileSourceError("system", message, { cause: error });
        }
      });
    return { name, size, read, close: () => source.close() };
  }

  /** The work is done, or given up. */
  end(): void {
    this.#caller?.removeEventListener("abort", this.#abort);
    this.#stop.abort();
  }

  #fail(error: unknown): void {
    this.#reject(error);
    this.#stop.abort();
  }
}
