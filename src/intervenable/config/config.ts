import { describeValue, shown } from "../../base/describe-value.ts";
import { describeOptions } from "../../interventions/describe-options.ts";
import { Intervention } from "../../interventions/intervention.ts";
import { type About, readAbout } from "./about.ts";
import { placeOf } from "./names.ts";
import type { InterventionKind } from "./intervention-kind.ts";
import { fail } from "../../interventions/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { representationJson, type RepresentationJSON } from "./representation-json.ts";
import { readRepresentations } from "./read-representations.ts";
import type {
  Representation,
  RepresentationConfig,
  RepresentationLike,
} from "./representation-config.ts";

/** Whether sources are all read from the clean model, or each from the model as the last one left it. */
export type Mode = "parallel" | "serial";

/** A configuration with all that can be said. */
export interface IntervenableOptions<Component extends string = string> {
  /** Where to intervene and with what, in order of declaration. */
  readonly representations:
    RepresentationConfig<Component> | readonly RepresentationLike<Component>[];
  /** @default "parallel" */
  readonly mode?: Mode;
  /** The class, or one for each, of representations that name none. @default VanillaIntervention */
  readonly interventionTypes?: InterventionKind | readonly InterventionKind[];
  /**
   * Accepted as pyvene's files and programs have it. Interventions always get the arguments of the
   * module at their site, as `context.args`.
   */
  readonly asAdaptor?: boolean;
  /** The keys in order, as pyvene's files have them; they must be those of the representations. */
  readonly sortedKeys?: readonly string[] | null;
  /**
   * What there is to know of the interventions, such as which texts a vector was made of: plain data, which
   * files keep and nothing else reads.
   * @default nothing
   */
  readonly about?: About;
}

/** A configuration as JSON has it. */
export interface IntervenableConfigJSON extends Pick<IntervenableOptions, "about"> {
  /** Whether all groups act in one run, or one after the other. */
  readonly mode: Mode;
  /** Where each intervention is, and what it is. */
  readonly representations: readonly RepresentationJSON[];
}

/** All spellings of a configuration. */
export type IntervenableConfigLike<Component extends string = string> =
  | IntervenableConfig
  | IntervenableOptions<Component>
  | RepresentationConfig<Component>
  | readonly RepresentationLike<Component>[];

/**
 * Where to intervene and how, for any model: a list of representations and a mode. Whatever takes a
 * configuration also takes the plain objects that this class is made from.
 *
 * @example
 * ```ts
 * import { CollectIntervention, IntervenableConfig, ZeroIntervention } from "tsvene";
 * const config = new IntervenableConfig([
 *   { layer: 0, component: "mlp_output", intervention: ZeroIntervention },
 *   { layer: 2, component: "block_output", intervention: CollectIntervention },
 * ]);
 * console.log(config.names); // ["layer 0 mlp_output", "layer 2 block_output"]
 * ```
 */
export class IntervenableConfig {
  /** Whether all groups act in one run, or each group's run is the source of the next. */
  readonly mode: Mode;
  /** What there is to know of the interventions, which files keep. */
  readonly about: About | undefined;
  #representations: readonly Representation[];

