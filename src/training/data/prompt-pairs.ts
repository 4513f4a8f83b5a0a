import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import type { UnitLocations } from "../../intervenable/units/locations.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { toBatch } from "../../tokenizers/batch-encoding.ts";
import type { AlignmentBatch, AlignmentData } from "./alignment-data.ts";
import type { ExampleSource } from "./example-source.ts";
import { PairExamples } from "./pair-examples.ts";
import {
  PROMPT_OPTIONS,
  type PromptExample,
  type PromptInputs,
  type PromptPairsOptions,
  type PromptTokenizer,
} from "./prompt-options.ts";
import { type ReadPrompt, sidesByVariable, type UnitsAsked, whichOf } from "./prompt-places.ts";
import { type PairReader, type ReadPair, readPair, type ReadUnits } from "./read-prompt-pair.ts";

const OP = "promptPairs";

/**
 * Counterfactual data of texts: prompts become tokens, padded to one length, positions that are said by
 * words become locations, and labels become tokens. Sources are by variable; one that an example does
 * not have is not intervened on there.
 *
 * @param tokenizer - The model's. Prompts are padded on its side, unless `paddingSide` says otherwise; where
 * prompts have different lengths it needs a token to pad with.
 * @param examples - A list, or what makes examples when they are asked for, as {@link drawnExamples}.
 * @throws TsveneError, with the example and the prompt, for a part that is not in a prompt, positions that it
 * does not have, other numbers of positions in source and base, a label that is not one token, and one
 * that is out of the vocabulary. A list is read at once, other examples when they are asked for.
 *
 * @example
 * ```ts
 * import { AutoTokenizer, promptPairs } from "tsvene";
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const capital = (country: string) => `The capital of ${country} is`;
 * const data = promptPairs(
 *   tokenizer,
 *   [
 *     { base: capital("Spain"), sources: { country: capital("Italy") }, label: " Rome" },
 *     { base: capital("Italy"), sources: { country: capital("France") }, label: " Paris" },
 *   ],
 *   { positions: (prompt) => prompt.split(" ")[3] ?? "" },
 * );
 * const { base, sources, labels, unitLocations } = data.batch([0, 1]);
 * console.log(base.inputIds.shape, sources["country"]?.inputIds.shape, labels.shape, unitLocations);
 * ```
 */
export function promptPairs<Example extends PromptExample>(
  tokenizer: PromptTokenizer,
  examples: ExampleSource<Example>,
  options: PromptPairsOptions<Example>,
): AlignmentData<PromptInputs> {
  requireKnownOptions(OP, options, PROMPT_OPTIONS);
  if (typeof tokenizer?.encode !== "function") {
    fail(OP, `first a tokenizer, got ${describeValue(tokenizer)}`);
  }
  requireOneOf(OP, "paddingSide", options.paddingSide, [undefined, "left", "right"]);
  return new PromptPairs(tokenizer, examples, options);
}

class PromptPairs implements AlignmentData<PromptInputs> {
  readonly #pairs: PairExamples<PromptExample>;
  readonly #reader: PairReader;
  readonly #options: PromptPairsOptions<never>;
  /** A list's examples, which are read once. */
  readonly #known: readonly ReadPair[] | undefined;
  readonly #rows: RowPlan;
  /** By variable, the first example's source. */
  readonly #first = new Map<string, Located | undefined>();

