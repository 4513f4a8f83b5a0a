import { Generator, defaultGenerator } from "../../tensor/random/generator.ts";
import type { CausalLanguageModel } from "../model/causal-language-model.ts";
import { type ImagesOfPasses, readImages } from "./images.ts";
import type { Settings } from "./kinds.ts";
import { type Bounded, lengthsOf } from "./lengths.ts";
import type { GenerateInputs, GenerateOptions, LogitsProcessor } from "./options.ts"; // prettier-ignore
import { type Prompt, readPrompt, readRows } from "./prompt.ts";
import { type ActiveProcess, processesOf } from "./scores.ts";
import { type Configured, listOf, readSettings, tokenList } from "./settings.ts";
import { type Stopping, stoppingOf } from "./stopping.ts";

/** A generation, checked and with all defaults filled in. */
export interface GenerationPlan {
  readonly prompt: Prompt;
  readonly images: ImagesOfPasses;
  readonly maxNewTokens: number;
  readonly eosTokenIds: ReadonlySet<number>;
  /** Fills up rows that have ended. */
  readonly padTokenId: number;
  /** How scores are made of logits; none for the logits themselves. */
  readonly processes: readonly ActiveProcess[];
  /** What ends rows besides stop tokens and the greatest length. */
  readonly stopping: Stopping;
  /** Where each row draws from; undefined to take the likeliest token. */
  readonly generators: readonly Generator[] | undefined;
  /** How beams are searched; undefined for none. */
  readonly beams: BeamSettings | undefined;
  readonly useCache: boolean;
  /** What is given besides the text. */
  readonly output: Output;
  readonly calls: Pick<GenerateOptions, "signal" | "trace" | "passes">;
}

/** Which tensors are given for each token. */
export interface Output {
  readonly logits: boolean;
  readonly scores: boolean;
}

/** How many beams there are, how many texts they give, and when their search ends. */
export interface BeamSettings {
  readonly numBeams: number;
  readonly numReturnSequences: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | "never";
}

function beamSettings(settings: Settings): BeamSettings | undefined {
  const { numBeams, numReturnSequences, lengthPenalty, earlyStopping } = settings;
  if (numBeams === null || numBeams === 1) return undefined;
  return {
    numBeams,
    numReturnSequences: numReturnSequences ?? 1,
    lengthPenalty: lengthPenalty ?? 1,
    earlyStopping: earlyStopping ?? false,
  };
}

/** Rows that each prompt takes while text is written. */
function rowsPerPrompt({ numBeams, numReturnSequences }: Settings): number {
  return numBeams !== null && numBeams > 1 ? numBeams : (numReturnSequences ?? 1);
}

/** The measures of a generation. */
export interface Extent {
  /** Steps at most, which are its new tokens. */
  readonly steps: number;
  /** Texts that are written at a time from each prompt. */
  readonly rowsPerPrompt: number;
  /** Whether keys and values of earlier positions are kept. */
  readonly useCache: boolean;
}

/**
 * How much will be written at most.
 *
 * @throws ModelError for options that cannot be.
 */
export function extentOf(
  model: Bounded & Configured,
  promptLength: number,
  options: GenerateOptions,
): Extent {
  const settings = readSettings(model, options);
  const { maxNewTokens: steps } = lengthsOf(model, promptLength, settings, options);
  const { useCache } = settings;
  return { steps, rowsPerPrompt: rowsPerPrompt(settings), useCache: useCache ?? true };
}

/**
 * Checks everything before anything is computed.
 * @throws ModelError for options or prompts that cannot be.
 */
export async function planGeneration(
  model: CausalLanguageModel,
  inputs: GenerateInputs,
  options: GenerateOptions,
): Promise<GenerationPlan> {
  const settings = readSettings(model, options);
  const eosTokenIds = new Set(tokenList(settings.eosTokenId));
  const padTokenId = settings.padTokenId ?? undefined;
  const times = rowsPerPrompt(settings);
  const limits = { vocabSize: model.idCount, padTokenId, eosTokenIds };
  const prompt = await readPrompt(inputs, limits, times);
  const lengths = lengthsOf(model, prompt.length, settings, options);
  const { maxNewTokens, minLength } = lengths;
  const beams = beamSettings(settings);
  return {
    prompt,
    images: readImages(model, inputs, times),
    maxNewTokens,
    eosTokenIds,
    padTokenId: padTokenId ?? [...eosTokenIds][0] ?? 0,
    processes: processesOf(settings, {
      eosTokenIds,
      maxLength: prompt.length + maxNewTokens,
      minLength,
      sources: await sourcesOf(model, prompt, times),
      custom: listOf<LogitsProcessor>(options.logitsProcessors),
      timestamps: model.timestampTokens,
    }),
    stopping: stoppingOf(settings, options),
    beams,
    generators: generatorsOf(settings, options, prompt),
    useCache: settings.useCache ?? true,
    output: { logits: settings.outputLogits === true, scores: settings.outputScores === true },
    calls: {
      ...(options.signal && { signal: options.signal }),
      ...(options.trace && { trace: options.trace }),
      ...(options.passes && { passes: options.passes }),
    },
  };
}

function generatorsOf(
  { doSample }: Settings,
  { seed }: GenerateOptions,
  { rows }: Prompt,
): readonly Generator[] | undefined {
  if (doSample !== true) return undefined;
  const root = seed === undefined ? defaultGenerator() : new Generator(seed);
  return rows.map(() => root.split());
}

/** What each row was written from: what an encoder read, or its prompt. */
async function sourcesOf(
  { sourceIds }: CausalLanguageModel,
  { rows }: Prompt,
  times: number,
): Promise<readonly (readonly number[])[] | undefined> {
  if (sourceIds === "prompt") return rows;
  if (sourceIds === undefined) return undefined;
  const sources = await readRows("inputIds", sourceIds);
  return rows.map((_, row) => sources[Math.floor(row / times)] ?? []);
}
