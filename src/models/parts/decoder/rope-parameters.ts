import { fail } from "../../../nn/errors.ts";
import { didYouMean } from "../../../base/nearest.ts";
import type { JsonValue } from "../../settings/config.ts";

/** How rotation frequencies are stretched for texts longer than those that were trained on. */
export type RopeType = "default" | "linear" | "dynamic" | "yarn" | "longrope" | "llama3";

/** Settings of rotary position embeddings, with Hugging Face's meanings. */
export interface RopeParameters {
  /** How positions beyond those of training are treated; "default" for as they are. */
  readonly ropeType: RopeType;
  /** Base of the wavelengths. */
  readonly ropeTheta: number;
  /** Share of each head that is rotated. @default 1 */
  readonly partialRotaryFactor?: number;
  /** How many times longer texts become. Needed by all types but default and longrope. */
  readonly factor?: number;
  /** Length of the texts that were trained on. @default the model's maxPositionEmbeddings */
  readonly originalMaxPositionEmbeddings?: number;
  /** llama3: wavelengths longer than the trained length divided by this are stretched in full. */
  readonly lowFreqFactor?: number;
  /** llama3: wavelengths shorter than the trained length divided by this are kept. */
  readonly highFreqFactor?: number;
  /** yarn, longrope: factor of the rotated values. @default made from the factor */
  readonly attentionFactor?: number | null;
  /** yarn: rotations over the trained length above which a frequency is kept. @default 32 */
  readonly betaFast?: number | null;
  /** yarn: rotations over the trained length below which it is stretched in full. @default 1 */
  readonly betaSlow?: number | null;
  /** yarn: round the bounds between both to whole dimensions. @default true */
  readonly truncate?: boolean;
  /** yarn: factors from which attentionFactor is made. */
  readonly mscale?: number | null;
  /** As `mscale`, in the divisor of the attention factor. */
  readonly mscaleAllDim?: number | null;
  /** longrope: divisors of the frequencies, one for each, up to the trained length. */
  readonly shortFactor?: readonly number[];
  /** longrope: the same beyond it. */
  readonly longFactor?: readonly number[];
}

type Key = keyof RopeParameters;

/** What each type cannot do without. */
const NEEDED: { readonly [K in RopeType]: readonly Key[] } = {
  default: [],
  linear: ["factor"],
  dynamic: ["factor"],
  yarn: ["factor"],
  longrope: ["shortFactor", "longFactor"],
  llama3: ["factor", "lowFreqFactor", "highFreqFactor"],
};

const NUMBERS: readonly Key[] = [
  "ropeTheta",
  "partialRotaryFactor",
  "factor",
  "originalMaxPositionEmbeddings",
  "lowFreqFactor",
  "highFreqFactor",
  "attentionFactor",
  "betaFast",
  "betaSlow",
  "mscale",
  "mscaleAllDim",
];

const LISTS: readonly Key[] = ["shortFactor", "longFactor"];

/** Names that files have there; what they say is not read anywhere. */
const IGNORED: readonly string[] = ["finetuned"];

const KNOWN: readonly string[] = ["ropeType", "type", "truncate", ...NUMBERS, ...LISTS, ...IGNORED];

/** Settings as a configuration gives them: complete, in part, or under older names. */
export type GivenRope = Partial<RopeParameters> | JsonValue | undefined;

/**
 * Complete settings from those given.
 * @param caller what messages begin with.
 * @throws ModelError for an unknown type and for values that are missing or of another kind.
 */
export function ropeParameters(
  caller: string,
  given: GivenRope,
  defaults: Pick<RopeParameters, "ropeTheta"> & Partial<RopeParameters>,
): RopeParameters {
  if (given !== undefined && (typeof given !== "object" || Array.isArray(given))) {
    fail(caller, `ropeParameters must be an object of settings, got ${JSON.stringify(given)}`);
  }
  const { type, ...rest } = (given ?? {}) as Partial<RopeParameters> & { readonly type?: unknown };
  const ropeType = (rest.ropeType ?? type ?? "default") as RopeType;
  if (!Object.hasOwn(NEEDED, ropeType)) {
    const known = Object.keys(NEEDED).join(", ");
    fail(
      caller,
      `rotary embeddings of type ${JSON.stringify(ropeType)} are not known; known are ${known}`,
    );
  }
  const unknown = Object.keys(rest).find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) {
    fail(caller, `there is no ropeParameters.${unknown}; ${didYouMean(unknown, KNOWN)}`);
  }
  const rope: RopeParameters = { ...defaults, ...rest, ropeType };
  const { truncate = true } = rope;
  if (typeof truncate !== "boolean") {
    fail(caller, `ropeParameters.truncate must be true or false, got ${JSON.stringify(truncate)}`);
  }
  checkKinds(caller, rope);
  return rope;
}

function isPositive(value: unknown): boolean {
  return typeof value === "number" && value > 0 && value < Infinity;
}

function checkKinds(caller: string, rope: RopeParameters): void {
  if (!isPositive(rope.ropeTheta)) {
    const got = JSON.stringify(rope.ropeTheta);
    fail(caller, `ropeParameters.ropeTheta must be a number above 0, got ${got}`);
  }
  const { partialRotaryFactor: share = 1 } = rope;
  if (share > 1) {
    fail(caller, `ropeParameters.partialRotaryFactor is a share, at most 1, got ${share}`);
  }
  for (const key of NEEDED[rope.ropeType]) {
    if ((rope[key] ?? null) !== null) continue;
    fail(caller, `ropeParameters of type "${rope.ropeType}" need ${key}, which is not given`);
  }
  for (const key of [...NUMBERS, ...LISTS]) {
    const value: unknown = rope[key] ?? null;
    if (value === null) continue;
    const numbers = LISTS.includes(key) ? value : [value];
    const right = Array.isArray(numbers) && numbers.every(isPositive);
    if (right) continue;
    const wanted = LISTS.includes(key) ? "a list of numbers" : "a number";
    fail(caller, `ropeParameters.${key} must be ${wanted} above 0, got ${JSON.stringify(value)}`);
  }
}
