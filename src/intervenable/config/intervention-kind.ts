import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../interventions/errors.ts";
import { requireKnownOptions } from "../../base/known-options.ts";
import { ConfiguredIntervention } from "../../interventions/configured-intervention.ts";
import { FunctionIntervention, type InterventionFunction } from "../../interventions/function.ts";
import {
  type AnyInterventionClass,
  Intervention,
  type InterventionClass,
} from "../../interventions/intervention.ts";
import { interventionNamed } from "../../interventions/registry.ts";

/** A class as JSON has it: by name, or by name with options for its constructor. */
export type NamedIntervention =
  | string
  | {
      /** Name of the class. */
      readonly class: string;
      /** What its constructor is given. */
      readonly options?: Readonly<Record<string, unknown>>;
    };

/** A class of interventions: as it is, with options, or by name. */
export type InterventionKind = InterventionClass | ConfiguredIntervention | NamedIntervention;

/** What a configuration says is done at a place, in all spellings. */
export type InterventionLike = Intervention | InterventionFunction | InterventionKind;

/** The one form of them: an intervention, or a class with options for its constructor. */
export type Kind =
  | { readonly intervention: Intervention; readonly options?: undefined }
  | {
      readonly intervention: AnyInterventionClass;
      /** What the constructor is given. */
      readonly options: Readonly<Record<string, unknown>>;
    };

const OP = "IntervenableConfig";
const NAMED = { class: true, options: true };

/**
 * Reads the intervention of a representation.
 * @throws InterventionError for what is none of the spellings, and options that a class does not have.
 */
export function readIntervention(given: InterventionLike, where: string): Kind {
  if (given instanceof Intervention) return { intervention: given };
  if (typeof given === "function" && !isKind(given) && !isClass(given)) {
    return { intervention: new FunctionIntervention(given) };
  }
  return readKind(given, where);
}

/** Reads a class of interventions; see {@link readIntervention}. */
export function readKind(given: unknown, where: string): Kind {
  const { class: intervention, options } = asConfigured(given, where);
  return { intervention, options };
}

function asConfigured(
  given: unknown,
  where: string,
): Pick<ConfiguredIntervention, "class" | "options"> {
  if (given instanceof ConfiguredIntervention) return given;
  if (isKind(given)) return { class: given, options: {} };
  const op = `${OP}: ${where}`;
  if (typeof given === "string") return { class: interventionNamed(op, given), options: {} };
  if (typeof given === "object" && given !== null && "class" in given) {
    const { class: kind, options = {} } = given as { class: unknown; options?: object };
    requireKnownOptions(op, given, NAMED);
    if (typeof kind === "string") {
      return new ConfiguredIntervention(interventionNamed(op, kind), options);
    }
  }
  return fail(
    op,
    `expected an Intervention, a class that extends Intervention, its name, or a function ` +
      `(base, source, subspaces) => Tensor, got ${describe(given)}`,
  );
}

function describe(given: unknown): string {
  if (isClass(given)) return `the class ${(given as { name: string }).name}`;
  if (typeof given === "function") return "a function; give it to each representation";
  const isPair = Array.isArray(given) && isKind(given[0]);
  if (isPair) return `a list; write ${(given[0] as { name: string }).name}.with({ ... })`;
  return describeValue(given);
}

function isKind(value: unknown): value is AnyInterventionClass {
  return typeof value === "function" && (value.prototype as unknown) instanceof Intervention;
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}
