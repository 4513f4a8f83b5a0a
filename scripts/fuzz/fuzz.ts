import * as library from "tsvene";
import { random } from "./random.ts";
import type { Target } from "./targets.ts";

type ErrorKind = abstract new (...given: never[]) => Error;

/** All errors that the library gives to others. */
const ERRORS = (Object.values(library) as unknown[]).filter(
  (value): value is ErrorKind => typeof value === "function" && value.prototype instanceof Error,
);

/** A case that did not end in an answer or the library's own error, or not soon. */
export interface Finding {
  readonly target: string;
  readonly seed: number;
  readonly what: string;
}

export interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
  /** Processor time that a case may take. @default 1000 */
  readonly milliseconds?: number;
}

/** What came of many cases. */
export interface FuzzResult {
  readonly findings: readonly Finding[];
  readonly read: number;
  readonly refused: number;
}

async function failure(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

function tellOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return stack.split("\n").slice(0, 4).join("\n");
}

/** Gives a reader changed files; each case follows from its own seed. */
export async function fuzz(
  name: string,
  { run }: Target,
  { cases, seed, milliseconds = 1000 }: FuzzOptions,
): Promise<FuzzResult> {
  const findings: Finding[] = [];
  let refused = 0;
  for (let i = 0; i < cases; i++) {
    const own = seed * 1_000_003 + i;
    const before = process.cpuUsage();
    const error = await failure(() => run(random(own)));
    const { user, system } = process.cpuUsage(before);
    const isOwn = ERRORS.some((kind) => error instanceof kind);
    if (isOwn) refused++;
    else if (error !== undefined) findings.push({ target: name, seed: own, what: tellOf(error) });
    const took = (user + system) / 1000;
    if (took > milliseconds) findings.push({ target: name, seed: own, what: `took ${took} ms` });
  }
  return { findings, refused, read: cases - refused - findings.length };
}
