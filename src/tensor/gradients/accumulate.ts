import { internal } from "../../base/errors.ts";
import { add } from "../functions/arithmetic.ts";
import { cat } from "../functions/shaping.ts";
import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";
import { padTo } from "./vjp-shaping.ts";

/** A tensor that is zero but for a part along one dimension. */
interface Padded {
  readonly part: Tensor;
  readonly dim: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The sum of gradients of the same tensor. Where slices of it were read, side by side, theirs are put
 * together: zeros around each need not be made and added up.
 */
export function accumulate(gradients: readonly Tensor[]): Tensor {
  const terms = gradients.length === 1 ? gradients : besideEachOther(gradients);
  return terms.reduce((sum, g) => add(sum, g));
}

function besideEachOther(gradients: readonly Tensor[]): readonly Tensor[] {
  const padded = gradients.map(paddedOf);
  const dim = padded.find((p) => p !== undefined)?.dim;
  const alike = padded.flatMap((p) => (p !== undefined && p.dim === dim ? [p] : []));
  if (dim === undefined || alike.length < 2) return gradients;
  const others = gradients.filter((_, i) => padded[i]?.dim !== dim);
  const runs: Padded[][] = [];
  for (const p of alike.sort((a, b) => a.start - b.start)) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1)?.end === p.start) run.push(p);
    else runs.push([p]);
  }
  const size = gradients[0]?.shape[dim] ?? 0;
  return [...runs.map((run) => joined(run, size)), ...others];
}

function joined(run: readonly Padded[], size: number): Tensor {
  const [first = internal("a run of none"), ...more] = run;
  const { part, dim, start } = first;
  const parts = [part, ...more.map((p) => p.part)];
  return padTo(more.length === 0 ? part : cat(parts, dim), dim, start, size);
}

function paddedOf({ origin, shape }: Tensor): Padded | undefined {
  const [part] = origin?.inputs ?? [];
  if (origin?.op !== "pad" || part === undefined) return undefined;
  const { mode, value } = origin.attributes as Ops["pad"];
  const [pads = []] = origin.sizes;
  const padded = shape.flatMap((n, d) => (n === part.shape[d] ? [] : [d]));
  const [dim] = padded;
  const isZero = mode === "constant" && value === 0;
  if (!isZero || dim === undefined || padded.length > 1) return undefined;
  const [before = 0, after = 0] = [pads[dim], pads[shape.length + dim]];
  if (before < 0 || after < 0) return undefined;
  return { part, dim, start: before, end: before + (part.shape[dim] ?? 0) };
}
