import { describeValue, isPromise, shown } from "../../base/describe-value.ts";
import { ModelError } from "../../nn/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import { type JsonValue, type ModelConfig, snakeCase } from "./config.ts";
import { BASE_SETTINGS, labelCount } from "./base-settings.ts";
import type { ClaimedShapes, NumberedModules } from "./fits-checkpoint.ts";
import { inertField, NEUTRAL_FIELDS, type Neutral } from "./inert-fields.ts";
import type { Setting } from "./kinds.ts";

/** Settings as they are given: any of them, under any name. */
export type GivenSettings = Readonly<Record<string, unknown>>;

/** A row for each setting of a configuration; those of all families may be left out. */
export type SettingRows<C> = {
  readonly [K in keyof Omit<C, keyof ModelConfig>]: Setting<Exclude<C[K], undefined>>;
} & { readonly [K in keyof C & keyof ModelConfig]?: Setting<Exclude<C[K], undefined>> };

/** The settings of some family, whatever they are. */
export interface SettingsTable {
  /** Name of the configuration in messages, such as "LlamaConfig". */
  readonly name: string;
  /** Hugging Face's `model_type`, which files must have. */
  readonly modelType: string;
  /**
   * Names that are not simply other names of one setting, such as `ropeTheta`, which has become a part
   * of `ropeParameters`: `translate` reads them, and takes them out
   * unless they may stay.
   */
  readonly older?: { readonly [name: string]: Setting<unknown> };
  /** Puts settings under older names into those of today, before any is checked. */
  readonly translate?: (given: GivenSettings) => GivenSettings;
  /** Fields of this family's files that change nothing here, in camelCase, and why they do not. */
  readonly inert?: readonly string[] | Readonly<Record<string, string>>;
  /** Fields that would change numbers in a way that is not there here, and their harmless values. */
  readonly neutral?: { readonly [name: string]: Neutral };
  /** Shapes that settings say some tensors of checkpoints have. */
  readonly shapes?: (config: never) => ClaimedShapes;
  /**
   * Settings once more under the names of older versions, whose readers know no others; files hold
   * both.
   */
  readonly written?: (config: never) => object;
  /** Modules of checkpoints that settings count. */
  readonly numbered?: readonly NumberedModules[];
  /** What every setting is that is not given. */
  readonly defaults: object;
  /** Rows of the family and those of all families, by name. */
  readonly all: ReadonlyMap<string, Setting<unknown>>;
  /**
   * Complete settings from some of them, under any of their names.
   * @throws ModelError naming every setting that is unknown, of another kind, or given twice.
   */
  readonly read: (given: object) => object;
  /** The same of the fields of a `config.json`, whose names messages then use. */
  readonly fromFields: (fields: Readonly<Record<string, JsonValue>>) => object;
}

/** What a family says of its settings. */
export interface SettingsSpec<C extends object> extends Pick<
  SettingsTable,
  "name" | "modelType" | "older" | "translate" | "inert" | "neutral" | "numbered"
> {
  readonly rows: SettingRows<C>;
  /** Shapes that settings say some tensors of checkpoints have. */
  readonly shapes?: (config: C) => ClaimedShapes;
  /** Settings once more under the names of older versions; files hold both. */
  readonly written?: (config: C) => object;
  /** Checks settings against each other, and fills in those that follow from others. */
  readonly complete?: (config: C) => C;
}

/** The settings of a family: what they can be, what they are called, and how they are read. */
export interface Settings<C extends object> extends SettingsTable {
  readonly defaults: C;
  readonly read: (given: object) => C;
  readonly fromFields: (fields: Readonly<Record<string, JsonValue>>) => C;
}

