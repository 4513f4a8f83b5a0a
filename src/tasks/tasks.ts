import type { AttentionOptions } from "../analysis/attention/attention-patterns.ts";
import type { Attributed, Attribution } from "../analysis/attribution/attribution-options.ts";
import type { ContrastPair } from "../analysis/data/contrast-pairs.ts";
import type { DirectLogitsOptions } from "../analysis/lenses/direct-logits.ts";
import type { DirectLogits } from "../analysis/lenses/direct-logits-result.ts";
import type { LensReading } from "../analysis/lenses/lens-reading.ts";
import type { LensOptions } from "../analysis/lenses/read-stream.ts";
import type { PathPatching } from "../analysis/paths/path-patch.ts";
import type { Effects } from "../analysis/results/effects.ts";
import type { NamedArray } from "../analysis/results/named-array.ts";
import type { Scale } from "../analysis/steering/additions.ts";
import type { SteeringOptions } from "../analysis/steering/steering-vector.ts";
import type { Sweep } from "../analysis/sweep/sweep-options.ts";
import type { TokenProbability } from "../analysis/top-tokens.ts";
import type { CausalTraceOptions, TracedPrompt } from "../analysis/tracing/causal-trace.ts";
import type { NamedIntervention } from "../intervenable/config/intervention-kind.ts";
import type { RepresentationConfig } from "../intervenable/config/representation-config.ts";
import type { IntervenableOptions } from "../intervenable/config/config.ts";
import type { Explanation } from "../intervenable/explain/explanation.ts";
import type { StepRange } from "../intervenable/generation/steps.ts";
import type { GridSite } from "../intervenable/grid/site-grid.ts";
import type { UnitLocations } from "../intervenable/units/locations.ts";
import type { GenerateOptions } from "../models/generation/options.ts";
import type { WrittenText } from "../models/generation/stream-text.ts";
import type { KnownPlaces } from "../training/data/prompt-options.ts";
import type { ComputedData, TensorData } from "./tensor-data.ts";

/** A representation whose intervention is named. */
export type PlainRepresentation = Omit<RepresentationConfig, "intervention"> & {
  /** The class by name, or by name with options. @default "VanillaIntervention" */
  readonly intervention?: NamedIntervention;
};

/** A configuration as plain data. */
export type PlainConfig =
  | PlainRepresentation
  | readonly PlainRepresentation[]
  | (Pick<IntervenableOptions, "mode" | "about"> & {
      /** Where to intervene and with what. */
      readonly representations: PlainRepresentation | readonly PlainRepresentation[];
    });

/** One text, or several, as rows of a batch. */
export type Texts = string | readonly string[];

/** Interventions and what a call says of them: as `forward` has it, with texts and lists in place of tensors. */
export interface PlainEdits {
  /** Where to intervene and with what. */
  readonly config: PlainConfig;
  /** Texts of the source runs: one for all, or one for each group; null for none. */
  readonly sources?: Texts | null | readonly (Texts | null)[];
  /** Which units to read and write. @default the whole tensor at each site */
  readonly unitLocations?: UnitLocations | null;
  /** Tensors in place of sources: one for all, one for each intervention, or by name. */
  readonly sourceRepresentations?:
    TensorData | readonly (TensorData | null)[] | Readonly<Record<string, TensorData | null>>;
  /** Which dimensions to change. @default all */
  readonly subspaces?: unknown;
  /** How far edits go. @default 1 */
  readonly strength?: number;
}

/** Texts, and what is done inside the model while it reads them. */
export interface EditedTexts extends PlainEdits {
  /** What the model reads. */
  readonly prompts: Texts;
  /** How many of the likeliest next tokens are wanted. @default 5 */
  readonly top?: number;
}

/** What a model says after each of several texts. */
export interface NextTokens {
  /** At the last token of each text, [texts, vocabulary]. */
  readonly logits: ComputedData;
  /** The likeliest next tokens of each text, the likeliest first. */
  readonly top: readonly (readonly TokenProbability[])[];
}

/** What comes of texts that are read without and with interventions. */
export interface EditedResult {
  /** Without. */
  readonly original: NextTokens;
  /** With them. */
  readonly intervened: NextTokens;
  /** What collecting interventions took, by name. */
  readonly collected: Readonly<Record<string, ComputedData>>;
}

/** A vector of contrasting texts that is added while a text is written. */
export interface SteeredBy extends Omit<SteeringOptions, "tokenizer"> {
  /** How many of the vectors. @default 1 */
  readonly strength?: number;
  /** What one of them is. @default "raw" */
  readonly scale?: Scale;
}

/** A vector as plain data, with the site that it was read at. */
export interface PlainSiteVector {
  /** Where its states were read. */
  readonly site: GridSite;
  /** [width of the site] */
  readonly vector: ComputedData;
  /** Standard deviation of the states along its direction. */
  readonly sd: number;
  /** The share of texts that it tells; NaN where there are too few. */
  readonly separability: number;
}

/** What is no plain data, and what only models that hear take. */
type OtherGeneration =
  "logitsProcessors" | "stoppingCriteria" | "tokenizer" | "signal" | "trace" | "passes" | "task";

/** Options of generation that are plain data. */
type PlainGeneration = Omit<GenerateOptions, OtherGeneration>;

/** Steps of a generation as plain data; see `GenerationSteps`. */
export type PlainSteps =
  "decoding" | "prompt" | "all" | number | StepRange | readonly (number | StepRange)[];

