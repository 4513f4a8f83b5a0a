import { describeValue, shown } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { isCount } from "../base/is-count.ts";
import type { Generator } from "../tensor/random/generator.ts";
import { Draws } from "./draw-until.ts";
import { readSetting, run } from "./run.ts";
import { type Structure, type Values, variableOf } from "./structure.ts";

/** What is asked of whoever draws inputs: any, or those that give a variable a value. */
export interface Request {
  readonly generator: Generator;
  readonly variable?: string;
  readonly value?: unknown;
}

/** Draws inputs. */
export type Sampler = (request: Request) => Values;

/** An example without its types. */
export interface Example {
  readonly base: Values;
  readonly sources: Readonly<Record<string, Values>>;
  readonly label: Values;
  readonly baseLabel: Values;
  readonly sourceLabels: Readonly<Record<string, Values>>;
}

/** How examples without sources are drawn. */
export interface Factual {
  readonly sampler: Sampler;
  readonly filter?: ((setting: Values) => boolean) | undefined;
  readonly generator: Generator;
  readonly tries?: number | undefined;
}

/** How examples with sources are drawn. */
export interface Counterfactual extends Factual {
  /** Draws which variables are intervened on, and the values that their sources should give. */
  readonly interventionSampler: (generator: Generator) => Values;
  readonly blockSize: number;
}

/** Examples of what the model says, without interventions. */
export function factualDataset(
  structure: Structure,
  op: string,
  size: number,
  { sampler, filter, generator, tries }: Factual,
): Example[] {
  requirePositive(op, "size", size);
  const draws = new Draws(op, tries);
  return Array.from({ length: size }, () => {
    const base = draws.until(() => {
      const drawn = drawInputs(structure, op, sampler, { generator });
      return filter === undefined || filter(drawn) ? drawn : undefined;
    }, "passed the filter");
    return exampleOf(structure, op, base, {});
  });
}

/** Examples of what the model says with some variables as they are on other inputs. */
export function counterfactualDataset(
  structure: Structure,
  op: string,
  size: number,
  options: Counterfactual,
): Example[] {
  const { sampler, filter, generator, tries, interventionSampler, blockSize } = options;
  requirePositive(op, "size", size);
  requirePositive(op, "blockSize", blockSize);
  const draws = new Draws(op, tries);
  let intervention: Values = {};
  return Array.from({ length: size }, (_, i) => {
    if (i % blockSize === 0) {
      intervention = draws.until(() => {
        const drawn = readIntervention(structure, op, interventionSampler(generator));
        return filter === undefined || filter(drawn) ? drawn : undefined;
      }, "passed the filter");
    }
    const base = drawInputs(structure, op, sampler, { generator });
    const chosen = [...structure.variables.keys()].filter((name) =>
      Object.hasOwn(intervention, name),
    );
    const sources = chosen.map((variable) => {
      const request = { generator, variable, value: intervention[variable] };
      return [variable, drawInputs(structure, op, sampler, request)] as const;
    });
    return exampleOf(structure, op, base, Object.fromEntries(sources));
  });
}

/** What the model says of inputs and sources; a source's own value counts, whatever was asked for. */
function exampleOf(
  structure: Structure,
  op: string,
  base: Values,
  sources: Readonly<Record<string, Values>>,
): Example {
  const runs = Object.entries(sources).map(
    ([name, source]) => [name, run(structure, op, source)] as const,
  );
  const taken = Object.fromEntries(runs.map(([name, total]) => [name, total[name]]));
  const baseLabel = outputsOf(structure, run(structure, op, base));
  return {
    base,
    sources,
    label:
      runs.length === 0
        ? baseLabel
        : outputsOf(structure, run(structure, op, { ...base, ...taken })),
    baseLabel,
    sourceLabels: Object.fromEntries(
      runs.map(([name, total]) => [name, outputsOf(structure, total)]),
    ),
  };
}

function outputsOf({ outputs }: Structure, total: Values): Values {
  return Object.fromEntries(outputs.map((name) => [name, total[name]]));
}

function drawInputs(structure: Structure, op: string, sampler: Sampler, request: Request): Values {
  const drawn: unknown = sampler(request);
  return { ...readSetting(structure, op, drawn, "the sampler") };
}

function readIntervention(structure: Structure, op: string, drawn: unknown): Values {
  if (typeof drawn !== "object" || drawn === null || Object.keys(drawn).length === 0) {
    fail(
      op,
      `an intervention must give at least one variable a value, got ${describeValue(drawn)}`,
    );
  }
  for (const name of Object.keys(drawn)) variableOf(structure, op, name);
  return drawn as Values;
}

function requirePositive(op: string, option: string, value: unknown): void {
  if (isCount(value) && value > 0) return;
  fail(op, `${option} must be a whole number from 1, got ${shown(value)}`);
}
