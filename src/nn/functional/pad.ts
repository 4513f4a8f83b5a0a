import { apply } from "../../tensor/ops/apply.ts";
import { fail } from "../../tensor/errors.ts";
import { numel, show } from "../../tensor/shape.ts";
import { requireOneOf } from "../../base/known-options.ts";
import { cat, slice } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { full } from "../../tensor/functions/creation.ts";

/** What {@link pad} adds: a value, the mirrored inside, copies of the edge, or the other end. */
export type PadMode = "constant" | "reflect" | "replicate" | "circular";

const MODES: readonly PadMode[] = ["constant", "reflect", "replicate", "circular"];

/**
 * Adds elements at the ends of the last dimensions, or cuts them off for negative numbers.
 *
 * @param pads [before, after] of the last dimension, then of the one before it, and so on.
 * @param options.mode @default "constant"
 * @param options.value What `"constant"` adds. @default 0
 */
export function pad(
  x: Tensor,
  pads: readonly number[],
  { mode = "constant", value = 0 }: { readonly mode?: PadMode; readonly value?: number } = {},
): Tensor {
  requireOneOf("pad", "mode", mode, MODES);
  if (pads.length % 2 !== 0 || pads.length > 2 * x.ndim || !pads.every(Number.isInteger)) {
    fail(
      "pad",
      `pads ${show(pads)} must be pairs of integers for at most the ${x.ndim} dimensions of ${show(x.shape)}`,
    );
  }
  const pairs = x.shape.map((_, d) => {
    const i = 2 * (x.ndim - 1 - d);
    return [pads[i] ?? 0, pads[i + 1] ?? 0] as const;
  });
  // ONNX cuts only what constants pad; elsewhere the cut comes first.
  const cut = pairs.reduce((y, [before, after], d) => {
    const n = y.size(d);
    if (before >= 0 && after >= 0) return y;
    if (-before - after > n) fail("pad", `cannot cut ${show(pads)} from ${show(x.shape)}`);
    return slice(y, d, Math.max(0, -before), n - Math.max(0, -after));
  }, x);
  const added = pairs.map((pair) => pair.map((n) => Math.max(0, n)));
  if (added.flat().every((n) => n === 0)) return cut;
  if (mode !== "constant") checkReach(x, cut, added, mode);
  if (mode === "circular") return added.reduce(wrap, cut);
  const sizes = [0, 1].flatMap((side) => added.map((pair) => pair[side] ?? 0));
  if (numel(cut.shape) > 0) return apply("pad", [cut], { mode, value }, [sizes]);
  return full(
    cut.shape.map((n, d) => n + (sizes[d] ?? 0) + (sizes[d + x.ndim] ?? 0)),
    value,
    { dtype: x.dtype },
  );
}

/** The end of a dimension before its beginning, and the beginning after its end. */
function wrap(x: Tensor, [before = 0, after = 0]: readonly number[], dim: number): Tensor {
  const ends = [slice(x, dim, x.size(dim) - before), x, slice(x, dim, 0, after)];
  return cat(
    ends.filter((part) => part.size(dim) > 0),
    dim,
  );
}

function checkReach(
  x: Tensor,
  cut: Tensor,
  added: readonly (readonly number[])[],
  mode: Exclude<PadMode, "constant">,
): void {
  added.forEach((pair, d) => {
    const most = { reflect: cut.size(d) - 1, replicate: Infinity, circular: cut.size(d) }[mode];
    const amount = Math.max(...pair);
    if (amount > 0 && (amount > most || cut.size(d) === 0)) {
      fail("pad", `mode "${mode}" cannot add ${amount} to dimension ${d} of ${show(x.shape)}`);
    }
  });
}
