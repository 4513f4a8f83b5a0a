import { shown } from "../../base/describe-value.ts";
import { fail } from "../../nn/errors.ts";
import { requireKnownOptions } from "../../base/known-options.ts";
import { type ModelConfig, snakeCase } from "../settings/config.ts";
import type { PreTrainedModel } from "../model/pretrained-model.ts";
import { checkFields, type GenerationFields } from "./fields.ts";
import { DEFAULTS, type Kind, KINDS, type Settings } from "./kinds.ts";
import {
  CALL_OPTIONS,
  type FileOption,
  type GenerateOptions,
  type LogitsProcessor,
  type StoppingCriterion,
} from "./options.ts";

/** A model that writes, as far as its settings go. */
export type Configured = Pick<PreTrainedModel, "config" | "generationConfig">;

/** Names of all options of `generate`, for callers that add some of their own. */
export const GENERATE_OPTIONS: object = { ...DEFAULTS, ...CALL_OPTIONS };

/** Options that act on drawn tokens only. */
const SAMPLING: readonly FileOption[] = [
  "temperature",
  "topK",
  "topP",
  "minP",
  "topH",
  "typicalP",
  "epsilonCutoff",
  "etaCutoff",
];

/** Whether a value of {@link SAMPLING} changes nothing. */
const NEUTRAL: Readonly<Partial<Record<FileOption, unknown>>> = { topK: 0, minP: 0, topH: 1 };

/** Tokens that `config.json` names too. */
const SPECIAL: ReadonlySet<FileOption> = new Set(["bosTokenId", "eosTokenId", "padTokenId", "decoderStartTokenId"]); // prettier-ignore

/** What an option is if a call says `null`: as in Python, then no likeliest tokens are picked. */
const CLEARED: Partial<Settings> = { topK: 0 };

/**
 * What holds for a generation: what the call says, else `generation_config.json`, else the default.
 * Special tokens may also be in the model's configuration.
 *
 * @throws ModelError for options and fields that are unknown, of another kind, or contradict each
 * other.
 */
export function readSettings(model: Configured, options: GenerateOptions): Settings {
  requireKnownOptions("generate", options, GENERATE_OPTIONS);
  checkCallOptions(options);
  checkFields(model.generationConfig);
  const names = Object.keys(DEFAULTS) as FileOption[];
  const settings = readSome(model, options, names.filter((name) => !SPECIAL.has(name))); // prettier-ignore
  checkTogether(settings, options);
  return { ...settings, ...readSome(model, options, [...SPECIAL]) };
}

/** Some of the settings, where others do not matter. */
export function readSome<K extends FileOption>(
  model: Configured,
  options: GenerateOptions,
  names: readonly K[],
): Pick<Settings, K> {
  const doSample = pick(model, options, "doSample", false) === true;
  const entries = names.map((name) => [name, pick(model, options, name, doSample)]);
  return Object.fromEntries(entries) as Pick<Settings, K>;
}

function pick(
  model: Configured,
  options: GenerateOptions,
  name: FileOption,
  doSample: boolean,
): unknown {
  const given = options[name];
  const limits = model.config;
  if (given === null) return CLEARED[name] ?? DEFAULTS[name];
  if (given !== undefined) return checked(name, given, limits, name);
  const field = `generation_config.json: ${snakeCase(name)}`;
  const fields = model.generationConfig;
  // In Python these act only where tokens are drawn, and 0 is a way of saying that none are.
  if (name === "temperature" && fields[name] === 0 && !doSample) return 1;
  if (Object.hasOwn(fields, name)) {
    const value = withoutNegative(name, fields[name]);
    return value === null ? DEFAULTS[name] : checked(name, value, limits, field);
  }
  if (!SPECIAL.has(name)) return DEFAULTS[name];
  const inherited = (limits as unknown as GenerationFields)[name] ?? null;
  const value = withoutNegative(name, inherited);
  // Defaults of families name one for their own vocabulary, and few models need it.
  if (name === "bosTokenId" && Number(value) >= vocabularyOf(limits)) return null;
  return value === null ? null : checked(name, value, limits, `config.json: ${snakeCase(name)}`);
}

/** In files, -1 means no such token. */
function withoutNegative(name: FileOption, value: unknown): unknown {
  if (value === undefined || !SPECIAL.has(name)) return value ?? null;
  if (!Array.isArray(value)) return isNegative(value) ? null : value;
  const kept = value.filter((id) => !isNegative(id));
  return kept.length === 0 ? null : kept;
}

const isNegative = (id: unknown): boolean => Number.isSafeInteger(id) && Number(id) < 0;

