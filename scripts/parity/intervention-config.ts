import * as tsvene from "tsvene";
import {
  type IntervenableOptions,
  Intervention,
  type InterventionClass,
  type InterventionFunction,
  type InterventionOptions,
  type RepresentationConfig,
  type SubspacePartition,
  type Tensor,
} from "tsvene";
import { evaluateExpression } from "./expression.ts";
import { requireKnownFields } from "./known-fields.ts";

export type Tensors = ReadonlyMap<string, Tensor>;
export type Fields = Readonly<Record<string, unknown>>;

/** A tensor that must have been recorded. */
export function need(tensors: Tensors, name: string): Tensor {
  const found = tensors.get(name);
  if (found === undefined) throw new Error(`${name} is not recorded`);
  return found;
}

/** Settings under their names here. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The class of that name which this library exports. */
export function interventionClass(name: unknown): InterventionClass {
  const found = typeof name === "string" ? (tsvene as Fields)[name] : undefined;
  if (typeof found === "function" && (found.prototype as unknown) instanceof Intervention) {
    return found as InterventionClass;
  }
  throw new Error(`the class ${String(name)} is not known`);
}

/**
 * A recorded configuration, which has pyvene's field names, as one of this library.
 * @param options - Constructor arguments of each intervention beside those that it names.
 */
export function readConfig(
  config: Fields,
  tensors: Tensors,
  options: readonly Fields[] = [],
): IntervenableOptions {
  requireKnownFields("config", config, ["mode", "representations"]);
  const representations = (config["representations"] as Fields[]).map((fields, i) =>
    readRepresentation(fields, tensors, options[i] ?? {}),
  );
  return { mode: config["mode"] as "parallel" | "serial", representations };
}

function readRepresentation(
  fields: Fields,
  tensors: Tensors,
  options: Fields,
): RepresentationConfig {
  const entries = Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
    if (name === "intervention_type" || CLASS_OPTIONS.includes(name)) return [];
    if (name === "intervention") {
      return [[name, readIntervention({ ...options, ...(value as Fields) })]];
    }
    return [[camelCase(name), value]];
  });
  const name = fields["intervention_type"];
  const given = classOptions(fields, tensors);
  if (name === undefined && Object.keys(given).length === 0) return Object.fromEntries(entries);
  const kind = interventionClass(name ?? "VanillaIntervention");
  const intervention = { class: kind.name, options: latentsNamed(kind, given) };
  return { intervention, ...Object.fromEntries(entries) };
}

/** Fields of pyvene's representations that are options of a class here. */
const CLASS_OPTIONS: readonly string[] = [
  "low_rank_dimension",
  "latent_dim",
  "subspace_partition",
  "source_representation",
];

function classOptions(fields: Fields, tensors: Tensors): Fields {
  const given = CLASS_OPTIONS.flatMap((name): [string, unknown][] => {
    const value = fields[name];
    if (value === undefined || value === null) return [];
    if (name === "subspace_partition") return [[camelCase(name), readPartition(value)]];
    if (name !== "source_representation") return [[camelCase(name), value]];
    return [[camelCase(name), need(tensors, String((value as Fields)["tensor"]))]];
  });
  return Object.fromEntries(given);
}

/** pyvene says the latents of a JumpReLU autoencoder as a low rank. */
export function latentsNamed(kind: InterventionClass, options: Fields): Fields {
  const { lowRankDimension, ...others } = options;
  const isLatents = "latentDim" in kind.optionNames && lowRankDimension !== undefined;
  return isLatents ? { ...others, latentDim: lowRankDimension } : options;
}

/** In pyvene's configurations a part of exactly two numbers is a range. */
function readPartition(value: unknown): SubspacePartition | undefined {
  const parts = value as readonly (readonly number[])[] | null;
  return parts?.map((part) => {
    const [from = 0, to = 0] = part;
    return part.length === 2 ? { from, to } : part;
  });
}

function readIntervention(given: Fields): Intervention | InterventionFunction {
  const { lambda, class: name, ...options } = given;
  if (typeof lambda === "string") {
    return (base, source) =>
      evaluateExpression(lambda, source === undefined ? { base } : { base, source });
  }
  const kind = interventionClass(name);
  return new kind(latentsNamed(kind, readOptions(options) as Fields));
}

/** Constructor arguments; `null` means that one is not given. */
export function readOptions(options: Fields): InterventionOptions {
  const given = Object.entries(options).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([name, value]) => [camelCase(name), value]));
}
