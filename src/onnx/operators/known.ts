import { broadcastShapes, stridesOf, numel, type Shape } from "../../tensor/shape.ts";
import type { DType } from "../../tensor/dtype.ts";
import { Host, knownNumbers, onHost, type Value } from "../values.ts";
import type { Call } from "../operator.ts";

/** Of what shapes are computed with, at most so many numbers come as tensors. */
const FEW = 64;

/**
 * The operands as numbers, if one of them is known while tracing and the others are small: then the
 * result is known as well.
 */
export function knownOperands(call: Call): readonly Host[] | undefined {
  const { inputs } = call;
  if (!inputs.some((value) => value instanceof Host)) return undefined;
  const known = inputs.map((value) => (value === undefined ? undefined : asHost(value, call)));
  return known.every((value) => value !== undefined) ? known : undefined;
}

function asHost(value: Value, call: Call): Host | undefined {
  if (value instanceof Host) return value;
  if (value.requiresGrad || numel(value.shape) > FEW) return undefined;
  const numbers = knownNumbers(value);
  if (numbers === undefined) return undefined;
  call.noteUse(value);
  return new Host(numbers, value.shape, value.dtype);
}

/** Computes on known numbers that broadcast. */
export function computeKnown(
  hosts: readonly Host[],
  compute: (...numbers: number[]) => number,
  dtype: DType,
): Host {
  const shape = hosts.reduce<Shape>((s, h) => broadcastShapes("OnnxModel", s, h.shape), []);
  return onHost(hosts, compute, dtype, shape);
}

/** Known numbers in another arrangement: which of them stands at each index of the new shape. */
export function rearranged(
  { numbers, shape, dtype }: Host,
  to: Shape,
  from: (index: readonly number[]) => readonly number[],
): Host {
  const steps = stridesOf(shape);
  const own = stridesOf(to);
  const moved = Array.from({ length: numel(to) }, (_, place) => {
    const index = own.map((step, d) => Math.floor(place / step) % (to[d] ?? 1));
    const at = from(index).reduce((sum, i, d) => sum + i * (steps[d] ?? 0), 0);
    return numbers[at] ?? 0;
  });
  return new Host(moved, to, dtype);
}
