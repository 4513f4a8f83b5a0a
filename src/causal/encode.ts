import { shown } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { tensor } from "../tensor/functions/creation.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Example } from "./datasets.ts";
import { type Structure, type Values, variableOf } from "./structure.ts";

/**
 * Settings as rows of numbers: the values of some variables, one after the other.
 * @param names - Which variables.
 * @returns [settings, numbers], float32.
 * @throws TsveneError for a value that is missing or no numbers, and rows of different lengths.
 */
export function encodeSettings(
  structure: Structure,
  op: string,
  names: readonly string[],
  settings: readonly Values[],
): Tensor {
  if (settings.length === 0) fail(op, "there are no settings");
  const flat: number[] = [];
  let width = 0;
  for (const [i, setting] of settings.entries()) {
    for (const name of names) flat.push(...numbersOf(structure, op, name, setting));
    if (i === 0) width = flat.length;
    if (flat.length === width * (i + 1)) continue;
    const length = flat.length - width * i;
    fail(op, `setting ${i} has ${length} numbers, but setting 0 has ${width}; pad its values`);
  }
  return tensor(Float32Array.from(flat), { shape: [settings.length, width] });
}

function numbersOf(
  structure: Structure,
  op: string,
  name: string,
  setting: Values,
): readonly number[] {
  if (!Object.hasOwn(setting, name)) fail(op, `the setting has no value of ${name}`);
  const value = setting[name];
  const { encode } = variableOf(structure, op, name);
  const numbers = asNumbers(encode === undefined ? value : encode(value));
  if (numbers !== undefined) return numbers;
  const what = encode === undefined ? `${name} = ${shown(value)} is` : `encoders.${name} gave`;
  return fail(
    op,
    `${what} neither a number nor a list of numbers; give encoders.${name}, a function that makes numbers ` +
      "of its values",
  );
}

function asNumbers(value: unknown): readonly number[] | undefined {
  if (typeof value === "number" || typeof value === "boolean") return [Number(value)];
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return undefined;
  const list = Array.from(value as ArrayLike<unknown>);
  if (list.every((part) => typeof part === "number")) return list;
  return list.every((part) => typeof part === "number" || typeof part === "boolean")
    ? list.map(Number)
    : undefined;
}

/** Examples as tensors, as a loader of pyvene stacks them. */
export interface PyveneTensors {
  /** The bases: [examples, numbers]. */
  readonly inputIds: Tensor;
  /** The sources, the first of each example in slot 0: [examples, slots, numbers]. */
  readonly sourceInputIds: Tensor;
  /** The outputs with interventions: [examples, numbers]. */
  readonly labels: Tensor;
  /** The outputs of the bases: [examples, numbers]. */
  readonly baseLabels: Tensor;
  /** Which variables are intervened on, as a number of the caller's: [examples, 1], int64. */
  readonly interventionIds: Tensor;
}

/** Examples as pyvene has them: sources without names, in the order of the variables, then zeros. */
export function pyveneTensors(
  structure: Structure,
  op: string,
  examples: readonly Example[],
  interventionId: (variables: string[]) => number,
): PyveneTensors {
  const { inputs, outputs, variables } = structure;
  const names = examples.map(({ sources }) =>
    [...variables.keys()].filter((name) => Object.hasOwn(sources, name)),
  );
  const inside = [...variables.values()].filter(
    (at) => at.parents.length > 0 && at.children.length > 0,
  );
  const slots = Math.max(inside.length, ...names.map(({ length }) => length));
  const rowOf = (setting: Values) =>
    inputs.flatMap((name) => numbersOf(structure, op, name, setting));
  const inputIds = encodeSettings(structure, op, inputs, examples.map(({ base }) => base)); // prettier-ignore
  const width = inputIds.shape[1] ?? 0;
  const sources = new Float32Array(examples.length * slots * width);
  for (const [i, example] of examples.entries()) {
    for (const [slot, name] of (names[i] ?? []).entries()) {
      sources.set(rowOf(example.sources[name] ?? {}), (i * slots + slot) * width);
    }
  }
  return {
    inputIds,
    sourceInputIds: tensor(sources, { shape: [examples.length, slots, width] }),
    labels: encodeSettings(structure, op, outputs, examples.map(({ label }) => label)), // prettier-ignore
    baseLabels: encodeSettings(structure, op, outputs, examples.map(({ baseLabel }) => baseLabel)), // prettier-ignore
    interventionIds: tensor(names.map((set) => [interventionId(set)]), { dtype: "int64" }), // prettier-ignore
  };
}
