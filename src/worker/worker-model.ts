import type { Attributed, Attribution } from "../analysis/attribution/attribution-options.ts";
import type { ContrastPair } from "../analysis/data/contrast-pairs.ts";
import type { AttentionOptions } from "../analysis/attention/attention-patterns.ts";
import type { DirectLogits } from "../analysis/lenses/direct-logits-result.ts";
import type { DirectLogitsOptions } from "../analysis/lenses/direct-logits.ts";
import type { LensReading } from "../analysis/lenses/lens-reading.ts";
import type { LensOptions } from "../analysis/lenses/read-stream.ts";
import type { PathPatching } from "../analysis/paths/path-patch.ts";
import type { Effects } from "../analysis/results/effects.ts";
import type { NamedArray } from "../analysis/results/named-array.ts";
import type { SteeringOptions } from "../analysis/steering/steering-vector.ts";
import type { Sweep } from "../analysis/sweep/sweep-options.ts";
import type { CausalTraceOptions, TracedPrompt } from "../analysis/tracing/causal-trace.ts";
import type { Explanation } from "../intervenable/explain/explanation.ts";
import type { GridSite } from "../intervenable/grid/site-grid.ts";
import type {
  EditedResult,
  EditedTexts,
  ModelDescription,
  NextTokens,
  PlainPairs,
  PlainSiteVector,
  Task,
  TaskName,
  TaskOptions,
  TaskResult,
  Texts,
  TextTokens,
  WritingTask,
  WrittenTexts,
} from "../tasks/tasks.ts";

/** How a call is run: nothing of it changes what comes out. */
export type RunOptions = Pick<TaskOptions<never>, "signal" | "onProgress">;

/** How pairs are read and run. */
export type PairRunOptions = RunOptions & Omit<PlainPairs, "pairs">;

/** Has a model of a worker do something. */
interface Performer {
  /** Has a model do something. */
  perform<Name extends TaskName>(
    model: number,
    task: Task<Name>,
    options: TaskOptions<Name>,
  ): Promise<TaskResult<Name>>;
  /** Lets a model's memory go. */
  release(model: number): Promise<void>;
}

/**
 * A model that a worker runs. Methods are called as the library's functions and give what these give; where
 * those take tensors, these take texts and plain data, and give their numbers.
 */
export class WorkerModel {
  /** What can be named in it. */
  readonly description: ModelDescription;
  readonly #worker: Performer;
  readonly #id: number;

  /** @internal Made by `load`. */
  constructor(worker: Performer, id: number, description: ModelDescription) {
    this.#worker = worker;
    this.#id = id;
    this.description = description;
  }

  /** Performs any task of plain data; see `performTask`. */
  async perform<Name extends TaskName>(
    task: Task<Name>,
    options: TaskOptions<Name> = {},
  ): Promise<TaskResult<Name>> {
    return this.#worker.perform(this.#id, task, options);
  }

  /** How a text is divided. */
  async tokens(text: string, options: RunOptions = {}): Promise<TextTokens> {
    return this.perform<"tokens">({ task: "tokens", text }, options);
  }

  /** What the model says after each of several texts. */
  async next(
    prompts: Texts,
    options: RunOptions & { readonly top?: number } = {},
  ): Promise<NextTokens> {
    const { top = 5, ...run } = options;
    return this.perform<"next">({ task: "next", prompts, top }, run);
  }

  /** What it says without and with interventions; see `IntervenableModel.forward`. */
  async forward(edited: EditedTexts, options: RunOptions = {}): Promise<EditedResult> {
    return this.perform<"forward">({ task: "forward", ...edited }, options);
  }

  /** What {@link forward} would compute; see `IntervenableModel.explain`. */
  async explain(edited: EditedTexts, options: RunOptions = {}): Promise<Explanation> {
    return this.perform<"explain">({ task: "explain", ...edited }, options);
  }

