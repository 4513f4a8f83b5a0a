import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { partsOf, range } from "../../base/lists.ts";
import { representationAt } from "../../intervenable/grid/site-representation.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { CollectIntervention } from "../../interventions/collect.ts";
import { blocksOf } from "./sweep-blocks.ts";
import type { SweepCell } from "./sweep-cells.ts";
import type { SweepRuns } from "./sweep-rows.ts";

/** Cells and pairs that one program computes. */
export interface SweepChunk {
  readonly cells: readonly SweepCell[];
  readonly pairs: readonly number[];
  /** Whether what comes before the first edited position is read once, and the rest for each row. */
  readonly readsInTwo: boolean;
  /** Whether its cells are finished after it. */
  readonly isLast: boolean;
}

const OP = "sweep";
/** Bytes that the states of one program may take where nothing is said. */
export const BUDGET: number = 2 ** 28;
/** How many states of a layer's size live at once while a program runs. */
const LIVE = 6;

/**
 * How many pairs the budget allows in one program, each with the edits of one cell.
 * @throws TsveneError for a budget that is too small for one.
 */
export function rowsAtOnce(
  runs: SweepRuns,
  cells: readonly SweepCell[],
  memoryBudget: number = BUDGET,
): number {
  if (!(memoryBudget > 0)) {
    fail(OP, `memoryBudget must be a number of bytes, got ${shown(memoryBudget)}`);
  }
  const [first] = cells;
  const bytes = first === undefined ? 1 : bytesOfRow(runs, first) * LIVE;
  const rows = Math.floor(memoryBudget / (bytes * runs.source.draws));
  if (rows > 0) return rows;
  return fail(
    OP,
    `memoryBudget is ${memoryBudget} bytes, but one run of one cell takes about ${bytes}`,
  );
}

/**
 * What is computed together: as many cells as rows allow, of all pairs if they fit. The numbers do not depend
 * on it.
 */
export function planSweep(
  runs: SweepRuns,
  cells: readonly SweepCell[],
  rows: number,
): readonly SweepChunk[] {
  const pairCount = runs.data.length;
  const most = Math.max(1, Math.floor(rows / pairCount));
  const pairs = partsOf(range(pairCount), rows);
  return blocksOf(runs, cells, most).flatMap(({ cells: block, readsInTwo }) =>
    partsOf(block, most).flatMap((own) =>
      pairs.map((some, i) => ({
        cells: own,
        pairs: some,
        readsInTwo,
        isLast: i === pairs.length - 1,
      })),
    ),
  );
}

/** Bytes of the state that is edited, for one pair. */
function bytesOfRow({ model, data, sweep }: SweepRuns, { edited: [site] }: SweepCell): number {
  if (site === undefined) return 1;
  const { intervention: _, ...at } = { ...sweep, op: OP, name: "state" };
  const place = representationAt({ ...at, intervention: CollectIntervention }, site);
  const collector = new IntervenableModel(place, model);
  const { collected } = collector.forward(data.batch([0]).clean);
  return 4 * collected.reduce((sum, { numel }) => sum + numel, 0);
}
