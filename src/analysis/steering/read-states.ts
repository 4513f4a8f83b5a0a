import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { partsOf, range } from "../../base/lists.ts";
import type { GridSite, SiteGrid } from "../../intervenable/grid/site-grid.ts";
import { axesOf, sitesOf } from "../../intervenable/grid/grid-axes.ts";
import { placeKey, representationAt } from "../../intervenable/grid/site-representation.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { CollectIntervention } from "../../interventions/collect.ts";
import type { Module } from "../../nn/module.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { groupedBy } from "../../training/alignment/grouped.ts";
import type { PromptInputs, PromptTokenizer } from "../../training/data/prompt-options.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { MEAN, requireTokenizer, textData } from "../data/text-data.ts";
import type { NamedAxis } from "../results/named-axis.ts";

/** Texts of which states are read. */
export interface TextsToRead {
  readonly op: string;
  readonly model: Module;
  readonly tokenizer: PromptTokenizer;
  readonly texts: readonly string[];
}

/** States of each site of a grid, [texts, width], and the grid's axes. */
export interface SiteStates {
  readonly axes: readonly NamedAxis[];
  readonly sites: readonly GridSite[];
  readonly states: readonly Tensor[];
}

/** A tensor that is read, with the heads and positions of it that are wanted. */
interface ReadPlace {
  readonly name: string;
  readonly site: GridSite;
  readonly heads: readonly GridSite["head"][];
  readonly positions: readonly GridSite["position"][];
}

/** Where a state of a text is read: a position of its own tokens, or the mean of all that read it. */
export type ReadPosition = number | "last" | typeof MEAN;

/** @throws TsveneError for what is no tokenizer, and positions that no text has. */
export function requireReadable(op: string, tokenizer: unknown, read: unknown = "last"): void {
  requireTokenizer(op, tokenizer);
  const places: readonly unknown[] = [read].flat();
  const isPlace = (place: unknown): boolean =>
    place === "last" || place === MEAN || Number.isSafeInteger(place);
  const wrong = places.find((place) => !isPlace(place));
  if (wrong === undefined) return;
  fail(op, `read must be positions of each text, numbers, "last" or "mean", got ${shown(wrong)}`);
}

/** How many texts are read in one program. */
const TEXTS = 32;

/** Reads the states of texts at every site of a grid, whose positions are of each text's own tokens. */
export async function readStates(
  { op, model, tokenizer, texts }: TextsToRead,
  grid: SiteGrid,
): Promise<SiteStates> {
  const data = textData(op, tokenizer, texts);
  const axes = axesOf({ op, model, inputs: data.batch([0]).clean }, grid);
  const sites = sitesOf(axes);
  const places = placesOf(sites);
  const reader = new IntervenableModel(
    places.map(({ name, site }) =>
      representationAt({ op, name, intervention: CollectIntervention }, site),
    ),
    model,
  );
  const parts: (readonly Tensor[])[] = [];
  for (const rows of partsOf(range(texts.length), TEXTS)) {
    const collected = collect(op, reader, places, data, rows);
    await evaluate(...collected);
    parts.push(collected);
  }
  const states = places.flatMap(({ heads, positions }, i) => {
    const whole = cat(parts.map((part) => part.slice(i, i + 1)).flat(), 0);
    return positions.flatMap((_, p) =>
      heads.map((head, h) => (head === undefined ? whole : whole.select(1, h)).select(1, p)),
    );
  });
  const read = states.map((state) => state.detach());
  await evaluate(...read);
  return { axes, sites: places.flatMap(sitesIn), states: read };
}

function placesOf(sites: readonly GridSite[]): readonly ReadPlace[] {
  return [...groupedBy(sites, placeKey).values()].map((own, i) => {
    const [site = {}] = own;
    const each = <K extends "head" | "position">(axis: K): readonly GridSite[K][] => [
      ...new Set(own.map((one) => one[axis])),
    ];
    return { name: `site ${i}`, site, heads: each("head"), positions: each("position") };
  });
}

/** The sites that are read of a place, positions outermost. */
function sitesIn({ site, heads, positions }: ReadPlace): readonly GridSite[] {
  return positions.flatMap((position) =>
    heads.map((head) => ({
      ...site,
      ...(position !== undefined && { position }),
      ...(head !== undefined && { head }),
    })),
  );
}

/** What is at each place, [texts, positions, width] or [texts, heads, positions, width]. */
function collect(
  op: string,
  reader: IntervenableModel,
  places: readonly ReadPlace[],
  data: ContrastData<PromptInputs>,
  rows: readonly number[],
): readonly Tensor[] {
  const asked = places.map(({ positions }) =>
    rows.map((row) => positions.map((at) => placesIn(op, data, at, row))),
  );
  const each = places.map(({ name, site, heads }, i) => {
    const inRows = asked[i]?.map((row) => row.flat()) ?? [];
    const isOfHeads = site.head !== undefined;
    return [name, isOfHeads ? { head: heads as number[], position: inRows } : inRows] as const;
  });
  const { collected } = reader.forward(data.batch(rows).clean, {
    unitLocations: { base: { each: Object.fromEntries(each) } },
  });
  return collected.map((read, i) => averaged(read, asked[i] ?? []));
}

/**
 * The mean at each position, of those that were read for it.
 *
 * @param read - [texts, ...heads, all that was read, width], filled up with 0.
 * @param counted - For each text and position, what was read.
 * @returns [texts, ...heads, positions, width]
 */
function averaged(read: Tensor, counted: readonly (readonly (readonly number[])[])[]): Tensor {
  if (counted.every((row) => row.every(({ length }) => length === 1))) return read;
  const shares = counted.map((row) =>
    row.map((own, p) => {
      const before = row.slice(0, p).reduce((sum, { length }) => sum + length, 0);
      return range(read.size(-2)).map((i) =>
        i >= before && i < before + own.length ? 1 / own.length : 0,
      );
    }),
  );
  const weights = tensor(shares, { dtype: read.dtype });
  return (read.ndim === 4 ? weights.unsqueeze(1) : weights).matmul(read);
}

function placesIn(
  op: string,
  data: ContrastData,
  position: GridSite["position"],
  row: number,
): readonly number[] {
  const places = data.places?.(position as number | string, row, "clean") ?? [];
  if (places.length === 1 || (position === MEAN && places.length > 0)) return places;
  return fail(op, `one position is read at a time, but ${shown(position)} is ${places.length}`);
}
