import { fail } from "../../base/errors.ts";
import type { AxisValue, GridSite } from "../../intervenable/grid/site-grid.ts";
import { placesAt, representationAt } from "../../intervenable/grid/site-representation.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { isRecord } from "../../intervenable/units/each.ts";
import type { UnitLocations } from "../../intervenable/units/locations.ts";
import type { AlignmentBatch } from "../data/alignment-data.ts";
import { type AlignmentGrid, variableAt } from "./alignment-grid.ts";

const OP = "evalAlignment";

/** The interventions of one site, not trained. */
export function alignmentAt(grid: AlignmentGrid, site: GridSite): IntervenableModel {
  const { model, intervention, unit } = grid;
  const at = { op: OP, name: variableAt(site), intervention, unit };
  return new IntervenableModel(representationAt(at, site), model);
}

/**
 * A batch for one site: its variable alone, at its locations.
 *
 * @param isNamed - Whether the data was made for the site's position.
 */
export function batchAt<Inputs>(
  { sources, rows, unitLocations, ...batch }: AlignmentBatch<Inputs>,
  site: GridSite,
  isNamed: boolean,
): AlignmentBatch<Inputs> {
  const variable = variableAt(site);
  const own = rows?.[variable];
  const stage =
    placesOf(site, isNamed) ?? withHead(locationsOf(unitLocations, variable), site.head);
  return {
    ...batch,
    sources: { [variable]: sourceOf(sources, variable) as Inputs },
    ...(own === undefined ? {} : { rows: { [variable]: own } }),
    ...(stage === undefined ? {} : { unitLocations: { "sources->base": stage } as UnitLocations }),
  };
}

function sourceOf(sources: AlignmentBatch["sources"], variable: string): unknown {
  const source = sources[variable];
  if (source !== undefined) return source;
  const there = Object.keys(sources).join(", ") || "none";
  return fail(OP, `the data has no source of ${variable}; it has ${there}`);
}

/** What the axes say of places; undefined where they say nothing. */
function placesOf(site: GridSite, isNamed: boolean): unknown {
  const { step, head, position } = site;
  if (step === undefined && (isNamed || (head === undefined && position === undefined))) {
    return undefined;
  }
  if (typeof position === "string" && position !== "last") refuseName(position);
  return placesAt(site, position);
}

function refuseName(position: string): never {
  fail(
    OP,
    `position ${JSON.stringify(position)} is a name; give the data as a function of it: ` +
      `(position) => promptPairs(tokenizer, examples, { positions: places[position] })`,
  );
}

/** Positions of the data at one head of the grid. */
function withHead(stage: unknown, head: AxisValue | undefined): unknown {
  if (head === undefined || stage === undefined) return stage;
  if (!isRecord(stage)) return { head, position: stage };
  const { source, base } = stage;
  return { source: withHead(source, head), base: withHead(base, head) };
}

/** Of locations that are said for each variable, those of one. */
function locationsOf(locations: UnitLocations | undefined, variable: string): unknown {
  const stage: unknown = locations?.["sources->base"] ?? locations?.base;
  if (!isRecord(stage) || !("each" in stage)) return stage;
  const { each } = stage;
  if (isRecord(each)) return each[variable];
  return fail(OP, "the data's locations are a list for each intervention; say them by name");
}

/** What decides the shape of a cell's program: cells that differ in places only have one. */
export function programKey({ head, step, position, dimensions, ...site }: GridSite): string {
  const isWhole = (value: AxisValue | undefined): boolean => value === undefined;
  return JSON.stringify([
    site,
    isWhole(head),
    isWhole(step),
    isWhole(position),
    isWhole(dimensions),
  ]);
}
