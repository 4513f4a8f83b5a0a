import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { CaseResult } from "../case-result.ts";
import { notReplayed } from "../compare.ts";
import { cached, generation, leftPadded, logits } from "./models.ts";
import { casesOf, modelsOf, type Recorded, rowsOf } from "./recorded.ts";
import { addedTokens, cleanUp, pastVocabulary, templates } from "./texts.ts";

/** A kind of circumstance: how its `case.json` is told from the others', and how it is replayed. */
interface Kind {
  readonly is: (recorded: Recorded) => boolean;
  readonly replay: (directory: string, recorded: Recorded) => Promise<CaseResult>[];
}

/** Whether a case has all fields, of the first of the cases where they have names. */
function has(recorded: Recorded | undefined, ...fields: readonly string[]): boolean {
  return recorded !== undefined && fields.every((field) => Object.hasOwn(recorded, field));
}

function firstCase(recorded: Recorded): Recorded | undefined {
  return casesOf(recorded)[0]?.[1];
}

function firstRow(recorded: Recorded): Recorded | undefined {
  return rowsOf(firstCase(recorded)?.["rows"])[0];
}

const KINDS: readonly Kind[] = [
  { is: (c) => has(c, "short", "long"), replay: leftPadded },
  { is: (c) => has(modelsOf(c)[0]?.[1], "uncached", "uncached_logits"), replay: cached },
  { is: (c) => (has(c, "ids") || has(c, "x")) && has(c, "cases"), replay: logits },
  { is: (c) => has(c, "prompt") && has(firstCase(c), "want"), replay: generation },
  { is: (c) => has(firstRow(c), "text", "ids", "skipped"), replay: addedTokens },
  { is: (c) => has(firstRow(c), "text", "ids", "forced"), replay: cleanUp },
  { is: (c) => has(c, "prompt", "generated", "rows"), replay: pastVocabulary },
  { is: (c) => has(c, "messages") && Array.isArray(c["cases"]), replay: templates },
];

/** What a directory's `case.json` records; undefined if that is not of a circumstance. */
export async function readCircumstance(
  directory: string,
): Promise<(Kind & { readonly recorded: Recorded }) | undefined> {
  const recorded = JSON.parse(await readFile(join(directory, "case.json"), "utf8")) as Recorded;
  const kind = KINDS.find(({ is }) => is(recorded));
  return kind === undefined ? undefined : { ...kind, recorded };
}

/**
 * Replays a recorded circumstance of a checkpoint or a text: a directory with a `case.json` and the
 * files that it speaks of, such as `tests/cases/24-clean-up`.
 */
export async function replayCircumstance(directory: string): Promise<CaseResult[]> {
  const name = basename(directory);
  const found = await readCircumstance(directory);
  if (found === undefined) return [notReplayed(name, new Error("it is of no known kind"))];
  const results = await Promise.all(found.replay(directory, found.recorded));
  return results.map((result) => ({ ...result, name: `${name}/${result.name}` }));
}
