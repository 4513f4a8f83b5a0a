import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { Annealed, Annealing } from "../loop/train-options.ts";

/** How temperatures change; see {@link TrainAlignmentOptions}. */
export type TemperatureChoice = number | Annealing | ((step: number) => number) | "asItIs";

/**
 * What sets the temperatures of masks over a training.
 * @throws TsveneError for a temperature where nothing has one.
 */
export function temperatures(
  op: string,
  { interventions }: IntervenableModel,
  choice: TemperatureChoice | undefined,
): readonly Annealed[] {
  if (choice === "asItIs") return [];
  const masked = [...new Set([...interventions].map(([, intervention]) => intervention))].filter(
    ({ temperature }) => temperature !== undefined,
  );
  if (choice !== undefined && masked.length === 0) {
    fail(op, "temperature is given, but no intervention has a mask; leave it out");
  }
  return masked.flatMap((intervention) => {
    const values = choice === undefined ? intervention.annealing : valuesOf(op, choice);
    const set = (value: number): void => intervention.setTemperature(value);
    return values === undefined ? [] : [{ values, set }];
  });
}

function valuesOf(op: string, choice: Exclude<TemperatureChoice, "asItIs">): Annealed["values"] {
  if (typeof choice === "number") return { from: choice, to: choice };
  if (typeof choice === "function") return choice;
  if (typeof choice === "object" && choice !== null) return choice;
  return fail(op, `temperature must be a number or { from, to, curve }, got ${shown(choice)}`);
}
