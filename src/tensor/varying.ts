import type { Tensor } from "./tensor.ts";

/** The parts that a text is read in: what comes before all that is edited, and the rest. */
export type PartOfText = "start" | "rest";

const parts = new WeakMap<Tensor, PartOfText>();

/** Says that a tensor is part of a text: its sizes are others in the next of such traces, whatever they equal in this one. */
export function markVarying(t: Tensor, part: PartOfText): Tensor {
  parts.set(t, part);
  return t;
}

/** Which part of a text a tensor is; undefined for all else. */
export function varyingPart(t: Tensor): PartOfText | undefined {
  return parts.get(t);
}
