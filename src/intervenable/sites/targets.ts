import type { Intervention } from "../../interventions/intervention.ts";
import type { Module } from "../../nn/module.ts";
import { EditScope } from "../../nn/scope.ts";
import { fail } from "../../interventions/errors.ts";
import { viewOf } from "./axes.ts";
import type { IntervenableConfig } from "../config/config.ts";
import { resolveTargets, type Target, type WaitingTarget } from "./target.ts";

const OP = "IntervenableModel";

/**
 * The interventions of a model with their places, in the order of declaration. Those whose class
 * needs a width that neither the model's card nor a module says are built when the model is first
 * traced: the trace knows all shapes.
 */
export class Targets {
  readonly #model: Module;
  readonly #config: IntervenableConfig;
  #all: readonly (Target | WaitingTarget)[];

  /** @throws InterventionError for places that the model does not have and groups that contradict. */
  constructor(model: Module, config: IntervenableConfig) {
    this.#model = model;
    this.#config = config;
    this.#all = resolveTargets(model, config);
  }

  /** All targets in order of declaration, those that wait for a width too. */
  get all(): readonly (Target | WaitingTarget)[] {
    return this.#all;
  }

  /**
   * Builds those that wait for a width that is known from elsewhere, such as a file or a trace.
   *
   * @param widths - Of one unit, by name.
   */
  assume(widths: ReadonlyMap<string, number>): void {
    this.#all = resolveTargets(this.#model, this.#config, {
      widths,
      interventions: new Map(this.#all.flatMap(builtEntry)),
    });
  }

  /**
   * All of them, built. On an error nothing is changed.
   *
   * @param trace - Runs the model on what is at hand. Called only where some wait.
   * @throws InterventionError for a place that the trace does not reach.
   */
  built(trace: () => unknown): readonly Target[] {
    const waiting = this.#all.filter(isWaiting);
    if (waiting.length > 0) this.assume(widthsIn(waiting, trace));
    return this.#all.map((target) => (isWaiting(target) ? refuseWaiting(target) : target));
  }
}

function isWaiting(target: Target | WaitingTarget): target is WaitingTarget {
  return target.intervention === undefined;
}

function builtEntry(target: Target | WaitingTarget): (readonly [string, Intervention])[] {
  return target.intervention === undefined ? [] : [[target.name, target.intervention]];
}

/** Says what to do for an intervention that is not there yet. */
export function refuseWaiting({ name, kind, site: { path, side } }: WaitingTarget): never {
  return fail(
    OP,
    `${name}: ${kind} has no parameters yet, because nothing says how wide ${path}.${side} is; call ` +
      `inferWidths(base) first, which computes nothing, or give the width, as in ${kind}.with({ embedDim: 768 })`,
  );
}

/** Width of one unit at each place, by name. */
function widthsIn(
  waiting: readonly WaitingTarget[],
  trace: () => unknown,
): ReadonlyMap<string, number> {
  const scope = new EditScope();
  const widths = new Map<string, number>();
  for (const { name, site, axes } of waiting) {
    scope.on(site.module, site.side, (value) => {
      widths.set(name, viewOf(value, axes).size(-1));
      return undefined;
    });
  }
  scope.run(trace);
  const missed = waiting.find(({ name }) => !widths.has(name));
  if (missed !== undefined) {
    const { name, kind, site } = missed;
    fail(
      OP,
      `${name}: how wide ${kind} is to be is read off where it stands, but ${site.path} passed no ` +
        `${site.side}; is that module used?`,
    );
  }
  return widths;
}