/** A text to go on with, as it is and perhaps with interventions. */
export interface WritingTask extends PlainGeneration {
  /** What is gone on with. */
  readonly prompt: string;
  /** Interventions while it is written. */
  readonly edits?: PlainEdits & {
    /** In which steps. @default "decoding" */
    readonly steps?: PlainSteps;
  };
  /** A vector that is added while it is written, in all steps; give this or `edits`. */
  readonly steering?: SteeredBy;
  /** Whether the text is written as it is, too. @default true */
  readonly original?: boolean;
}

/** Texts that were written; in a part of a stream, as far as they are. */
export interface WrittenTexts {
  /** As the model writes by itself; undefined where that is not asked for. */
  readonly original: WrittenText | undefined;
  /** With interventions; undefined without any. */
  readonly intervened: WrittenText | undefined;
}

/** What a text is read as. */
export interface TextTokens {
  /** Ids of the tokens. */
  readonly ids: readonly number[];
  /** What each token reads. */
  readonly tokens: readonly string[];
}

/** A component of a model. */
export interface DescribedComponent {
  /** Its name. */
  readonly name: string;
  /** Into how many heads it is split; undefined for none. */
  readonly heads: number | undefined;
  /** Width of a unit; undefined where the inputs decide it. */
  readonly dimension: number | undefined;
}

/** What there is to know of a model before anything is asked of it. */
export interface ModelDescription {
  /** Name of its class. */
  readonly className: string;
  /** How many layers it has; 0 of a class that does not say. */
  readonly layers: number;
  /** What can be named; nothing of a class that does not say. */
  readonly components: readonly DescribedComponent[];
  /** Numbers that were learned. */
  readonly parameters: number;
  /** How many tokens there are; undefined without a tokenizer. */
  readonly vocabulary: number | undefined;
}

/** Pairs of prompts, and what positions of them are called. */
export interface PlainPairs {
  /** The pairs. */
  readonly pairs: readonly ContrastPair[];
  /** Positions by name. */
  readonly positions?: Readonly<Record<string, KnownPlaces>>;
  /** Bytes that the states of the runs of one program may take. @default 256 MiB */
  readonly memoryBudget?: number;
}

/** What is asked, what parts come on the way, and what comes out, of one kind of task. */
interface Asked<Ask, Result, Part = never> {
  /** What is asked. */
  readonly ask: Ask;
  /** What comes on the way. */
  readonly part: Part;
  /** What comes out. */
  readonly result: Result;
}

/** What was found of a sweep so far. */
export interface SweepPart {
  /** The cells that are new. */
  readonly cells: readonly GridSite[];
  /** All that were found so far. */
  readonly effects: Effects;
}

/** A text that is read. */
interface OneText {
  /** The text. */
  readonly text: string;
}

/** Everything that can be asked in plain data. */
export interface Tasks {
  /** What can be named in the model. */
  readonly describe: Asked<object, ModelDescription>;
  /** How a text is divided. */
  readonly tokens: Asked<OneText, TextTokens>;
  /** What the model says after texts. */
  readonly next: Asked<Pick<EditedTexts, "prompts" | "top">, NextTokens>;
  /** What it says without and with interventions. */
  readonly forward: Asked<EditedTexts, EditedResult>;
  /** What such a call would compute. */
  readonly explain: Asked<EditedTexts, Explanation>;
  /** How texts go on. */
  readonly generate: Asked<WritingTask, WrittenTexts, WrittenTexts>;
  /** See `sweep`. */
  readonly sweep: Asked<PlainPairs & { readonly sweep: Sweep }, Effects, SweepPart>;
  /** See `causalTrace`. */
  readonly causalTrace: Asked<
    { readonly prompts: TracedPrompt | readonly TracedPrompt[] } & Omit<
      CausalTraceOptions,
      "tokenizer" | "onProgress" | "signal"
    >,
    Effects
  >;
  /** See `pathPatch`. */
  readonly pathPatch: Asked<PlainPairs & { readonly paths?: PathPatching }, Effects>;
  /** See `attribute`. */
  readonly attribute: Asked<
    PlainPairs & { readonly attribution: Attribution; readonly verify?: number },
    Attributed
  >;
  /** See `logitLens`. */
  readonly logitLens: Asked<OneText & Omit<LensOptions, "tokenizer">, LensReading>;
  /** See `directLogits`. */
  readonly directLogits: Asked<OneText & Omit<DirectLogitsOptions, "tokenizer">, DirectLogits>;
  /** See `attentionPatterns`. */
  readonly attentionPatterns: Asked<OneText & Omit<AttentionOptions, "tokenizer">, NamedArray>;
  /** See `steeringVector`. */
  readonly steeringVector: Asked<Omit<SteeringOptions, "tokenizer">, readonly PlainSiteVector[]>;
}

/** Names of all kinds of tasks. */
export type TaskName = keyof Tasks;

/** A task as plain data: its kind, and what is asked. */
export type Task<Name extends TaskName = TaskName> = {
  readonly [K in Name]: { readonly task: K } & Tasks[K]["ask"];
}[Name];

/** What comes out of a task. */
export type TaskResult<Name extends TaskName> = Tasks[Name]["result"];

/** What comes on the way of a task. */
export type TaskPart<Name extends TaskName> = Tasks[Name]["part"];

/** How a task is performed: nothing of it changes what comes out. */
export interface TaskOptions<Name extends TaskName = TaskName> {
  /** Takes what is there before all is: cells of a sweep, texts as they are written. */
  readonly onPart?: (part: TaskPart<Name>) => void;
  /** Called when some of the work is done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops before the next program. */
  readonly signal?: AbortSignal;
}
