import { ACTIVATION_NAMES } from "./activations.ts";
import type { Settings, SettingsTable } from "./define-settings.ts";

/** What a checkpoint bounds a size by: see {@link Setting.bound}. */
export type Bound = "tensors" | "elements";

/** One setting of a family: what it can be, what it is unless given, and its other names. */
export interface Setting<T> {
  /** What messages say is wanted, such as "a whole number of 1 or more". */
  readonly wanted: string;
  /** Whether a value is one. */
  readonly accepts: (value: unknown) => boolean;
  /** What it is unless given; undefined for one that is then left out. */
  readonly fallback: T | undefined;
  /** Names that mean the same, in camelCase: those of `attribute_map` and of older versions. */
  readonly names?: readonly string[];
  /**
   * What a checkpoint's header bounds it by, so that a size that cannot be is refused before
   * anything of that size is made: a number of layers or experts by how many tensors there are, a
   * width by how many numbers these hold. A list is bounded by what it adds
   * up to. @default not bounded
   */
  readonly bound?: Bound;
  /** Settings within this one, such as those of `text_config`. */
  readonly within?: SettingsTable;
}

/** Beside the kind and the value that is taken unless another is given. */
export interface SettingOptions {
  /** Other names of the setting, in camelCase. */
  readonly names?: readonly string[];
}

/** Makes settings of a kind. */
export interface Kind<T> {
  (fallback: T | undefined, options?: SettingOptions): Setting<T>;
  /** The same where null is a value too. */
  readonly orNull: (fallback: T | null | undefined, options?: SettingOptions) => Setting<T | null>;
}

/** A kind of settings: `wanted` and `accepts` as in {@link Setting}. */
export function kind<T>(
  wanted: string,
  accepts: (value: unknown) => boolean,
  bound?: Bound,
): Kind<T> {
  const more = bound === undefined ? {} : { bound };
  const make = (fallback: T | undefined, options: SettingOptions = {}): Setting<T> => ({
    wanted,
    accepts,
    fallback,
    ...more,
    ...options,
  });
  const orNull: Kind<T>["orNull"] = (fallback, options = {}) => ({
    wanted: `${wanted}, or null`,
    accepts: (value) => value === null || accepts(value),
    fallback,
    ...more,
    ...options,
  });
  return Object.assign(make, { orNull });
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Nobody has more layers; a list of what each is must not take all memory. */
const MOST = 100_000;

const WHOLE = "a whole number of 1 or more";
const isPositiveWhole = (value: unknown): boolean => isWhole(value, 1);

/** A whole number of 1 or more that no weight depends on, such as a window. */
export const whole: Kind<number> = kind(WHOLE, isPositiveWhole);

/** A dimension of some weight: a width, a vocabulary, a longest length with learned positions. */
export const width: Kind<number> = kind(WHOLE, isPositiveWhole, "elements");

/** How many there are of what has weights of its own: layers, experts. */
export const count: Kind<number> = kind(
  `${WHOLE} (${MOST.toLocaleString("en")} at most)`,
  (v) => isPositiveWhole(v) && (v as number) <= MOST,
  "tensors",
);

/** A whole number of 0 or more. */
export const natural: Kind<number> = kind("a whole number of 0 or more", (v) => isWhole(v, 0));

/** A whole number of either sign. */
export const integer: Kind<number> = kind("a whole number", Number.isSafeInteger);

/** A share, such as that of what is dropped in training. */
export const fraction: Kind<number> = kind(
  "a number from 0 to 1",
  (v) => isNumber(v) && v >= 0 && v <= 1,
);

/** A finite number above 0. */
export const positive: Kind<number> = kind("a number above 0", (v) => isNumber(v) && v > 0);

/** A finite number of 0 or more, such as a norm's epsilon or a standard deviation. */
export const nonNegative: Kind<number> = kind(
  "a number of 0 or more",
  (v) => isNumber(v) && v >= 0,
);

/** Any finite number. */
export const number: Kind<number> = kind("a number", isNumber);

/** True or false. */
export const flag: Kind<boolean> = kind("true or false", (v) => typeof v === "boolean");

/** A text. */
export const text: Kind<string> = kind("a text", (v) => typeof v === "string");

/** The name of an activation function that is known here. */
export const activationName: Kind<string> = kind(
  `the name of a known activation function (${ACTIVATION_NAMES.join(", ")})`,
  (v) => typeof v === "string" && ACTIVATION_NAMES.includes(v),
);

/** The number of a token. Some files say -1 for none. */
export const token: Kind<number> = kind("a token's number", Number.isSafeInteger);

/** The number of a token, or a list of such. */
export const tokens: Kind<number | readonly number[]> = kind(
  "a token's number or a list of such",
  (v) => Number.isSafeInteger(v) || (Array.isArray(v) && v.every(Number.isSafeInteger)),
);

/** An object of settings whose contents are checked elsewhere. */
export function record<T extends object>(fallback: T | undefined): Setting<T> {
  return {
    wanted: "an object of settings",
    accepts: (v) => typeof v === "object" && v !== null && !Array.isArray(v),
    fallback,
  };
}

/** One of some words or numbers. */
export function oneOf<const T extends string | number | boolean | null>(
  values: readonly T[],
  fallback: NoInfer<T>,
  options: SettingOptions = {},
): Setting<T> {
  return {
    wanted: `one of ${values.map((v) => JSON.stringify(v)).join(", ")}`,
    accepts: (v) => values.includes(v as T),
    fallback,
    ...options,
  };
}

/** A list of values that are each of a kind. */
export function listOf<T>(
  item: Kind<T>,
  fallback: readonly T[] | undefined,
  options: SettingOptions = {},
): Setting<readonly T[]> {
  const { wanted, accepts, bound } = item(undefined);
  return {
    wanted: `a list, each of which is ${wanted}`,
    accepts: (v) => Array.isArray(v) && v.every(accepts),
    fallback,
    ...(bound === undefined ? {} : { bound }),
    ...options,
  };
}

/**
 * The settings of a part, which has a table of its own, such as `text_config`. Null means the
 * fallback.
 */
export function nested<C extends object>(
  settings: Settings<C>,
  fallback: C = settings.defaults,
): Setting<C> {
  const { wanted, accepts } = record<C>(undefined);
  return { wanted, accepts: (v) => v === null || accepts(v), fallback, within: settings };
}
