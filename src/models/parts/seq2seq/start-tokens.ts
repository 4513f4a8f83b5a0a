import { full } from "../../../tensor/functions/creation.ts";
import { fail } from "../../../nn/errors.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import type { JsonValue } from "../../settings/config.ts";
import type { GenerationFields } from "../../generation/fields.ts";
import { int64 } from "../../generation/int64.ts";
import type { Settings } from "../../generation/kinds.ts";
import type { GenerateOptions } from "../../generation/options.ts";
import { type Configured, isSaid, readSome, tokenList } from "../../generation/settings.ts";
import { languageToken } from "./language.ts";

const SETTINGS = [
  "decoderStartTokenId",
  "bosTokenId",
  "language",
  "task",
  "returnTimestamps",
  "forcedDecoderIds",
] as const;

/** What start tokens are made from. */
export interface StartRequest {
  /** The model that is asked. */
  readonly model: Configured;
  readonly options: GenerateOptions;
  /** Sources that are written from. */
  readonly batch: number;
  /** Logits [batch, vocabulary] of the token after the start token [batch, 1]. */
  readonly logitsAfter: (start: Tensor) => Tensor;
}

/** The same with what is said of start tokens. */
interface Request extends StartRequest {
  readonly settings: Pick<Settings, (typeof SETTINGS)[number]>;
  /** Of `generation_config.json`. */
  readonly fields: GenerationFields;
}

/** A token, the same for all rows, or one for each, [batch, 1] int64. */
type StartToken = number | Tensor;

/**
 * What a decoder reads first, [batch, length] int64: the start token; for a Whisper also the language,
 * which it hears itself where none is given, the task, and whether times are written.
 *
 * @throws ModelError where no start token is known, or the model has no languages, tasks or times.
 */
export function startTokens(asked: StartRequest): Tensor {
  const { batch, model, options } = asked;
  const settings = readSome(model, options, SETTINGS);
  const request = { ...asked, settings, fields: model.generationConfig };
  const tokens = [firstToken(request), ...spokenTokens(request)];
  const columns = tokens.map((token) =>
    typeof token === "number" ? full([batch, 1], token, { dtype: "int64" }) : token,
  );
  const [only, ...more] = columns;
  return only !== undefined && more.length === 0 ? only : cat(columns, 1);
}

function firstToken({ settings, batch }: Request): StartToken {
  const [id, ...more] = tokenList(settings.decoderStartTokenId ?? settings.bosTokenId);
  if (id === undefined) {
    fail("generate", "the config has no decoderStartTokenId; give decoderInputIds");
  }
  if (more.length === 0) return id;
  if (more.length + 1 === batch) return int64([id, ...more].map((own) => [own]));
  return fail(
    "generate",
    `decoderStartTokenId has ${more.length + 1} tokens for ${batch} sources; give one, or one for each`,
  );
}

/** Whether a file names the special tokens of a Whisper. */
export function isSpoken({ langToId, taskToId, noTimestampsTokenId }: GenerationFields): boolean {
  return [langToId, taskToId, noTimestampsTokenId].some(isSaid);
}

function spokenTokens(request: Request): readonly StartToken[] {
  const { settings, fields } = request;
  const { language, task } = settings;
  const isAsked = language !== null || task !== null;
  if (!isSpoken(fields)) {
    if (!isAsked && settings.returnTimestamps !== true) return [];
    return fail(
      "generate",
      "language, task and returnTimestamps are for a Whisper whose generation_config.json has " +
        "lang_to_id, task_to_id and no_timestamps_token_id",
    );
  }
  if (isAsked && fields["isMultilingual"] === false) {
    fail("generate", "this Whisper writes English only, so that it takes no language and no task");
  }
  const [spoken, ...done] = isAsked ? [] : forcedFirst(settings);
  const heard = languageOf(request, spoken ?? null);
  const tokens = [...(heard === undefined ? [] : [heard]), ...done.flatMap((id) => id ?? [])];
  return withTimes([...tokens, ...taskOf(request)], request);
}

/** Tokens that old files force into the places after the start token. */
function forcedFirst({ forcedDecoderIds }: Request["settings"]): readonly (number | null)[] {
  const forced = forcedDecoderIds ?? [];
  const upTo = forced.findIndex(([place], i) => place !== i + 1);
  return (upTo < 0 ? forced : forced.slice(0, upTo)).map(([, id]) => id);
}

function languageOf(request: Request, forced: number | null): StartToken | undefined {
  const { settings, fields } = request;
  const ids = tokenMap("lang_to_id", fields["langToId"]);
  if (settings.language !== null) return languageToken(settings.language, ids);
  if (forced !== null) return forced;
  return ids.size === 0 ? undefined : heardLanguage(request, [...ids.values()]);
}

/** The likeliest of the languages after the start token, [batch, 1]. */
function heardLanguage(request: Request, languages: readonly number[]): Tensor {
  const { batch } = request;
  const first = firstToken(request);
  const start = typeof first === "number" ? full([batch, 1], first, { dtype: "int64" }) : first;
  const logits = request.logitsAfter(start);
  const others = new Float32Array(logits.size(-1)).fill(-Infinity);
  for (const id of languages) others[id] = 0;
  const chosen = logits.add(Tensor.fromData(others, [1, others.length])).argmax(-1);
  return chosen.reshape([batch, 1]);
}

function taskOf({ settings, fields }: Request): readonly number[] {
  const { language, task } = settings;
  const ids = tokenMap("task_to_id", fields["taskToId"]);
  if (task === null && (language === null || ids.size === 0)) return [];
  const name = task ?? "transcribe";
  const id = ids.get(name);
  if (id !== undefined) return [id];
  return fail("generate", `generation_config.json has no task ${name} in task_to_id`);
}

/** With the token that says that no times are written, unless they are. */
function withTimes(
  tokens: readonly StartToken[],
  { settings, fields }: Request,
): readonly StartToken[] {
  const none = fields["noTimestampsTokenId"];
  if (typeof none !== "number") return tokens;
  const isLast = tokens.at(-1) === none;
  if (settings.returnTimestamps === true) return isLast ? tokens.slice(0, -1) : tokens;
  return isLast ? tokens : [...tokens, none];
}

function tokenMap(name: string, value: JsonValue | undefined): ReadonlyMap<string, number> {
  if (value === undefined || value === null) return new Map();
  const entries = typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [];
  const known = entries.filter((entry): entry is [string, number] =>
    Number.isSafeInteger(entry[1]),
  );
  if (entries.length > 0 && known.length === entries.length) return new Map(known);
  return fail("generate", `generation_config.json: ${name} must give a token for each name`);
}
