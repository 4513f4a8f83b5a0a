import { fail } from "../../../nn/errors.ts";
import type { ModelConfig } from "../../settings/config.ts";
import {
  defineSettings,
  type GivenSettings,
  type SettingRows,
  type Settings,
  type SettingsSpec,
} from "../../settings/define-settings.ts";
import { kind, positive, record, type Setting, whole } from "../../settings/kinds.ts";
import { llamaShapes, requireHeadSizes, type RotaryHeads } from "./config.ts";
import { type RopeParameters, ropeParameters } from "./rope-parameters.ts";

/** Rotary embeddings as they were first, with wavelengths to a base of 10,000. */
export const PLAIN_ROPE: RopeParameters = { ropeType: "default", ropeTheta: 10_000 };

/** An object of rotary settings, or null for none. */
export const ropeRecord: Setting<object | null> = kind<object>(
  "an object of settings",
  record(undefined).accepts,
).orNull(undefined);

/** Names of what `ropeParameters` holds now, as transformers 4 writes them beside it. */
export interface RopeNames {
  /** Of the base of the wavelengths. @default ["ropeTheta"] */
  readonly theta?: readonly string[];
  /** Of the share of each head that is rotated. @default ["partialRotaryFactor"] */
  readonly share?: readonly string[];
}

type Rows<C> = Omit<SettingRows<C>, "ropeParameters" | "originalMaxPositionEmbeddings">;

/** What a family with one kind of rotary embeddings says of its settings. */
export interface RotarySpec<C extends RotaryHeads> extends Omit<SettingsSpec<C>, "rows"> {
  readonly rows: Rows<C>;
  /** Rotary settings unless others are given. @default {@link PLAIN_ROPE} */
  readonly rope?: RopeParameters;
  readonly names?: RopeNames;
  /** Brings an object of rotary settings, such as one with drafts' names, into today's form. */
  readonly renamedRope?: (rope: unknown) => unknown;
  /** Length of the texts that were trained on before longer ones. */
  readonly trainedLength?: number;
}

/** The one value that is given under several names. */
function oneOfNames(family: string, given: GivenSettings, names: readonly string[]): unknown {
  const set = names.filter((name) => (given[name] ?? null) !== null);
  const [first = "", ...others] = set;
  const other = others.find((name) => given[name] !== given[first]);
  if (other === undefined) return given[first];
  const [a, b] = [first, other].map((name) => `${name} (${String(given[name])})`);
  return fail(family, `${a} and ${b} mean the same and differ; leave one of them out`);
}

function isGiven(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

/**
 * Declares the settings of a family with one kind of rotary embeddings; as {@link defineSettings}.
 *
 * As in transformers, `rope_scaling` replaces all of `rope_parameters`, and what these hold wins
 * over what is written beside them, which wins over the family's own.
 */
export function defineRotarySettings<C extends RotaryHeads>(spec: RotarySpec<C>): Settings<C> {
  const { rope = PLAIN_ROPE, names = {}, renamedRope: _renamed, trainedLength, ...rest } = spec;
  const { theta = ["ropeTheta"], share = ["partialRotaryFactor"] } = names;
  const older = Object.fromEntries([
    ["ropeScaling", ropeRecord],
    ["ropeParameters", ropeRecord],
    ...[...theta, ...share].map((name) => [name, positive.orNull(undefined)]),
  ]) as { readonly [name: string]: Setting<unknown> };
  const complete = (config: C): C => {
    requireHeadSizes(spec.name, config);
    const parameters = ropeParameters(spec.name, config.ropeParameters, PLAIN_ROPE);
    const full = { ...config, ropeParameters: withTrainedLength(parameters, config) };
    return spec.complete?.(full) ?? full;
  };
  const written = (config: C): object => {
    const { ropeTheta, partialRotaryFactor } = config.ropeParameters;
    return {
      ...Object.fromEntries(theta.map((name) => [name, ropeTheta])),
      ...Object.fromEntries(share.map((name) => [name, partialRotaryFactor])),
      ropeScaling: ropeScalingOf(config.ropeParameters),
      ...rest.written?.(config),
    };
  };
  const rows = {
    ...rest.rows,
    ropeParameters: record<RopeParameters>(rope),
    originalMaxPositionEmbeddings: whole.orNull(trainedLength),
  } as unknown as SettingRows<C>;
  return defineSettings<C>({
    // What gives no shapes has Llama's settings.
    shapes: llamaShapes as never,
    numbered: [{ path: "layers", setting: "numHiddenLayers" }],
    ...rest,
    written,
    rows,
    older: { ...older, ...rest.older },
    translate: rotaryTranslation(spec, { theta, share }),
    complete,
  });
}

/** Gathers rotary settings, however they are given, under `ropeParameters`. */
function rotaryTranslation<C extends RotaryHeads>(
  { name: family, rope = PLAIN_ROPE, renamedRope = (given) => given, translate }: RotarySpec<C>,
  { theta, share }: Required<RopeNames>,
): (all: GivenSettings) => GivenSettings {
  const others = new Set(["ropeScaling", ...theta, ...share]);
  return (all) => {
    const given = translate?.(all) ?? all;
    const kept = Object.fromEntries(Object.entries(given).filter(([name]) => !others.has(name)));
    const { ropeScaling, ropeParameters: current } = given;
    const chosen = isGiven(ropeScaling) ? ropeScaling : current;
    const beside = {
      ropeTheta: oneOfNames(family, given, theta),
      partialRotaryFactor: oneOfNames(family, given, share),
    };
    const own = isGiven(chosen) ? { ropeTheta: rope.ropeTheta, ...shareOf(rope) } : rope;
    const set = Object.entries(beside).filter(([, value]) => value !== undefined);
    return {
      ...kept,
      ropeParameters: { ...own, ...Object.fromEntries(set), ...withoutNulls(renamedRope(chosen)) },
    };
  };
}

/** Rotary settings as transformers 4 writes them: the base of the wavelengths beside them. */
export function ropeScalingOf(rope: RopeParameters): object | null {
  const { ropeType, ropeTheta: _base, partialRotaryFactor: _share, ...rest } = rope;
  if (ropeType === "default") return null;
  // Its first types were called so, and Phi-3's readers want no name but these.
  const first = ropeType === "linear" || ropeType === "dynamic" || ropeType === "longrope";
  return { [first ? "type" : "ropeType"]: ropeType, ...rest };
}

function shareOf({ partialRotaryFactor: share }: RopeParameters): Partial<RopeParameters> {
  return share === undefined ? {} : { partialRotaryFactor: share };
}

/** Values that mean nothing in a file are left out. */
function withoutNulls(rope: unknown): object {
  if (!isGiven(rope)) return {};
  return Object.fromEntries(Object.entries(rope).filter(([, value]) => value !== undefined));
}

/** The length that was trained on, where it is beside the rotary settings (in Phi-3's files). */
function withTrainedLength(
  rope: RopeParameters,
  { originalMaxPositionEmbeddings: length }: ModelConfig & Partial<RotaryHeads>,
): RopeParameters {
  const known = ["llama3", "yarn", "longrope"].includes(rope.ropeType);
  return known && typeof length === "number"
    ? { ...rope, originalMaxPositionEmbeddings: length }
    : rope;
}
