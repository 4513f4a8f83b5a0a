import { fail } from "../../interventions/errors.ts";
import { Featurizer } from "../../interventions/featurizers/featurizer.ts";
import {
  featurizerData,
  isFeaturizerClass,
  refuseUnnamed,
} from "../../interventions/featurizers/registry.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** Values of options as JSON has them: what JSON does not have is an object with one key in `$`. */
export type OptionJson =
  | null
  | boolean
  | number
  | string
  | readonly OptionJson[]
  | { readonly [name: string]: OptionJson };

/** Where options are from, and where their tensors go. */
export interface OptionPlace {
  /** What messages call the intervention. */
  readonly op: string;
  /** Tensors by name, which is added to. */
  readonly tensors: Map<string, Tensor>;
}

const NUMBERS = new Map([NaN, Infinity, -Infinity, -0].map((value) => [numberName(value), value]));

function numberName(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/**
 * Options as JSON; tensors in them are set apart and named by their path.
 *
 * @param path - What the names of tensors begin with.
 * @throws InterventionError for what cannot be stored, such as a function, with the option's name.
 */
export function encodeOptions(
  options: object,
  path: string,
  place: OptionPlace,
): { readonly [name: string]: OptionJson } {
  const said = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    said.map(([name, value]) => [name, encode(value, `${path}.${name}`, { ...place, option: name })]), // prettier-ignore
  );
}

function encode(
  value: unknown,
  path: string,
  place: OptionPlace & { readonly option: string },
): OptionJson {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    const isPlain = Number.isFinite(value) && !Object.is(value, -0);
    return isPlain ? value : { $number: numberName(value) };
  }
  if (value instanceof Tensor) {
    place.tensors.set(path, value);
    return { $tensor: path };
  }
  if (isFeaturizerClass(value)) refuseUnnamed(place.op, value.name);
  if (value instanceof Featurizer) return encode(featurizerData(place.op, value), path, place);
  if (Array.isArray(value)) return value.map((entry, i) => encode(entry, `${path}.${i}`, place));
  const isPlain = typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return refuse(value, place);
  const said = Object.entries(value ?? {}).filter(([, inner]) => inner !== undefined);
  if (said.some(([name]) => name.startsWith("$"))) return refuse(value, place);
  return Object.fromEntries(
    said.map(([name, inner]) => [name, encode(inner, `${path}.${name}`, place)]),
  );
}

function refuse(value: unknown, { op, option }: { op: string; option: string }): never {
  const isObject = typeof value === "object" && value !== null;
  const kind = isObject ? (value.constructor?.name ?? "object") : typeof value;
  return fail(
    op,
    `its option ${option} holds a ${kind}, which cannot be stored; options that are stored hold numbers, ` +
      "texts, tensors, and lists and plain objects of them",
  );
}

/**
 * Options from JSON.
 * @throws InterventionError for a tensor that is not there, and for JSON that {@link encodeOptions} does not give.
 */
export function decodeOptions(
  json: { readonly [name: string]: OptionJson },
  place: { readonly op: string; readonly tensors: ReadonlyMap<string, Tensor> },
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, decode(value, place)]),
  );
}

function decode(
  json: OptionJson,
  place: { readonly op: string; readonly tensors: ReadonlyMap<string, Tensor> },
): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map((entry: OptionJson) => decode(entry, place));
  const [[name, value] = [], ...others] = Object.entries(json);
  if (name === undefined || !name.startsWith("$")) {
    return decodeOptions(json as { readonly [name: string]: OptionJson }, place);
  }
  const text = typeof value === "string" ? value : "";
  const found = name === "$tensor" ? place.tensors.get(text) : NUMBERS.get(text);
  if (found !== undefined && others.length === 0 && ["$tensor", "$number"].includes(name)) {
    return found;
  }
  return fail(
    place.op,
    `its options name ${JSON.stringify(json).slice(0, 200)}, which is not there`,
  );
}
