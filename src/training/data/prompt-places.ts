import { shown } from "../../base/describe-value.ts";
import { fail, TsveneError } from "../../base/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { AxisName } from "../../intervenable/units/locations.ts";
import { findPositions } from "../../tokenizers/find-positions.ts";
import type {
  KnownPlaces,
  PromptContext,
  PromptPart,
  PromptPlaces,
  PromptPositions,
  PromptTokenizer,
  PromptUnits,
} from "./prompt-options.ts";

/** A prompt with its tokens, and which one it is. */
export interface ReadPrompt {
  readonly text: string;
  /** Its own tokens, without padding. */
  readonly ids: readonly number[];
  readonly context: PromptContext<never>;
}

/** Places along one axis of a unit: of each prompt, or as they are given. */
export interface AxisAsked {
  /** Its name; undefined where the unit has one axis only. */
  readonly name: string | undefined;
  /** Positions of prompts, where the axis counts these. */
  readonly ofPrompt: PromptPlaces<never> | undefined;
  /** What is the same in all rows, such as heads. */
  readonly given: unknown;
}

/** What is asked of one side; null for the whole tensor. */
export type UnitsAsked = readonly AxisAsked[] | null;

/** What is asked of both sides. */
export interface SidesAsked {
  readonly source: UnitsAsked;
  readonly base: UnitsAsked;
}

const AXES: { readonly [K in AxisName]: "of prompts" | "given" } = {
  position: "of prompts",
  key: "of prompts",
  head: "given",
  step: "given",
};

/** What each variable is asked for, in their order. */
export function sidesByVariable(
  op: string,
  positions: unknown,
  variables: readonly string[],
): ReadonlyMap<string, SidesAsked> {
  if (positions === undefined) {
    fail(
      op,
      'positions are missing: "last", a number, a part of the prompt, or a function of it; null is the ' +
        "whole tensor",
    );
  }
  if (!isNamed(positions, ["each"])) {
    const sides = sidesOf(op, positions);
    return new Map(variables.map((name) => [name, sides]));
  }
  const each = Object(positions["each"]) as Readonly<Record<string, PromptPositions<never>>>;
  for (const name of Object.keys(each)) {
    if (variables.includes(name)) continue;
    fail(op, `positions: no example has a source of ${name}; ${didYouMean(name, variables)}`);
  }
  return new Map(
    variables.map((name) => {
      const asked = each[name];
      if (asked === undefined) fail(op, `positions: each has nothing for ${name}`);
      return [name, sidesOf(op, asked)];
    }),
  );
}

/** Whether it is an object with one of these names, and neither a list nor a function. */
function isNamed(
  value: unknown,
  names: readonly string[],
): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return names.some((name) => name in value);
}

function sidesOf(op: string, asked: PromptPositions<never>): SidesAsked {
  if (!isNamed(asked, ["source", "base"])) {
    const units = unitsOf(op, asked);
    return { source: units, base: units };
  }
  const { source, base } = asked as Partial<Record<keyof SidesAsked, PromptUnits<never>>>;
  if (source === undefined || base === undefined) {
    fail(op, `positions: give both, { source, base }, got ${shown(asked)}`);
  }
  if ((source === null) !== (base === null)) {
    fail(op, "positions: the whole tensor, null, is meant of both source and base, or of neither");
  }
  return { source: unitsOf(op, source), base: unitsOf(op, base) };
}

function unitsOf(op: string, asked: PromptUnits<never>): UnitsAsked {
  if (asked === null) return null;
  const isAxes = typeof asked === "object" && !Array.isArray(asked) && !("part" in asked);
  if (!isAxes) {
    return [{ name: undefined, ofPrompt: asked as PromptPlaces<never>, given: undefined }];
  }
  const entries = Object.entries(asked as Readonly<Record<string, unknown>>);
  if (entries.length === 0) fail(op, "positions: there is no axis in {}");
  return entries.map(([name, given]) => {
    const names = Object.keys(AXES);
    if (!names.includes(name)) {
      fail(op, `positions: there is no axis "${name}"; ${didYouMean(name, names)}`);
    }
    const isOfPrompt = AXES[name as AxisName] === "of prompts" && given !== "all";
    return { name, ofPrompt: isOfPrompt ? (given as PromptPlaces<never>) : undefined, given };
  });
}

/**
 * Positions of a prompt's own tokens.
 * @throws TsveneError, with the prompt, for a position or a part that it does not have.
 */
export function placesIn(
  op: string,
  tokenizer: PromptTokenizer,
  asked: PromptPlaces<never>,
  prompt: ReadPrompt,
  options: { readonly addSpecialTokens?: boolean },
): readonly number[] {
  const { text, context } = prompt;
  const places: KnownPlaces = typeof asked === "function" ? asked(text, context) : asked;
  const list = Array.isArray(places) ? (places as readonly unknown[]) : [places];
  if (list.length === 0) fail(op, `${whichOf(prompt)}: there is no position`);
  return list.flatMap((place) => placeIn(op, tokenizer, place, prompt, options));
}

function placeIn(
  op: string,
  tokenizer: PromptTokenizer,
  place: unknown,
  prompt: ReadPrompt,
  options: { readonly addSpecialTokens?: boolean },
): readonly number[] {
  const { length } = prompt.ids;
  if (place === "last") return [length - 1];
  if (typeof place === "string") return partIn(op, tokenizer, { part: place }, prompt, options);
  if (isNamed(place, ["part"])) {
    return partIn(op, tokenizer, place as unknown as PromptPart, prompt, options);
  }
  if (!Number.isSafeInteger(place)) {
    fail(
      op,
      `${whichOf(prompt)}: a position is a whole number, "last", or a part of the prompt, got ${shown(place)}`,
    );
  }
  const at = Number(place) < 0 ? Number(place) + length : Number(place);
  if (at >= 0 && at < length) return [at];
  return fail(op, `${whichOf(prompt)} has no position ${shown(place)}; it has ${length} tokens`);
}

function partIn(
  op: string,
  tokenizer: PromptTokenizer,
  { part, occurrence }: PromptPart,
  prompt: ReadPrompt,
  options: { readonly addSpecialTokens?: boolean },
): readonly number[] {
  const which = occurrence === undefined ? {} : { occurrence };
  try {
    return findPositions(tokenizer, prompt.text, part, { ...which, ...options });
  } catch (error) {
    if (!(error instanceof TsveneError)) throw error;
    const reason = error.message.replace(/^findPositions: /, "");
    throw new TsveneError(`${op}: ${whichOf(prompt)}: ${reason}`, { cause: error });
  }
}

/** What messages call a prompt. */
export function whichOf({ text, context }: Pick<ReadPrompt, "text" | "context">): string {
  const { index, side, variable } = context;
  const what = side === "base" ? "base" : `source of ${variable}`;
  return `example ${index}, ${what} ${JSON.stringify(text)}`;
}
