import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { Module } from "../../nn/module.ts";
import { Parameter } from "../../nn/parameter.ts";
import type { Trainable } from "./train-options.ts";

/** A parameter that is trained. */
export interface TrainedParameter {
  /** What messages and checkpoints call it. */
  readonly name: string;
  /** What learning rates by group call its group; "" where there are none. */
  readonly group: string;
  readonly parameter: Parameter;
  /** Whether an optimiser that is named alone lets it decay as it does others. @default true */
  readonly decays?: boolean;
}

/**
 * The parameters that are to be trained, each once, without those that are frozen.
 * @throws TsveneError when there is none.
 */
export function trainedParameters(op: string, given: Trainable): readonly TrainedParameter[] {
  return withoutFrozen(op, namedParameters(op, given));
}

/**
 * Each of some parameters once, without those that are frozen.
 * @throws TsveneError when there is none.
 */
export function withoutFrozen(
  op: string,
  all: readonly TrainedParameter[],
): readonly TrainedParameter[] {
  const seen = new Set<Parameter>();
  const distinct = all.filter(({ parameter }) => !seen.has(parameter) && seen.add(parameter));
  if (distinct.length === 0) {
    fail(op, "there is nothing to train: no parameters; pass a module with some, or a list");
  }
  const trained = distinct.filter(({ parameter }) => parameter.requiresGrad);
  if (trained.length > 0) return trained;
  const names = distinct.map(({ name }) => name);
  return fail(
    op,
    `there is nothing to train: all ${names.length} parameters are frozen (${shortList(names)}); ` +
      "call requiresGrad(true) of their module",
  );
}

function namedParameters(op: string, given: unknown): readonly TrainedParameter[] {
  if (given instanceof Module) {
    return [...given.namedParameters()].map(([name, parameter]) => ({
      name,
      group: "",
      parameter,
    }));
  }
  if (typeof given !== "object" || given === null) {
    fail(op, `parameters must be a module, or a list of them, got ${describeValue(given)}`);
  }
  if (Symbol.iterator in given) return listed(op, given as Iterable<unknown>, "");
  return Object.entries(given).flatMap(([group, some]) => {
    if (some instanceof Module) return listed(op, some.parameters(), group);
    if (typeof some === "object" && some !== null && Symbol.iterator in some) {
      return listed(op, some as Iterable<unknown>, group);
    }
    return fail(
      op,
      `parameters: ${group} must be a list of parameters, got ${describeValue(some)}`,
    );
  });
}

function listed(op: string, given: Iterable<unknown>, group: string): readonly TrainedParameter[] {
  return [...given].map((parameter, i) => {
    if (!(parameter instanceof Parameter)) {
      fail(op, `parameters must be of the class Parameter, got ${describeValue(parameter)}`);
    }
    const place = group === "" ? `parameter ${i}` : `${group} ${i}`;
    return { name: parameter.name ?? place, group, parameter };
  });
}

/** Some names, and how many more there are. */
export function shortList(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
