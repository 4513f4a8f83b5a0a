import type { Counted } from "../../models/model/card.ts";
import { fail } from "../../interventions/errors.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Layout, Site } from "./address.ts";

/**
 * What an axis of locations counts. Positions move on while a text is generated; keys of attention
 * weights are positions too, but count the whole text in every step. Steps are those of a recurrent
 * module: its calls.
 */
export type AxisKind = "position" | "head" | "key" | "step" | "other";

/** One axis of a view that is selected along. */
export interface Axis {
  /** Dimension of the view. */
  readonly dim: number;
  /** Added to every index: heads of one part of a fused projection follow those before it. */
  readonly offset: number;
  /** Number of indices there are, where the layout says it. */
  readonly size: number | undefined;
  /** What it counts. */
  readonly kind: AxisKind;
  /** What is counted, of positions and keys. */
  readonly counts: Counted;
}

/** How a unit reads the tensor at a site. */
export interface UnitAxes {
  /** How the tensor at the site is laid out. */
  readonly layout: Layout;
  /** The axes that locations name, outermost first. */
  readonly selected: readonly Axis[];
  /** Axes that are taken whole after the selected ones, as positions of heads are. */
  readonly whole: readonly Axis[];
  /** The part of a fused projection, at dimension 2 of the view. */
  readonly part: number | undefined;
  /** Dimensions that the tensor must have. */
  readonly rank: number | undefined;
  /** Whether the values of all time steps, one after the other, are what places are counted in. */
  readonly steps?: true;
  /**
   * How attention weights are turned before units are taken: with keys before queries, or with a
   * dimension of 1 at the end, so that single weights are units.
   */
  readonly turned?: "keysFirst" | "elements";
}

const OP = "IntervenableModel";

/**
 * What a unit's locations count at a site.
 * @throws InterventionError for a unit that the site does not have.
 */
export function axesOf(unit: string, site: Site): UnitAxes {
  const { layout, path, side, width, counts } = site;
  const { heads, part, headsFirst } = layout;
  const names = unit.split(".");
  const where = `${path}.${side}`;
  if (headsFirst) return weightAxes(unit, site, where);
  if (names.length > 2 || names.includes("")) {
    fail(OP, `unit "${unit}" must be one name or two joined by a dot, such as "h.pos"`);
  }
  if (unit === "t") return stepAxes(site, where);
  if (heads !== undefined) return headAxes(unit, site, heads, where);
  const isHead = names[0] === "h";
  if (isHead && width !== undefined) {
    fail(
      OP,
      `unit "${unit}" counts heads, but this component is not split into heads; use a head_* component`,
    );
  }
  if (unit !== "pos" && !site.ownUnits) {
    fail(
      OP,
      `there is no unit "${unit}" at ${where}, which has positions: use "pos"; names of your own are ` +
        `for tensors that the model's card says nothing of`,
    );
  }
  const [first, second] = names;
  const flat = { layout, whole: [], part: part?.index };
  const outer = axis(1, kindOf(first), counts);
  if (second === undefined) return { ...flat, selected: [outer], rank: isHead ? 4 : undefined };
  if (part !== undefined) {
    fail(OP, `unit "${unit}" needs two axes, but ${where} has positions only`);
  }
  return { ...flat, selected: [outer, axis(2, kindOf(second), counts)], rank: 4 };
}

/** The calls of a recurrent module, which a card or a path that no card knows may name. */
function stepAxes({ layout, width, recurrent, counts }: Site, where: string): UnitAxes {
  if (recurrent !== true && width !== undefined) {
    fail(OP, `unit "t" counts time steps, but ${where} belongs to no recurrent model`);
  }
  const { part } = layout;
  const selected = [axis(1, "step", counts)];
  return { layout, selected, whole: [], part: part?.index, rank: undefined, steps: true };
}

function axis(dim: number, kind: AxisKind, counts: Counted, size?: number, offset = 0): Axis {
  return { dim, kind, counts, size, offset };
}

