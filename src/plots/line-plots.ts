import type { TopLevelSpec } from "vega-lite";
import { fail } from "../base/errors.ts";
import { MUTED, plotConfig } from "./theme.ts";

/** Numbers over what all parts have in common. */
export interface LinePlot {
  /** What the numbers are, which stands at their axis. */
  readonly title: string;
  /** One for each place; NaN for what is missing. */
  readonly values: readonly number[];
  /** Lower ends of a band around the line. @default no band */
  readonly low?: readonly number[];
  /** Upper ends of it. */
  readonly high?: readonly number[];
}

/** How lines are drawn. */
export interface LinePlotsOptions {
  /** Text above. */
  readonly title: string;
  /** A second, smaller line under it. */
  readonly subtitle?: string;
  /** Places of the numbers: numbers, or names in their order. */
  readonly x: readonly (number | string)[];
  /** What the places are, such as "strength". */
  readonly xTitle: string;
  /** A place that a dotted line marks. @default none */
  readonly mark?: number;
}

const OP = "linePlots";
const BLUE = "#1f6fb4";
const [WIDTH, HEIGHT] = [420, 130];

/**
 * Lines one below the other over the same places, each with an axis of its own, as a Vega-Lite specification.
 *
 * @throws TsveneError where numbers and places are not as many.
 *
 * @example
 * ```ts
 * import { linePlots, toSvg } from "tsvene";
 * const spec = linePlots(
 *   [
 *     { title: "effect", values: [0, 1, 3], low: [0, 0.5, 2], high: [0, 1.5, 4] },
 *     { title: "cost", values: [0, 0.1, 0.9] },
 *   ],
 *   { title: "Strengths", x: [0, 1, 2], xTitle: "strength", mark: 0 },
 * );
 * console.log((await toSvg(spec)).length);
 * ```
 */
export function linePlots(parts: readonly LinePlot[], options: LinePlotsOptions): TopLevelSpec {
  const { title, subtitle, x, mark } = options;
  if (parts.length === 0) fail(OP, "there is nothing to draw");
  for (const { title: name, values, low = values, high = values } of parts) {
    const other = [values, low, high].find(({ length }) => length !== x.length);
    if (other === undefined) continue;
    fail(OP, `${name} has ${other.length} numbers, but there are ${x.length} places`);
  }
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: `${title}: ${parts.map((part) => part.title).join(", ")} at ${x.length} places.`,
    title: { text: title, ...(subtitle && { subtitle }) },
    vconcat: parts.map((part, i) => ({
      width: WIDTH,
      height: HEIGHT,
      data: { values: pointsOf(part, x) },
      encoding: { x: places(options, i === parts.length - 1) },
      layer: [
        ...(part.low && part.high ? [band(part)] : []),
        line(part),
        ...(mark === undefined ? [] : [markAt(mark)]),
      ],
    })),
    spacing: 16,
    config: plotConfig(),
  } as unknown as TopLevelSpec;
}

function pointsOf({ values, low, high }: LinePlot, x: LinePlotsOptions["x"]): readonly object[] {
  const known = (value: number | undefined): number | null =>
    value === undefined || Number.isNaN(value) ? null : value;
  return x.map((place, i) => ({
    place,
    value: known(values[i]),
    low: known(low?.[i]),
    high: known(high?.[i]),
  }));
}

function places({ x, xTitle }: LinePlotsOptions, isLast: boolean): object {
  const isNumbers = x.every((place) => typeof place === "number");
  return {
    field: "place",
    type: isNumbers ? "quantitative" : "ordinal",
    ...(isNumbers ? {} : { sort: [...x] }),
    axis: { title: isLast ? xTitle : null, labels: isLast, grid: isNumbers },
  };
}

function number(field: string, title: string): object {
  return {
    field,
    type: "quantitative",
    title,
    scale: { zero: false },
    axis: { grid: true, tickCount: 4 },
  };
}

function band({ title }: LinePlot): object {
  return {
    mark: { type: "area", color: BLUE, opacity: 0.18, invalid: "break-paths-filter-domains" },
    encoding: { y: number("low", title), y2: { field: "high" } },
  };
}

function line({ title }: LinePlot): object {
  return {
    mark: {
      type: "line",
      color: BLUE,
      strokeWidth: 1.8,
      point: { size: 26, color: BLUE },
      tooltip: { content: "data" },
      invalid: "break-paths-filter-domains",
    },
    encoding: { y: number("value", title) },
  };
}

function markAt(place: number): object {
  return {
    mark: { type: "rule", color: MUTED, strokeDash: [3, 3] },
    encoding: { x: { datum: place, type: "quantitative" } },
  };
}
