import { fail } from "../../tensor/errors.ts";
import { defaultGenerator, Generator } from "../../tensor/generator.ts";
import type { CausalLanguageModel } from "../causal-language-model.ts";
import type { ModelConfig } from "../config.ts";
import { requireKnownOptions } from "../../tensor/known-options.ts";
import { type ImagesOfPasses, readImages } from "./images.ts";
import { GENERATE_OPTIONS, type GenerateInputs, type GenerateOptions } from "./options.ts";
import { type Prompt, readPrompt } from "./prompt.ts";
import type { ScoreSettings } from "./scores.ts";

/** A generation, checked and with all defaults filled in. */
export interface GenerationPlan {
  readonly prompt: Prompt;
  readonly images: ImagesOfPasses;
  readonly maxNewTokens: number;
  readonly eosTokenIds: ReadonlySet<number>;
  /** Fills up rows that have ended. */
  readonly padTokenId: number;
  readonly scores: ScoreSettings;
  /** Where each row draws from; undefined to take the likeliest token. */
  readonly generators: readonly Generator[] | undefined;
  /** How beams are searched; undefined for none. */
  readonly beams: BeamSettings | undefined;
  readonly options: GenerateOptions;
}

/** How many beams there are, and when their search ends. */
export interface BeamSettings {
  readonly numBeams: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | "never";
}

interface Bounds {
  readonly min: number;
  readonly max?: number;
  /** Whether `min` itself is out. */
  readonly above?: boolean;
  readonly whole?: boolean;
}

const BOUNDS: { readonly [K in keyof GenerateOptions]?: Bounds } = {
  maxNewTokens: { min: 1, whole: true },
  maxLength: { min: 1, whole: true },
  minNewTokens: { min: 0, whole: true },
  temperature: { min: 0, above: true },
  topK: { min: 0, whole: true },
  topP: { min: 0, max: 1, above: true },
  repetitionPenalty: { min: 0, above: true },
  seed: { min: 0, whole: true },
  numReturnSequences: { min: 1, whole: true },
  numBeams: { min: 1, whole: true },
  lengthPenalty: { min: -Infinity },
};

function inBounds(value: unknown, { min, max, above = false, whole = false }: Bounds): boolean {
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  if (whole && !Number.isSafeInteger(value)) return false;
  return (above ? value > min : value >= min) && value <= (max ?? Infinity);
}

function checkOptions(options: GenerateOptions): void {
  requireKnownOptions("generate", options, GENERATE_OPTIONS);
  const { signal } = options;
  // Not by class: there are signals of other realms, and of packages.
  if (signal !== undefined && typeof signal.throwIfAborted !== "function") {
    fail("generate", "signal must be an AbortSignal, such as AbortSignal.timeout(1000)");
  }
  for (const [name, bounds] of Object.entries(BOUNDS)) {
    const value: unknown = options[name as keyof GenerateOptions];
    if (value === undefined || inBounds(value, bounds)) continue;
    const { min, max, above, whole } = bounds;
    const kind = whole === true ? "a whole number" : "a number";
    const lower = above === true ? `above ${min}` : `of ${min} or more`;
    const upper = max === undefined ? "" : ` and at most ${max}`;
    const hint =
      name === "temperature" && value === 0 ? "; for no randomness leave out doSample" : "";
    fail(
      "generate",
      `${name} must be ${kind} ${lower}${upper}, got ${JSON.stringify(value) ?? "nothing"}${hint}`,
    );
  }
  checkBeams(options);
  if (options.doSample === true) return;
  const { temperature = 1, topK = 0, topP = 1, numBeams = 1 } = options;
  const { numReturnSequences = 1 } = numBeams > 1 ? {} : options;
  if (temperature === 1 && topK === 0 && topP === 1 && numReturnSequences === 1) return;
  fail(
    "generate",
    "temperature, topK, topP and numReturnSequences change nothing where the likeliest token is " +
      "taken; pass { doSample: true } as well, or leave them out",
  );
}

function checkBeams(options: GenerateOptions): void {
  const { numBeams = 1, lengthPenalty, earlyStopping, numReturnSequences = 1 } = options;
  const stops: readonly unknown[] = [undefined, true, false, "never"];
  if (!stops.includes(earlyStopping)) {
    fail("generate", `earlyStopping must be true, false or "never", got ${String(earlyStopping)}`);
  }
  if (numBeams === 1) {
    if (lengthPenalty === undefined && earlyStopping === undefined) return;
    fail("generate", "lengthPenalty and earlyStopping are for beams; pass numBeams as well");
  }
  if (options.doSample === true) {
    fail("generate", "give doSample or numBeams, and not both: beams are not drawn at random");
  }
  if (numReturnSequences > numBeams) {
    fail(
      "generate",
      `${numBeams} beams cannot give ${numReturnSequences} sequences; use more beams`,
    );
  }
}

