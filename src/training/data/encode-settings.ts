import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { requireOneOf } from "../../base/known-options.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type {
  Setting,
  SettingEncoding,
  SettingLabel,
  SettingModel,
  SettingPairsOptions,
} from "./setting-options.ts";

const OP = "settingPairs";

/** How settings become what a model reads, in two steps. */
export interface Encoder {
  /** Makes tensors of settings. */
  readonly encode: (settings: readonly Setting[]) => unknown;
  /** Whether that is one tensor with a row for each setting, whichever others are encoded with it. */
  readonly isByRow: boolean;
  /** Makes the model's inputs of what was encoded. */
  readonly asInputs: (encoded: unknown) => unknown;
}

/** @throws TsveneError for an encoding that is none. */
export function encoderOf<Inputs>(
  model: SettingModel,
  encode: SettingEncoding<Inputs> | undefined,
  input: SettingPairsOptions<Inputs>["input"],
): Encoder {
  if (typeof encode === "function") {
    if (input !== undefined) fail(OP, "input takes a tensor, but encode gives all of the inputs");
    return { encode, isByRow: false, asInputs: (inputs) => inputs };
  }
  return {
    encode: tensorEncoder(model, encode ?? "floats"),
    isByRow: true,
    asInputs: inputsMaker(input) as Encoder["asInputs"],
  };
}

function inputsMaker(input: SettingPairsOptions<unknown>["input"]): (encoded: Tensor) => unknown {
  if (input === undefined) return (encoded) => encoded;
  if (typeof input === "function") return input;
  if (typeof input === "string") return (encoded) => ({ [input]: encoded });
  return fail(
    OP,
    `input must be the name of an argument, or a function of the tensor, got ${describeValue(input)}`,
  );
}

function tensorEncoder(
  model: SettingModel,
  encode: Exclude<SettingEncoding<unknown>, (settings: readonly Setting[]) => unknown>,
): (settings: readonly Setting[]) => Tensor {
  if (typeof encode === "object" && encode !== null) {
    const { oneHot: places } = encode;
    if (isCount(places) && places > 0) return (settings) => oneHot(model, places, settings);
    fail(OP, `encode: oneHot must be a whole number from 1, got ${shown(places)}`);
  }
  requireOneOf(OP, "encode", encode, ["floats", "ids"]);
  if (encode === "ids") return (settings) => tensor(idsOf(model, settings), { dtype: "int64" });
  return (settings) => model.inputToTensor?.(settings) ?? floats(model, settings);
}

function floats(model: SettingModel, settings: readonly Setting[]): Tensor {
  const rows = settings.map((setting) =>
    model.inputs.flatMap((name) => numbersOf(name, valueOf(setting, name))),
  );
  return tensor(Float32Array.from(rows.flat()), { shape: [rows.length, rows[0]?.length ?? 0] });
}

function numbersOf(name: string, value: unknown): readonly number[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isNumeric = list.every((part) => typeof part === "number" || typeof part === "boolean");
  if (isNumeric) return list.map(Number);
  return fail(OP, `${name} = ${shown(value)} is no number; give encode as a function, or "ids"`);
}

function idsOf(model: SettingModel, settings: readonly Setting[]): number[][] {
  return settings.map((setting) =>
    model.inputs.map((name) => wholeOf(model, name, valueOf(setting, name))),
  );
}

function oneHot(model: SettingModel, places: number, settings: readonly Setting[]): Tensor {
  const width = model.inputs.length * places;
  const data = new Float32Array(settings.length * width);
  for (const [row, ids] of idsOf(model, settings).entries()) {
    for (const [i, id] of ids.entries()) {
      if (id >= places) {
        fail(
          OP,
          `${model.inputs[i]} has the number ${id}, but oneHot has ${places} places; give more`,
        );
      }
      data[row * width + i * places + id] = 1;
    }
  }
  return tensor(data, { shape: [settings.length, width] });
}

function valueOf(setting: Setting, name: string): unknown {
  const value = setting[name];
  if (value !== undefined) return value;
  return fail(
    OP,
    `a setting has no ${name}; it has ${Object.keys(setting).join(", ") || "nothing"}`,
  );
}

/** A value's own whole number, or its number among the values of its variable. */
function wholeOf(model: SettingModel, name: string, value: unknown): number {
  if (isCount(value)) return value;
  if (typeof value === "boolean") return Number(value);
  const index = model.valueIndex?.(name, value);
  if (isCount(index)) return index;
  return fail(
    OP,
    `${name} = ${shown(value)} has no number; give the model a list of its values, or a function in its place`,
  );
}

/** Makes of a label what the model should say. */
export type LabelReader = (label: unknown, where: string) => number | readonly number[];

/** @throws TsveneError for an output that the model does not have, and for several without a word of which. */
export function labelReader(model: SettingModel, label: SettingLabel | undefined): LabelReader {
  if (typeof label === "function") {
    return (setting, where) => numberOrNumbers(label(setting as Setting), where);
  }
  const outputs = model.outputs ?? [];
  const name = label ?? (outputs.length === 1 ? outputs[0] : undefined);
  return (setting, where) => {
    if (typeof setting !== "object" || setting === null) {
      return wholeOf(model, name ?? "the label", setting);
    }
    const read = name ?? onlyName(setting, where);
    const value = (setting as Setting)[read];
    if (value !== undefined) return wholeOf(model, read, value);
    return fail(OP, `${where} has no ${read}; it has ${Object.keys(setting).join(", ")}`);
  };
}

/** What a function of the caller's gave. */
function numberOrNumbers(given: unknown, where: string): number | readonly number[] {
  if (typeof given === "boolean") return Number(given);
  const isNumbers = Array.isArray(given) && given.every((part) => typeof part === "number");
  if (isNumbers || isCount(given)) return given;
  return fail(
    OP,
    `${where}: the function label gave ${shown(given)}; expected the number of a class, or a list of ` +
      "numbers for a loss of your own",
  );
}

function onlyName(setting: object, where: string): string {
  const [name, ...others] = Object.keys(setting);
  if (name !== undefined && others.length === 0) return name;
  return fail(
    OP,
    `${where} has ${[name, ...others].join(", ")}; say which is predicted, { label: "${name}" }`,
  );
}
