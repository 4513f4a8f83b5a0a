import type { TopLevelSpec } from "vega-lite";
import { heatMap, type HeatMapOptions } from "./heat-map.ts";
import { readGrid } from "./grid.ts";
import { plotConfig } from "./theme.ts";

/** One of several heat maps. */
export interface HeatMapPart {
  /** Numbers, row by row from the top; NaN leaves a cell empty. */
  readonly values: readonly (readonly number[])[];
  /** Names, titles and colours. */
  readonly options: HeatMapOptions;
}

/** How several heat maps stand together. */
export interface HeatMapsOptions {
  /** Text above all of them. */
  readonly title?: string;
  /** A second, smaller line under it. */
  readonly subtitle?: string;
  /** How many stand side by side. @default 4 */
  readonly columns?: number;
}

/**
 * Heat maps side by side, with one scale of colours for all of them, as a Vega-Lite specification.
 *
 * @throws TsveneError when values and names do not fit.
 *
 * @example
 * ```ts
 * import { heatMaps, toSvg } from "tsvene";
 * const names = { rows: ["layer 0"], columns: ["head 0", "head 1"] };
 * const spec = heatMaps([
 *   { values: [[0.1, 0.9]], options: { ...names, title: "before" } },
 *   { values: [[0.4, 0.2]], options: { ...names, title: "after" } },
 * ]);
 * console.log(await toSvg(spec));
 * ```
 */
export function heatMaps(
  parts: readonly HeatMapPart[],
  { title, subtitle, columns = 4 }: HeatMapsOptions = {},
): TopLevelSpec {
  const domains = parts.map(({ values, options }) => readGrid("heatMaps", values, options).domain);
  const domain = [
    Math.min(...domains.map(([least]) => least)),
    Math.max(...domains.map(([, most]) => most)),
  ] as const;
  const drawn = parts.map(({ values, options }, part) => {
    const { $schema: _, config: __, ...spec } = heatMap(values, { ...options, domain });
    return withOwnNames(spec, part);
  });
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    ...(title === undefined ? {} : { title: { text: title, ...(subtitle && { subtitle }) } }),
    columns,
    params: drawn.flatMap(({ params }) => params),
    concat: drawn.map(({ spec }) => spec),
    config: plotConfig(),
  } as unknown as TopLevelSpec;
}

/** Names of rows and columns are parameters of the whole specification, so that each map has its own. */
function withOwnNames(
  { params, ...spec }: { readonly params?: unknown },
  part: number,
): { readonly params: readonly unknown[]; readonly spec: unknown } {
  const text = JSON.stringify({ params, spec });
  return JSON.parse(text.replaceAll(/\b(?:row|column)Names\b/g, `$&${part}`)) as never;
}
