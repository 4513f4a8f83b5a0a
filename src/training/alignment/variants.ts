import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type {
  Representation,
  RepresentationConfig,
} from "../../intervenable/config/representation-config.ts";
import { ConfiguredIntervention } from "../../interventions/configured-intervention.ts";
import { InterventionError } from "../../interventions/errors.ts";
import type { Intervention } from "../../interventions/intervention.ts";
import { randomized } from "../../interventions/randomized.ts";
import { VanillaIntervention } from "../../interventions/vanilla.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import { isMasked } from "./mask-reports.ts";
import type { Generator } from "../../tensor/random/random.ts";

/** Another place for an intervention; what is not said stays. */
export type OtherPlace = Pick<RepresentationConfig, "layer" | "component" | "unit" | "source">;

/** Where another site is: the same for all interventions, or said for each by name. */
export type OtherSite = OtherPlace | ((name: string, place: Representation) => OtherPlace);

type Change = (place: Representation, intervention: Intervention) => RepresentationConfig;

/** The same alignment with something else in its representations. Parameters are shared, not copied. */
function changed(
  { config, interventions, model }: IntervenableModel,
  change: Change,
): IntervenableModel {
  const representations = config.representations.map((place): RepresentationConfig => {
    const { key: _key, name, isNamed, intervention: _class, options: _options, ...fields } = place;
    const intervention = interventions.get(name);
    return {
      ...(withoutUndefined(fields) as RepresentationConfig),
      ...(isNamed ? { name } : {}),
      intervention,
      ...change(place, intervention),
    };
  });
  return new IntervenableModel({ mode: config.mode, representations }, model);
}

function withoutUndefined<T extends object>(fields: T): Partial<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}

/** Whether an intervention reads a source run, which an interchange at its site could read too. */
function readsSource({ sourceUse, sourceRepresentation }: Intervention): boolean {
  return sourceUse !== "none" && sourceRepresentation === undefined;
}

/**
 * The alignment with everything at its sites swapped; undefined where nothing reads a source.
 */
export function fullSwapOf(aligned: IntervenableModel): IntervenableModel | undefined {
  if (![...aligned.interventions].some(([, one]) => readsSource(one))) return undefined;
  return changed(aligned, (_place, intervention) =>
    readsSource(intervention) ? { intervention: VanillaIntervention } : {},
  );
}

/**
 * The alignment with interventions of the same size that learned nothing; undefined where there is nothing
 * to draw. Those that are linked stay linked.
 */
export function randomOf(
  aligned: IntervenableModel,
  generator: Generator,
): IntervenableModel | undefined {
  const drawn = new Map<Intervention, Intervention | undefined>();
  for (const [, one] of aligned.interventions) {
    if (!drawn.has(one)) drawn.set(one, randomized(one, generator));
  }
  if ([...drawn.values()].every((one) => one === undefined)) return undefined;
  return changed(aligned, (_place, intervention) => ({
    intervention: drawn.get(intervention) ?? intervention,
  }));
}

/** An alignment at another site, and what that is called. */
export interface MovedAlignment {
  readonly aligned: IntervenableModel;
  readonly site: string;
}

/** What has learned nothing is made anew, as wide as it is to be. */
function anew({ intervention, options }: Representation): RepresentationConfig {
  if (typeof intervention !== "function") return {};
  return { intervention: new ConfiguredIntervention(intervention, options) };
}

/** @throws InterventionError for a site that the model does not have, or where the interventions do not fit. */
export function movedTo(aligned: IntervenableModel, other: OtherSite): MovedAlignment {
  const of = typeof other === "function" ? other : () => other;
  const moved = changed(aligned, (place, { trainable }) => ({
    ...(trainable ? {} : anew(place)),
    ...of(place.name, place),
  }));
  const sites = moved.config.representations.map(({ layer, component }) =>
    component.includes(".") ? component : `layer ${layer} ${component}`,
  );
  return { aligned: moved, site: [...new Set(sites)].join(", ") };
}

/**
 * The alignment half the model's layers away; undefined where it has no layers, or its interventions do not
 * fit there.
 */
export function movedAway(aligned: IntervenableModel): MovedAlignment | undefined {
  const card = cardOf(aligned.model);
  const places = aligned.config.representations;
  const isLayered = places.every(({ component }) => card?.components.has(component) === true);
  if (card === undefined || card.layers < 2 || !isLayered) return undefined;
  const away = Math.floor(card.layers / 2);
  try {
    return movedTo(aligned, (_name, { layer }) => ({ layer: (layer + away) % card.layers }));
  } catch (error) {
    if (error instanceof InterventionError) return undefined;
    throw error;
  }
}

/** An alignment, or what it is compared with, to be run under a name. */
export interface Variant {
  readonly name: string;
  readonly aligned: IntervenableModel;
  /** Whether masks are taken as decided. */
  readonly hard: boolean;
  /** Whether all dimensions are swapped, whatever the data says. */
  readonly isWhole: boolean;
}

/** Names of what is run of an alignment. */
export const EDITED = {
  hard: "aligned",
  soft: "aligned, masks soft",
  fullSwap: "full swap",
  otherSite: "other site",
  random: "random ",
} as const;

const DRAWS = 5;

/** All that is run on each batch. */
export function variantsOf(
  aligned: IntervenableModel,
  { randomDraws = DRAWS }: { readonly randomDraws?: number },
  generator: Generator,
  otherSite?: IntervenableModel,
): readonly Variant[] {
  const isSoft = [...aligned.interventions].some(([, one]) => isMasked(one));
  const drawn = Array.from({ length: randomDraws }, (_, i) =>
    variant(`${EDITED.random}${i}`, randomOf(aligned, generator.split())),
  );
  return [
    variant(EDITED.hard, aligned),
    variant(EDITED.soft, isSoft ? aligned : undefined, { hard: false }),
    variant(EDITED.fullSwap, fullSwapOf(aligned), { isWhole: true }),
    variant(EDITED.otherSite, otherSite),
    ...drawn,
  ].flat();
}

function variant(
  name: string,
  aligned: IntervenableModel | undefined,
  { hard = true, isWhole = false }: Partial<Pick<Variant, "hard" | "isWhole">> = {},
): Variant[] {
  return aligned === undefined ? [] : [{ name, aligned, hard, isWhole }];
}
