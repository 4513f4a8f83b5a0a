import { partsOf, range } from "../../base/lists.ts";
import { lengthInParts } from "../../intervenable/call/prefix.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { SweepCell } from "./sweep-cells.ts";
import { positionsOf } from "./sweep-places.ts";
import type { SweepRuns } from "./sweep-rows.ts";

/** Cells that are computed together as far as memory allows. */
export interface SweepBlock {
  readonly cells: readonly SweepCell[];
  /** Whether what comes before the first edited position is read once, and the rest for each row. */
  readonly readsInTwo: boolean;
}

/** A cell, and what it takes. */
interface PlacedCell {
  readonly cell: SweepCell;
  /** The first position that is edited or read in any pair. */
  readonly first: number;
  /** Share of the layers that it has to itself: those from its own on. */
  readonly share: number;
}

/** What decides what cells cost. */
interface Costs {
  /** Positions of a text. */
  readonly length: number;
  /** Runs of each cell. */
  readonly runs: number;
  /** Cells of a program at most. */
  readonly most: number;
  /** Multiply-adds of one position. */
  readonly perPosition: number;
}

/** What a program costs before its first row, in multiply-adds: to be traced and compiled, */
const PROGRAM = 2e9;
/** and in positions of a text: to have its weights read and laid out. */
const WEIGHTS = 64;

/**
 * Cells in blocks of neighbouring positions, where that costs less than all of them together: in a model
 * in which no position sees a later one, what comes before a block is the same in all of its rows. The
 * numbers do not depend on it.
 *
 * @param most - How many cells a program may have.
 */
export function blocksOf(
  runs: SweepRuns,
  cells: readonly SweepCell[],
  most: number,
): readonly SweepBlock[] {
  const { model, data, sweep, source } = runs;
  const length = lengthInParts(model, data.batch([0]).clean);
  // Noise is on the first layer, and edits what comes before a block as well.
  if (length === undefined || sweep.corruption !== undefined) return [{ cells, readsInTwo: false }];
  const layers = cardOf(model)?.layers;
  const placed = cells.map((cell) => placedIn(runs, cell, { length, layers }));
  const perPosition = model.parameters().reduce((sum, { value }) => sum + value.numel, 0);
  const costs = { length, runs: data.length * source.draws, most, perPosition };
  const firsts = [...new Set(placed.map(({ first }) => first))].sort((a, b) => a - b);
  const ways = sizesUpTo(firsts.length).map((size) =>
    partsOf(firsts, size).map((own) => {
      const at = new Set(own);
      return planned(
        placed.filter(({ first }) => at.has(first)),
        costs,
      );
    }),
  );
  const [best] = ways.toSorted((a, b) => totalOf(a) - totalOf(b));
  return best?.map(({ block }) => block) ?? [];
}

/** 1, 2, 4 and so on, and last the number itself. */
function sizesUpTo(count: number): readonly number[] {
  const doublings = Math.ceil(Math.log2(Math.max(1, count)));
  return [...range(doublings).map((i) => 2 ** i), count];
}

function totalOf(way: readonly { readonly cost: number }[]): number {
  return way.reduce((sum, { cost }) => sum + cost, 0);
}

function placedIn(
  { data, source }: SweepRuns,
  cell: SweepCell,
  { length, layers }: { readonly length: number; readonly layers: number | undefined },
): PlacedCell {
  const sides = new Set([source.base, source.from ?? source.base]);
  const places = cell.edited.flatMap(({ position }) =>
    range(data.length).flatMap((pair) =>
      [...sides].flatMap((side) =>
        position === undefined
          ? [0]
          : positionsOf(data, position, pair, side).map((at) =>
              at === "last" ? length - 1 : Number(at),
            ),
      ),
    ),
  );
  const { layer } = cell.site;
  const share = layers === undefined || typeof layer !== "number" ? 1 : (layers - layer) / layers;
  return { cell, first: Math.min(length, ...places), share };
}

/** A block, read in two or not, whichever costs less. */
function planned(
  placed: readonly PlacedCell[],
  { length, runs, most, perPosition }: Costs,
): { readonly block: SweepBlock; readonly cost: number } {
  const cells = placed.map(({ cell }) => cell);
  const prefix = Math.min(...placed.map(({ first }) => first));
  const rows = runs * placed.reduce((sum, { share }) => sum + share, 0);
  const programs = Math.ceil(cells.length / most);
  const once = programs * (PROGRAM + WEIGHTS * perPosition);
  const whole = rows * length * perPosition;
  // The prefix is traced as well, of both inputs.
  const again = programs * (PROGRAM + 2 * runs * prefix * perPosition);
  const inTwo = again + rows * (length - prefix) * perPosition;
  const readsInTwo = prefix > 0 && inTwo < whole;
  return { block: { cells, readsInTwo }, cost: once + (readsInTwo ? inTwo : whole) };
}
