import { expandPartition } from "../../interventions/subspaces.ts";
import type { AxisValue, GridSite } from "../../intervenable/grid/site-grid.ts";
import type { Site } from "../../intervenable/sites/address.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { range } from "../../base/lists.ts";
import { readPlace } from "../residual/residual-sites.ts";
import { positionsOf } from "../sweep/sweep-places.ts";
import type { SIDES } from "../sweep/sweep-source.ts";
import type { CellsAtPlace } from "./attribution-cells.ts";

/** Which rows are which pairs, and which input is edited. */
export interface CellPairs {
  readonly data: ContrastData;
  readonly pairs: readonly number[];
  readonly sides: (typeof SIDES)[keyof typeof SIDES];
}

/** A position of a grid, in each pair: the numbers of its row's positions. */
export interface CellPlaces {
  readonly base: readonly (readonly number[])[];
  readonly source: readonly (readonly number[])[];
}

/** Values of an axis that a place's cells are along, in order; a single undefined for none. */
export function valuesAlong(
  { cells }: CellsAtPlace,
  axis: keyof GridSite,
): readonly (AxisValue | undefined)[] {
  const byKey = new Map(cells.map(({ site }) => [JSON.stringify(site[axis]), site[axis]]));
  return [...byKey.values()];
}

/** The tensor at a site as [batch, positions, heads, width]: one head where it has none. */
export function cellView(value: Tensor, site: Site): Tensor {
  if (site.layout.headsFirst) return value.transpose(1, 2);
  const own = readPlace(value, site);
  if (own.ndim === 2) return own.reshape([own.size(0), 1, 1, own.size(1)]);
  if (site.layout.heads !== undefined) return own;
  return own.reshape([own.size(0), own.size(1), 1, own.shape.slice(2).reduce((a, b) => a * b, 1)]);
}

/** Where the positions of a place's cells are, by their values; undefined for cells of all positions. */
export function placesOfCells(
  place: CellsAtPlace,
  { data, pairs, sides }: CellPairs,
  length: number,
): readonly CellPlaces[] | undefined {
  const positions = valuesAlong(place, "position");
  if (positions.every((position) => position === undefined)) return undefined;
  return positions.map((position) => {
    const at = (side: "clean" | "corrupt"): CellPlaces["base"] =>
      pairs.map((pair) =>
        positionsOf(data, position as number | string, pair, side).map((own) =>
          own === "last" ? length - 1 : Number(own),
        ),
      );
    return { base: at(sides.base), source: at(sides.from) };
  });
}

/** Ones where positions are chosen, [batch, 1, length]. */
export function maskOf(rows: readonly (readonly number[])[], length: number): Tensor {
  const ones = rows.map((own) => [range(length).map((t) => (own.includes(t) ? 1 : 0))]);
  return tensor(ones);
}

/** What a state of the source in the base's place is estimated to change, term by term. */
export type Terms = (source: Tensor) => Tensor;

/**
 * The estimated change of each cell: the sum of the terms that it has.
 *
 * @param source - States of the source, as {@link cellView} gives them.
 * @param terms - Of states of the source, [batch, positions, heads, width].
 * @returns [batch, positions, heads, dimensions], of the cells' values along these.
 */
export function cellSums(
  place: CellsAtPlace,
  pairs: CellPairs,
  source: Tensor,
  terms: Terms,
): Tensor {
  const length = source.size(1);
  const places = placesOfCells(place, pairs, length);
  const ofDimensions = (from: Tensor): Tensor => sumDimensions(place, terms(from));
  if (places === undefined) return ofDimensions(source).sum({ dim: 1, keepdim: true });
  return byAlignment(source, places, (from, own) => {
    const masks = cat(
      own.map(({ base }) => maskOf(base, length)),
      1,
    );
    const summed = ofDimensions(from);
    const [batch = 1, , heads = 1, dims = 1] = summed.shape;
    const flat = summed.reshape([batch, length, heads * dims]);
    return masks.matmul(flat).reshape([batch, own.length, heads, dims]);
  });
}

/** Sums at places, [batch, places, ...]: together where both inputs have them at the same positions. */
export function byAlignment(
  source: Tensor,
  places: readonly CellPlaces[],
  sums: (source: Tensor, places: readonly CellPlaces[]) => Tensor,
): Tensor {
  const isSame = (own: CellPlaces): boolean =>
    JSON.stringify(own.base) === JSON.stringify(own.source);
  if (places.every(isSame)) return sums(source, places);
  return cat(
    places.map((own) => sums(aligned(source, own), [own])),
    1,
  );
}

/** States of the source where those of the base are that they replace. */
function aligned(source: Tensor, { base, source: from }: CellPlaces): Tensor {
  const length = source.size(1);
  const rows = base.map((own, row) =>
    range(length).map((t) => {
      const i = own.indexOf(t);
      return i < 0 ? t : (from[row]?.[i] ?? t);
    }),
  );
  const index = tensor(rows, { dtype: "int64" }).reshape([rows.length, length, 1, 1]);
  return source.takeAlongDim(index.expand(source.shape), 1);
}

function sumDimensions(place: CellsAtPlace, product: Tensor): Tensor {
  const [first, ...rest] = valuesAlong(place, "dimensions");
  if (first === undefined) return product.sum({ dim: -1, keepdim: true });
  const groups = expandPartition("attribute", [first, ...rest] as readonly (readonly number[])[]);
  if (groups.every((group) => group.length === 1)) {
    return product.indexSelect(-1, groups.flat());
  }
  const width = product.size(-1);
  const columns = range(width).map((i) => groups.map((group) => (group.includes(i) ? 1 : 0)));
  return product.matmul(tensor(columns));
}

/** The numbers of {@link cellSums} in the cells' rows: `[cell index, pair row] => value`. */
export function eachCell(
  place: CellsAtPlace,
  shape: readonly number[],
  take: (index: number, row: number, offset: number) => void,
): void {
  const [batch = 1, positions = 1, heads = 1, dims = 1] = shape;
  const along = (["position", "head", "dimensions"] as const).map((axis) => {
    const values = valuesAlong(place, axis).map((value) => JSON.stringify(value));
    return (site: GridSite): number => values.indexOf(JSON.stringify(site[axis]));
  });
  for (const { site, index } of place.cells) {
    const [p = 0, , d = 0] = along.map((of) => of(site));
    const h = typeof site.head === "number" ? site.head : 0;
    for (let row = 0; row < batch; row++) {
      take(index, row, ((row * positions + p) * heads + h) * dims + d);
    }
  }
}
