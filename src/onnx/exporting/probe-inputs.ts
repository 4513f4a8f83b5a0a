import { internal } from "../../base/errors.ts";
import { fail } from "../../nn/errors.ts";
import type { ProbedSize, Sizes } from "../../runtime/program/size-formula.ts";
import { allocate, type TypedArray } from "../../tensor/dtype.ts";
import { apply, leaf } from "../../tensor/ops/apply.ts";
import { NONE } from "../../tensor/ops/ops.ts";
import { numel, type Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { markVarying } from "../../tensor/varying.ts";

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

/** Names of the sizes that may differ, for each dimension of an input; null for one that is fixed. */
export type DynamicSizes = Readonly<Record<string, readonly (string | null)[] | undefined>>;

/** The sizes of each input, by its name: a number, or the name of a size. */
export type NamedDims = Readonly<Record<string, readonly (number | string)[]>>;

/**
 * What the sizes of inputs are called.
 *
 * @throws ModelError for inputs that are not there, other numbers of dimensions, and a name for two sizes.
 */
export function namedDims(caller: string, inputs: NamedTensors, dynamic: DynamicSizes): NamedDims {
  for (const name of Object.keys(dynamic)) {
    if (Object.hasOwn(inputs, name)) continue;
    fail(caller, `dynamic names the input ${JSON.stringify(name)}; the inputs are ${Object.keys(inputs).join(", ")}`); // prettier-ignore
  }
  const sizes = new Map<string, number>();
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => {
      const named = dynamic[name] ?? shape.map(() => null);
      if (named.length !== shape.length) {
        fail(caller, `dynamic.${name} has ${named.length} names for an input of ${shape.length} dimensions, [${shape.join(", ")}]; give one for each, null for what is fixed`); // prettier-ignore
      }
      return [name, shape.map((n, i) => dimOf(caller, { name: named[i] ?? null, size: n, sizes }))];
    }),
  );
}

interface NamedSize {
  readonly name: string | null;
  readonly size: number;
  /** Sizes so far, by name. */
  readonly sizes: Map<string, number>;
}

function dimOf(caller: string, { name, size, sizes }: NamedSize): number | string {
  if (name === null) return size;
  if (name === "") {
    fail(caller, 'dynamic has "" for a size; give it a name, or null if it is fixed');
  }
  const known = sizes.get(name) ?? size;
  if (known !== size) fail(caller, `the size ${JSON.stringify(name)} is ${known} in one input and ${size} in another; name them otherwise`); // prettier-ignore
  sizes.set(name, size);
  return name;
}

/** Values of sizes to try, and others to check what was found by. */
export interface ProbePlan {
  readonly probed: readonly ProbedSize[];
  readonly check: Sizes;
}

/** Where sizes to try lie: above those of the example, or below. */
export type Side = "above" | "below";

/**
 * What sizes to try: those of the example, which are the first, and others near them; not 1, which is
 * broadcast, and no size of one name for another, for what is equal by accident would look like the same.
 */
export function planProbes(inputs: NamedTensors, dims: NamedDims, side: Side): ProbePlan {
  const sizes = new Map<string, number>();
  for (const [name, { shape }] of Object.entries(inputs)) {
    dims[name]?.forEach((dim, i) => {
      if (typeof dim === "string") sizes.set(dim, shape[i] ?? 0);
    });
  }
  const taken = new Set<number>();
  const next = (size: number): number => {
    let free = size;
    while (taken.has(free)) free += side === "above" || size < 2 ? 1 : -1;
    if (free < 2) for (free = 2; taken.has(free);) free++;
    taken.add(free);
    return free;
  };
  const firsts = [...sizes].map(([name, size]) => ({ name, low: next(size) }));
  const probed = firsts.map(({ name, low }) => ({ name, low, high: next(low) }));
  const check = Object.fromEntries(probed.map(({ name, high }) => [name, next(high)]));
  return { probed, check };
}

/** Sizes far from the example's, the largest first: a model that works in chunks computes something else there. */
const FAR = [2053, 1021, 509, 251, 127, 61, 31];

/** Numbers of an input, at most, that are made to try sizes. */
const MOST_NUMBERS = 2 ** 22;

/** Large values of sizes, each a little larger than the one before, that make no input too large. */
export function farSizes(
  inputs: NamedTensors,
  dims: NamedDims,
  probed: readonly ProbedSize[],
): Sizes[] {
  const all = FAR.map((far) => Object.fromEntries(probed.map(({ name }, i) => [name, far + i])));
  return all.filter((sizes) =>
    Object.keys(inputs).every((name) => numel(shapeOf(dims[name], sizes)) <= MOST_NUMBERS),
  );
}

function shapeOf(dims: readonly (number | string)[] = [], sizes: Sizes): Shape {
  return dims.map((dim) => (typeof dim === "string" ? (sizes[dim] ?? 1) : dim));
}

/** Inputs of other sizes. */
export interface Resized {
  /** What stands for them in a program. */
  readonly leaves: NamedTensors;
  /**
   * What a model is given: the same, but not yet computed. Where a model would look at the numbers, as
   * of a mask, it takes them as numbers that may be any.
   */
  readonly lazy: NamedTensors;
}

/** The inputs in other sizes: numbers between their first and last ones, stretched. */
export function resized(inputs: NamedTensors, dims: NamedDims, sizes: Sizes): Resized {
  const leaves = Object.fromEntries(
    Object.entries(inputs).map(([name, t]) => {
      const shape = shapeOf(dims[name], sizes);
      return [name, markVarying(leaf(stretched(t, shape), shape, t.dtype, false), "rest")];
    }),
  );
  const lazy = Object.fromEntries(
    Object.entries(leaves).map(([name, t]) => [name, apply("reshape", [t], NONE, [t.shape])]),
  );
  return { leaves, lazy };
}

function stretched({ values, shape: from, dtype }: Tensor, to: Shape): TypedArray {
  if (values === undefined) return internal("an example has no values");
  const taken = allocate(dtype, numel(to));
  taken.forEach((_, flat) => {
    taken[flat] = values[sourceOf(flat, from, to)] ?? internal("an example has too few numbers");
  });
  return taken;
}

/** Where a place of the other shape comes from; what is first and last along a dimension stays so. */
function sourceOf(flat: number, from: Shape, to: Shape): number {
  let [rest, place, stride] = [flat, 0, 1];
  for (let i = to.length - 1; i >= 0; i--) {
    const [size, old] = [to[i] ?? 1, from[i] ?? 1];
    const index = rest % size;
    place +=
      stride * (size === old ? index : Math.round((index * (old - 1)) / Math.max(1, size - 1)));
    rest = Math.floor(rest / size);
    stride *= old;
  }
  return place;
}
