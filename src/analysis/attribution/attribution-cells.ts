import { fail } from "../../base/errors.ts";
import { type GridSite, valueText } from "../../intervenable/grid/site-grid.ts";
import { placeKey } from "../../intervenable/grid/site-representation.ts";
import { resolveSite, type Site } from "../../intervenable/sites/address.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { groupedBy } from "../../training/alignment/grouped.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import type { ResidualNode } from "../residual/residual-nodes.ts";
import { ResidualStream } from "../residual/residual-stream.ts";
import { type SweepCell, sweepCells, type SweepCells } from "../sweep/sweep-cells.ts";
import type { Attribution } from "./attribution-options.ts";

/** Cells at one place of a model, which the same tensors say. */
export interface CellsAtPlace {
  readonly key: string;
  readonly site: Site;
  /** The component, where it is named by one. */
  readonly component: string | undefined;
  readonly layer: number | undefined;
  readonly cells: readonly SweepCell[];
}

/** The cells of an attribution. */
export function attributionCells(
  op: string,
  model: Module,
  data: ContrastData,
  sites: Attribution["sites"],
): SweepCells {
  if (sites !== "nodes") return sweepCells(model, data, { sites }, op);
  const { senders } = new ResidualStream(op, model, data.batch([0]).clean);
  const cells = senders.map((node, index): SweepCell => {
    const site = siteOfNode(node);
    return { site, index, edited: [site] };
  });
  return { axes: [{ name: "node", values: senders.map(({ name }) => name) }], cells };
}

/** Where what a node writes is read and edited. */
export function siteOfNode({ kind, layer = 0, head }: ResidualNode): GridSite {
  if (kind === "head") {
    return { component: "head_attention_value_output", layer, ...(head !== undefined && { head }) };
  }
  return { component: kind === "mlp" ? "mlp_addition" : "block_input", layer };
}

/** Cells by where they are. @throws TsveneError for time steps, of which one gradient says nothing. */
export function cellsByPlace(
  op: string,
  model: Module,
  cells: readonly SweepCell[],
): readonly CellsAtPlace[] {
  const byKey = groupedBy(cells, ({ site }) => {
    const { dimensions: _, ...place } = site;
    return placeKey(place);
  });
  const card = cardOf(model);
  return [...byKey].map(([key, own]) => {
    const { component = "block_output", path, layer = 0, step, head } = own[0]?.site ?? {};
    if (step !== undefined) {
      fail(op, "sites: time steps are not attributed here; run them with sweep()");
    }
    const site = resolveSite(model, card, {
      layer: layer as number,
      component: (path ?? component) as string,
    });
    const { heads, headsFirst } = site.layout;
    if (head !== undefined && heads === undefined && !headsFirst) {
      fail(
        op,
        `sites: ${valueText(path ?? component)} is not split into heads; use a head_* component`,
      );
    }
    const isNamed = path === undefined;
    return {
      key,
      site,
      component: isNamed ? (component as string) : undefined,
      layer: isNamed ? (layer as number) : undefined,
      cells: own,
    };
  });
}
