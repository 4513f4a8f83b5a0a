import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import {
  AutoModelForCausalLM,
  evaluate,
  IntervenableConfig,
  IntervenableModel,
  loadSafetensors,
  type Parameter,
  type Tensor,
} from "tsvene";
import { type Fields, readConfig } from "../../scripts/parity/intervention-config.ts";
import {
  keyed,
  takeState,
  tensorsAt,
  weightOf,
} from "../../scripts/parity/intervention-parameters.ts";

/** How far computed numbers may be from recorded ones. */
export const TOLERANCE = 1e-4;

const goldens = join(import.meta.dirname, "..", "goldens");
const description = JSON.parse(
  readFileSync(join(goldens, "training", "training.json"), "utf8"),
) as { readonly runs: Readonly<Record<string, Run>> };

/** All recorded trainings by name. */
export const RUNS: readonly (readonly [name: string, run: Run])[] = Object.entries(
  description.runs,
);

/**
 * Runs in which a rotation within the swapped space changes nothing. Its gradient is zero but for
 * rounding, which Adam's division magnifies to whole steps, so that the recorded parameters are in
 * part torch's rounding. There the parameters are compared where they have gradients, and the
 * outputs in the recorded states.
 */
export const FREE: ReadonlySet<string> = new Set(["lowrank", "rotated_adamw"]);

/** One recorded training. */
export interface Run {
  readonly model_dir: string;
  readonly representations: readonly Fields[];
  readonly unit_locations: Readonly<Record<string, unknown>>;
  readonly optimizer: "Adam" | "AdamW";
  readonly kwargs: { readonly weight_decay: number };
  readonly temperatures: readonly number[] | null;
  readonly losses: readonly number[];
  readonly parameters: readonly string[];
  readonly interchange_dim: readonly unknown[];
}

/** Tensors by name. */
export type Tensors = ReadonlyMap<string, Tensor>;

/** The tensors of a recorded training. */
export function recorded(name: string): Promise<Tensors> {
  return loadSafetensors(join(goldens, "training", `${name}.safetensors`));
}

/** The model of a recorded training, with its first parameters. */
export async function open(run: Run, tensors: Tensors): Promise<IntervenableModel> {
  const model = await AutoModelForCausalLM.fromPretrained(join(goldens, run.model_dir));
  const { representations } = run;
  const intervenable = new IntervenableModel(
    new IntervenableConfig(readConfig({ mode: "parallel", representations }, tensors)),
    model,
  );
  for (const [i, [key, intervention]] of keyed(intervenable).entries()) {
    takeState(intervention, run.interchange_dim[i], tensorsAt(`param.0.${key}`, tensors));
  }
  return intervenable;
}

/** Parameters under the names that they were recorded by. */
export function named(intervenable: IntervenableModel): Map<string, Parameter> {
  return new Map(
    keyed(intervenable).flatMap(([key, intervention]) =>
      [...intervention.namedParameters()].map(([name, p]): [string, Parameter] => [
        `${key}.${name}`,
        p,
      ]),
    ),
  );
}

/** Fails unless tensors are close. */
export async function expectClose(name: string, actual: Tensor, expected: Tensor): Promise<void> {
  await evaluate(actual);
  const distance = await actual.sub(expected).abs().amax().item();
  expect(distance, name).toBeLessThanOrEqual(TOLERANCE);
}

/** Compares parameters and rotations after a step. */
export async function expectStep(
  step: number,
  intervenable: IntervenableModel,
  tensors: Tensors,
): Promise<void> {
  const parameters = named(intervenable);
  for (const [name, expected] of tensorsAt(`param.${step}`, tensors)) {
    const parameter = parameters.get(name);
    if (parameter === undefined) throw new Error(`there is no parameter ${name}`);
    await expectClose(`${name} after step ${step}`, parameter.value, expected);
  }
  await expectWeights(step, intervenable, tensors);
}

/** Compares rotations after a step. */
export async function expectWeights(
  step: number,
  intervenable: IntervenableModel,
  tensors: Tensors,
): Promise<void> {
  const interventions = new Map(keyed(intervenable));
  for (const [key, expected] of tensorsAt(`weight.${step}`, tensors)) {
    const intervention = interventions.get(key);
    const weight = intervention && weightOf(intervention);
    if (weight === undefined) throw new Error(`${key} has no weight`);
    await expectClose(`weight of ${key} after step ${step}`, weight, expected);
  }
}
