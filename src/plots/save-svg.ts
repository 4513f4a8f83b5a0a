import type { TopLevelSpec } from "vega-lite";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { toSvg } from "./to-svg.ts";

/**
 * Draws a plot into a file. Missing directories are made; an old file of that name is replaced.
 *
 * @example
 * ```ts
 * import { heatMap, saveSvg } from "tsvene";
 * await saveSvg("out/plot.svg", heatMap([[0, 1]], { rows: ["a"], columns: ["b", "c"] }));
 * ```
 */
export async function saveSvg(path: string, plot: TopLevelSpec | string): Promise<void> {
  const svg = typeof plot === "string" ? plot : await toSvg(plot);
  await writeFileAtomic(path, (write) => write(new TextEncoder().encode(`${svg}\n`)));
}
