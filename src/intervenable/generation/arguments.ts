import type {
  GenerateInputs,
  GenerateOptions,
  GenerateOutput,
} from "../../models/generation/options.ts";
import type { Module } from "../../nn/module.ts";
import type { OptionNames } from "../../base/known-options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { UnitLocations } from "../units/locations.ts";
import type { EditedRows } from "../call/rows.ts";
import type { SourceRepresentations } from "../call/sources.ts";
import type { GenerationSteps } from "./steps.ts";

/** What a model's `forward` takes; `unknown` where the model's type says nothing. */
export type InputsOf<M extends Module> = [Parameters<M["forward"]>[0]] extends [never]
  ? unknown
  : Parameters<M["forward"]>[0];
/** What a model's `forward` gives. */
export type OutputsOf<M extends Module> = ReturnType<M["forward"]>;

/** Inputs of source runs: one for each group (`null` for none), or one for all. */
export type Sources<Inputs> = Inputs | null | readonly (Inputs | null)[];

/** What a call says about sources and places; the same for `forward` and `generate`. */
export interface InterventionArguments<Inputs> {
  /**
   * Inputs of the source runs: one for each group of interventions (`null` for none, which skips those
   * that need one), or one for all.
   */
  readonly sources?: Sources<Inputs>;
  /** Which units to read and write. @default the whole tensor at each site */
  readonly unitLocations?: UnitLocations | null;
  /** Tensors in place of sources: one for all, one for each intervention, or by name. */
  readonly sourceRepresentations?: SourceRepresentations | null;
  /**
   * Which dimensions to change, for all interventions: a number or a list of them, or one list for each
   * row of the batch; or `{ each: [...] }`, with an entry for each intervention. Functions and classes
   * of your own may be told anything. @default all dimensions
   */
  readonly subspaces?: unknown;
  /**
   * How far edits go: what an intervention makes of an activation is moved along the way from the
   * activation to it, 0 for not at all, 2 for twice as far, below 0 for the other way. In `forward`, a list
   * has one for each row of the batch. @default 1
   */
  readonly strength?: number | readonly number[];
  /**
   * Take what interventions learned to some degree, such as masks, as decided: each dimension is swapped
   * whole or not at all. Their parameters stay as they are. @default false
   */
  readonly hard?: boolean;
  /** Handed to every intervention as `context.extra`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Arguments of `IntervenableModel.forward` beside the base. */
export interface ForwardOptions<Inputs> extends InterventionArguments<Inputs> {
  /**
   * Which rows of the batch are edited, the others being left exactly as they are: a list with true or
   * false for each row, or such lists by name; a name that is left out edits all rows.
   * @default all rows
   */
  readonly rows?: EditedRows | null;
  /** Passed to the model as `labels` in the intervened run, which then has a loss. */
  readonly labels?: Tensor;
  /**
   * Take `pastKeyValues` that were made without these interventions, which then act on the new tokens
   * only. @default false, where such a cache is an error
   */
  readonly otherCache?: boolean;
  /**
   * Read the text in two: what comes before the first edited position as the model does without edits,
   * then the rest, with what the model keeps of the first part. It is the same but for rounding. The
   * gradient of what is learned then only passes through the positions from the edit on, and where the
   * model is not trained, the first part is the same in every step. A number is how many positions to read
   * so at most, for calls that are to have the same shapes. Where a model keeps no cache, is in training
   * mode, or takes more than a text, and where whole tensors are edited, nothing is read in two.
   *
   * @default true for interventions that are learned, false for others
   */
  readonly reusePrefix?: boolean | number;
}

/** Their names. */
export const FORWARD_OPTIONS: OptionNames<ForwardOptions<unknown>> = {
  sources: true,
  unitLocations: true,
  sourceRepresentations: true,
  subspaces: true,
  strength: true,
  hard: true,
  extra: true,
  rows: true,
  labels: true,
  otherCache: true,
  reusePrefix: true,
};

/** Something that is the same in all steps of a generation, or said for each. */
export type EachStep<T> = T | ((step: number) => T);

/** What a call of `generate` says about its interventions. */
export interface GenerationArguments<Inputs = GenerateInputs> extends Omit<
  InterventionArguments<Inputs>,
  "sources" | "sourceRepresentations" | "strength"
> {
  /**
   * As in `forward`, or a function that gives them for each step; `null` for a step without edits that
   * need a source. Functions are asked, and sources are run, before anything is written.
   */
  readonly sources?: EachStep<Sources<Inputs>>;
  /** As in `forward`, or a function that gives them for each step. */
  readonly sourceRepresentations?: EachStep<SourceRepresentations | null>;
  /** As in `forward`, or a function that gives it for each step that edits. @default 1 */
  readonly strength?: EachStep<number>;
  /**
   * In which steps edits are made: step 0 reads the prompt, step n the n-th new token. What an encoder
   * reads, it reads in step 0.
   * @default "decoding": all but step 0
   */
  readonly steps?: GenerationSteps;
  /**
   * pyvene's name for `steps: "all"`. The first new token comes from the prompt.
   * @default false
   */
  readonly interveneOnPrompt?: boolean;
}

/** Arguments of `IntervenableModel.generate` beside the prompts. */
export interface IntervenedGenerateOptions<Inputs = GenerateInputs>
  extends GenerationArguments<Inputs>, Omit<GenerateOptions, "trace" | "passes"> {}

/** What a generation with interventions gives. */
export interface GenerationResult {
  /**
   * What the model writes without interventions, from the same prompts with the same options. It is
   * written when it is first awaited, so await it before you change the model's parameters; where
   * tokens are drawn, give a `seed` for both to draw alike.
   */
  readonly original: PromiseLike<GenerateOutput>;
  /** What it writes with the interventions. */
  readonly intervened: GenerateOutput;
  /** What collecting interventions took: for each of them, one tensor a step. */
  readonly collected: readonly Tensor[];
  /** The same by name. */
  readonly collectedByName: Readonly<Record<string, readonly Tensor[]>>;
}

/** The result by name, and as the pair `[original, intervened]`. */
export type IntervenedGeneration = GenerationResult &
  readonly [original: PromiseLike<GenerateOutput>, intervened: GenerateOutput];
