import { type Endpoint, proxy, type Remote, releaseProxy, wrap } from "comlink";
import { fail, TsveneError } from "../base/errors.ts";
import type { DownloadProgress } from "../files/download.ts";
import type { Task, TaskName, TaskOptions, TaskResult } from "../tasks/tasks.ts";
import { type ModelPlace, packPlace } from "./place.ts";
import type { LoadedModel, Outcome, PlainPretrainedOptions, Served, Tell } from "./served.ts";
import { unpack } from "./wire.ts";
import { unpackError } from "./wire-error.ts";
import { WorkerModel } from "./worker-model.ts";

/** How a model is loaded in a worker. */
export interface WorkerLoadOptions extends PlainPretrainedOptions {
  /** Called as bytes arrive. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops the download. */
  readonly signal?: AbortSignal;
}

/** What a call needs beside what is asked. */
type CallOptions = Pick<TaskOptions<never>, "signal" | "onProgress"> & {
  readonly onPart?: (part: never) => void;
  readonly onDownload?: (progress: DownloadProgress) => void;
};

const OP = "ModelWorker";

/** A worker that runs models, as the page sees it; see {@link startWorker}. */
export class ModelWorker {
  readonly #worker: Endpoint;
  readonly #remote: Remote<Served>;
  readonly #lost: Promise<never>;
  #lose: (reason: Error) => void = () => undefined;
  #next = 0;

  /** @param worker - Started with a module that calls `serve`, or a port to one. */
  constructor(worker: Worker | MessagePort) {
    this.#worker = worker;
    this.#remote = wrap<Served>(this.#worker);
    this.#lost = new Promise((_, reject) => {
      this.#lose = reject;
    });
    // Calls that wait say so; without any, nobody has to be told.
    this.#lost.catch(() => undefined);
    worker.addEventListener("error", (event) => {
      const { message } = event as unknown as ErrorEvent;
      const why = message ? `: ${message}` : "; its module could not be loaded";
      this.#lose(new TsveneError(`${OP}: the worker failed${why}`));
    });
  }

  /**
   * Loads a model and its tokenizer.
   *
   * @param place - A URL, a name, or files; relative addresses are the page's.
   * @throws what `fromPretrained` throws, as the same classes; the signal's reason.
   */
  async load(place: ModelPlace, options: WorkerLoadOptions = {}): Promise<WorkerModel> {
    const { onProgress, signal, ...rest } = options;
    const how = { ...(signal && { signal }), ...(onProgress && { onDownload: onProgress }) };
    const loaded = await this.#call(how, (call, tell) =>
      this.#remote.load(call, packPlace(place), rest, tell),
    );
    const { id, description } = loaded as LoadedModel;
    return new WorkerModel(this, id, description);
  }

  /** @internal Has a model of the worker do something. */
  async perform<Name extends TaskName>(
    model: number,
    task: Task<Name>,
    options: TaskOptions<Name>,
  ): Promise<TaskResult<Name>> {
    const result = await this.#call(options, (call, tell) =>
      this.#remote.perform(call, model, task as Task, tell),
    );
    return result as TaskResult<Name>;
  }

  /** @internal Lets a model's memory go. */
  async release(model: number): Promise<void> {
    await this.#remote.release(model);
  }

  /** Ends the worker at once; calls that wait are rejected. */
  close(): void {
    this.#lose(new TsveneError(`${OP}: the worker was closed`));
    this.#remote[releaseProxy]();
    const { terminate, close } = this.#worker as Partial<Worker & MessagePort>;
    (terminate ?? close)?.call(this.#worker);
  }

  async #call(
    { signal, onDownload, onProgress, onPart }: CallOptions,
    run: (call: number, tell: Tell) => Promise<Outcome>,
  ): Promise<unknown> {
    signal?.throwIfAborted();
    this.#next += 1;
    const call = this.#next;
    const tell: Tell = (event) => {
      if (signal?.aborted) return;
      if (event.kind === "part") onPart?.(unpack(event.part) as never);
      else if (event.kind === "progress") onProgress?.(event.done, event.total);
      else onDownload?.(event.download);
    };
    const done = new AbortController();
    const aborted = new Promise<never>((_, reject) => {
      const stop = (): void => {
        void this.#remote.abort(call);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", stop, { once: true, signal: done.signal });
    });
    try {
      const outcome = await Promise.race([run(call, proxy(tell)), aborted, this.#lost]);
      if ("error" in outcome) throw unpackError(outcome.error);
      return unpack(outcome.result);
    } finally {
      done.abort();
    }
  }
}

/**
 * Starts a worker that runs models off the page's thread.
 *
 * @param worker - One of your own, whose module calls `serve`; needed where a bundler serves packages in one
 * file, as Vite's development server does unless `optimizeDeps.exclude` names tsvene.
 *
 * @example
 * ```ts no-run
 * import { startWorker } from "tsvene/worker";
 * const worker = startWorker();
 * const model = await worker.load(new URL("models/tsvene-mini/", location.href));
 * const effects = await model.sweep(
 *   [
 *     {
 *       clean: "The capital of Italy is",
 *       corrupt: "The capital of Spain is",
 *       right: " Rome",
 *       wrong: " Madrid",
 *     },
 *   ],
 *   { sites: { component: "block_input", layer: "all", position: "all" } },
 * );
 * console.log(String(effects));
 * ```
 */
export function startWorker(worker: Worker | MessagePort = readyMade()): ModelWorker {
  return new ModelWorker(worker);
}

function readyMade(): Worker {
  if (typeof Worker === "undefined") {
    return fail(
      "startWorker",
      "there are no workers of the web here; pass a port to one of your own",
    );
  }
  return new Worker(new URL("./entry.js", import.meta.url), { type: "module", name: "tsvene" });
}