  /** @throws InterventionError for what is unknown or contradicts itself. */
  constructor(config: Exclude<IntervenableConfigLike, IntervenableConfig>) {
    const options = asOptions(config);
    const { mode = "parallel", interventionTypes, representations, sortedKeys } = options;
    if (mode !== "parallel" && mode !== "serial") {
      fail(OP, `mode must be "parallel" or "serial", got ${shown(mode)}`);
    }
    this.mode = mode;
    this.about = readAbout(OP, options.about);
    const list = Array.isArray(representations) ? representations : [representations];
    if (list.length === 0) fail(OP, "expected at least one representation");
    this.#representations = readRepresentations(
      list as readonly RepresentationLike[],
      0,
      interventionTypes,
    );
    if (sortedKeys !== undefined && sortedKeys !== null) this.#checkKeys(sortedKeys);
  }

  /** In order of declaration, which is the order in which edits at one place are made. */
  get representations(): readonly Representation[] {
    return this.#representations;
  }

  /** Names of the representations, their own or their places, in the order of declaration. */
  get names(): readonly string[] {
    return this.#representations.map(({ name }) => name);
  }

  /** What pyvene's files call the representations, in the order of declaration. */
  get sortedKeys(): readonly string[] {
    return this.#representations.map(({ key }) => key);
  }

  /**
   * Adds representations after those there are. Models that were built before are not changed.
   * @throws InterventionError for one that says no intervention, and for all that the constructor refuses.
   *
   * @example
   * ```ts
   * import { CollectIntervention, IntervenableConfig, ZeroIntervention } from "tsvene";
   * const config = new IntervenableConfig({ component: "mlp_output", intervention: ZeroIntervention });
   * config.addIntervention({ layer: 1, intervention: CollectIntervention });
   * ```
   */
  addIntervention(added: RepresentationLike | readonly RepresentationLike[]): this {
    const isRow = Array.isArray(added) && typeof added[0] === "number";
    const list = Array.isArray(added) && !isRow ? added : [added];
    const before = this.#representations;
    const read = readRepresentations(
      list as readonly RepresentationLike[],
      before.length,
      undefined,
      before,
    );
    this.#representations = [...before, ...read];
    return this;
  }

  /** Where to intervene and with what, one representation a line. */
  toString(): string {
    const lines = this.#representations.map(representationLine);
    return `IntervenableConfig(${this.mode})\n${lines.join("\n")}`;
  }

  /**
   * The configuration as JSON has it, with classes by name: what is made of it by
   * `new IntervenableConfig(JSON.parse(JSON.stringify(config)))` says the same.
   * @throws InterventionError for what JSON cannot say: functions, instances, and options that are tensors.
   *
   * @example
   * ```ts
   * import { IntervenableConfig, NoiseIntervention } from "tsvene";
   * const config = new IntervenableConfig({ intervention: NoiseIntervention.with({ seed: 7 }) });
   * const same = new IntervenableConfig(JSON.parse(JSON.stringify(config)));
   * console.log(String(same) === String(config)); // true
   * ```
   */
  toJSON(): IntervenableConfigJSON {
    const { mode, about } = this;
    const representations = this.#representations.map(representationJson);
    return { mode, representations, ...(about && { about }) };
  }

  #checkKeys(given: readonly string[]): void {
    const keys = this.sortedKeys;
    if (given.length === keys.length && given.every((key, i) => key === keys[i])) return;
    fail(
      OP,
      `sortedKeys must be the keys of the representations in their order, ${keys.join(", ")}; ` +
        `got ${given.join(", ")}`,
    );
  }
}

printsItself(IntervenableConfig.prototype);

const OP = "IntervenableConfig";

const OPTIONS: OptionNames<IntervenableOptions> = {
  representations: true,
  mode: true,
  interventionTypes: true,
  asAdaptor: true,
  sortedKeys: true,
  about: true,
};

/** All that a representation says. */
function representationLine(representation: Representation): string {
  const { name, isNamed, intervention, options } = representation;
  const { unit, maxNumberOfUnits, source, groupKey, interventionLinkKey } = representation;
  const [kind, settings] =
    intervention instanceof Intervention
      ? [intervention.constructor.name, intervention.describe()]
      : [intervention.name, describeOptions(options)];
  const what = settings === "" ? kind : `${kind}(${settings})`;
  const more = describeOptions({
    at: isNamed ? placeOf(representation) : undefined,
    unit: unit === "pos" ? undefined : unit,
    maxNumberOfUnits: maxNumberOfUnits === 1 ? undefined : maxNumberOfUnits,
    source,
    groupKey,
    interventionLinkKey,
  });
  return `  ${name}: ${[what, more].filter((text) => text !== "").join(", ")}`;
}

function asOptions(
  config: Exclude<IntervenableConfigLike, IntervenableConfig>,
): IntervenableOptions {
  if (Array.isArray(config)) {
    if (typeof config[0] === "number") {
      fail(OP, 'a representation in a row must be in a list: [[0, "block_output"]]');
    }
    return { representations: config as readonly RepresentationLike[] };
  }
  if (typeof config !== "object" || config === null) {
    fail(
      OP,
      'expected a representation, as { layer: 0, component: "mlp_output" }, or a list of them, ' +
        `got ${describeValue(config)}`,
    );
  }
  if (!("representations" in config)) return { representations: config };
  requireKnownOptions(OP, config, OPTIONS);
  return config;
}
