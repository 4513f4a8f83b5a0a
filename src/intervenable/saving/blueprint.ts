import { fail } from "../../interventions/errors.ts";
import type { AnyInterventionClass, Intervention } from "../../interventions/intervention.ts";
import { ConfiguredIntervention } from "../../interventions/configured-intervention.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { withoutInit } from "../../nn/without-init.ts";
import type { IntervenableModel } from "../intervenable-model.ts";
import { IntervenableConfig, type Mode } from "../config/config.ts";
import type { About } from "../config/about.ts";
import type { InterventionLike } from "../config/intervention-kind.ts";
import type { RepresentationConfig } from "../config/representation-config.ts";
import { resolveSite } from "../sites/address.ts";
import { type ReadState, restoreState } from "./intervention-state.ts";
import { type ModelFacts, requireSameKind } from "./model-facts.ts";

/** One intervention as a file describes it. */
export interface Part {
  /** What messages call it: its name, or pyvene's key. */
  readonly called: string;
  /** Where it is. */
  readonly place: Omit<RepresentationConfig, "intervention">;
  /** A class, or an intervention where the configuration had one. */
  readonly what:
    | { readonly class: AnyInterventionClass; readonly options: Readonly<Record<string, unknown>> }
    | { readonly instance: Intervention | InterventionLike };
  /**
   * Its parameters and buffers, once it is known what they are for; undefined where none are read.
   * @throws InterventionError for files that are missing.
   */
  readonly stateFor?: (intervention: Intervention) => ReadState | Promise<ReadState | undefined>;
  /** Width of one unit, for a place of which the model does not say it. */
  readonly unitDim?: number | undefined;
}

/** Interventions on a model as files describe them, all read and nothing made of them yet. */
export interface Blueprint {
  /** What messages call the place that it was read from. */
  readonly location: string;
  readonly mode: Mode;
  /** What there is to know of them, where that is noted. */
  readonly about: About | undefined;
  /** What it was made for, where that is noted. */
  readonly madeFor: ModelFacts | undefined;
  readonly parts: readonly Part[];
}

/** Makes the model with interventions; widths of units by name, for places that say none. */
export type BuildIntervenable<M extends Module> = (
  config: IntervenableConfig,
  model: M,
  widths: ReadonlyMap<string, number>,
) => IntervenableModel<M>;

/** The number of the layer that a part is at: of a module path, the first number in it. */
function layerOf({ place: { layer = 0, component = "" } }: Part): number {
  const number = component.includes(".")
    ? /(?:\[|\.)(\d+)(?:\]|\.)/.exec(component)?.[1]
    : undefined;
  return number === undefined ? layer : Number(number);
}

/** The parts at the layers that were asked for. */
function partsAt(
  op: string,
  parts: readonly Part[],
  layers: readonly number[] | undefined,
): readonly Part[] {
  if (layers === undefined) return parts;
  const there = new Set(parts.map(layerOf));
  const missing = layers.filter((layer) => !there.has(layer));
  if (missing.length > 0 || layers.length === 0) {
    const asked = missing.length > 0 ? `layer ${missing.join(", ")}` : "no layer";
    fail(op, `layers asks for ${asked}, but the interventions are at ${[...there].join(", ")}`);
  }
  return parts.filter((part) => layers.includes(layerOf(part)));
}

function whyNoPlace(model: Module, { place }: Part): string | undefined {
  const { layer = 0, component = "block_output", moeKey } = place;
  try {
    resolveSite(model, cardOf(model), { layer, component, moeKey });
    return undefined;
  } catch (error) {
    return error instanceof Error
      ? error.message.replace(/^IntervenableModel: /, "")
      : String(error);
  }
}

/** @throws InterventionError where a model has not all places, with the layers of those that it has. */
function requirePlaces(op: string, model: Module, parts: readonly Part[]): void {
  const reasons = parts.map((part) => [part, whyNoPlace(model, part)] as const);
  const without = reasons.filter(([, reason]) => reason !== undefined);
  const [first] = without;
  if (first === undefined) return;
  const lost = new Set(without.map(([part]) => layerOf(part)));
  const layers = new Set(parts.map(layerOf).filter((layer) => !lost.has(layer)));
  const rest =
    layers.size === 0
      ? "none of them has one"
      : `to load only those that do, pass layers: [${[...layers].join(", ")}]`;
  fail(
    op,
    `${without.length} of ${parts.length} interventions have no place in this ${model.constructor.name}, ` +
      `such as ${first[0].called}: ${first[1]}; ${rest}`,
  );
}

function toKind({ what }: Part): InterventionLike {
  if ("instance" in what) return what.instance;
  return new ConfiguredIntervention(what.class, what.options);
}

/** Sizes from a file, such as a number of units, may ask for more memory than there can be. */
function within<T>(where: string, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    fail(where, `its sizes ask for more memory than there can be: ${error.message}`);
  }
}

/**
 * Makes a model with interventions of what was read, all of it or nothing.
 *
 * @throws InterventionError for a model that the interventions do not fit.
 */
export async function assemble<M extends Module>(
  op: string,
  { location, mode, about, madeFor, parts: all }: Blueprint,
  given: {
    readonly model: M;
    readonly layers: readonly number[] | undefined;
    readonly build: BuildIntervenable<M>;
  },
): Promise<IntervenableModel<M>> {
  const { model, layers, build } = given;
  const where = `${op}: ${location}`;
  if (madeFor !== undefined) requireSameKind(where, madeFor, model);
  const parts = partsAt(where, all, layers);
  requirePlaces(where, model, parts);
  const representations = parts.map((part) => ({ ...part.place, intervention: toKind(part) }));
  const config = new IntervenableConfig({ mode, representations, ...(about && { about }) });
  const names = config.names;
  const widths = parts.flatMap(({ unitDim }, i): [string, number][] =>
    unitDim === undefined ? [] : [[names[i] ?? "", unitDim]],
  );
  const loaded = within(where, () => withoutInit(() => build(config, model, new Map(widths))));
  for (const [i, { called, stateFor }] of parts.entries()) {
    const intervention = loaded.interventions.get(names[i] ?? "");
    const state = await stateFor?.(intervention);
    if (state !== undefined) await restoreState(`${where}: ${called}`, intervention, state);
  }
  return loaded;
}
