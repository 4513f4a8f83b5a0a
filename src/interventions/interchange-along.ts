import { constantLike, where } from "../tensor/functions/arithmetic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Featurizer } from "./featurizers/featurizer.ts";
import { fitSource, maskOf, selectedRows, type SwapOptions } from "./swap.ts";

/**
 * The base with selected coordinates along orthonormal columns W taken from the source, as
 * base + (source - base) W_S W_Sᵀ. With W orthogonal that is swap(base W, source W) Wᵀ, for less: only
 * coordinates that are swapped are computed, once for both, and what is not moved stays to the last bit.
 *
 * @param featurizer - What makes coordinates along W, [width, count].
 * @param weight - W
 * @returns of the base's shape, in W's element type.
 */
export function interchangeAlong(
  op: string,
  { featurizer, weight }: { readonly featurizer: Featurizer; readonly weight: Tensor },
  base: Tensor,
  source: Tensor,
  options: SwapOptions,
): Tensor {
  const own = base.to(weight.dtype);
  const moved = fitSource(op, own, source.to(weight.dtype)).sub(own);
  const coordinates = { shape: [...base.shape.slice(0, -1), weight.size(1)] };
  const rows = selectedRows(op, coordinates, options);
  if (rows?.length === 1 && !featurizer.turnsWithout(moved)) {
    const columns = columnsOf(weight, rows[0] ?? []);
    return columns.size(1) === 0 ? own : own.add(moved.matmul(columns).matmul(columns.t()));
  }
  const along = featurizer.encode(moved);
  const mask = rows && maskOf(op, coordinates, rows);
  const selected = mask === undefined ? along : where(mask, along, constantLike(0, along));
  return own.add(featurizer.decode(selected));
}

/** Some columns of a matrix, each once: a slice, where they stand side by side. */
function columnsOf(weight: Tensor, selected: readonly number[]): Tensor {
  const dims = [...new Set(selected)];
  const [first = 0] = dims;
  const isRange = dims.every((dim, i) => dim === first + i);
  return isRange ? weight.slice(1, first, first + dims.length) : weight.indexSelect(1, dims);
}
