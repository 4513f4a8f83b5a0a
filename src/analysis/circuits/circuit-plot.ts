import type { TopLevelSpec } from "vega-lite";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { hexColor, rampColor } from "../../plots/color-ramp.ts";
import { INK, MUTED, plotConfig } from "../../plots/theme.ts";
import type { ResidualEdge } from "../residual/residual-edges.ts";
import type { Circuit } from "./circuit.ts";

/** How a circuit is drawn. */
export interface CircuitPlotOptions {
  /** Above the drawing. @default how many edges it has */
  readonly title?: string;
  /** A second, smaller line. @default none */
  readonly subtitle?: string;
}

/** Where a node is drawn, in steps from the left and from the bottom. */
interface DrawnNode {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

/** A point of the line of an edge. */
interface LinePoint {
  readonly edge: string;
  readonly order: number;
  readonly x: number;
  readonly y: number;
  readonly score: number;
  readonly weight: number;
  readonly color: string;
  readonly label: string;
}

type Layers = Extract<TopLevelSpec, { readonly layer: unknown }>["layer"];

const OPTIONS: OptionNames<CircuitPlotOptions> = { title: true, subtitle: true };
const STEP = { x: 62, y: 46 };
const BOX = { width: 50, height: 20 };
const WIDEST = 6;
const THINNEST = 0.8;
const GREY = "#8d949e";

/** Layers of boxes, the input at the bottom, and a curve for all that a node reads of another. */
export function circuitPlot(
  circuit: Circuit,
  edges: readonly ResidualEdge[],
  options: CircuitPlotOptions,
): TopLevelSpec {
  requireKnownOptions("plot", options, OPTIONS);
  const nodes = placed(circuit);
  const lines = linesOf(circuit, edges, nodes);
  const most = { x: Math.max(...nodes.map(({ x }) => x)), y: Math.max(...nodes.map(({ y }) => y)) };
  const { title = `${circuit.size} of ${circuit.modelSize} edges`, subtitle } = options;
  const position = { x: axisOf("x", 0.6, most.x), y: axisOf("y", 0.5, most.y) };
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: `${title}: ${circuit.nodes.join(", ")}.`,
    title: { text: title, ...(subtitle !== undefined && { subtitle }) },
    width: STEP.x * (most.x + 1.2),
    height: STEP.y * (most.y + 1),
    layer: layersOf(nodes, lines, position),
    config: plotConfig(),
  };
}

/** Lines, boxes above them, and names in these. */
function layersOf(
  nodes: readonly DrawnNode[],
  lines: readonly LinePoint[],
  position: { readonly x: PlainPosition; readonly y: PlainPosition },
): Layers {
  return [
    {
      data: { values: [...lines] },
      mark: { type: "line", interpolate: "basis", opacity: 0.75, strokeCap: "round" },
      encoding: {
        ...position,
        detail: { field: "edge", type: "nominal" },
        order: { field: "order", type: "quantitative" },
        stroke: { field: "color", type: "nominal", scale: null },
        strokeWidth: { field: "weight", type: "quantitative", scale: null },
        tooltip: [{ field: "label", type: "nominal", title: "edge" }],
      },
    },
    {
      data: { values: [...nodes] },
      mark: {
        type: "rect",
        ...BOX,
        cornerRadius: 4,
        fill: "#ffffff",
        stroke: MUTED,
        strokeWidth: 1,
      },
      encoding: { ...position, tooltip: [{ field: "name", type: "nominal", title: "node" }] },
    },
    {
      data: { values: [...nodes] },
      mark: { type: "text", fontSize: 11, color: INK, aria: false },
      encoding: { ...position, text: { field: "name", type: "nominal" } },
    },
  ];
}

/** A position without an axis. */
interface PlainPosition {
  readonly field: string;
  readonly type: "quantitative";
  readonly axis: null;
  readonly scale: { readonly domain: number[] };
}

function axisOf(field: string, margin: number, most: number): PlainPosition {
  const scale = { domain: [-margin, most + margin] };
  return { field, type: "quantitative", axis: null, scale };
}

