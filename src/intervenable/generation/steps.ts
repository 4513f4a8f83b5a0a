import { fail } from "../../interventions/errors.ts";
import { type Named, requireNamed } from "../config/names.ts";
import { shown } from "../../base/describe-value.ts";

/** Steps from `start` to before `end`. */
export interface StepRange {
  /** @default 0 */
  readonly start?: number;
  /** @default after the last step */
  readonly end?: number;
}

/**
 * Steps of a generation. Step 0 reads the prompt, step n the n-th new token: `"prompt"` is step 0,
 * `"decoding"` all others. A function is asked once for each step, before anything is run.
 */
export type StepSelection =
  | "decoding"
  | "prompt"
  | "all"
  | number
  | StepRange
  | readonly (number | StepRange)[]
  | ((step: number) => boolean);

/** Steps for all interventions, or for each by its name. */
export type GenerationSteps = StepSelection | Readonly<Record<string, StepSelection>>;

const OP = "IntervenableModel.generate";
const NAMED: Readonly<Record<string, (step: number) => boolean>> = {
  decoding: (step) => step > 0,
  prompt: (step) => step === 0,
  all: () => true,
};

/**
 * For each intervention, whether it is made in step 0, 1, ....
 *
 * @param count - Steps that there will be: new tokens at most.
 * @throws InterventionError for steps that are malformed, and for those that never come.
 */
export function resolveSteps(
  given: GenerationSteps,
  named: readonly Named[],
  count: number,
): ReadonlyMap<string, readonly boolean[]> {
  const names = named.map(({ name }) => name);
  if (!isByName(given)) {
    const steps = checked(given, "steps", count);
    return new Map(names.map((name) => [name, steps]));
  }
  const byName = given as Readonly<Record<string, StepSelection>>;
  for (const name of Object.keys(byName)) requireNamed(`${OP}: steps`, name, named);
  return new Map(
    names.map((name) => {
      const own =
        byName[name] ?? fail(OP, `steps: ${name} is missing; say its steps too, or "all"`);
      return [name, checked(own, `steps.${name}`, count)];
    }),
  );
}

function isByName(given: unknown): boolean {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return false;
  return !Object.keys(given).every((name) => name === "start" || name === "end");
}

function checked(given: unknown, where: string, count: number): readonly boolean[] {
  const test = asTest(given, where, count);
  const steps = Array.from({ length: count }, (_, step) => {
    const wanted: unknown = test(step);
    if (typeof wanted === "boolean") return wanted;
    return fail(OP, `${where}: it must return true or false, got ${typeof wanted} for ${step}`);
  });
  if (steps.includes(true)) return steps;
  const hint =
    given === "decoding"
      ? "a single new token comes from the prompt alone, which is not edited; pass " +
        'interveneOnPrompt: true or steps: "all", or generate more tokens'
      : `${count} new tokens take the steps 0 to ${count - 1}, and these choose none of them`;
  return fail(OP, `${where}: the intervention never fires: ${hint}`);
}

function asTest(given: unknown, where: string, count: number): (step: number) => unknown {
  if (typeof given === "function") return given as (step: number) => unknown;
  const named = typeof given === "string" ? NAMED[given] : undefined;
  if (named !== undefined) return named;
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  const tests = list.map((entry) => entryTest(entry, where, count));
  return (step) => tests.some((test) => test(step));
}

function entryTest(entry: unknown, where: string, count: number): (step: number) => boolean {
  if (typeof entry === "number") {
    checkStep(entry, where);
    if (entry >= count) {
      fail(
        OP,
        `${where}: the intervention never fires in step ${entry}: ${count} new tokens take the ` +
          `steps 0 to ${count - 1}`,
      );
    }
    return (step) => step === entry;
  }
  if (typeof entry !== "object" || entry === null || isByName(entry) || Array.isArray(entry)) {
    fail(
      OP,
      `${where} must be "decoding", "prompt", "all", a step, { start, end }, a list of these, or a ` +
        `function (step) => boolean, got ${shown(entry)}`,
    );
  }
  const { start = 0, end = Infinity } = entry as StepRange;
  checkStep(start, `${where}: start`);
  if (end !== Infinity) checkStep(end, `${where}: end`);
  if (start >= end) {
    fail(OP, `${where}: the steps from ${start} to before ${end} are none; end must be greater`);
  }
  return (step) => step >= start && step < end;
}

function checkStep(value: unknown, where: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return;
  fail(OP, `${where}: a step is a whole number of 0 or more, got ${String(value)}`);
}
