import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { hexColor, rampColor } from "../../plots/color-ramp.ts";
import { oneLine } from "../../plots/terminal-text.ts";
import { plotConfig } from "../../plots/theme.ts";
import { NamedArray } from "../results/named-array.ts";
import { labelsOf } from "../results/named-axis.ts";

/** How attention is drawn. */
export interface AttentionPlotOptions {
  /** Text above. @default "Attention" */
  readonly title?: string;
  /** Width and height of one token in pixels. @default so that a head is 48 to 160 wide */
  readonly cellSize?: number;
}

const OP = "attentionPlot";
const OPTIONS: OptionNames<AttentionPlotOptions> = { title: true, cellSize: true };
const AXES = ["layer", "head", "query", "key"];
const STEPS = 21;
/** Less is as good as white. */
const LEAST = 0.004;
const [NARROWEST, WIDEST] = [48, 160];
/** So few heads may be larger. */
const [FEW, WIDE] = [4, 320];
/** From this size on tokens are written. */
const WRITTEN = 13;

/** Patterns [layer, head, query, key], with a layer or head that was chosen put back. */
export function wholePatterns(op: string, patterns: NamedArray): NamedArray {
  if (!(patterns instanceof NamedArray)) {
    fail(op, "expected attention as attentionPatterns gives it");
  }
  const { name, axes, values } = patterns;
  const names = axes.map((axis) => axis.name);
  const own = AXES.filter((axis) => names.includes(axis));
  const isWhole = own.join() === names.join() && names.includes("query") && names.includes("key");
  if (!isWhole) {
    fail(op, `expected axes layer, head, query and key, got ${names.join(", ")}`);
  }
  const chosen = AXES.map((axis) => axes.find((one) => one.name === axis) ?? one(axis));
  return new NamedArray({ name, axes: chosen, values });
}

function one(name: string): NamedArray["axes"][number] {
  return { name, values: [""] };
}

/**
 * All heads of all layers side by side, each a triangle of queries and keys, as a Vega-Lite specification.
 * Colours run from 0 to 1 for every head.
 *
 * @param patterns - As `attentionPatterns` gives them, or `at` some layers and heads of them.
 *
 * @example
 * ```ts
 * import { attentionPlot, NamedArray, toSvg } from "tsvene";
 * const tokens = { values: [0, 1], labels: ["The", " cat"] };
 * const patterns = new NamedArray({
 *   name: "attention",
 *   axes: [
 *     { name: "layer", values: [0] },
 *     { name: "head", values: [0] },
 *     { name: "query", ...tokens },
 *     { name: "key", ...tokens },
 *   ],
 *   values: [1, 0, 0.25, 0.75],
 * });
 * console.log((await toSvg(attentionPlot(patterns))).length);
 * ```
 */
export function attentionPlot(
  patterns: NamedArray,
  options: AttentionPlotOptions = {},
): TopLevelSpec {
  requireKnownOptions(OP, options, OPTIONS);
  const whole = wholePatterns(OP, patterns);
  const [layers = 1, heads = 1, queries = 1, keys = 1] = whole.shape;
  const widest = layers * heads <= FEW ? WIDE : WIDEST;
  const cell = options.cellSize ?? Math.max(NARROWEST / keys, Math.min(widest / keys, WRITTEN + 5));
  const names = (axis: string): readonly string[] => labelsOf(whole.axis(axis)).map(oneLine);
  const panels = (field: "layer" | "head"): object => ({
    field,
    type: "nominal",
    sort: panelNames(whole, field),
    header: { title: null, labelFontSize: 12 },
  });
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: `Attention of each head, ${queries} queries by ${keys} keys; rows are queries.`,
    title: {
      text: options.title ?? "Attention",
      subtitle: "a row is a query, a column a key; colours from 0 to 1",
    },
    params: [
      { name: "queryNames", value: names("query") },
      { name: "keyNames", value: names("key") },
    ],
    data: { values: cellsOf(whole) },
    facet: { row: panels("layer"), column: panels("head") },
    spec: panelSpec(whole, cell),
    spacing: 10,
    config: plotConfig(),
  } as unknown as TopLevelSpec;
}

/** One head: its rows are queries. */
function panelSpec({ shape: [, , queries = 1, keys = 1] }: NamedArray, cell: number): object {
  const range = Array.from({ length: STEPS }, (_, i) =>
    hexColor(rampColor("sequential", "paper", i / (STEPS - 1))),
  );
  const at = (field: string, param: string): object => ({
    field,
    type: "ordinal",
    title: null,
    scale: { domain: Array.from({ length: field === "key" ? keys : queries }, (_, i) => i) },
    axis:
      cell < WRITTEN
        ? null
        : {
            labelExpr: `${param}[datum.value]`,
            labelFontSize: 10,
            labelPadding: 3,
            ...(field === "key" && { labelAngle: -60, orient: "bottom" }),
          },
  });
  return {
    width: cell * keys,
    height: cell * queries,
    view: { stroke: "#d3d6da" },
    mark: { type: "rect", tooltip: { content: "data" } },
    encoding: {
      x: at("key", "keyNames"),
      y: at("query", "queryNames"),
      color: {
        field: "value",
        type: "quantitative",
        scale: { domain: [0, 1], range },
        legend: { title: "attention", gradientThickness: 10, tickCount: 5 },
      },
      tooltip: [{ field: "label", type: "nominal", title: "attention" }],
    },
  };
}

function cellsOf(whole: NamedArray): readonly object[] {
  const [queries, keys] = ["query", "key"].map((axis) => labelsOf(whole.axis(axis))) as [
    readonly string[],
    readonly string[],
  ];
  const [layers, heads] = [panelNames(whole, "layer"), panelNames(whole, "head")];
  return Array.from(whole.values, (value, index) => {
    const key = index % keys.length;
    const rest = Math.floor(index / keys.length);
    const query = rest % queries.length;
    const panel = Math.floor(rest / queries.length);
    const [layer, head] = [layers[Math.floor(panel / heads.length)], heads[panel % heads.length]];
    const label = `${JSON.stringify(queries[query])} to ${JSON.stringify(keys[key])}: ${value.toFixed(3)}`;
    return { layer, head, query, key, value, label };
  }).filter(({ value }) => value >= LEAST);
}

function panelNames(whole: NamedArray, axis: "layer" | "head"): readonly string[] {
  return labelsOf(whole.axis(axis)).map((label) => (label === "" ? "" : `${axis} ${label}`));
}
