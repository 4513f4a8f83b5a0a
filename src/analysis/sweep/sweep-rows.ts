import { callModel } from "../../intervenable/call/trace.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { GridSite } from "../../intervenable/grid/site-grid.ts";
import {
  placeKey,
  placesAt,
  representationAt,
} from "../../intervenable/grid/site-representation.ts";
import type { Module } from "../../nn/module.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { logitsOf } from "../../training/alignment/logits-of.ts";
import type { ContrastBatch, ContrastData, ContrastSide } from "../data/contrast-data.ts";
import type { ContrastMetric } from "../metrics/contrast-metric.ts";
import { placesOf, type SweepCell } from "./sweep-cells.ts";
import type { Sweep } from "./sweep-options.ts";

const OP = "sweep";

/** The two inputs of a sweep: the one that runs with edits, and the one that states are taken from. */
export const SIDES = {
  denoise: { base: "corrupt", source: "clean" },
  noise: { base: "clean", source: "corrupt" },
} as const;

/** What all programs of a sweep have in common. */
export interface SweepRuns {
  readonly model: Module;
  readonly data: ContrastData;
  readonly sweep: Sweep;
  readonly metric: Required<ContrastMetric>;
}

/** One run: a pair with the edits of a cell. */
interface Row {
  readonly cell: SweepCell;
  readonly pair: number;
}

/**
 * Traces some pairs with the edits of some cells: each is a row of one batch, which each intervention edits
 * in its own cells.
 *
 * @returns The metric, [cells * pairs], the pairs varying fastest.
 */
export function traceRows(
  runs: SweepRuns,
  cells: readonly SweepCell[],
  pairs: readonly number[],
): Tensor {
  const { model, data, sweep, metric } = runs;
  const { base, source } = SIDES[sweep.direction ?? "denoise"];
  const rows = cells.flatMap((cell) => pairs.map((pair): Row => ({ cell, pair })));
  const places = [...placesOf(cells)].map(([key, site], i) => ({ key, site, name: `site ${i}` }));
  const batch = data.batch(rows.map(({ pair }) => pair));
  const { intervention, unit } = sweep;
  const edited = new IntervenableModel(
    places.map(({ name, site }) => representationAt({ op: OP, name, intervention, unit }, site)),
    model,
  );
  const isRead = [...edited.interventions].some(([, { sourceUse }]) => sourceUse !== "none");
  const sites = places.map(({ key, name }) => [name, sitesByRow(rows, key)] as const);
  const isEdited = sites.map(([name, own]) => [name, own.map((site) => site !== undefined)]);
  const each = sites.map(([name, own]) => [name, locationsOf(runs, rows, own, isRead)] as const);
  const stage = isRead ? "sources->base" : "base";
  const { intervened } = edited.forward(batch[base], {
    ...(isRead ? { sources: batch[source] } : {}),
    rows: Object.fromEntries(isEdited) as Readonly<Record<string, boolean[]>>,
    unitLocations: { [stage]: { each: Object.fromEntries(each) } },
  });
  return valuesOf(runs, metric, batch, base, intervened);
}

/** Traces pairs without edits: the metric of each, [pairs]. */
export function traceUnedited(
  runs: SweepRuns,
  pairs: readonly number[],
  side: ContrastSide,
): Tensor {
  const { model, data, metric } = runs;
  const batch = data.batch(pairs);
  return valuesOf(runs, metric, batch, side, callModel(model, batch[side]));
}

function valuesOf(
  { model }: SweepRuns,
  metric: Required<ContrastMetric>,
  batch: ContrastBatch,
  side: ContrastSide,
  output: unknown,
): Tensor {
  const logits = (of: unknown, at: ContrastSide): Tensor => {
    const labelPositions = batch.answerPositions?.[at];
    return logitsOf(OP, of, labelPositions === undefined ? {} : { labelPositions });
  };
  return metric.values({
    batch,
    get logits() {
      return logits(output, side);
    },
    get cleanLogits() {
      return logits(callModel(model, batch.clean), "clean");
    },
  });
}

/** For each row, the site where the intervention of a place edits it; undefined where it does not. */
function sitesByRow(rows: readonly Row[], place: string): readonly (GridSite | undefined)[] {
  return rows.map(({ cell }) => cell.edited.find((site) => placeKey(site) === place));
}

/** Where one intervention reads and edits in each row; null for the whole tensor. */
function locationsOf(
  { data, sweep }: SweepRuns,
  rows: readonly Row[],
  sites: readonly (GridSite | undefined)[],
  isRead: boolean,
): object | null {
  const known = sites.find((site) => site !== undefined);
  if (known === undefined) return null;
  const { step, head, position } = known;
  if (step === undefined && head === undefined && position === undefined) return null;
  // A row that is not edited has places as well, of which nothing comes.
  const inRows = <T>(of: (site: GridSite, pair: number) => T): readonly T[] =>
    rows.map(({ pair }, i) => of(sites[i] ?? known, pair));
  const sideAt = (side: ContrastSide): unknown =>
    placesAt(
      {
        ...(step !== undefined && { step: inRows((site) => [site.step]) as never }),
        ...(head !== undefined && { head: inRows((site) => [site.head]) as never }),
      },
      position === undefined
        ? undefined
        : inRows((site, pair) => positionsOf(data, site.position as number | string, pair, side)),
    );
  const { base, source } = SIDES[sweep.direction ?? "denoise"];
  return isRead ? { source: sideAt(source), base: sideAt(base) } : (sideAt(base) as object);
}

function positionsOf(
  data: ContrastData,
  position: number | string,
  pair: number,
  side: ContrastSide,
): readonly (number | string)[] {
  return data.places?.(position, pair, side) ?? [position];
}
