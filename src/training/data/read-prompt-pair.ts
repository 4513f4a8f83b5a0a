import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { nextToken } from "../../tokenizers/next-token.ts";
import type {
  PromptContext,
  PromptExample,
  PromptPlaces,
  PromptTokenizer,
} from "./prompt-options.ts";
import {
  placesIn,
  type ReadPrompt,
  type SidesAsked,
  type UnitsAsked,
  whichOf,
} from "./prompt-places.ts";

/** Positions along each axis that counts a prompt's tokens; undefined for other axes. */
export type ReadUnits = readonly (readonly number[] | undefined)[] | null;

/** A source with what is read of it. */
export interface ReadSource {
  readonly prompt: ReadPrompt;
  /** Where it is read, and where the base is edited. */
  readonly units: { readonly source: ReadUnits; readonly base: ReadUnits };
  readonly label: number | undefined;
  /** Where its own answer is predicted. */
  readonly answer: number;
}

/** An example with its texts as tokens. */
export interface ReadPair {
  readonly base: ReadPrompt;
  readonly label: number;
  readonly baseLabel: number | undefined;
  /** Where the answer is predicted. */
  readonly answer: number;
  /** By variable, for those that it has. */
  readonly sources: ReadonlyMap<string, ReadSource>;
}

/** What reads examples. */
export interface PairReader {
  readonly op: string;
  readonly tokenizer: PromptTokenizer;
  readonly sides: ReadonlyMap<string, SidesAsked>;
  readonly labelPosition: PromptPlaces<never>;
  /** Labels are numbers below this; undefined for tokens. */
  readonly numLabels: number | undefined;
  readonly encoding: { readonly addSpecialTokens?: boolean };
}

/** @throws TsveneError, with the example, for texts, positions and labels that do not fit. */
export function readPair(reader: PairReader, example: PromptExample, index: number): ReadPair {
  const context = { example: example as never, index, side: "base", variable: undefined } as const;
  const base = readPrompt(reader, example.base, context);
  const sources = [...reader.sides].flatMap(([variable, asked]) => {
    const text = example.sources[variable];
    return text === undefined
      ? []
      : [[variable, readSource(reader, example, { text, variable, asked, base })] as const];
  });
  return {
    base,
    label: labelOf(reader, "label", example.label, base),
    baseLabel: given(example.baseLabel, (label) => labelOf(reader, "baseLabel", label, base)),
    answer: answerOf(reader, base),
    sources: new Map(sources),
  };
}

function given<T, R>(value: T | undefined, read: (value: T) => R): R | undefined {
  return value === undefined ? undefined : read(value);
}

function readSource(
  reader: PairReader,
  example: PromptExample,
  asked: {
    readonly text: string;
    readonly variable: string;
    readonly asked: SidesAsked;
    readonly base: ReadPrompt;
  },
): ReadSource {
  const { variable } = asked;
  const context = { ...asked.base.context, side: "source", variable } as const;
  const prompt = readPrompt(reader, asked.text, context);
  const base = { ...asked.base, context: { ...asked.base.context, variable } };
  const units = {
    source: readUnits(reader, asked.asked.source, prompt),
    base: readUnits(reader, asked.asked.base, base),
  };
  requireAsMany(reader, units, prompt, base);
  const name = `sourceLabels.${variable}`;
  return {
    prompt,
    units,
    label: given(example.sourceLabels?.[variable], (label) => labelOf(reader, name, label, prompt)),
    answer: answerOf(reader, prompt),
  };
}

function readPrompt(reader: PairReader, text: unknown, context: PromptContext<never>): ReadPrompt {
  if (typeof text !== "string") {
    const what = context.side === "base" ? "base" : `source of ${context.variable}`;
    fail(
      reader.op,
      `example ${context.index}: its ${what} must be a text, got ${describeValue(text)}`,
    );
  }
  const ids = reader.tokenizer.encode(text, reader.encoding);
  if (ids.length === 0) fail(reader.op, `${whichOf({ text, context })} has no tokens`);
  return { text, ids, context };
}

function readUnits(reader: PairReader, asked: UnitsAsked, prompt: ReadPrompt): ReadUnits {
  if (asked === null) return null;
  const { op, tokenizer, encoding } = reader;
  return asked.map(({ ofPrompt }) =>
    ofPrompt === undefined ? undefined : placesIn(op, tokenizer, ofPrompt, prompt, encoding),
  );
}

/** Source and base have as many positions along each axis. */
function requireAsMany(
  { op }: PairReader,
  units: ReadSource["units"],
  source: ReadPrompt,
  base: ReadPrompt,
): void {
  for (const [axis, from] of (units.source ?? []).entries()) {
    const to = units.base?.[axis];
    if (from === undefined || to === undefined || from.length === to.length) continue;
    fail(
      op,
      `${whichOf(source)} has ${from.length} positions (${from.join(", ")}), but its base ` +
        `${JSON.stringify(base.text)} has ${to.length} (${to.join(", ")}); ask for as many, such as the ` +
        "last one of each, by a function of the prompt, or leave the example out",
    );
  }
}

/** The position of a prompt that predicts its answer. */
function answerOf(
  { op, tokenizer, labelPosition, encoding }: PairReader,
  prompt: ReadPrompt,
): number {
  const places = placesIn(op, tokenizer, labelPosition, prompt, encoding);
  const [at] = places;
  if (at !== undefined && places.length === 1) return at;
  return fail(
    op,
    `${whichOf(prompt)}: labelPosition must be one position, got ${places.join(", ")}`,
  );
}

function labelOf(reader: PairReader, name: string, label: unknown, prompt: ReadPrompt): number {
  const { op, tokenizer, numLabels, encoding } = reader;
  const where = `example ${prompt.context.index}: ${name}`;
  if (typeof label === "string" && numLabels === undefined) {
    return nextToken(op, tokenizer, { prompt: prompt.text, name: where, text: label }, encoding);
  }
  const count = numLabels ?? tokenizer.vocabSize;
  if (isCount(label) && label < count) return label;
  const kind = numLabels === undefined ? "tokens of the vocabulary" : "classes";
  return fail(
    op,
    `${where} must be one of ${count} ${kind}, 0 to ${count - 1}` +
      `${numLabels === undefined ? ', or what the prompt goes on with, " Rome"' : ""}; got ${shown(label)}`,
  );
}
