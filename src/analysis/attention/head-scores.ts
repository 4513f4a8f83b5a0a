import { range } from "../../base/lists.ts";
import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import type { Module } from "../../nn/module.ts";
import { Generator } from "../../tensor/random/generator.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { oneText, type TextInputs, type TextTokenizer } from "../data/one-text.ts";
import { NamedArray } from "../results/named-array.ts";
import { attentionSites, traceAttention } from "./attention-sites.ts";
import { scoreHeads, scoresOf, type Texts } from "./score-heads.ts";

/** How heads are scored. */
export interface HeadScoresOptions {
  /** What a text is read with. */
  readonly tokenizer?: TextTokenizer;
  /** After how many tokens the rows repeat, as those of `randomRepeats` do. @default they do not */
  readonly period?: number;
}

/** Random tokens that come twice. */
export interface RandomRepeatsOptions {
  /** Ids are below this. */
  readonly vocabularySize: number;
  /** How many tokens come twice: the period. @default 25 */
  readonly length?: number;
  /** How many rows. @default 8 */
  readonly rows?: number;
  /** An id that stands before them, as a model may need. @default none */
  readonly first?: number;
  /** @default 0 */
  readonly seed?: number;
}

const OP = "headScores";
const OPTIONS: OptionNames<HeadScoresOptions> = { tokenizer: true, period: true };
const REPEATS: OptionNames<RandomRepeatsOptions> = {
  vocabularySize: true,
  length: true,
  rows: true,
  first: true,
  seed: true,
};

/**
 * What each head attends to, as shares from 0 to 1, [score, layer, head]:
 *
 * - `"previousToken"`, `"currentToken"`, `"firstToken"`: of each token from the second on, on average;
 * - `"duplicateToken"`: of all attention, on earlier tokens that are the same;
 * - `"induction"`: of all attention, on tokens that came after the same token, as TransformerLens'
 *   `head_detector` has it;
 * - `"repeatInduction"`: in the second half of rows that repeat, on the token after the same token, on average;
 *   where `period` is given;
 * - `"entropy"`: of each query's attention, in nats, on average.
 *
 * A score is NaN where the text has no such places, such as no token twice.
 *
 * @param inputs - A text, or ids as `{ inputIds }`, [rows, positions] without padding.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, headScores, randomRepeats } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const repeats = randomRepeats({ vocabularySize: 1000, length: 20, rows: 4 });
 * const scores = await headScores(model, repeats, { period: 20 });
 * console.log(scores.at({ score: "repeatInduction" }).ranked()[0]);
 * ```
 */
export async function headScores(
  model: Module,
  inputs: TextInputs,
  options: HeadScoresOptions = {},
): Promise<NamedArray> {
  requireKnownOptions(OP, options, OPTIONS);
  const sites = attentionSites(OP, model);
  const { given, texts } = await textsIn(inputs, options);
  const layers = traceAttention(OP, sites, given);
  const scored = layers.map(({ weights }) => scoreHeads(weights, texts));
  await evaluate(...scored);
  const scores = scoresOf(texts);
  const heads = Math.max(...scored.map((own) => own.size(1)));
  const values = new Float64Array(scores.length * layers.length * heads).fill(NaN);
  for (const [layer, own] of scored.entries()) {
    const rows = await own.toArray(2);
    rows.forEach((row, score) => values.set(row, (score * layers.length + layer) * heads));
  }
  return new NamedArray({
    name: "score",
    axes: [
      { name: "score", values: scores },
      { name: "layer", values: layers.map(({ layer }) => layer) },
      { name: "head", values: range(heads) },
    ],
    values,
  });
}

/** Rows of random tokens, each row twice, one after the other: what shows induction heads. */
export function randomRepeats(options: RandomRepeatsOptions): { readonly inputIds: Tensor } {
  const op = "randomRepeats";
  requireKnownOptions(op, options, REPEATS);
  const { vocabularySize, length = 25, rows = 8, first, seed = 0 } = options;
  for (const [name, count] of Object.entries({ vocabularySize, length, rows })) {
    if (!isCount(count) || count < 1) fail(op, `${name} must be 1 or more, got ${shown(count)}`);
  }
  const generator = new Generator(seed);
  const ids = Array.from({ length: rows }, () => {
    const once = Array.from({ length }, () => generator.integer(vocabularySize));
    return [...(first === undefined ? [] : [first]), ...once, ...once];
  });
  return { inputIds: tensor(ids, { dtype: "int64" }) };
}

async function textsIn(
  inputs: TextInputs,
  { tokenizer, period }: HeadScoresOptions,
): Promise<{ readonly given: object; readonly texts: Texts }> {
  if (typeof inputs === "string") {
    const { inputs: given, ids = [] } = await oneText(OP, inputs, tokenizer);
    return { given, texts: checked([[...ids]], period) };
  }
  const { inputIds, attentionMask } = (inputs ?? {}) as Readonly<Record<string, unknown>>;
  if (!(inputIds instanceof Tensor) || inputIds.ndim !== 2) {
    return fail(
      OP,
      `second a text or { inputIds }, ids [rows, positions], got ${describeValue(inputs)}`,
    );
  }
  const isPadded =
    attentionMask instanceof Tensor &&
    (await attentionMask.toArray(2)).flat().some((one) => one === 0);
  if (isPadded) fail(OP, "rows of one length are needed, without padding");
  const ids = (await inputIds.toArray(2)).map((row) => row.map(Number));
  return { given: inputs, texts: checked(ids, period) };
}

function checked(ids: Texts["ids"], period: number | undefined): Texts {
  const [row = []] = ids;
  if (row.length < 2) fail(OP, "a text of two tokens or more is needed");
  if (period === undefined) return { ids, period };
  const repeats = (own: readonly number[]): boolean =>
    own.slice(-period).every((id, i) => id === own[own.length - 2 * period + i]);
  if (isCount(period) && period >= 1 && 2 * period <= row.length && ids.every(repeats)) {
    return { ids, period };
  }
  return fail(
    OP,
    `period is ${shown(period)}, but the last ${shown(period)} tokens of each row are not those before ` +
      "them; randomRepeats() makes such rows",
  );
}
