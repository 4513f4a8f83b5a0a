import { isCount } from "../../base/is-count.ts";
import { fail } from "../../interventions/errors.ts";
import type { About } from "../config/about.ts";
import type { Mode } from "../config/config.ts";
import type { ModelFacts } from "./model-facts.ts";
import type { OptionJson } from "./option-values.ts";

/** Name of the file. */
export const MANIFEST = "tsvene.json";
/** Name of the file with the parameters. */
export const PARAMETERS = "interventions.safetensors";
/** Of what is written; files of a later one are refused. */
export const FORMAT = 1;

/** A class with options for its constructor. */
export interface SavedClass {
  readonly class: string;
  readonly options: { readonly [name: string]: OptionJson };
}

/** One of the interventions, which several places may share. */
export interface SavedIntervention {
  /** Where the configuration had an intervention and not a class: what makes it again. */
  readonly made?: SavedClass;
  /** Names of its parameters and buffers, and of the tensors that they are. */
  readonly state: { readonly [name: string]: string };
  /** Names of the parameters that gradients are wanted of. */
  readonly trained: readonly string[];
}

/** A place with what is done there. */
export interface SavedPlace {
  /** What it is called. */
  readonly name: string;
  /** The fields of the configuration but for the intervention. */
  readonly fields: { readonly [name: string]: OptionJson };
  /** What the configuration has; none where it has an intervention. */
  readonly kind?: SavedClass;
  /** Number of its intervention. */
  readonly intervention: number;
  /** Width of one unit, where it is known. */
  readonly unitDim?: number;
}

/** What a file is known by. */
export interface SavedFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** What `tsvene.json` holds. */
export interface Manifest {
  readonly format: number;
  /** Which library wrote it. */
  readonly library: string;
  readonly model: ModelFacts;
  readonly mode: Mode;
  /** What the configuration says there is to know of the interventions. */
  readonly about?: About;
  readonly representations: readonly SavedPlace[];
  readonly interventions: readonly SavedIntervention[];
  /** All other files of the artefact. */
  readonly files: { readonly [name: string]: SavedFile };
}

/** Whether a value is what a field must be. */
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const isObject: Check = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const mapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value as object).every(check);
const shaped =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) &&
    Object.entries(checks).every(([name, check]) =>
      check((value as Record<string, unknown>)[name]),
    );

const isClass = shaped({ class: isText, options: isObject });

const FIELDS: { readonly [Name in keyof Manifest]-?: Check } = {
  format: isCount,
  library: isText,
  model: shaped({
    class: isText,
    family: optional(isText),
    layers: optional(isCount),
    width: optional(isCount),
  }),
  mode: isText,
  about: optional(isObject),
  representations: listOf(
    shaped({
      name: isText,
      fields: isObject,
      kind: optional(isClass),
      intervention: isCount,
      unitDim: optional(isCount),
    }),
  ),
  interventions: listOf(
    shaped({ made: optional(isClass), state: mapOf(isText), trained: listOf(isText) }),
  ),
  files: mapOf(shaped({ bytes: isCount, sha256: isText })),
};

/**
 * The manifest of a file from outside.
 * @throws InterventionError for one that a later version wrote, and for what is not as this one writes it.
 */
export function parseManifest(op: string, json: unknown): Manifest {
  const { format } = Object(json) as { readonly format?: unknown };
  if (isCount(format) && format > FORMAT) {
    fail(
      op,
      `${MANIFEST} is of format ${format}, which a later version of tsvene wrote; update it`,
    );
  }
  const wrong = Object.entries(FIELDS).find(
    ([name, check]) => !check((Object(json) as Record<string, unknown>)[name]),
  );
  if (wrong === undefined) return json as Manifest;
  return fail(op, `${MANIFEST}: ${wrong[0]} is not as tsvene writes it: the file is damaged`);
}
