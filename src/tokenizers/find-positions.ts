import { describeValue } from "../base/describe-value.ts";
import type { Side } from "./tokenizer-config.ts";
import type { EncodeOptions } from "./tokenizer-options.ts";
import { TokenizerError } from "./pipeline/tokenizer-error.ts";
import type { PreTrainedTokenizer } from "./tokenizer.ts";

/** Which occurrence of a text to find. */
export interface FindPositionsOptions {
  /**
   * Which occurrence to take where a prompt has several, from 0; negative numbers count from the
   * last one. @default the only one
   */
  readonly occurrence?: number;
  /** As it was tokenized. @default true */
  readonly addSpecialTokens?: boolean;
  /** Side that several prompts are padded on. @default the tokenizer's */
  readonly paddingSide?: Side;
}

/**
 * What {@link findPositions} needs of a tokenizer. One that knows no `offsets` is asked what its
 * tokens read, one more at a time.
 */
export type PositionFinder = Pick<PreTrainedTokenizer, "encode" | "decode" | "paddingSide"> &
  Partial<Pick<PreTrainedTokenizer, "offsets">>;

/**
 * Positions of the tokens that spell a part of a prompt: those that share a character with it. The
 * positions are those of `tokenizer.tokenize(prompt)`; those of several prompts count the padding
 * that `tokenize(prompts, { padding: true })` puts before them.
 *
 * @returns What `unitLocations` takes: positions in ascending order, and for several prompts one such
 * list for each row.
 * @throws TokenizerError when the prompt does not have the part, or has it several times and no
 * `occurrence` says which one to take.
 *
 * @example
 * ```ts
 * import { AutoTokenizer, findPositions } from "tsvene";
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const subject = findPositions(tokenizer, "The capital of Spain is", " Spain");
 * console.log(subject);
 * ```
 */
export function findPositions(
  tokenizer: PositionFinder,
  prompt: string,
  part: string,
  options?: FindPositionsOptions,
): number[];
export function findPositions(
  tokenizer: PositionFinder,
  prompts: readonly string[],
  parts: string | readonly string[],
  options?: FindPositionsOptions,
): number[][];
export function findPositions(
  tokenizer: PositionFinder,
  prompts: string | readonly string[],
  parts: string | readonly string[],
  options: FindPositionsOptions = {},
): number[] | number[][] {
  if (typeof tokenizer?.encode !== "function") {
    throw new TokenizerError(`findPositions: first a tokenizer, got ${describeValue(tokenizer)}`);
  }
  if (typeof parts !== "string" && !Array.isArray(parts)) {
    throw new TokenizerError(
      `findPositions: the part of the prompt to find must be a string, got ${describeValue(parts)}`,
    );
  }
  const batch = [prompts].flat();
  if (typeof parts !== "string" && parts.length !== batch.length) {
    throw new TokenizerError(
      `findPositions: ${parts.length} parts for ${batch.length} prompts; give one for each, or one for all`,
    );
  }
  const rows = batch.map((prompt) => tokenizer.encode(prompt, encoding(options)));
  const longest = Math.max(...rows.map(({ length }) => length));
  const padsLeft = (options.paddingSide ?? tokenizer.paddingSide) === "left";
  const found = rows.map((ids, i) => {
    const part = typeof parts === "string" ? parts : (parts[i] ?? "");
    const padding = padsLeft ? longest - ids.length : 0;
    const prompt = batch[i] ?? "";
    return positionsIn(tokenizer, prompt, ids, part, options).map((at) => at + padding);
  });
  return typeof prompts === "string" ? (found[0] ?? []) : found;
}

function encoding({ addSpecialTokens }: FindPositionsOptions): EncodeOptions {
  return addSpecialTokens === undefined ? {} : { addSpecialTokens };
}

/** Characters that a token spells, or begins or ends to spell. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * A part is looked for in the prompt as it is written; one that is not there, in what the tokens
 * read, which may be written in lower case or have a special token before it.
 */
function positionsIn(
  tokenizer: PositionFinder,
  prompt: string,
  ids: readonly number[],
  part: string,
  options: FindPositionsOptions,
): number[] {
  const { occurrence } = options;
  if (tokenizer.offsets !== undefined && part !== "" && prompt.includes(part)) {
    const start = startOf(prompt, part, occurrence);
    const offsets = tokenizer.offsets(prompt, options);
    const spans = offsets.map((offset) => ({ start: offset?.[0] ?? 0, end: offset?.[1] ?? 0 }));
    return sharing(spans, start, start + part.length);
  }
  const decode = (tokens: readonly number[]): string =>
    tokenizer.decode(tokens, { cleanUpTokenizationSpaces: false });
  const text = decode(ids);
  const start = startOf(text, part, occurrence);
  return sharing(spansOf(decode, ids, text), start, start + part.length);
}

function sharing(spans: readonly Span[], start: number, end: number): number[] {
  return spans.flatMap((span, i) => (span.start < end && span.end > start ? [i] : []));
}

function startOf(text: string, part: string, occurrence: number | undefined): number {
  const shown = JSON.stringify(part);
  if (part === "") throw new TokenizerError("findPositions: the part is empty");
  const starts: number[] = [];
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) starts.push(at);
  if (starts.length === 0) {
    throw new TokenizerError(
      `findPositions: there is no ${shown} in the prompt, whose tokens read ${JSON.stringify(text)}`,
    );
  }
  if (occurrence === undefined && starts.length > 1) {
    throw new TokenizerError(
      `findPositions: the prompt has ${shown} ${starts.length} times; say which one is meant, such as ` +
        "{ occurrence: 0 }",
    );
  }
  const start = starts.at(occurrence ?? 0);
  if (start !== undefined) return start;
  throw new TokenizerError(
    `findPositions: there is no occurrence ${occurrence} of ${shown}: the prompt has it ${starts.length} times`,
  );
}

/** What stands for the bytes of a character that is not complete. */
const INCOMPLETE = /\uFFFD+$/;

function spansOf(
  decode: (tokens: readonly number[]) => string,
  ids: readonly number[],
  text: string,
): Span[] {
  let start = 0;
  return ids.map((_, i) => {
    const prefix = decode(ids.slice(0, i + 1));
    const whole = text.startsWith(prefix) ? prefix : prefix.replace(INCOMPLETE, "");
    const complete = commonLength(whole, text);
    // A token that ends within a character has its share of it.
    const spellsMore =
      whole === prefix ? 0 : String.fromCodePoint(text.codePointAt(complete) ?? 0).length;
    const span = { start, end: complete + spellsMore };
    start = complete;
    return span;
  });
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}
