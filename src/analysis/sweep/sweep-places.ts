import type { GridSite } from "../../intervenable/grid/site-grid.ts";
import { placeKey, placesAt } from "../../intervenable/grid/site-representation.ts";
import type { ContrastData, ContrastSide } from "../data/contrast-data.ts";
import { placesOf, type SweepCell } from "./sweep-cells.ts";
import type { Run } from "./sweep-source.ts";

/** One run of a sweep: a row of a batch. */
export type Row = Run<SweepCell>;

/** A tensor that one intervention edits, and where it does so in each row. */
export interface Place {
  /** Name of the intervention. */
  readonly name: string;
  /** A site of it, which says the tensor. */
  readonly site: GridSite;
  /** For each row, the site that is edited; undefined where the row is not. */
  readonly sites: readonly (GridSite | undefined)[];
}

/** The places that some rows edit, in the order of the cells. */
export function placesIn(rows: readonly Row[], cells: readonly SweepCell[]): readonly Place[] {
  const edited = new Map(
    cells.map((cell) => [cell, new Map(cell.edited.map((site) => [placeKey(site), site]))]),
  );
  return [...placesOf(cells)].map(([key, site], i) => ({
    name: `site ${i}`,
    site,
    sites: rows.map(({ cell }) => edited.get(cell)?.get(key)),
  }));
}

/** Which pair, and which of its inputs, a row is read or edited in. */
export interface Side {
  readonly pair: (row: Row) => number;
  readonly side: ContrastSide;
}

/** Where an intervention reads or edits in each row; null for the whole tensor. */
export function locationsOf(
  data: ContrastData,
  rows: readonly Row[],
  { site, sites }: Pick<Place, "site" | "sites">,
  { pair, side }: Side,
): object | null {
  const { step, head, position } = site;
  if (step === undefined && head === undefined && position === undefined) return null;
  // A row that is not edited has places as well, of which nothing comes.
  const inRows = <T>(of: (own: GridSite, row: Row) => T): readonly T[] =>
    rows.map((row, i) => of(sites[i] ?? site, row));
  const axes = {
    ...(step !== undefined && { step: inRows((own) => [own.step]) as never }),
    ...(head !== undefined && { head: inRows((own) => [own.head]) as never }),
  };
  if (position === undefined) return placesAt(axes, undefined) as object;
  return placesAt(
    axes,
    inRows((own, row) => positionsOf(data, own.position, pair(row), side)),
  ) as object;
}

/** The positions of a pair's input that a position of the grid means. */
export function positionsOf(
  data: ContrastData,
  position: GridSite["position"],
  pair: number,
  side: ContrastSide,
): readonly (number | string)[] {
  const at = position as number | string;
  return data.places?.(at, pair, side) ?? [at];
}
