import { partsOf, range } from "../../base/lists.ts";
import type { ForwardOptions } from "../../intervenable/generation/arguments.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import { representationAt } from "../../intervenable/grid/site-representation.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { InterventionKind } from "../../intervenable/config/intervention-kind.ts";
import { ZeroIntervention } from "../../interventions/zero.ts";
import type { Module } from "../../nn/module.ts";
import { evaluateSharingRows } from "../../runtime/evaluate-sharing-rows.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { meanOf } from "../../training/alignment/statistics.ts";
import type { ContrastBatch, ContrastData, ContrastSide } from "../data/contrast-data.ts";
import type { ContrastMetric } from "../metrics/contrast-metric.ts";
import { traceMetric } from "../metrics/traced-metric.ts";
import { readNumbers } from "../results/read-numbers.ts";
import { meanStates } from "./mean-states.ts";
import { noiseAt } from "./noise-at.ts";
import type { SweepChunk } from "./plan-sweep.ts";
import type { SweepCell } from "./sweep-cells.ts";
import type { Sweep } from "./sweep-options.ts";
import { locationsOf, type Place, placesIn, type Row } from "./sweep-places.ts";
import type { SourcePlan } from "./sweep-source.ts";

const OP = "sweep";
/** A cell in which nothing is edited. */
const UNEDITED: SweepCell = { site: {}, index: 0, edited: [] };

/** What all programs of a sweep have in common. */
export interface SweepRuns {
  readonly model: Module;
  readonly data: ContrastData;
  readonly sweep: Sweep;
  readonly source: SourcePlan;
  readonly metric: Required<ContrastMetric>;
}

/** Rows of a batch, what is edited in them, and whether what comes before is read once. */
interface EditedRows {
  readonly rows: readonly Row[];
  readonly places: readonly Place[];
  readonly readsInTwo: boolean;
}

/**
 * Traces some pairs with the edits of some cells: each is a row of one batch, which each intervention edits
 * in its own cells. Nothing is computed but means that are put in.
 *
 * @returns The metric of each row: of cells, in them of pairs, and in these of draws.
 */
export async function traceCells(
  runs: SweepRuns,
  { cells, pairs, readsInTwo }: Pick<SweepChunk, "cells" | "pairs" | "readsInTwo">,
): Promise<Tensor> {
  const { draws, donorOf } = runs.source;
  const numbers = range(draws);
  const rows = cells.flatMap((cell) =>
    pairs.flatMap((pair) =>
      numbers.map((draw): Row => ({ cell, pair, draw, donor: donorOf(pair, draw) })),
    ),
  );
  const edited = { rows, places: placesIn(rows, cells), readsInTwo };
  const { batch, side } = batchOf(runs, rows);
  return valuesOf(runs, batch, side, await callEdited(runs, edited, batch[side]));
}

/** @returns The metric of each cell and pair, the pairs varying fastest; the mean of a pair's draws. */
export async function computeCells(
  { source: { draws } }: SweepRuns,
  traced: Tensor,
): Promise<readonly number[]> {
  return partsOf(await computed(traced), draws).map(meanOf);
}

/** Traces and computes. */
export async function runCells(
  runs: SweepRuns,
  chunk: Pick<SweepChunk, "cells" | "pairs" | "readsInTwo">,
): Promise<readonly number[]> {
  return computeCells(runs, await traceCells(runs, chunk));
}

/**
 * Traces all cells of one pair, and each position of the others: what cannot be edited is refused before
 * anything runs.
 */
export async function requireEditable(runs: SweepRuns, cells: readonly SweepCell[]): Promise<void> {
  const rowAt = (cell: SweepCell, pair: number): Row => ({ cell, pair, draw: 0, donor: pair });
  const byPosition = new Map(cells.map((cell) => [JSON.stringify(cell.site.position), cell]));
  const others = range(runs.data.length).slice(1);
  const rows = [
    ...cells.map((cell) => rowAt(cell, 0)),
    ...[...byPosition.values()].flatMap((cell) => others.map((pair) => rowAt(cell, pair))),
  ];
  const { batch, side } = batchOf(runs, rows);
  const edited = { rows, places: placesIn(rows, cells), readsInTwo: false };
  const given = { ...runs, source: { ...runs.source, isMean: false } };
  await callEdited(given, edited, batch[side]);
}

