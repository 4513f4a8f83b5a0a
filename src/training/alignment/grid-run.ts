import { partsOf } from "../../base/lists.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { drawingFrom } from "../../tensor/random/generator.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { AlignmentBatch } from "../data/alignment-data.ts";
import { type AlignmentGrid, variableAt } from "./alignment-grid.ts";
import { AlignmentScore } from "./alignment-score.ts";
import type { TableRow } from "./alignment-table.ts";
import { type EvalGridOptions, familiesOf, trainerOf } from "./eval-options.ts";
import { alignmentAt, batchAt, programKey } from "./grid-cell.ts";
import { dataAt, type GridCell, type GridView } from "./grid-views.ts";
import { groupedBy } from "./grouped.ts";
import { maskReports, warnOfUndecided } from "./mask-reports.ts";
import { shuffledLabelsScore } from "./shuffled-labels.ts";
import { summarize } from "./summarize.ts";
import { type Tally, tally, type TallyOptions, traceVariant } from "./tally.ts";
import { traceUnedited } from "./unedited.ts";
import { type Variant, variantsOf } from "./variants.ts";

/** Sites whose runs are one program: more of them share more, and take longer to compile. */
const TOGETHER = 8;

/** A site with its interventions. */
interface MadeCell extends GridCell {
  readonly aligned: IntervenableModel;
  readonly variants: readonly Variant[];
}

/** Evaluates sites that share their examples; what has no intervention is run once for all. */
export async function evalView(
  grid: AlignmentGrid,
  view: GridView,
  settings: TallyOptions,
  options: EvalGridOptions,
  take: (row: TableRow) => void,
): Promise<void> {
  let unedited: Tally | undefined;
  for (const chunk of chunksOf(view.cells, options.train === undefined ? TOGETHER : 1)) {
    settings.signal?.throwIfAborted();
    const made: MadeCell[] = [];
    for (const cell of chunk) made.push(await madeAt(grid, view, cell, options));
    const isFirst = unedited === undefined;
    const tallied = await tally(view.data, [view.examples], settings, (batch) => {
      const traced = isFirst ? traceUnedited(settings, grid.model, batch) : new Map();
      return traceCells(settings, view, made, batch, traced);
    });
    unedited ??= tallied;
    for (const [i, cell] of made.entries()) {
      take(await rowOf(view, cell, settings, options, { edited: ofCell(tallied, i), unedited }));
    }
  }
}

/** Sites with programs of one shape, in parts as equal as can be, so that these are compiled once. */
function chunksOf(cells: readonly GridCell[], most: number): readonly (readonly GridCell[])[] {
  return [...groupedBy(cells, ({ site }) => programKey(site)).values()].flatMap((group) => {
    const size = Math.ceil(group.length / Math.ceil(group.length / most));
    return partsOf(group, size);
  });
}

/** The interventions of a site, trained where that was asked for. */
async function madeAt(
  grid: AlignmentGrid,
  { data, train, isNamed }: GridView,
  cell: GridCell,
  options: EvalGridOptions,
): Promise<MadeCell> {
  const { site, generator } = cell;
  const { base } = batchAt(data.batch([0]), site, isNamed);
  const aligned = drawingFrom(generator, () => alignmentAt(grid, site).inferWidths(base));
  if (train !== undefined) await trainerOf(options)?.(aligned, dataAt(train, site));
  return { ...cell, aligned, variants: variantsOf(aligned, options, generator) };
}

function traceCells(
  settings: TallyOptions,
  { isNamed }: GridView,
  cells: readonly MadeCell[],
  batch: AlignmentBatch,
  traced: Map<string, Tensor>,
): Map<string, Tensor> {
  for (const [i, { site, variants }] of cells.entries()) {
    const own = batchAt(batch, site, isNamed);
    for (const one of variants) traced.set(`${i} ${one.name}`, traceVariant(settings, one, own));
  }
  return traced;
}

/** What was run at one of several sites. */
function ofCell(tallied: Tally, cell: number): Tally {
  const prefix = `${cell} `;
  const own = [...tallied].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, values]) => [name.slice(prefix.length), values]));
}

async function rowOf(
  view: GridView,
  { site, aligned }: MadeCell,
  settings: TallyOptions,
  options: EvalGridOptions,
  tallies: { readonly edited: Tally; readonly unedited: Tally },
): Promise<TableRow> {
  const masks = await maskReports(aligned);
  warnOfUndecided(settings.op, masks);
  const trainData = view.train && dataAt(view.train, site);
  const shuffled = { ...options, train: trainerOf(options), trainData };
  const fields = summarize({
    ...tallies,
    metric: settings.metric,
    variables: view.examples.map(() => [variableAt(site)]),
    families: familiesOf(options, view.examples),
    others: view.data.length - view.examples.length,
    masks,
    shuffledLabels: await shuffledLabelsScore(aligned, dataAt(view, site), settings, shuffled),
  });
  return { site, score: new AlignmentScore(fields) };
}
