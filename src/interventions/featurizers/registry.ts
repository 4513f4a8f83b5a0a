import { shown } from "../../base/describe-value.ts";
import { didYouMean } from "../../base/nearest.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { fail } from "../errors.ts";
import { AutoencoderFeaturizer } from "./autoencoder.ts";
import { ComposedFeaturizer } from "./composed.ts";
import { DirectionsFeaturizer } from "./directions.ts";
import { Featurizer, type FeaturizerClass } from "./featurizer.ts";
import { IdentityFeaturizer } from "./identity.ts";
import { JumpReLUFeaturizer } from "./jump-relu.ts";
import { PCAFeaturizer } from "./pca.ts";
import { RotationFeaturizer } from "./rotation.ts";
import { StandardizeFeaturizer } from "./standardize.ts";

/** Kinds of featurisers of this library, as data names them. */
export type FeaturizerKind =
  | "identity"
  | "rotation"
  | "directions"
  | "pca"
  | "autoencoder"
  | "jumpReLU"
  | "standardize"
  | "compose";

/**
 * A featuriser as plain data: its kind with the options of its class, such as
 * `{ kind: "directions", rank: 4 }`. The width is that of the place. `compose` has `featurizers`, a list of these.
 */
export interface FeaturizerData {
  /** One of the library's, or of those that were registered. */
  readonly kind: FeaturizerKind | (string & {});
  /** What the class takes beside the width. */
  readonly [option: string]: unknown;
}

/** What can be given for a featuriser: one, a kind that needs no options, or data. */
export type FeaturizerLike = Featurizer | FeaturizerKind | (string & {}) | FeaturizerData;

const LIBRARY: { readonly [kind in FeaturizerKind]: FeaturizerClass } = {
  identity: IdentityFeaturizer,
  rotation: RotationFeaturizer,
  directions: DirectionsFeaturizer,
  pca: PCAFeaturizer,
  autoencoder: AutoencoderFeaturizer,
  jumpReLU: JumpReLUFeaturizer,
  standardize: StandardizeFeaturizer,
  compose: ComposedFeaturizer,
};

const classes = new Map<string, FeaturizerClass>(Object.entries(LIBRARY));
const library = new Set<unknown>(Object.values(LIBRARY));
const kinds = new Map<unknown, string>([...classes].map(([kind, made]) => [made, kind]));

/**
 * Makes your own class of featurisers known by a name, so that data and files can say it.
 *
 * @throws InterventionError for what is no such class, and a name that another one has.
 *
 * @example
 * ```ts
 * import { Featurizer, registerFeaturizer, type Tensor } from "tsvene";
 * class Reversed extends Featurizer {
 *   readonly width = 8;
 *   readonly count = 8;
 *   override encode(h: Tensor): Tensor {
 *     return h.flip([-1]);
 *   }
 *   override decode(features: Tensor): Tensor {
 *     return features.flip([-1]);
 *   }
 * }
 * registerFeaturizer("reversed", Reversed);
 * ```
 */
export function registerFeaturizer(kind: string, made: FeaturizerClass): void {
  const op = "registerFeaturizer";
  if (typeof kind !== "string" || kind === "") fail(op, `a kind is a name, got ${shown(kind)}`);
  if (!isFeaturizerClass(made)) fail(op, "expected a class that extends Featurizer");
  const other = classes.get(kind);
  if (other !== undefined && other !== made) {
    fail(op, `${kind} is the kind of another class, ${other.name}; choose another name`);
  }
  classes.set(kind, made);
  kinds.set(made, kind);
}

/**
 * The featuriser that is meant, for representations of a width.
 * @throws InterventionError for kinds that are not known, and one of another width.
 */
export function readFeaturizer(op: string, given: FeaturizerLike, width: number): Featurizer {
  if (given instanceof Featurizer) {
    if (given.width === width) return given;
    return fail(
      op,
      `the featurizer is made for ${given.width}, but what it works on is ${width} wide`,
    );
  }
  const data: unknown = typeof given === "string" ? { kind: given } : given;
  if (typeof data !== "object" || data === null || !("kind" in data)) {
    fail(
      op,
      `featurizer must be a Featurizer, a kind such as "rotation", or { kind, ... }, got ${shown(given)}`,
    );
  }
  const { kind, ...options } = data as FeaturizerData;
  const made = isFeaturizerClass(kind) ? kind : classes.get(kind);
  if (made === undefined) {
    fail(
      op,
      `there is no kind of featurizer ${shown(kind)}; ${didYouMean(String(kind), classes.keys())} ` +
        "Your own class is known after registerFeaturizer(kind, Class)",
    );
  }
  const { featurizers } = options;
  const parts = Array.isArray(featurizers)
    ? { featurizers: readChain(op, featurizers, width) }
    : {};
  // What a class takes is checked by its constructor: data may be from anywhere.
  return new made({ width, ...options, ...parts } as never);
}

/** Featurisers of which each works on what the one before it gives. */
function readChain(op: string, given: readonly FeaturizerLike[], width: number): Featurizer[] {
  let before = width;
  return given.map((part) => {
    const read = readFeaturizer(op, part, before);
    before = read.count;
    return read;
  });
}

/**
 * What a featuriser like this one can be made of, without what it has learned; itself, where it holds tensors of
 * one pass.
 */
export function recipeOf(featurizer: Featurizer): FeaturizerLike {
  if (featurizer.isComputed) return featurizer;
  const { width: _width, ...options } = Featurizer.optionsOf(featurizer);
  const entries = Object.entries(options).map(([option, value]) => [option, recipe(value)]);
  const kind = kinds.get(featurizer.constructor) ?? featurizer.constructor;
  return { kind, ...Object.fromEntries(entries) } as FeaturizerData;
}

function recipe(value: unknown): unknown {
  if (value instanceof Featurizer) return recipeOf(value);
  if (Array.isArray(value)) return value.map(recipe);
  return value instanceof Tensor && value.values === undefined ? value.detach() : value;
}

/**
 * A featuriser as data for files, without what it has learned.
 * @throws InterventionError for a class that is not registered, and for tensors of one pass.
 */
export function featurizerData(op: string, featurizer: Featurizer): FeaturizerLike {
  const { name } = featurizer.constructor;
  if (!kinds.has(featurizer.constructor)) refuseUnnamed(op, name);
  if (featurizer.isComputed) {
    fail(op, `${name} holds a weight that was computed in one pass, which no file can keep`);
  }
  return recipeOf(featurizer);
}

/** Says what to do for a class that no file can name. */
export function refuseUnnamed(op: string, name: string): never {
  fail(
    op,
    `${name} is not registered, so that no file can name it: registerFeaturizer("...", ${name})`,
  );
}

/** @internal Makes a class of this library known that lives in another folder. */
export function registerLibraryFeaturizer(kind: string, made: FeaturizerClass): void {
  registerFeaturizer(kind, made);
  library.add(made);
}

/** Whether a class is one of this library, so that what it makes depends on nothing but what it holds. */
export function isLibraryFeaturizer(made: unknown): boolean {
  return library.has(made);
}

/** Whether a value is a class of featurisers. */
export function isFeaturizerClass(value: unknown): value is FeaturizerClass {
  return typeof value === "function" && (value.prototype as unknown) instanceof Featurizer;
}
