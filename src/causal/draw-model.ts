import { shown } from "../base/describe-value.ts";
import { requireOneOf } from "../base/known-options.ts";
import { textWidth } from "../plots/text-width.ts";
import { FONT, INK, MUTED } from "../plots/theme.ts";
import { escapeText } from "../plots/to-svg.ts";
import { type Layout, layeredLayout, type Place } from "./layered-layout.ts";
import { liveEdges, type LiveEdges } from "./live-paths.ts";
import { run } from "./run.ts";
import type { Structure, Values } from "./structure.ts";

/** What is shown of a model. */
export interface Picture {
  /** Undefined: names only. */
  readonly setting: Values | undefined;
  readonly intervened: readonly string[];
  readonly direction: "up" | "right";
  readonly title: string | undefined;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const ORIGIN: Point = { x: 0, y: 0 };

/** A variable's box. */
interface Box {
  readonly name: string;
  readonly value: string;
  readonly width: number;
}

const SIZE = 14;
const HEIGHT = 34;
const MARGIN = 20;
const LAYER = 86;
const RING = 4;
const MOST_LETTERS = 22;
const ACCENT = "#c2410c";
const EDGE = "#a3abb8";

/** The model as the text of an SVG file. */
export function drawModel(structure: Structure, op: string, picture: Picture): string {
  const { setting, direction, title } = picture;
  requireOneOf(op, "direction", direction, ["up", "right"]);
  const total = setting === undefined ? undefined : run(structure, op, setting);
  const live = setting === undefined ? undefined : edgesIfListed(structure, op, setting);
  const variables = [...structure.variables.values()];
  const boxes = variables.map(({ name }) => boxOf(name, total));
  const edges = variables.flatMap(({ name, parents }) =>
    parents.map((parent) => [parent, name] as const),
  );
  const layout = layeredLayout(
    variables.map(({ name, timestep }, i) => ({
      name,
      layer: timestep,
      width: direction === "up" ? (boxes[i]?.width ?? 0) : HEIGHT,
    })),
    edges,
  );
  const frame = frameOf(layout, boxes, picture, live !== undefined);
  const nodes = boxes.map((box) => {
    const place = layout.places.get(box.name) ?? { along: 0, layer: 0 };
    return node(box, frame.at(place), picture.intervened.includes(box.name));
  });
  const { width, height } = frame;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${FONT}" font-size="${SIZE}">`,
    `<title>${escapeText(title ?? "Causal model")}</title>`,
    `<desc>${escapeText(describe(structure, picture, total))}</desc>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    heading(title),
    ...edgesOf(frame, layout, edges, { boxes, live, picture }),
    ...nodes,
    legend(frame, picture, live !== undefined),
    "</svg>",
  ].join("\n");
}

function heading(title: string | undefined): string {
  if (title === undefined) return "";
  return `<text x="${MARGIN}" y="${MARGIN + 13}" font-size="15" font-weight="600" fill="${INK}">${escapeText(title)}</text>`;
}

/** All edges, the live ones over others. */
function edgesOf(
  frame: Frame,
  { ways }: Layout,
  edges: readonly (readonly [string, string])[],
  shown: { readonly boxes: readonly Box[]; readonly live: LiveEdges | undefined; readonly picture: Picture }, // prettier-ignore
): string[] {
  const rooms = new Map(shown.boxes.map((box) => [box.name, roomOf(box, shown.picture)]));
  const drawn = edges.map(([from, to], i) => {
    const bold = shown.live?.get(from)?.includes(to) === true;
    const ends = [rooms.get(from) ?? 0, rooms.get(to) ?? 0] as const;
    return { bold, svg: edge(frame, ways[i] ?? [], ends, bold) };
  });
  return drawn.toSorted((a, b) => Number(a.bold) - Number(b.bold)).map(({ svg }) => svg);
}

/** Where nothing can be tried, no edge is said to be live. */
function edgesIfListed(structure: Structure, op: string, setting: Values): LiveEdges | undefined {
  const parents = [...structure.variables.values()].filter(({ children }) => children.length > 0);
  return parents.every(({ domain }) => domain.list !== undefined)
    ? liveEdges(structure, op, setting)
    : undefined;
}

function boxOf(name: string, total: Values | undefined): Box {
  const value = total === undefined ? "" : shortly(total[name]);
  const gap = value === "" ? 0 : 8;
  const width = textWidth(name, SIZE, true) * 1.1 + gap + textWidth(value, SIZE) + 26;
  return { name, value, width: Math.max(Math.round(width), 44) };
}

function shortly(value: unknown): string {
  const text = typeof value === "string" ? value : shown(value);
  return text.length <= MOST_LETTERS ? text : `${text.slice(0, MOST_LETTERS - 1)}…`;
}

/** The picture's size, and where a place of the layout is in it. */
interface Frame {
  readonly width: number;
  readonly height: number;
  readonly direction: "up" | "right";
  readonly at: (place: Place) => Point;
}

function frameOf(
  { length, layers }: Layout,
  boxes: readonly Box[],
  { direction, title, intervened }: Picture,
  hasLive: boolean,
): Frame {
  const top = MARGIN + (title === undefined ? 0 : 36);
  const below = hasLive || intervened.length > 0 ? 30 : 0;
  const texts = Math.max(
    title === undefined ? 0 : textWidth(title, 15, true) * 1.2,
    below === 0 ? 0 : legendWidth(intervened.length > 0, hasLive),
  );
  const widest = Math.max(...boxes.map(({ width }) => width));
  const step = direction === "up" ? LAYER : widest + LAYER - HEIGHT + 8;
  const across = step * (layers - 1) + (direction === "up" ? HEIGHT : widest);
  const [inner, high] = direction === "up" ? [length, across] : [across, length];
  const width = Math.ceil(Math.max(inner, texts) + 2 * MARGIN);
  const left = (width - inner) / 2;
  return {
    width,
    height: Math.ceil(top + high + MARGIN + below),
    direction,
    at: ({ along, layer }) =>
      direction === "up"
        ? { x: left + along, y: top + high - HEIGHT / 2 - layer * step }
        : { x: left + widest / 2 + layer * step, y: top + along },
  };
}

/** How far a box and its ring reach from its middle, in the direction of time. */
function roomOf({ name, width }: Box, { direction, intervened }: Picture): number {
  const half = (direction === "up" ? HEIGHT : width) / 2;
  return intervened.includes(name) ? half + RING + 1 : half + 0.6;
}

/** An edge from the side of one box to that of another, through the points on its way. */
function edge(
  frame: Frame,
  way: readonly Place[],
  [from, to]: readonly [number, number],
  bold: boolean,
): string {
  const points = way.map(frame.at);
  const isUp = frame.direction === "up";
  const shift = ({ x, y }: Point, by: number, aside = 0): Point =>
    isUp ? { x: x + aside, y: y - by } : { x: x + by, y: y + aside };
  const arrow = bold ? 11 : 9;
  const start = shift(points[0] ?? ORIGIN, from);
  const tip = shift(points.at(-1) ?? ORIGIN, -to - 1);
  const through = [start, ...points.slice(1, -1), shift(tip, -arrow)];
  const color = bold ? INK : EDGE;
  const corners = [tip, shift(tip, -arrow, -arrow * 0.42), shift(tip, -arrow, arrow * 0.42)];
  const line = `<path d="${curve(through, isUp)}" fill="none" stroke="${color}" stroke-width="${bold ? 2.6 : 1.4}"/>`;
  return `${line}<path d="M${corners.map(at).join(" L")} Z" fill="${color}"/>`;
}

function at({ x, y }: Point): string {
  return `${round(x)},${round(y)}`;
}

/** A smooth line that leaves and reaches each point in the direction of time. */
function curve(points: readonly Point[], isUp: boolean): string {
  return points
    .map((point, i) => {
      const before = points[i - 1];
      if (before === undefined) return `M${at(point)}`;
      const [x, y] = [(before.x + point.x) / 2, (before.y + point.y) / 2];
      const [leaving, reaching] = isUp
        ? [
            { x: before.x, y },
            { x: point.x, y },
          ]
        : [
            { x, y: before.y },
            { x, y: point.y },
          ];
      return `C${at(leaving)} ${at(reaching)} ${at(point)}`;
    })
    .join(" ");
}

function node({ name, value, width }: Box, { x, y }: Point, isIntervened: boolean): string {
  const rect = (by: number, style: string) =>
    `<rect x="${round(x - width / 2 - by)}" y="${round(y - HEIGHT / 2 - by)}" width="${width + 2 * by}" height="${HEIGHT + 2 * by}" rx="${9 + by}" ${style}/>`;
  const color = isIntervened ? ACCENT : "#7a8496";
  const ring = isIntervened ? rect(RING, `fill="none" stroke="${ACCENT}" stroke-width="2"`) : "";
  const box = rect(0, `fill="${isIntervened ? "#fff4ec" : "#f5f7fa"}" stroke="${color}" stroke-width="1.3"`); // prettier-ignore
  const after = value === "" ? "" : `<tspan fill="${MUTED}">\u00a0 ${escapeText(value)}</tspan>`;
  const text = `<text x="${round(x)}" y="${round(y + SIZE * 0.36)}" text-anchor="middle" fill="${INK}"><tspan font-weight="600">${escapeText(name)}</tspan>${after}</text>`;
  return `<g>${ring}${box}${text}</g>`;
}

const RINGED = "intervened on";
const LIVE = "a change would be felt";

function legendWidth(hasRing: boolean, hasLive: boolean): number {
  return (hasRing ? 34 + textWidth(RINGED, 12) : 0) + (hasLive ? 50 + textWidth(LIVE, 12) : 0);
}

function legend(frame: Frame, { intervened }: Picture, hasLive: boolean): string {
  const y = frame.height - MARGIN;
  const text = (x: number, words: string) =>
    `<text x="${round(x)}" y="${y + 4}" font-size="12" fill="${MUTED}">${words}</text>`;
  const hasRing = intervened.length > 0;
  const next = MARGIN + (hasRing ? 34 + textWidth(RINGED, 12) + 16 : 0);
  return [
    hasRing
      ? `<rect x="${MARGIN + 1}" y="${y - 7}" width="18" height="14" rx="5" fill="#fff4ec" stroke="${ACCENT}" stroke-width="2"/>${text(MARGIN + 26, RINGED)}`
      : "",
    hasLive
      ? `<path d="M${round(next)},${y} h22" stroke="${INK}" stroke-width="2.6"/>${text(next + 30, LIVE)}`
      : "",
  ].join("");
}

function describe(
  structure: Structure,
  { intervened }: Picture,
  total: Values | undefined,
): string {
  const lines = [...structure.variables.values()].map(({ name, parents }) => {
    const value = total === undefined ? "" : ` = ${shortly(total[name])}`;
    const from = parents.length === 0 ? ", an input" : `, from ${parents.join(", ")}`;
    return `${name}${value}${from}${intervened.includes(name) ? ", intervened on" : ""}`;
  });
  return `Variables of a causal model: ${lines.join("; ")}.`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
