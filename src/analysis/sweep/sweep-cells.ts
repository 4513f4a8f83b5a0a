import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { axesOf, sitesOf } from "../../intervenable/grid/grid-axes.ts";
import {
  type Axis,
  type AxisValue,
  type GridSite,
  valueText,
} from "../../intervenable/grid/site-grid.ts";
import { placeKey } from "../../intervenable/grid/site-representation.ts";
import { type BoundCard, cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import type { NamedAxis } from "../results/named-axis.ts";
import type { Sweep } from "./sweep-options.ts";

/** A cell of a sweep: what is edited in it, and what is reported of it. */
export interface SweepCell {
  readonly site: GridSite;
  /** Its number in the grid, of which each is one row of numbers. */
  readonly index: number;
  /** The sites that are edited: one, or those of a window. */
  readonly edited: readonly GridSite[];
}

/** The cells of a sweep that exist, and the axes that all of them are along. */
export interface SweepCells {
  readonly axes: readonly NamedAxis[];
  readonly cells: readonly SweepCell[];
}

const OP = "sweep";

/**
 * The cells of a sweep. One of a head that its component does not have is none.
 * @throws TsveneError for axes that are unknown or empty, and for a window that is no number of layers.
 */
export function sweepCells(
  model: Module,
  data: ContrastData,
  { sites, window = 1 }: Pick<Sweep, "sites" | "window">,
  op: string = OP,
): SweepCells {
  const inputs = data.batch([0]).clean;
  const axes = axesOf({ op, model, inputs }, sites);
  const layers = axes.find(({ name }) => name === "layer");
  if (!isCount(window) || window < 1) {
    fail(op, `window must be a number of layers from 1, got ${shown(window)}`);
  }
  if (window > 1 && layers === undefined) fail(op, "a window is of layers; sites have no layer");
  const card = cardOf(model);
  const last = (card?.layers ?? 0) - 1;
  const cells = sitesOf(axes).flatMap((site, index): SweepCell[] =>
    exists(card, site) ? [{ site, index, edited: windowAt(site, window, last) }] : [],
  );
  if (cells.length === 0) fail(op, "no cell of the grid exists: no layer has these heads");
  return { axes: axes.map((axis) => named(axis, data)), cells };
}

function exists(card: BoundCard | undefined, { component, head }: GridSite): boolean {
  if (typeof head !== "number" || typeof component !== "string") return true;
  const heads = card?.components.get(component)?.heads;
  return heads === undefined || head < heads;
}

/** ROME's window: as many layers before as after, cut off at the ends. */
function windowAt(site: GridSite, window: number, last: number): readonly GridSite[] {
  const { layer } = site;
  if (window === 1 || typeof layer !== "number") return [site];
  const from = Math.max(0, layer - Math.floor(window / 2));
  const to = Math.min(last + 1, layer + Math.ceil(window / 2));
  return Array.from({ length: to - from }, (_, i) => ({ ...site, layer: from + i }));
}

/** A position is called by the token there, where all pairs have the same one. */
function named({ name, values }: Axis, data: ContrastData): NamedAxis {
  if (name !== "position") return { name, values };
  const labels = values.map((value) => tokenAt(value, data));
  if (labels.every((label) => label === undefined)) return { name, values };
  return { name, values, labels: values.map((value, i) => labels[i] ?? valueText(value)) };
}

function tokenAt(position: AxisValue, data: ContrastData): string | undefined {
  if (typeof position !== "number") return undefined;
  const texts = Array.from({ length: data.length }, (_, index) => {
    const [clean, corrupt] = (["clean", "corrupt"] as const).map(
      (side) => data.tokens?.(index, side)[position],
    );
    return clean === corrupt || clean === undefined ? clean : `${clean.trim()}→${corrupt?.trim()}`;
  });
  const [first] = texts;
  return texts.every((text) => text === first) ? first : undefined;
}

/** Sites that one intervention edits, by the text that says where it is. */
export function placesOf(cells: readonly SweepCell[]): ReadonlyMap<string, GridSite> {
  const sites = cells.flatMap(({ edited }) => edited);
  return new Map(sites.map((site) => [placeKey(site), site]));
}
