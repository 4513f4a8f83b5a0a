import type { AxisValue } from "../../intervenable/grid/site-grid.ts";
import type { Effects } from "../results/effects.ts";
import { agreementOf, firstAndRandom } from "../results/check-estimates.ts";
import { planSweep, rowsAtOnce } from "../sweep/plan-sweep.ts";
import type { SweepCell, SweepCells } from "../sweep/sweep-cells.ts";
import { runCells, type SweepRuns } from "../sweep/sweep-rows.ts";
import { meanOf } from "../../training/alignment/statistics.ts";
import type { AttributionCheck, CheckedEstimate } from "./attribution-options.ts";

/** Runs the greatest cells, and as many at random, exactly. */
export async function verifyEstimates(
  runs: SweepRuns,
  { axes, cells }: SweepCells,
  effects: Effects,
  count: number,
  memoryBudget?: number,
): Promise<AttributionCheck> {
  const estimates = effects.change().values;
  const chosen = chosenCells(cells, estimates, count);
  const changes = await exactChanges(runs, chosen, effects.base, memoryBudget);
  const checked = chosen.map((cell, i): CheckedEstimate => ({
    at: (axes[0]?.name === "node"
      ? { node: axes[0].values[cell.index] as AxisValue }
      : cell.site) as CheckedEstimate["at"],
    estimate: estimates[cell.index] ?? NaN,
    exact: changes[i] ?? NaN,
  }));
  return { cells: checked, ...agreementOf(checked) };
}

function chosenCells(
  cells: readonly SweepCell[],
  estimates: Float64Array,
  count: number,
): readonly SweepCell[] {
  const size = ({ index }: SweepCell): number => Math.abs(estimates[index] ?? 0);
  const sorted = cells.toSorted((a, b) => size(b) - size(a));
  return firstAndRandom(sorted, count);
}

/** What the cells' edits change, the mean over the pairs. */
async function exactChanges(
  runs: SweepRuns,
  cells: readonly SweepCell[],
  base: readonly number[],
  memoryBudget: number | undefined,
): Promise<readonly number[]> {
  const values = new Map(cells.map((cell) => [cell, [] as number[]]));
  for (const chunk of planSweep(runs, cells, rowsAtOnce(runs, cells, memoryBudget))) {
    const numbers = await runCells(runs, chunk);
    chunk.cells.forEach((cell, c) => {
      const start = c * chunk.pairs.length;
      values.get(cell)?.push(...numbers.slice(start, start + chunk.pairs.length));
    });
  }
  return cells.map((cell) =>
    meanOf((values.get(cell) ?? []).map((value, pair) => value - (base[pair] ?? NaN))),
  );
}
