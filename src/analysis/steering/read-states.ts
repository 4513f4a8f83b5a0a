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
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { groupedBy } from "../../training/alignment/grouped.ts";
import type { PromptInputs, PromptTokenizer } from "../../training/data/prompt-options.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { textData } from "../data/text-data.ts";
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
  const each = places.map(({ name, site, heads, positions }) => {
    const inRows = rows.map((row) => positions.map((at) => placeIn(op, data, at, row)));
    const isOfHeads = site.head !== undefined;
    return [name, isOfHeads ? { head: heads as number[], position: inRows } : inRows] as const;
  });
  const { collected } = reader.forward(data.batch(rows).clean, {
    unitLocations: { base: { each: Object.fromEntries(each) } },
  });
  return collected;
}

function placeIn(
  op: string,
  data: ContrastData,
  position: GridSite["position"],
  row: number,
): number {
  const [place, ...more] = data.places?.(position as number | string, row, "clean") ?? [];
  if (place !== undefined && more.length === 0) return place;
  return fail(op, `one position is read at a time, but ${shown(position)} is ${more.length + 1}`);
}