/**
 * Declares the settings of a family in one table: each row has a kind, which says what the setting
 * can be, the value that it has unless it is given, and the other names it goes by.
 *
 * What is not in the table is refused by its name, unless it is one of the fields that change nothing
 * (`inert-fields.ts`, and the family's own `inert`) or has a value that changes nothing (`neutral`).
 * The settings of a part are a row made with `nested`. `shapes` and `numbered` say which settings a
 * checkpoint's tensors show, so that a contradiction is told by its name.
 *
 * For instance:
 * ```text
 * const SETTINGS = defineSettings<GRUConfig>({
 *   name: "GRUConfig",
 *   modelType: "gru",
 *   rows: {
 *     nLayer: count(2, { names: ["numHiddenLayers"] }),
 *     hDim: width(768, { names: ["hiddenSize"] }),
 *     slidingWindow: whole.orNull(null),
 *     dropout: fraction(0),
 *   },
 *   inert: ["summaryType"],
 *   numbered: [{ path: "h", setting: "nLayer" }],
 *   shapes: () => ({ "wte.weight": ["vocabSize", "hDim"] }),
 * });
 * export const gruConfig = (given: Partial<GRUConfig> = {}): GRUConfig => SETTINGS.read(given);
 * const gruFamily: ModelFamily<GRUConfig> = declareFamily(SETTINGS, { basePrefix: "gru" });
 * ```
 */
export function defineSettings<C extends object>(spec: SettingsSpec<C>): Settings<C> {
  const { rows, complete = (config) => config, ...table } = spec;
  const { modelType } = table;
  const all = new Map<string, Setting<unknown>>(Object.entries({ ...BASE_SETTINGS, ...rows }));
  const defaults = { modelType } as unknown as Record<string, unknown>;
  for (const [name, { fallback }] of all) {
    if (fallback !== undefined) defaults[name] = fallback;
  }
  const settings: Settings<C> = {
    ...table,
    defaults: defaults as C,
    all,
    read: (given) => complete(readSettings(settings, given as GivenSettings, IN_CODE) as C),
    fromFields: (fields) => complete(readSettings(settings, fields, IN_FILES) as C),
  };
  return settings;
}

/** Settings as files hold them: under the names of older versions too. */
export function asWritten(settings: SettingsTable, config: object): object {
  const parts = [...settings.all].flatMap(([name, { within }]) => {
    const value = (config as GivenSettings)[name];
    const isPart = within !== undefined && typeof value === "object" && value !== null;
    return isPart ? [[name, asWritten(within, value)]] : [];
  });
  const written = settings.written?.(config as never) ?? {};
  return { ...config, ...written, ...(Object.fromEntries(parts) as object) };
}

/** Where settings come from, as messages say it. */
interface GivenIn {
  readonly write: (name: string) => string;
  readonly where: string;
  /** Reads the settings of a part. */
  readonly read: (part: SettingsTable, value: object) => object;
}

const IN_CODE: GivenIn = {
  write: (name) => name,
  where: "",
  read: (part, value) => part.read(value),
};

const IN_FILES: GivenIn = {
  write: snakeCase,
  where: ": config.json",
  read: (part, value) => part.fromFields(value as Readonly<Record<string, JsonValue>>),
};

type Write = GivenIn["write"];

/** A file's values and names may be long. */
function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

/** How many problems a message tells. */
const TOLD = 8;

function listed(problems: readonly string[]): string {
  const more = problems.length > TOLD ? ["and more"] : [];
  return [...problems.slice(0, TOLD), ...more].join("; ");
}

function same(a: unknown, b: unknown): boolean {
  const isObject = typeof a === "object" && typeof b === "object";
  return Object.is(a, b) || (isObject && JSON.stringify(a) === JSON.stringify(b));
}

/** Settings by the names of the table, from any of their names; reports those given twice. */
function underOwnNames(
  settings: SettingsTable,
  given: GivenSettings,
  { write, problems }: { readonly write: Write; readonly problems: string[] },
): Map<string, unknown> {
  const entries = new Map(Object.entries(given).filter(([, value]) => value !== undefined));
  for (const [name, { names = [] }] of settings.all) {
    for (const other of names) {
      if (!entries.has(other)) continue;
      const value = entries.get(other);
      entries.delete(other);
      if (entries.has(name) && !same(entries.get(name), value)) {
        problems.push(
          `${write(name)} is ${shown(entries.get(name))}, but ${write(other)}, which is another name ` +
            `for it, is ${shown(value)}; leave one of them out`,
        );
      } else entries.set(name, value);
    }
  }
  return entries;
}