  constructor(
    tokenizer: PromptTokenizer,
    examples: ExampleSource<PromptExample>,
    options: PromptPairsOptions<never>,
  ) {
    const pairs = new PairExamples(OP, examples, options);
    const { positions, labelPosition = "last", numLabels, addSpecialTokens } = options;
    this.#options = options;
    this.#pairs = pairs;
    this.#reader = {
      op: OP,
      tokenizer,
      sides: sidesByVariable(OP, positions, pairs.variables),
      labelPosition,
      numLabels,
      encoding: addSpecialTokens === undefined ? {} : { addSpecialTokens },
    };
    this.#known = Array.isArray(examples)
      ? Array.from({ length: pairs.length }, (_, i) => readPair(this.#reader, pairs.at(i), i))
      : undefined;
    this.#rows = planRows(tokenizer, this.#known, options);
  }

  get length(): number {
    return this.#pairs.length;
  }

  variables(index: number): readonly string[] {
    return this.#pairs.variablesOf(index);
  }

  key(index: number): string {
    return this.#pairs.keyOf(index);
  }

  batch(indices: readonly number[]): AlignmentBatch<PromptInputs> {
    const { rows } = this.#pairs.take(indices);
    const pairs = indices.map((index) => this.#pair(index));
    const { variables } = this.#pairs;
    const byVariable = <T>(of: (name: string) => T): Record<string, T> =>
      Object.fromEntries(variables.map((name) => [name, of(name)]));
    const sourceLabels = this.#sourceLabels(pairs);
    const baseLabels = labelTensor(
      pairs.map(({ baseLabel }) => baseLabel),
      pairs,
      "baseLabel",
    );
    return {
      indices: [...indices],
      base: this.#inputs(pairs.map(({ base }) => base)),
      sources: byVariable((name) =>
        this.#inputs(pairs.map(({ base, sources }) => sources.get(name)?.prompt ?? base)),
      ),
      ...(rows && { rows }),
      ...this.#locations(pairs),
      ...(this.#options.subspaces === undefined ? {} : { subspaces: this.#options.subspaces }),
      labels: ids(pairs.map(({ label }) => label)),
      ...(baseLabels && { baseLabels }),
      ...(sourceLabels && { sourceLabels }),
      ...this.#answers(pairs),
    };
  }

  #pair(index: number): ReadPair {
    return this.#known?.[index] ?? readPair(this.#reader, this.#pairs.at(index), index);
  }

  #inputs(prompts: readonly ReadPrompt[]): PromptInputs {
    const { length, isPadded } = this.#rows;
    for (const prompt of prompts) {
      if (prompt.ids.length <= length) continue;
      fail(
        OP,
        `${whichOf(prompt)} has ${prompt.ids.length} tokens; make { length: ${length} } greater`,
      );
    }
    const encoded = toBatch(
      prompts.map((prompt) => prompt.ids),
      this.#rows,
    );
    return isPadded ? encoded : { inputIds: encoded.inputIds };
  }

  #sourceLabels(pairs: readonly ReadPair[]): Record<string, Tensor> | undefined {
    const entries = this.#pairs.variables.flatMap((name) => {
      const labels = pairs.map(({ sources, baseLabel, label }) => {
        const source = sources.get(name);
        return source === undefined ? (baseLabel ?? label) : source.label;
      });
      const has = pairs.some(({ sources }) => sources.get(name)?.label !== undefined);
      const made = has ? labelTensor(labels, pairs, `sourceLabels.${name}`) : undefined;
      return made === undefined ? [] : [[name, made] as const];
    });
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }

  /** Where answers are predicted, unless that is the last position of every row. */
  #answers(
    pairs: readonly ReadPair[],
  ): Pick<AlignmentBatch, "labelPositions" | "sourceLabelPositions"> {
    const { areLast } = this.#rows;
    if (areLast) return {};
    const { variables } = this.#pairs;
    const at = (prompt: ReadPrompt, answer: number): number => answer + this.#offset(prompt);
    const ofSource = (name: string): number[] =>
      pairs.map(({ base, answer, sources }) => {
        const source = sources.get(name);
        return source === undefined ? at(base, answer) : at(source.prompt, source.answer);
      });
    return {
      labelPositions: pairs.map(({ base, answer }) => at(base, answer)),
      sourceLabelPositions: Object.fromEntries(variables.map((name) => [name, ofSource(name)])),
    };
  }

  /** Number of padding tokens before a prompt. */
  #offset({ ids: own }: ReadPrompt): number {
    return this.#rows.side === "left" ? this.#rows.length - own.length : 0;
  }

  #locations(pairs: readonly ReadPair[]): { readonly unitLocations?: UnitLocations } {
    const { variables } = this.#pairs;
    const entries = variables.map((name) => [name, this.#locationsOf(name, pairs)] as const);
    const [first] = entries;
    if (first === undefined || entries.every(([, one]) => one === null)) return {};
    const isOne = entries.every(([, one]) => JSON.stringify(one) === JSON.stringify(first[1]));
    const all = isOne ? first[1] : { each: Object.fromEntries(entries) };
    return { unitLocations: { "sources->base": all } as UnitLocations };
  }

  #locationsOf(name: string, pairs: readonly ReadPair[]): object | null {
    const asked = this.#reader.sides.get(name);
    if (asked === undefined || asked.source === null || asked.base === null) return null;
    const rows = pairs.map(({ base, sources }) => sources.get(name) ?? this.#standIn(name, base));
    return {
      source: this.#side(asked.source, rows, ({ prompt, units }) => [prompt, units.source]),
      base: this.#side(asked.base, rows, ({ units }, row) => [pairs[row]?.base, units.base]),
    };
  }

  /** Locations of one side, axis by axis, with the padding before each prompt. */
  #side(
    asked: NonNullable<UnitsAsked>,
    rows: readonly Located[],
    of: (row: Located, number: number) => readonly [ReadPrompt | undefined, ReadUnits],
  ): unknown {
    const axes = asked.map(({ name, ofPrompt, given }, axis) => {
      if (ofPrompt === undefined) return [name, given] as const;
      const places = rows.map((row, i) => {
        const [prompt, units] = of(row, i);
        const offset = prompt === undefined ? 0 : this.#offset(prompt);
        return units?.[axis]?.map((at) => at + offset) ?? [];
      });
      return [name, places] as const;
    });
    const [[name, places] = []] = axes;
    return name === undefined ? places : Object.fromEntries(axes);
  }

  /**
   * For an example without a source, which is not edited: as many of its last positions as others have, so
   * that all rows have as many units.
   */
  #standIn(name: string, base: ReadPrompt): Located {
    const like = this.#firstWith(name)?.units;
    const { length } = base.ids;
    const last = (units: ReadUnits | undefined): ReadUnits =>
      (units ?? []).map((places) =>
        places?.map((_, i) => Math.max(0, length - places.length) + i).filter((at) => at < length),
      );
    return { prompt: base, units: { source: last(like?.source), base: last(like?.base) } };
  }

  #firstWith(name: string): Located | undefined {
    if (!this.#first.has(name)) {
      const indices = Array.from({ length: this.length }, (_, i) => i);
      const index = indices.find((i) => this.#pairs.at(i).sources[name] !== undefined);
      this.#first.set(name, index === undefined ? undefined : this.#pair(index).sources.get(name));
    }
    return this.#first.get(name);
  }
}

