import { range } from "../../base/lists.ts";
import { where } from "../../tensor/functions/arithmetic.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ContrastSide } from "../data/contrast-data.ts";
import type { LayerPlace } from "../residual/residual-sites.ts";
import type { PlaceEdit, TracedResidual } from "../residual/residual-stream.ts";
import { SIDES } from "../sweep/sweep-source.ts";
import type { EdgeAttribution } from "./edge-attribution-options.ts";

/**
 * Where a gradient is taken: what some nodes write is so far on the way from the corrupt run to the clean
 * one.
 */
export interface EdgePoint {
  /** Which nodes: 0 is the input, 2 l + 1 the heads of layer l, 2 l + 2 its MLP. */
  readonly group: number;
  /** 0 at the corrupt end, 1 at the clean one. */
  readonly share: number;
}

/** How far into each of the parts of the way a rule's points are. */
const SHIFT = { left: 0, midpoint: 0.5, right: 1 } as const;

/** The points that a method takes the mean over. */
export function edgePoints(
  { method = "gradient", steps = 10, rule = "midpoint", direction = "noise" }: EdgeAttribution,
  layers: number,
): readonly EdgePoint[] {
  const shares = range(steps).map((i) => (i + SHIFT[rule]) / steps);
  const along = (group: number): readonly EdgePoint[] => shares.map((share) => ({ group, share }));
  const at = (share: number): EdgePoint => ({ group: 0, share });
  switch (method) {
    case "gradient":
      return [at(SIDES[direction].base === "clean" ? 1 : 0)];
    case "ends":
      return [at(0), at(1)];
    case "integratedGradients":
      return along(0);
    case "integratedActivations":
      return range(2 * layers + 1).flatMap(along);
  }
}

/** Puts what is on the way in the place of what nodes write, in rows that are points of each pair in turn. */
export function editToPoints(
  points: readonly EdgePoint[],
  ends: Readonly<Record<ContrastSide, TracedResidual>>,
): PlaceEdit {
  return (layer, place, value) => {
    const group = groupOf(layer, place);
    const isHere = points.map((point) => point.group === group);
    const [clean, corrupt] = [ends.clean, ends.corrupt].map((end) => end.layers[layer]?.at[place]);
    if (!isHere.includes(true) || clean === undefined || corrupt === undefined) return undefined;
    const moved = between(
      clean,
      corrupt,
      points.map(({ share }) => share),
    );
    if (isHere.every(Boolean)) return moved;
    const rows = isHere.flatMap((own) => range(clean.size(0)).map(() => own));
    return where(
      tensor(rows).reshape([rows.length, ...clean.shape.slice(1).map(() => 1)]),
      moved,
      value,
    );
  };
}

function groupOf(layer: number, place: LayerPlace): number {
  if (place === "input") return layer === 0 ? 0 : -1;
  if (place === "mixed") return 2 * layer + 1;
  return place === "mlp" ? 2 * layer + 2 : -1;
}

/** [shares * batch, ...] */
function between(clean: Tensor, corrupt: Tensor, shares: readonly number[]): Tensor {
  const along = tensor(shares).reshape([shares.length, ...clean.shape.map(() => 1)]);
  const moved = corrupt.unsqueeze(0).add(clean.sub(corrupt).unsqueeze(0).mul(along));
  return moved.flatten(0, 1);
}