/** What is wrong with one given field, if anything. */
function wrongField(
  settings: SettingsTable,
  name: string,
  value: unknown,
  write: Write,
): string | undefined {
  if (name === "modelType") {
    if (value === settings.modelType) return undefined;
    return `${write(name)} must be ${shown(settings.modelType)}, got ${shown(value)}`;
  }
  const row = settings.all.get(name);
  if (row !== undefined) {
    if (row.accepts(value)) return undefined;
    return `${write(name)} must be ${row.wanted}, got ${shown(value)}`;
  }
  const neutral = settings.neutral?.[name] ?? NEUTRAL_FIELDS.get(name);
  if (neutral !== undefined) {
    if (neutral.values.some((v) => same(v, value))) return undefined;
    return `${write(name)} is ${shown(value)}, which is not known here: ${neutral.why}`;
  }
  if (Object.hasOwn(settings.older ?? {}, name)) return undefined;
  if (inertField(name) || isInert(settings, name)) return undefined;
  return unknownField(settings, name, write);
}

function isInert({ inert = [] }: SettingsTable, name: string): boolean {
  return Array.isArray(inert) ? inert.includes(name) : Object.hasOwn(inert, name);
}

function unknownField(settings: SettingsTable, name: string, write: Write): string {
  const known = [...settings.all].flatMap(([own, { names = [] }]) => [own, ...names]);
  const written = shortened(write(name));
  const near = didYouMean(written, [...known, ...Object.keys(settings.older ?? {})].map(write));
  const unknown = `there is no setting ${written}; ${near}`;
  if (write === IN_CODE.write) return unknown;
  return `${unknown}; to load the model without it, use ignoreSettings: [${shown(write(name))}]`;
}

/** Labels are counted where their number is not given. */
function countLabels(
  entries: Map<string, unknown>,
  { write, problems }: { readonly write: Write; readonly problems: string[] },
): void {
  const named = labelCount(entries.get("id2label"));
  if (named === undefined) return;
  const given = entries.get("numLabels");
  if (given === undefined) entries.set("numLabels", named);
  else if (given !== named) {
    problems.push(
      `${write("numLabels")} is ${shown(given)}, but id2label has the names of ${named}; leave one ` +
        "of them out",
    );
  }
}

function readSettings(settings: SettingsTable, given: GivenSettings, place: GivenIn): object {
  const { write, where, read } = place;
  const refuse = (problems: readonly string[]): void => {
    if (problems.length === 0) return;
    throw new ModelError(`${settings.name}${where}: ${listed(problems)}`);
  };
  if (typeof given !== "object" || given === null || isPromise(given)) {
    refuse([`settings are one object by name, got ${describeValue(given)}`]);
  }
  refuse(wrongOlder(settings, given, write));
  const problems: string[] = [];
  const translated = settings.translate?.(given) ?? given;
  const entries = underOwnNames(settings, translated, { write, problems });
  countLabels(entries, { write, problems });
  for (const [name, value] of entries) {
    // A file may have thousands of names, of which each is looked for among all settings.
    if (problems.length > TOLD) break;
    const wrong = wrongField(settings, name, value, write);
    if (wrong !== undefined) problems.push(wrong);
  }
  refuse(problems);
  for (const [name, { within }] of settings.all) {
    const value = entries.get(name);
    if (within === undefined || value === undefined) continue;
    if (value === null) entries.delete(name);
    else entries.set(name, read(within, value));
  }
  return { ...settings.defaults, ...Object.fromEntries(entries) };
}

/** What is wrong with settings under older names. */
function wrongOlder({ older = {} }: SettingsTable, given: GivenSettings, write: Write): string[] {
  return Object.entries(older).flatMap(([name, { accepts, wanted }]) => {
    const value = given[name];
    if (value === undefined || accepts(value)) return [];
    return [`${write(name)} must be ${wanted}, got ${shown(value)}`];
  });
}
