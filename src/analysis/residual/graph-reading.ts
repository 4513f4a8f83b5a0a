import { pendingOperands, upstream } from "../../tensor/graph.ts";
import { apply, type Origin } from "../../tensor/ops/apply.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** A norm in a traced pass: what it is of, and its parameters. */
export interface TracedNorm {
  /** What it is given. */
  readonly of: Tensor;
  /** The same norm of something else, [..., width]. */
  readonly forward: (x: Tensor) => Tensor;
  /** What it makes of a part of `of`, with the mean taken away and the scale of the whole; without bias. */
  readonly linear: (part: Tensor) => Tensor;
  /** How it changes along a direction, [..., width], from `of` on. */
  readonly derivative: (direction: Tensor) => Tensor;
  /** What it adds; undefined for nothing. */
  readonly bias: Tensor | undefined;
}

/**
 * Whether a tensor is computed as the sum of exactly these, in any order: additions are looked through, and
 * nothing else.
 */
export function isSumOf(t: Tensor, parts: readonly Tensor[]): boolean {
  const leaves = summands(t, new Set(parts));
  return leaves.length === parts.length && parts.every((part) => leaves.includes(part));
}

function summands(t: Tensor, stops: ReadonlySet<Tensor>): readonly Tensor[] {
  if (stops.has(t) || t.origin?.op !== "add") return [t];
  return t.origin.inputs.flatMap((input) => summands(input, stops));
}

/** Everything that a tensor comes from, but for what these come from, which are looked at no further. */
export function upstreamUntil(t: Tensor, isEnd: (t: Tensor) => boolean): ReadonlySet<Tensor> {
  return upstream([t], (u) => (isEnd(u) ? [] : pendingOperands(u)));
}

/** A linear layer in a traced pass: weight [out, in], bias [out]. */
export interface TracedLinear {
  /** What it is given. */
  readonly of: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

/** The linear layer that makes `y` of something; undefined where it is made otherwise. */
export function linearBefore(y: Tensor): TracedLinear | undefined {
  if (y.origin?.op !== "linear") return undefined;
  const [of, weight, bias] = y.origin.inputs;
  return of !== undefined && weight !== undefined ? { of, weight, bias } : undefined;
}

/** The norm that makes `y` of something; undefined where it is made otherwise. */
export function normBefore(y: Tensor): TracedNorm | undefined {
  const origin = y.origin;
  if (origin === undefined || !isNorm(origin)) return undefined;
  const [of, weight, bias] = origin.inputs;
  const { op, attributes } = origin;
  if (of === undefined || weight === undefined || attributes.axes !== 1) return undefined;
  const rest = bias === undefined ? [weight] : [weight, bias];
  const centred = (x: Tensor): Tensor =>
    op === "layerNorm" ? x.sub(x.mean({ dim: -1, keepdim: true })) : x;
  const square = centred(of).square().mean({ dim: -1, keepdim: true });
  const scale = square.add(attributes.eps).rsqrt();
  const linear = (part: Tensor): Tensor => centred(part).mul(scale).mul(weight);
  return {
    of,
    bias,
    forward: (x) => apply(op, [x, ...rest], attributes),
    linear,
    derivative: (direction) => {
      const along = centred(direction).mul(centred(of)).mean({ dim: -1, keepdim: true });
      return linear(direction).sub(linear(of).mul(along).mul(scale.square()));
    },
  };
}

/** The norm that is first to read a tensor on the way to another; undefined where none does. */
export function normOf(x: Tensor, result: Tensor): TracedNorm | undefined {
  for (const t of upstreamUntil(result, (u) => u === x)) {
    const norm = t.origin?.inputs[0] === x ? normBefore(t) : undefined;
    if (norm !== undefined) return norm;
  }
  return undefined;
}

function isNorm(origin: Origin): origin is Origin<"layerNorm"> | Origin<"rmsNorm"> {
  return origin.op === "layerNorm" || origin.op === "rmsNorm";
}