function beamSettings(options: GenerateOptions): BeamSettings | undefined {
  const { numBeams = 1, lengthPenalty = 1, earlyStopping = false } = options;
  return numBeams === 1 ? undefined : { numBeams, lengthPenalty, earlyStopping };
}

/** Rows that each prompt takes while text is written. */
export function rowsPerPrompt({ numBeams = 1, numReturnSequences = 1 }: GenerateOptions): number {
  return numBeams > 1 ? numBeams : numReturnSequences;
}

function idList(name: string, ids: unknown, vocabSize: number | undefined): number[] {
  if (ids === null || ids === undefined) return [];
  const list: unknown[] = [ids].flat();
  return list.map((id) => {
    const known = typeof id === "number" && Number.isInteger(id) && id >= 0;
    if (known && id < (vocabSize ?? Infinity)) return id;
    return fail(
      "generate",
      `${name} ${String(id)} is not a token; expected a whole number of 0 or more` +
        (vocabSize === undefined ? "" : `, below the vocabulary's size ${vocabSize}`),
    );
  });
}

/** An option, or what the checkpoint's files say: `generation_config.json` before `config.json`. */
function tokenIds(
  name: "eosTokenId" | "padTokenId",
  { config, generationConfig }: CausalLanguageModel,
  options: GenerateOptions,
): number[] {
  const { vocabSize }: ModelConfig = config;
  if (options[name] !== undefined) return idList(name, options[name], vocabSize);
  return idList(name, generationConfig[name] ?? config[name], vocabSize);
}

const DEFAULT_NEW_TOKENS = 20;

/** How long a model's texts may be. */
type Bounded = Pick<CausalLanguageModel, "maxLength">;

/** New tokens at most, which the model must have positions for. */
function newTokens(model: Bounded, length: number, options: GenerateOptions): number {
  const { maxNewTokens, maxLength } = options;
  if (maxNewTokens !== undefined && maxLength !== undefined) {
    fail("generate", "give maxNewTokens or maxLength, not both");
  }
  if (maxLength !== undefined && maxLength <= length) {
    fail("generate", `maxLength ${maxLength} leaves no room after a prompt of ${length} tokens`);
  }
  // The last token is not read any more, so it needs no position.
  const room = (model.maxLength ?? Infinity) - length + 1;
  const wanted = maxNewTokens ?? (maxLength === undefined ? undefined : maxLength - length);
  if (room < 1 || (wanted !== undefined && wanted > room)) {
    fail(
      "generate",
      `a prompt of ${length} tokens and ${wanted ?? 1} new ones are more than the model's ` +
        `${model.maxLength} positions; ` +
        (room < 1 ? "shorten the prompt" : `shorten the prompt, or generate at most ${room}`),
    );
  }
  const most = wanted ?? Math.min(DEFAULT_NEW_TOKENS, room);
  const { minNewTokens = 0 } = options;
  if (minNewTokens > most) {
    fail("generate", `minNewTokens ${minNewTokens} is more than the ${most} new tokens at most`);
  }
  return most;
}

/**
 * Steps that a generation takes at most, which are its new tokens.
 * @throws TensorError for options that cannot be.
 */
export function countSteps(model: Bounded, promptLength: number, options: GenerateOptions): number {
  checkOptions(options);
  return newTokens(model, promptLength, options);
}

/**
 * Checks everything before anything is computed.
 * @throws TensorError for options or prompts that cannot be.
 */
export async function planGeneration(
  model: CausalLanguageModel,
  inputs: GenerateInputs,
  options: GenerateOptions,
): Promise<GenerationPlan> {
  checkOptions(options);
  const eosTokenIds = new Set(tokenIds("eosTokenId", model, options));
  const [padTokenId] = tokenIds("padTokenId", model, options);
  const limits = { vocabSize: model.idCount, padTokenId, eosTokenIds };
  const prompt = await readPrompt(inputs, limits, rowsPerPrompt(options));
  const { doSample = false, seed } = options;
  const root = seed === undefined ? defaultGenerator() : new Generator(seed);
  return {
    prompt,
    images: readImages(model, inputs, rowsPerPrompt(options)),
    maxNewTokens: newTokens(model, prompt.length, options),
    eosTokenIds,
    padTokenId: padTokenId ?? [...eosTokenIds][0] ?? 0,
    scores: scoreSettings(options, eosTokenIds),
    beams: beamSettings(options),
    generators: doSample ? prompt.rows.map(() => root.split()) : undefined,
    options,
  };
}

function scoreSettings(options: GenerateOptions, eosTokenIds: ReadonlySet<number>): ScoreSettings {
  const { doSample = false, minNewTokens = 0, repetitionPenalty = 1 } = options;
  const { temperature = 1, topK = 50, topP = 1 } = options;
  const always = { repetitionPenalty, minNewTokens, eosTokenIds };
  return doSample
    ? { ...always, temperature, topK, topP }
    : { ...always, temperature: 1, topK: 0, topP: 1 };
}
