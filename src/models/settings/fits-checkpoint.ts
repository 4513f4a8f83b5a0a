import type { Checkpoint } from "../../formats/checkpoint.ts";
import { CheckpointError } from "../../formats/checkpoint-error.ts";
import { numel, sameShape, show } from "../../tensor/shape.ts";
import { snakeCase } from "./config.ts";
import type { SettingsTable } from "./define-settings.ts";
import type { Bound } from "./kinds.ts";

/**
 * A size of a tensor: the setting that says it, such as "hiddenSize" or "textConfig.hiddenSize", or a
 * text of several settings and their value.
 */
export type Dimension = string | readonly [text: string, value: number];

/** Shapes that settings say tensors have, by names without the prefix of models with a head. */
export type ClaimedShapes = Readonly<Record<string, readonly Dimension[]>>;

/** Which numbered modules a setting counts, such as `layers` in `layers.0.mlp`. */
export interface NumberedModules {
  /** Their path, without the prefix of models with a head. */
  readonly path: string;
  /** Name of the setting that says how many there are. */
  readonly setting: string;
}

/** What is known of a checkpoint without reading it. */
export type CheckpointHeader = Pick<Checkpoint, "names" | "info" | "location">;

/** What a family says of names in its checkpoints. */
interface FamilyNames {
  readonly basePrefix: string;
  readonly settings?: SettingsTable;
  readonly renamed?: readonly (readonly [pattern: RegExp, replacement: string])[];
}

type Values = Readonly<Record<string, unknown>>;

/** Names in a checkpoint by what they are called here, without the prefix of models with a head. */
function bareNames(
  { basePrefix, renamed = [] }: FamilyNames,
  { names }: CheckpointHeader,
): ReadonlyMap<string, string> {
  const bare = (name: string): string => {
    const known = renamed.reduce((all, [pattern, to]) => all.replace(pattern, to), name);
    return known.startsWith(`${basePrefix}.`) ? known.slice(basePrefix.length + 1) : known;
  };
  return new Map(names.map((name) => [bare(name), name]));
}

/**
 * Checks settings against what a checkpoint says of its tensors, before anything of their sizes is
 * made.
 * @param caller - What messages begin with.
 * @throws CheckpointError naming each setting that a tensor contradicts.
 */
export function requireFit(
  caller: string,
  family: FamilyNames,
  config: object,
  checkpoint: CheckpointHeader,
): void {
  const { settings } = family;
  if (settings === undefined) return;
  const values = config as Values;
  const names = bareNames(family, checkpoint);
  const problems = [
    ...unbounded(settings, values, limitsOf(checkpoint)),
    ...wrongCounts(settings, values, names),
    ...wrongShapes(settings, values, { names, checkpoint }),
  ];
  if (problems.length === 0) return;
  throw new CheckpointError(
    `${caller}: config.json and the weights of ${checkpoint.location} contradict each other:\n  ` +
      problems.join("\n  "),
  );
}

/** So many modules cost nothing. */
const FEW = 256;

/** Nor does so large a size; some settings, such as a vocabulary without embeddings, have no weights. */
const SMALL = 1 << 18;

function limitsOf(checkpoint: CheckpointHeader): { readonly [B in Bound]: number } {
  const { names } = checkpoint;
  const elements = names.reduce((sum, name) => sum + numel(checkpoint.info(name).shape), 0);
  return { tensors: Math.max(names.length, FEW), elements: Math.max(elements, SMALL) };
}

const OF: { readonly [B in Bound]: string } = {
  tensors: "with as few tensors at most",
  elements: "with as few numbers in all tensors at most",
};

/** A setting by its path, such as "textConfig.hiddenSize". */
function settingAt(config: Values, path: string): unknown {
  return path.split(".").reduce<unknown>((at, name) => (at as Values)[name], config);
}

/** A size, or what a list of sizes adds up to, such as the layers of all stages. */
function sizeOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (!Array.isArray(value)) return undefined;
  return value.reduce<number>((sum, size) => sum + Number(size), 0);
}

/** Sizes that no model with so few weights can have, of the whole and of its parts. */
function unbounded(
  settings: SettingsTable,
  config: Values,
  limits: { readonly [B in Bound]: number },
  prefix = "",
): string[] {
  return [...settings.all].flatMap(([name, { bound, within }]) => {
    const value = config[name];
    const written = prefix + snakeCase(name);
    if (within !== undefined && typeof value === "object" && value !== null) {
      return unbounded(within, value as Values, limits, `${written}.`);
    }
    const size = sizeOf(value);
    if (bound === undefined || size === undefined || size <= limits[bound]) return [];
    const said = Array.isArray(value) ? "adds up to" : "is";
    return [
      `${written} ${said} ${size}, more than the weights can be of: ${OF[bound]} ${limits[bound]}`,
    ];
  });
}

/** Settings that count other modules than there are. */
function wrongCounts(
  { numbered = [] }: SettingsTable,
  config: Values,
  names: ReadonlyMap<string, string>,
): string[] {
  return numbered.flatMap(({ path, setting }) => {
    let [last, found] = [-1, ""];
    for (const [name, inFile] of names) {
      if (!name.startsWith(`${path}.`)) continue;
      const number = Number(/^\d+(?=\.)/.exec(name.slice(path.length + 1))?.[0] ?? -1);
      if (number > last) [last, found] = [number, inFile];
    }
    const count = last + 1;
    const said = settingAt(config, setting);
    // Null means what another setting says.
    if (count === 0 || said === count || said === null) return [];
    return [
      `${snakeCase(setting)} is ${JSON.stringify(said)}, but ${found} is of number ${last}, ` +
        `counted from 0; wanted ${count}`,
    ];
  });
}

function valueOf(dimension: Dimension, config: Values): number {
  return typeof dimension === "string" ? Number(settingAt(config, dimension)) : dimension[1];
}

function textOf(dimension: Dimension): string {
  const text = typeof dimension === "string" ? dimension : dimension[0];
  return text.replace(/[A-Za-z0-9]+/g, snakeCase);
}

/** Settings that tensors contradict, each with the first such tensor. */
function wrongShapes(
  { shapes }: SettingsTable,
  config: Values,
  {
    names,
    checkpoint,
  }: { readonly names: ReadonlyMap<string, string>; readonly checkpoint: CheckpointHeader },
): string[] {
  const found = new Map<string, string>();
  const claims = Object.entries(shapes?.(config as never) ?? {});
  const known = claims.filter(([name]) => names.has(name));
  // Weights of another family may have a head of the same name.
  if (known.length < Math.min(2, claims.length)) return [];
  for (const [name, dimensions] of known) {
    const inFile = names.get(name) ?? name;
    const { shape: stored, asLinear } = checkpoint.info(inFile);
    const shape = asLinear === true ? [...stored].reverse() : stored;
    const wanted = dimensions.map((dimension) => valueOf(dimension, config));
    if (shape.length !== wanted.length || sameShape(shape, wanted)) continue;
    const meant = dimensions.map(textOf);
    for (const [i, text] of meant.entries()) {
      if (shape[i] === wanted[i] || found.has(text)) continue;
      found.set(
        text,
        `${text} is ${wanted[i]}, but ${inFile} has shape ${show(shape)}, wanted ` +
          `[${meant.join(", ")}], which is ${show(wanted)}`,
      );
    }
  }
  return [...found.values()];
}
