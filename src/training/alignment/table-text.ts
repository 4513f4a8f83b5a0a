import { terminalTable } from "../../plots/terminal-table.ts";
import type { AlignmentScore } from "./alignment-score.ts";
import type { AlignmentTableFields } from "./alignment-table.ts";
import { controlsText, drawnAxes, gridsOf, longNames, metricText, siteText } from "./table-grid.ts";

/** A table as lines for the terminal. */
export function tableLines(table: AlignmentTableFields): string[] {
  const { rows, axes } = table;
  const sites = axes.reduce((count, { values }) => count * values.length, 1);
  const part = rows.length < sites ? `, ${rows.length} of ${sites} sites` : "";
  const title = `${metricText(table)}${part}`;
  const grids = gridsOf(table, drawnAxes(table));
  const parts = grids.map(({ site, rowAxis, columnAxis, scores }) => {
    const values = scores.map((line) => line.map(valueOf));
    const options = { rows: longNames(rowAxis), columns: longNames(columnAxis), digits: 3 };
    const known = scores.flat().flatMap((score) => score ?? []);
    const text = [siteText(site), terminalTable(values, options), `  ${controlsText(known)}`];
    // An axis that is not drawn has no names, and a heading without names is none.
    return text
      .join("\n")
      .split("\n")
      .filter((line) => line.trim() !== "")
      .join("\n");
  });
  return [title, ...parts];
}

function valueOf(score: AlignmentScore | undefined): number {
  return score?.iia ?? NaN;
}