/** Heads stand by their numbers, all else in the middle; a layer without nodes takes no room. */
function placed({ layers, nodes }: Circuit): readonly DrawnNode[] {
  const heads = Math.max(...layers.map((layer) => layer.heads));
  const levelOf = (name: string): number => {
    if (name === "input") return -1;
    if (name === "logits") return 2 * layers.length;
    const layer = Number(/\d+/.exec(name)?.[0]);
    return 2 * layer + (name.startsWith("m") ? 1 : 0);
  };
  const all = [...new Set(["input", ...nodes, "logits"])];
  const levels = [...new Set(all.map(levelOf))].toSorted((a, b) => a - b);
  const columns = [...new Set(all.flatMap((name) => headOf(name) ?? []))].toSorted((a, b) => a - b);
  // MLPs have the middle for themselves.
  const middle = columns.filter((head) => head < heads / 2).length;
  return all.map((name) => {
    const head = headOf(name);
    const column = head === undefined ? middle : columns.indexOf(head);
    const isAside = head !== undefined && column >= middle;
    return { name, x: column + (isAside ? 1 : 0), y: levels.indexOf(levelOf(name)) };
  });
}

function headOf(name: string): number | undefined {
  const head = /\.h(\d+)/.exec(name)?.[1];
  return head === undefined ? undefined : Number(head);
}

/** What is read of one node by another, for whatever it is read. */
function linesOf(
  { scores }: Circuit,
  edges: readonly ResidualEdge[],
  nodes: readonly DrawnNode[],
): readonly LinePoint[] {
  const place = new Map(nodes.map((node) => [node.name, node]));
  const pairs = new Map<string, ResidualEdge[]>();
  for (const edge of edges) {
    const key = edge.name.replace(/<.>$/, "");
    pairs.set(key, [...(pairs.get(key) ?? []), edge]);
  }
  const scoreOf = (own: readonly ResidualEdge[]): number =>
    own.reduce((sum, { name }) => sum + (scores[name] ?? 0), 0);
  const most = Math.max(...[...pairs.values()].map((own) => Math.abs(scoreOf(own))));
  return [...pairs].flatMap(([key, own]) => {
    const [first] = own;
    const from = place.get(first?.sender.name ?? "");
    const to = place.get(key.split("->")[1] ?? "");
    if (from === undefined || to === undefined) return [];
    const score = scoreOf(own);
    const share = most > 0 ? Math.abs(score) / most : 0;
    const line = {
      edge: key,
      score,
      weight: THINNEST + (WIDEST - THINNEST) * share,
      color:
        share === 0 ? GREY : hexColor(rampColor("diverging", "paper", score > 0 ? 0.95 : 0.05)),
      label: labelOf(key, own, scores),
    };
    return curve(from, to).map(([x, y], order) => ({ ...line, order, x, y }));
  });
}

function labelOf(key: string, own: readonly ResidualEdge[], scores: Circuit["scores"]): string {
  const parts = own.map(({ receiver: { reads }, name }) => {
    const { [name]: score } = scores;
    return [reads, score?.toFixed(3)].filter((text) => text !== undefined).join(" ");
  });
  const text = parts.filter((part) => part !== "").join(", ");
  return text === "" ? key : `${key}: ${text}`;
}

/** Upwards, and around what stands between. */
function curve(from: DrawnNode, to: DrawnNode): readonly (readonly [x: number, y: number])[] {
  const rise = to.y - from.y;
  const isBlocked = from.x === to.x && rise > 1;
  const aside = isBlocked ? Math.min(0.35 + 0.12 * rise, 1.4) : 0;
  const half = (BOX.height / STEP.y) * 0.5;
  const bend = Math.min(1, (rise - 2 * half) / 3);
  return [
    [from.x, from.y + half],
    [from.x + aside, from.y + half + bend],
    [to.x + aside, to.y - half - bend],
    [to.x, to.y - half],
  ];
}