function checked(name: FileOption, value: unknown, config: ModelConfig, where: string): unknown {
  const { wanted, fits, tokens }: Kind = KINDS[name];
  if (!fits(value)) {
    const hint =
      name === "temperature" && value === 0 ? "; for no randomness leave out doSample" : "";
    fail("generate", `${where} must be ${wanted}, got ${shown(value)}${hint}`);
  }
  const vocabSize = vocabularyOf(config);
  const unknown = tokens?.(value as never).find((id) => id >= vocabSize);
  if (unknown === undefined) return value;
  return fail(
    "generate",
    `${where} ${unknown} is not a token; expected a whole number below the vocabulary's size ` +
      `${vocabSize}`,
  );
}

function vocabularyOf(config: ModelConfig): number {
  const { textConfig } = config as { readonly textConfig?: Partial<ModelConfig> };
  return config.vocabSize ?? textConfig?.vocabSize ?? Infinity;
}

function checkCallOptions(options: GenerateOptions): void {
  const { signal, seed, tokenizer } = options;
  // Not by class: there are signals of other realms, and of packages.
  if (signal !== undefined && typeof signal.throwIfAborted !== "function") {
    fail("generate", "signal must be an AbortSignal, such as AbortSignal.timeout(1000)");
  }
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0)) {
    fail("generate", `seed must be a whole number of 0 or more, got ${shown(seed)}`);
  }
  if (tokenizer !== undefined && typeof tokenizer?.decode !== "function") {
    fail("generate", "tokenizer must be the model's tokenizer, which has a method decode");
  }
  for (const name of ["logitsProcessors", "stoppingCriteria"] as const) {
    if (listOf<unknown>(options[name]).every((entry) => typeof entry === "function")) continue;
    fail("generate", `${name} must be a function or a list of functions`);
  }
}

/** Whether a call gives an option; null takes back what a file gives. */
export function isSaid<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}

/** The functions of an option that takes one or several. */
export function listOf<T = LogitsProcessor | StoppingCriterion>(
  given: T | readonly T[] | undefined,
): readonly T[] {
  if (given === undefined) return [];
  return Array.isArray(given) ? (given as readonly T[]) : [given as T];
}

function checkTogether(settings: Settings, options: GenerateOptions): void {
  const { doSample, numBeams, numReturnSequences, stopStrings } = settings;
  if (isSaid(options.maxNewTokens) && isSaid(options.maxLength)) {
    fail("generate", "give maxNewTokens or maxLength, not both");
  }
  if (numBeams === 1) {
    if (isSaid(options.lengthPenalty) || isSaid(options.earlyStopping)) {
      fail("generate", "lengthPenalty and earlyStopping are for beams; pass numBeams as well");
    }
  } else if (Number(numReturnSequences) > Number(numBeams)) {
    fail(
      "generate",
      `${numBeams} beams cannot give ${numReturnSequences} sequences; use more beams`,
    );
  }
  if (doSample !== true) refuseSampling(settings, options);
  if (stopStrings !== null && options.tokenizer === undefined) {
    fail(
      "generate",
      `stopStrings ${shown(stopStrings)} need the model's tokenizer: pass { tokenizer } as well, or ` +
        "{ stopStrings: null } for none",
    );
  }
  refuseForcedAndSuppressed(settings);
}

function refuseSampling(settings: Settings, options: GenerateOptions): void {
  const acts = (name: FileOption): boolean => {
    const value = options[name];
    return isSaid(value) && value !== (NEUTRAL[name] ?? DEFAULTS[name]);
  };
  const one = settings.numBeams !== 1 || settings.numReturnSequences === 1;
  if (one && !SAMPLING.some(acts)) return;
  fail(
    "generate",
    `${SAMPLING.join(", ")} and numReturnSequences change nothing where the likeliest token is ` +
      "taken; pass { doSample: true } as well, or leave them out",
  );
}

function refuseForcedAndSuppressed(settings: Settings): void {
  const suppressed = new Set(settings.suppressTokens);
  for (const name of ["forcedBosTokenId", "forcedEosTokenId"] as const) {
    const forced = tokenList(settings[name]);
    if (forced.length === 0 || !forced.every((id) => suppressed.has(id))) continue;
    fail("generate", `${name} ${forced.join(", ")} is among suppressTokens too; leave out one`);
  }
}

/** One token, several, or none, as a list. */
export function tokenList(given: number | readonly number[] | null): readonly number[] {
  if (given === null) return [];
  return typeof given === "number" ? [given] : given;
}