/** The inputs of rows, and which of them run with the edits. */
function batchOf(
  { data, sweep, source }: SweepRuns,
  rows: readonly Row[],
): { readonly batch: ContrastBatch; readonly side: ContrastSide } {
  const side = sweep.corruption === undefined ? source.base : "clean";
  return { batch: data.batch(rows.map(({ pair }) => pair)), side };
}

/** The metric of each pair without the edits of a cell. */
export async function runUnedited(
  runs: SweepRuns,
  pairs: readonly number[],
  side: ContrastSide,
): Promise<readonly number[]> {
  if (side === "corrupt" && runs.sweep.corruption !== undefined) {
    return runCells(runs, { cells: [UNEDITED], pairs, readsInTwo: false });
  }
  const batch = runs.data.batch(pairs);
  return computed(valuesOf(runs, batch, side, callModel(runs.model, batch[side])));
}

/** What rows have in common is computed once. */
async function computed(values: Tensor): Promise<readonly number[]> {
  await evaluateSharingRows([values], values.size(0));
  return readNumbers(values);
}

async function callEdited(
  runs: SweepRuns,
  { rows, places, readsInTwo }: EditedRows,
  inputs: unknown,
): Promise<unknown> {
  const { model, data, sweep, source } = runs;
  const { unit, corruption } = sweep;
  const intervention = kindOf(sweep);
  const noise = corruption && noiseAt(model, data, corruption, rows);
  const configs = places.map(({ name, site }) =>
    representationAt({ op: OP, name, intervention, unit }, site),
  );
  const edited = new IntervenableModel(
    noise === undefined ? configs : [noise.representation, ...configs],
    model,
  );
  const isRead = places.some(({ name }) => edited.interventions.get(name)?.sourceUse !== "none");
  const isRun = isRead && !source.isMean;
  const each = [
    ...(noise === undefined ? [] : [[noise.name, noise.locations] as const]),
    ...places.map((place) => [place.name, locationsIn(runs, rows, place, isRun)] as const),
  ];
  const isEdited = places.map(
    ({ name, sites }) => [name, sites.map((site) => site !== undefined)] as const,
  );
  return edited.forward(inputs, {
    ...(isRead ? await sourcesOf(runs, rows, places) : {}),
    rows: Object.fromEntries(isEdited),
    reusePrefix: readsInTwo,
    unitLocations: { [isRun ? "sources->base" : "base"]: { each: Object.fromEntries(each) } },
  }).intervened;
}

/** Where an intervention edits, and where it reads if it reads a run. */
function locationsIn(
  { data, sweep, source }: SweepRuns,
  rows: readonly Row[],
  place: Place,
  isRun: boolean,
): object | null {
  const side = sweep.corruption === undefined ? source.base : "clean";
  const base = locationsOf(data, rows, place, { pair: ({ pair }) => pair, side });
  if (!isRun || source.from === undefined) return base;
  const from = { pair: ({ donor }: Row) => donor, side: source.from };
  return { source: locationsOf(data, rows, place, from), base };
}

function kindOf({ source, intervention }: Sweep): InterventionKind | undefined {
  return source === "zero" ? ZeroIntervention : intervention;
}

/** What is put in: states of a run, or means that were computed before. */
async function sourcesOf(
  { model, data, sweep, source }: SweepRuns,
  rows: readonly Row[],
  places: readonly Place[],
): Promise<Pick<ForwardOptions<unknown>, "sources" | "sourceRepresentations">> {
  const { from, isMean } = source;
  if (from === undefined) return {};
  if (!isMean) return { sources: data.batch(rows.map(({ donor }) => donor))[from] };
  const means: (readonly [name: string, states: Tensor])[] = [];
  for (const place of places) {
    means.push([place.name, await meanStates(model, data, from, sweep.unit, place)]);
  }
  return { sourceRepresentations: Object.fromEntries(means) };
}

function valuesOf(
  { model, metric }: SweepRuns,
  batch: ContrastBatch,
  side: ContrastSide,
  output: unknown,
): Tensor {
  return traceMetric({ op: OP, model, metric, batch, side, output }).values;
}
