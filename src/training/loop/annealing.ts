import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import type { Annealed, Annealing } from "./train-options.ts";

const OPTIONS = { from: true, to: true, curve: true, over: true };

/** @throws TsveneError for what cannot be annealed. */
export function checkAnnealing(op: string, values: Annealed["values"]): void {
  if (typeof values === "function") return;
  requireKnownOptions(op, values, OPTIONS);
  const { from, to, curve = "linear", over = "steps" } = values;
  for (const [name, value] of Object.entries({ from, to })) {
    const isFit = Number.isFinite(value) && (curve === "linear" || value > 0);
    if (isFit) continue;
    const wanted = curve === "linear" ? "a number" : "above 0 for an exponential curve";
    fail(op, `temperature ${name} must be ${wanted}, got ${shown(value)}`);
  }
  requireOneOf(op, "curve", curve, ["linear", "exponential"]);
  requireOneOf(op, "over", over, ["steps", "microsteps"]);
}

/** Its value at a place, 0 for the first and `last` for the last. */
export function annealedAt({ from, to, curve }: Annealing, at: number, last: number): number {
  const share = last === 0 ? 0 : at / last;
  if (curve === "exponential") return from * (to / from) ** share;
  return from + (to - from) * share;
}

/** Numbers of steps and of batches. */
interface Places {
  readonly steps: number;
  readonly microsteps: number;
}

function valueNow(values: Annealing, total: Places, now: Moment): number {
  if (values.over === "microsteps") return annealedAt(values, now.microstep, total.microsteps - 1);
  return annealedAt(values, now.step, total.steps - 1);
}

type Moment = { readonly step: number; readonly microstep: number };

/** Gives all that changes over a training its value of a step. */
export function annealAll(annealed: readonly Annealed[], total: Places, now: Moment): void {
  for (const { values, set } of annealed) {
    set(typeof values === "function" ? values(now.step) : valueNow(values, total, now));
  }
}