/** A source, or a base in its place, with its units. */
type Located = {
  readonly prompt: ReadPrompt;
  readonly units: { readonly source: ReadUnits; readonly base: ReadUnits };
};

/** How all rows of all batches are brought to one length. */
interface RowPlan {
  readonly length: number;
  readonly side: "left" | "right";
  readonly padTokenId: number;
  /** Whether some row may be padded, so that all batches have a mask. */
  readonly isPadded: boolean;
  /** Whether every answer is predicted at the last position of its row. */
  readonly areLast: boolean;
}

function planRows(
  tokenizer: PromptTokenizer,
  known: readonly ReadPair[] | undefined,
  { length: asked, paddingSide, labelPosition = "last" }: PromptPairsOptions<never>,
): RowPlan {
  if (asked !== undefined && (!isCount(asked) || asked === 0)) {
    fail(OP, `length must be a whole number from 1, got ${shown(asked)}`);
  }
  const lengths = known?.flatMap(({ base, sources }) =>
    [base, ...[...sources.values()].map(({ prompt }) => prompt)].map(({ ids: own }) => own.length),
  );
  const length = asked ?? lengths?.reduce((a, b) => Math.max(a, b), 0);
  if (length === undefined) {
    fail(
      OP,
      "examples that are made when they are asked for need { length }: the number of tokens that all " +
        "prompts are padded to",
    );
  }
  const isPadded = lengths?.every((one) => one === length) !== true;
  const side = paddingSide ?? tokenizer.paddingSide;
  const { padTokenId } = tokenizer;
  if (isPadded && padTokenId === undefined) {
    fail(
      OP,
      "prompts have different lengths, and the tokenizer has no token to pad with; name one when it is " +
        'loaded: AutoTokenizer.fromPretrained(name, { padToken: "<|endoftext|>" })',
    );
  }
  const areLast = labelPosition === "last" && (side === "left" || !isPadded);
  return { length, side, padTokenId: padTokenId ?? 0, isPadded, areLast };
}

const ids = (values: readonly number[]): Tensor => tensor(values, { dtype: "int64" });

/** Labels that all of the examples have, or none; undefined where none has. */
function labelTensor(
  labels: readonly (number | undefined)[],
  pairs: readonly ReadPair[],
  name: string,
): Tensor | undefined {
  const known = labels.filter((label) => label !== undefined);
  if (known.length === 0) return undefined;
  if (known.length === labels.length) return ids(known);
  const missing = pairs[labels.indexOf(undefined)]?.base.context.index;
  return fail(OP, `example ${missing} has no ${name}, but others have; give all of them, or none`);
}
