import { fail } from "../../base/errors.ts";
import type { RepresentationConfig } from "../../intervenable/config/representation-config.ts";
import { axesOf, sitesOf } from "../../intervenable/grid/grid-axes.ts";
import type { GridSite, SiteGrid } from "../../intervenable/grid/site-grid.ts";
import { representationAt } from "../../intervenable/grid/site-representation.ts";
import type { ConfiguredIntervention } from "../../interventions/configured-intervention.ts";
import { FeaturizedIntervention } from "../../interventions/featurized.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { tensor, zeros } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { layersWith } from "../lenses/stream.ts";
import { lengthOf, numbersOf } from "./additions.ts";

const INPUT = "block_input";
const OUTPUT = "block_output";
/** What layers add to the residual stream; where a model does not say it, what it is made of. */
const WRITES = [
  ["attention_addition", "attention_output"],
  ["mlp_addition", "mlp_output"],
] as const;

/** What takes a direction out, at each of its places. */
export function ablations(
  op: string,
  model: Module,
  vector: Tensor,
  given?: SiteGrid | readonly SiteGrid[],
): readonly RepresentationConfig[] {
  const sites = given === undefined ? streamSites(op, model) : sitesGiven(op, model, given);
  const intervention = withoutDirection(op, vector);
  return sites.map((site, i) =>
    representationAt({ op, name: `ablation ${i}`, intervention }, site),
  );
}

function withoutDirection(op: string, vector: Tensor): ConfiguredIntervention {
  const length = lengthOf(vector);
  if (length === 0) fail(op, "a vector of no length has no direction that could be taken out");
  const values = numbersOf(vector).map((value) => value / length);
  return FeaturizedIntervention.with({
    featurizer: { kind: "directions", directions: tensor(values) },
    sourceFeatures: zeros([1]),
  });
}

function sitesGiven(
  op: string,
  model: Module,
  given: SiteGrid | readonly SiteGrid[],
): readonly GridSite[] {
  const grids = [given].flat() as readonly SiteGrid[];
  const located = grids.find(({ head, position, step }) => head ?? position ?? step);
  if (located !== undefined) {
    fail(op, "sites: a direction is taken out of whole tensors, at all positions");
  }
  return grids.flatMap((grid) => sitesOf(axesOf({ op, model, inputs: undefined }, grid)));
}

/** Where the residual stream enters layers, what they add to it, and where it leaves the last one. */
function streamSites(op: string, model: Module): readonly GridSite[] {
  const card = cardOf(model);
  const names = [...(card?.components.keys() ?? [])];
  const parts = names.flatMap((name) =>
    name.endsWith(INPUT) ? [name.slice(0, -INPUT.length)] : [],
  );
  if (card === undefined || parts.length === 0) {
    return fail(
      op,
      `${model.constructor.name} does not say where its layers are, with ${INPUT} in a card; say where to take ` +
        'the direction out: ablation({ path: ["h.0.output", ...] })',
    );
  }
  return parts.flatMap((part) => {
    const writes = WRITES.flatMap(
      (known) => known.map((name) => part + name).find((name) => names.includes(name)) ?? [],
    );
    // Where a model does not say all that layers add, what leaves a layer is taken care of.
    const others = writes.length < WRITES.length ? [part + OUTPUT] : [];
    const layers = layersWith(model, card, part + INPUT);
    const last = layers.at(-1);
    return layers.flatMap((layer) =>
      [part + INPUT, ...writes, ...(layer === last ? [part + OUTPUT] : others)]
        .filter((component) => names.includes(component))
        .map((component): GridSite => ({ layer, component })),
    );
  });
}
