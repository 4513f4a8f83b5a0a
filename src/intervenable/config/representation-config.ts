import type { AnyInterventionClass, Intervention } from "../../interventions/intervention.ts";
import type { Called } from "./names.ts";
import type { InterventionLike } from "./intervention-kind.ts";

/** Your own name for what dimension 1 counts, or two for dimensions 1 and 2: `"sense.pos" as OwnUnit`. */
export type OwnUnit = string & {
  /** For the compiler alone. */
  readonly "~unit": true;
};

/** What locations count: the names that have a meaning, or your own for dimensions 1 and 2. */
export type Unit = "pos" | "h" | "h.pos" | "h.key" | "h.pos.key" | "t" | OwnUnit;

/** Where a source is read, where that is not where the base is edited. */
export interface SourceSiteConfig<Component extends string = string> {
  /** @default the layer that is edited */
  readonly layer?: number;
  /** @default the component that is edited */
  readonly component?: Component;
  /** What the source's locations count. @default the unit of what is edited */
  readonly unit?: Unit;
  /** @default the expert that is edited */
  readonly moeKey?: number;
}

/**
 * Where to intervene, and with what. `Component` are the names that `component` may have: a model's
 * type says them, see {@link ComponentOf}.
 */
export interface RepresentationConfig<Component extends string = string> {
  /**
   * What messages, results and arguments by name call it; no other may have it, and it has no dot.
   * @default its place, such as "layer 0 mlp_output", with " #2" for the second one there
   */
  readonly name?: string;
  /** Number of the layer, from 0. Not used when `component` is a module path. @default 0 */
  readonly layer?: number;
  /**
   * Name of a component of the model's family, such as "mlp_output", or a module path that ends in
   * `.input` or `.output`, such as "transformer.h[0].mlp.output". @default "block_output"
   */
  readonly component?: Component;
  /**
   * What locations count: "pos", "h" (heads), "h.pos", "h.key" and "h.pos.key" (attention weights), or
   * a name for dimension 1, or for dimensions 1 and 2 ("sense.pos"). @default "pos"
   */
  readonly unit?: Unit;
  /** Units that are taken together; the width of a trained intervention grows with it. @default 1 */
  readonly maxNumberOfUnits?: number;
  /**
   * Where the source is read, and by transcoders the base too. @default where the base is edited
   */
  readonly source?: SourceSiteConfig<Component>;
  /**
   * What to do: a class of interventions, a class with options, as `NoiseIntervention.with({ seed: 7 })`,
   * an intervention, or a function. JSON has a class by name.
   */
  readonly intervention?: InterventionLike;
  /** Interventions with equal keys read from the same source. @default one group each */
  readonly groupKey?: number;
  /** Interventions with equal keys are one intervention, with the same parameters. */
  readonly interventionLinkKey?: number | string;
  /** Number of the expert, from 0, for components whose path has experts. */
  readonly moeKey?: number;
}

/**
 * A representation in a row, as pyvene has it: layer, component, unit, number of units, and on to what
 * are options of the class here.
 */
export type PositionalRepresentation<Component extends string = string> = readonly [
  number,
  Component?,
  (Unit | null)?,
  ...unknown[],
];

/** Where to intervene, and with what: as an object, or as pyvene's row. */
export type RepresentationLike<Component extends string = string> =
  RepresentationConfig<Component> | PositionalRepresentation<Component>;

/** A representation with nothing left open. */
export interface Representation extends Called {
  /** Number of the layer, from 0. */
  readonly layer: number;
  /** Name of a component, or a module path. */
  readonly component: string;
  /** What locations count. */
  readonly unit: string;
  /** Units that are taken together. */
  readonly maxNumberOfUnits: number;
  /** Where its source is read; undefined for where it edits. */
  readonly source: SourceSiteConfig | undefined;
  /** Number of the expert, from 0; undefined without experts. */
  readonly moeKey: number | undefined;
  /** Those with equal keys read the same source; undefined for a group of its own. */
  readonly groupKey: number | undefined;
  /** Those with equal keys are one intervention; undefined for one of its own. */
  readonly interventionLinkKey: number | string | undefined;
  /** The intervention, or the class that it is built from. */
  readonly intervention: Intervention | AnyInterventionClass;
  /** What an intervention of a class is built with, but for widths that the model knows. */
  readonly options: Readonly<Record<string, unknown>>;
}
