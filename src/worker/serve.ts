import { type Endpoint, expose, transfer } from "comlink";
import type { FileSource } from "../files/file-source.ts";
import type { PretrainedOptions } from "../models/model/load-pretrained.ts";
import { fail } from "../base/errors.ts";
import { type ModelForTexts, performTask } from "../tasks/perform-task.ts";
import { openModelPlace } from "./place.ts";
import type { LoadedModel, Outcome, Served, Tell, WireEvent } from "./served.ts";
import { pack } from "./wire.ts";
import { packError } from "./wire-error.ts";

/** Loads a model and its tokenizer from files. */
export type ModelLoader = (files: FileSource, options: PretrainedOptions) => Promise<ModelForTexts>;

/** How a worker answers. */
export interface ServeOptions {
  /**
   * How models are loaded, where they are of a class of your own.
   * @default a causal language model of any family, and the tokenizer beside it
   */
  readonly load?: ModelLoader;
  /** Where calls come from. @default the page that started the worker */
  readonly endpoint?: Endpoint;
}

/**
 * Answers the calls of `startWorker`: what a worker of your own consists of.
 *
 * @example
 * ```ts no-run
 * // model-worker.ts
 * import { serve } from "tsvene/worker/serve";
 * serve();
 * ```
 */
export function serve({ load = loadCausal, endpoint }: ServeOptions = {}): void {
  expose(served(load), endpoint ?? (globalThis as unknown as Endpoint));
}

const loadCausal: ModelLoader = async (files, options) => {
  const [{ AutoModelForCausalLM }, { AutoTokenizer }] = await Promise.all([
    import("../models/catalogue/auto.ts"),
    import("../tokenizers/auto-tokenizer.ts"),
  ]);
  const { onProgress, signal } = options;
  const tokenizer = await AutoTokenizer.fromPretrained(files, {
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  return { tokenizer, model: await AutoModelForCausalLM.fromPretrained(files, options) };
};

function served(load: ModelLoader): Served {
  const models = new Map<number, ModelForTexts>();
  const calls = new Map<number, AbortController>();
  let next = 0;
  const answer = async (call: number, tell: Tell, run: Run): Promise<Outcome> => {
    const controller = new AbortController();
    calls.set(call, controller);
    const told = new Told(tell);
    try {
      const { data, buffers } = pack(await run(controller.signal, told));
      await told.all();
      return transfer({ result: data }, buffers);
    } catch (error) {
      return { error: packError(error) };
    } finally {
      calls.delete(call);
    }
  };
  return {
    load: async (call, place, options, tell) =>
      answer(call, tell, async (signal, told): Promise<LoadedModel> => {
        const how = { ...options, signal, onProgress: told.download };
        const loaded = await load(await openModelPlace(place, how), how);
        models.set(++next, loaded);
        return { id: next, description: await performTask(loaded, { task: "describe" }) };
      }),
    perform: async (call, id, task, tell) =>
      answer(call, tell, async (signal, { part, progress }) => {
        const on = models.get(id) ?? fail("ModelWorker", `model ${id} is not there any more`);
        return performTask(on, task, { signal, onPart: part, onProgress: progress });
      }),
    abort: (call) => calls.get(call)?.abort(),
    release: (id) => void models.delete(id),
  };
}

type Run = (signal: AbortSignal, told: Told) => Promise<unknown>;

/** Hands on what happens, and knows when all of it has arrived. */
class Told {
  readonly #tell: Tell;
  readonly #sent: Promise<void>[] = [];

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  readonly part = (value: unknown): void => {
    const { data, buffers } = pack(value);
    this.#send(transfer({ kind: "part", part: data }, buffers));
  };

  readonly progress = (done: number, total: number): void => {
    this.#send({ kind: "progress", done, total });
  };

  readonly download = (download: (WireEvent & { readonly kind: "download" })["download"]): void => {
    this.#send({ kind: "download", download });
  };

  async all(): Promise<void> {
    await Promise.all(this.#sent);
  }

  #send(event: WireEvent): void {
    this.#sent.push(Promise.resolve(this.#tell(event)));
  }
}