function kindOf(name: string | undefined): AxisKind {
  if (name === "pos") return "position";
  return name === "h" ? "head" : "other";
}

/** Attention weights, [batch, heads, queries, keys]. */
function weightAxes(unit: string, { layout, counts }: Site, where: string): UnitAxes {
  const common = { layout, whole: [], part: undefined, rank: 4 };
  const head = axis(1, "head", counts);
  const query = axis(2, "position", counts);
  const keys = layout.keys ?? counts;
  if (unit === "pos" || unit === "h") return { ...common, selected: [head] };
  if (unit === "h.pos") return { ...common, selected: [head, query] };
  if (unit === "h.key") {
    return { ...common, selected: [head, axis(2, "key", keys)], turned: "keysFirst" };
  }
  if (unit === "h.pos.key") {
    return { ...common, selected: [head, query, axis(3, "key", keys)], turned: "elements" };
  }
  return fail(
    OP,
    `unit "${unit}" does not fit the attention weights at ${where}; use "h" for heads, "h.pos" for ` +
      `heads at queries, "h.key" for heads at keys, or "h.pos.key" for single weights`,
  );
}

function headAxes(unit: string, { layout, counts }: Site, heads: number, where: string): UnitAxes {
  const offset = (layout.part?.index ?? 0) * heads;
  const head = axis(2, "head", counts, heads, offset);
  const position = axis(1, "position", counts);
  const common = { layout, part: undefined, rank: 3 };
  if (unit === "h") return { ...common, selected: [head], whole: [position] };
  if (unit === "h.pos") return { ...common, selected: [head, position], whole: [] };
  return fail(
    OP,
    `unit "${unit}" does not fit ${where} split into ${heads} heads; use "h" for whole heads, "h.pos" ` +
      `for heads at positions, or the component without "head_" for all heads`,
  );
}

/** Whether units are not of the tensor at the site as it is, but of a part of it, or of heads. */
export function isDivided({ layout: { heads, part, headsFirst } }: UnitAxes): boolean {
  return !headsFirst && (heads !== undefined || part !== undefined);
}

/**
 * The unit with one of its axes taken whole; undefined where units would not stay a block of the
 * tensor, because another axis is selected after it.
 */
export function withWhole(axes: UnitAxes, level: number): UnitAxes | undefined {
  const { selected, whole } = axes;
  if (level !== selected.length - 1 || whole.length > 0) return undefined;
  return { ...axes, selected: selected.slice(0, -1), whole: selected.slice(-1) };
}

/** The unit with all of its axes taken whole. */
export function allWhole(axes: UnitAxes): UnitAxes {
  return { ...axes, selected: [], whole: [...axes.selected, ...axes.whole] };
}

/** The tensor at a site with heads and parts as dimensions of their own. */
export function viewOf(value: Tensor, { layout, part, rank, turned }: UnitAxes): Tensor {
  const { heads } = layout;
  if (rank !== undefined && value.ndim !== rank) {
    fail(OP, `expected a tensor of ${rank} dimensions at the site, got ${show(value.shape)}`);
  }
  if (turned === "keysFirst") return value.transpose(2, 3);
  if (turned === "elements") return value.unsqueeze(-1);
  const groups = (layout.part?.of ?? 1) * (heads ?? 1);
  if (heads === undefined && part === undefined) return value;
  const last = value.size(-1);
  if (last % groups !== 0) {
    fail(
      OP,
      `the last dimension of ${show(value.shape)} does not split into ${groups} equal parts`,
    );
  }
  return value.reshape([...value.shape.slice(0, -1), groups, last / groups]);
}

/** Undoes {@link viewOf}: `view` as the tensor `value` is laid out. */
export function unviewOf(view: Tensor, value: Tensor, { turned }: UnitAxes): Tensor {
  return turned === "keysFirst" ? view.transpose(2, 3) : view.reshape(value.shape);
}