  /** Goes on with a text, as it is and with interventions. `onPart` gets both as far as they are. */
  async generate(
    writing: WritingTask,
    options: TaskOptions<"generate"> = {},
  ): Promise<WrittenTexts> {
    return this.perform<"generate">({ task: "generate", ...writing }, options);
  }

  /** See `sweep`; `onCell` is called for each cell that is finished. */
  async sweep(
    pairs: readonly ContrastPair[],
    sweep: Sweep,
    options: PairRunOptions & {
      /** Called for each cell that is finished, with all that were found so far. */
      readonly onCell?: (cell: GridSite, effects: Effects) => void;
    } = {},
  ): Promise<Effects> {
    const { onCell, ...others } = options;
    const [read, run] = divided(others);
    return this.perform<"sweep">(
      { task: "sweep", pairs, sweep, ...read },
      {
        ...run,
        onPart: ({ cells, effects }) => {
          for (const cell of cells) onCell?.(cell, effects);
        },
      },
    );
  }

  /** See `causalTrace`. */
  async causalTrace(
    prompts: TracedPrompt | readonly TracedPrompt[],
    options: Omit<CausalTraceOptions, "tokenizer"> = {},
  ): Promise<Effects> {
    const { signal, onProgress, ...how } = options;
    return this.perform<"causalTrace">(
      { task: "causalTrace", prompts, ...how },
      { ...(signal && { signal }), ...(onProgress && { onProgress }) },
    );
  }

  /** See `pathPatch`. */
  async pathPatch(
    pairs: readonly ContrastPair[],
    paths: PathPatching = {},
    options: PairRunOptions = {},
  ): Promise<Effects> {
    const [read, run] = divided(options);
    return this.perform<"pathPatch">({ task: "pathPatch", pairs, paths, ...read }, run);
  }

  /** See `attribute`. */
  async attribute(
    pairs: readonly ContrastPair[],
    attribution: Attribution,
    options: PairRunOptions & { readonly verify?: number } = {},
  ): Promise<Attributed> {
    const { verify = 0, ...others } = options;
    const [read, run] = divided(others);
    return this.perform<"attribute">(
      { task: "attribute", pairs, attribution, verify, ...read },
      run,
    );
  }

  /** See `logitLens`. */
  async logitLens(
    text: string,
    options: Omit<LensOptions, "tokenizer"> & RunOptions = {},
  ): Promise<LensReading> {
    const { signal, onProgress: _, ...how } = options;
    return this.perform<"logitLens">({ task: "logitLens", text, ...how }, signal ? { signal } : {});
  }

  /** See `directLogits`. */
  async directLogits(
    text: string,
    answers: Omit<DirectLogitsOptions, "tokenizer">,
    options: RunOptions = {},
  ): Promise<DirectLogits> {
    return this.perform<"directLogits">({ task: "directLogits", text, ...answers }, options);
  }

  /** See `attentionPatterns`. */
  async attentionPatterns(
    text: string,
    which: Omit<AttentionOptions, "tokenizer"> = {},
    options: RunOptions = {},
  ): Promise<NamedArray> {
    return this.perform<"attentionPatterns">(
      { task: "attentionPatterns", text, ...which },
      options,
    );
  }

  /** See `steeringVector`; `generate` adds one with `steering`. */
  async steeringVector(
    options: Omit<SteeringOptions, "tokenizer">,
    run: RunOptions = {},
  ): Promise<readonly PlainSiteVector[]> {
    return this.perform<"steeringVector">({ task: "steeringVector", ...options }, run);
  }

  /** Lets its memory go; it cannot be asked any more. */
  async release(): Promise<void> {
    await this.#worker.release(this.#id);
  }
}

/** What is asked of pairs, and how that is run. */
function divided({
  signal,
  onProgress,
  ...read
}: PairRunOptions): [read: Omit<PlainPairs, "pairs">, run: RunOptions] {
  return [read, { ...(signal && { signal }), ...(onProgress && { onProgress }) }];
}
