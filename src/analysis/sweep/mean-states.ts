import { range } from "../../base/lists.ts";
import { representationAt } from "../../intervenable/grid/site-representation.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { CollectIntervention } from "../../interventions/collect.ts";
import type { Module } from "../../nn/module.ts";
import { evaluateSharingRows } from "../../runtime/evaluate-sharing-rows.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fail } from "../../base/errors.ts";
import type { ContrastData, ContrastSide } from "../data/contrast-data.ts";
import { locationsOf, type Place, type Row } from "./sweep-places.ts";

/**
 * For each row, the mean over all pairs of the state at its site: [rows, units...].
 *
 * @param side - The inputs that the states are of.
 */
export async function meanStates(
  model: Module,
  data: ContrastData,
  side: ContrastSide,
  unit: string | undefined,
  { name, site, sites }: Place,
): Promise<Tensor> {
  const known = [...new Set(sites.map((own) => own ?? site))];
  const pairs = range(data.length);
  const rows = known.flatMap((own) => pairs.map((pair) => ({ own, row: rowOf(pair) })));
  const place = { site, sites: rows.map(({ own }) => own) };
  const at = { op: "sweep", name, intervention: CollectIntervention, unit };
  const collector = new IntervenableModel(representationAt(at, site), model);
  const plain = rows.map(({ row }) => row);
  const batch = data.batch(plain.map(({ pair }) => pair));
  const { collected } = collector.forward(batch[side], {
    unitLocations: { base: locationsOf(data, plain, place, { pair: ({ pair }) => pair, side }) },
  });
  const [states] = collected;
  if (states === undefined) return fail("sweep", "nothing was collected");
  await evaluateSharingRows([states], rows.length);
  const means = states
    .reshape([known.length, pairs.length, ...states.shape.slice(1)])
    .mean({ dim: 1 });
  return means.indexSelect(
    0,
    sites.map((own) => known.indexOf(own ?? site)),
  );
}

function rowOf(pair: number): Row {
  return { cell: { site: {}, index: 0, edited: [] }, pair, donor: pair, draw: 0 };
}
