import { range } from "../../base/lists.ts";
import { fail } from "../../base/errors.ts";
import { zeros } from "../../tensor/functions/creation.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import { where } from "../../tensor/functions/arithmetic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ResidualStream, TracedResidual } from "../residual/residual-stream.ts";
import type { CellsAtPlace } from "./attribution-cells.ts";
import { byAlignment, type CellPairs, cellSums, maskOf, placesOfCells } from "./cell-sums.ts";

/** A layer whose attention weights are computed anew. */
export interface AttentionFix {
  readonly stream: ResidualStream;
  /** A pass of the base. */
  readonly pass: TracedResidual;
  readonly place: CellsAtPlace;
  readonly pairs: CellPairs;
  /** Queries or keys of the source, [batch, positions, heads, width]. */
  readonly source: Tensor;
  /** The gradient of the metric with respect to the attention weights, [batch, heads, queries, keys]. */
  readonly gradient: Tensor;
}

/** Which part of a head a component is, of those that act through attention weights. */
export const FIXED: ReadonlyMap<string | undefined, "q" | "k"> = new Map([
  ["head_query_output", "q"],
  ["head_key_output", "k"],
]);

/**
 * What other queries or keys change through the attention weights that they make exactly, where the metric is
 * taken as linear in these (AtP*'s correction, Kramár et al. 2024).
 *
 * @returns As `cellSums`.
 */
export function fixedSums(fix: AttentionFix): Tensor {
  const { place, pairs, source } = fix;
  if (place.cells[0]?.site.dimensions !== undefined) {
    fail("attribute", "qkFix is of whole heads; leave dimensions out");
  }
  if (FIXED.get(place.component) === "k") return keySums(fix);
  const plain = weightsWith(fix, {});
  return cellSums(place, pairs, source, (q) =>
    weightsWith(fix, { q })
      .sub(plain)
      .mul(fix.gradient)
      .sum({ dim: -1, keepdim: true })
      .transpose(1, 2),
  );
}

function weightsWith(
  { stream, pass, place: { layer = 0 } }: AttentionFix,
  edits: { readonly q?: Tensor; readonly k?: Tensor },
): Tensor {
  const input = pass.layers[layer]?.at.input;
  if (input === undefined) return fail("attribute", `there is no layer ${layer}`);
  return stream.runLayer(pass, layer, { input, edits }).weights;
}

/**
 * Other keys at some positions change these columns of the scores, and by the softmax all weights of a query:
 * of weights a, with r in the columns' place, they become a / (1 - sum a + sum r) over the columns.
 */
function keySums(fix: AttentionFix): Tensor {
  const { place, pairs, source, gradient } = fix;
  const { weights: a, scores } = softmaxBefore(weightsWith(fix, {}));
  const [batch = 1, heads = 1, , keys = 1] = a.shape;
  const g = padded(gradient, keys);
  const all = a.mul(g).sum({ dim: -1, keepdim: true });
  const length = source.size(1);
  const every = pairs.pairs.map(() => range(length));
  const places = placesOfCells(place, pairs, length) ?? [{ base: every, source: every }];
  return byAlignment(source, places, (k, own) => {
    const change = softmaxBefore(weightsWith(fix, { k })).scores.sub(scores);
    const r = where(a.gt(0), a.mul(change.exp()), a.mul(0));
    const masks = cat(
      own.map(({ base }) => maskOf(base, length)),
      1,
    );
    const columns = padded(masks, keys).transpose(1, 2).unsqueeze(1);
    const within = (x: Tensor): Tensor => x.matmul(columns);
    const share = within(r.sub(a)).add(1);
    const effect = all
      .add(within(r.sub(a).mul(g)))
      .div(share)
      .sub(all)
      .sum({ dim: 2 });
    const groups = source.size(2);
    const byGroup = effect.reshape([batch, groups, heads / groups, own.length]).sum({ dim: 2 });
    return byGroup.transpose(1, 2).unsqueeze(-1);
  });
}

/** With zeros at the end of the last dimension: a score of looking nowhere has no gradient. */
function padded(x: Tensor, width: number): Tensor {
  const own = x.size(-1);
  return own === width ? x : cat([x, zeros([...x.shape.slice(0, -1), width - own])], -1);
}

/** The softmax that attention weights come from, and what it is taken of. */
function softmaxBefore(weights: Tensor): { readonly weights: Tensor; readonly scores: Tensor } {
  let t = weights;
  while (t.origin?.op === "slice" && t.origin.inputs[0] !== undefined) [t] = t.origin.inputs;
  const [scores] = t.origin?.inputs ?? [];
  if (t.origin?.op === "softmax" && scores !== undefined) return { weights: t, scores };
  return fail("attribute", "qkFix: attention weights are no softmax of scores here; leave it out");
}
