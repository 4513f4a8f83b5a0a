import { Generator } from "../../tensor/random/generator.ts";
import { sitesOf } from "../../intervenable/grid/grid-axes.ts";
import { siteKey } from "../../intervenable/grid/site-grid.ts";
import { alignmentAxes, type AlignmentGrid } from "./alignment-grid.ts";
import { AlignmentTable, type TableRow } from "./alignment-table.ts";
import { type EvalGridOptions, gridOptions } from "./eval-options.ts";
import { evalView } from "./grid-run.ts";
import { dataFor, type GridData, viewsOf } from "./grid-views.ts";

const OP = "evalAlignment";

/** Evaluates every site of a grid; see {@link evalAlignment}. */
export async function evalGrid(
  grid: AlignmentGrid,
  data: GridData,
  options: EvalGridOptions,
): Promise<AlignmentTable> {
  const settings = gridOptions(OP, options);
  const [position] = [grid.sites?.position ?? ""].flat();
  const axes = alignmentAxes(grid, dataFor(data, position).batch([0]).base);
  const sites = sitesOf(axes);
  const rows = new Map<string, TableRow>();
  for (const row of options.resume?.rows ?? []) rows.set(siteKey(row.site), row);
  const { name: metric, lowerIsBetter } = settings.metric;
  const table = (): AlignmentTable => {
    const found = sites.flatMap((site) => rows.get(siteKey(site)) ?? []);
    return new AlignmentTable({ axes, metric, lowerIsBetter, rows: found });
  };
  // A site draws the same numbers whatever was evaluated before.
  const root = new Generator(options.seed ?? 0);
  const cells = sites.map((site) => ({ site, generator: root.split() }));
  const waiting = cells.filter(({ site }) => !rows.has(siteKey(site)));
  for (const view of viewsOf(waiting, data, options.trainData, settings.batchSize)) {
    await evalView(grid, view, settings, options, (row) => {
      rows.set(siteKey(row.site), row);
      options.onProgress?.(rows.size, sites.length);
      options.onCell?.(row, table());
    });
  }
  return table();
}
