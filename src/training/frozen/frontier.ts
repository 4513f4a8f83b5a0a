import { itemsize } from "../../tensor/dtype.ts";
import { demanded } from "../../runtime/program/narrow.ts";
import { pendingOperands, upstream } from "../../tensor/graph.ts";
import { traits } from "../../tensor/ops/traits.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type RowUse, rowUseOf } from "./rows.ts";
import { batchSizeOf, Structure, type Structures } from "./structure.ts";

/** Bytes of a tensor's numbers. */
export function bytesOf({ numel, dtype }: Tensor): number {
  return numel * itemsize(dtype);
}

/** Multiply-adds of the operation that makes a tensor. */
function multiplyAddsOf(t: Tensor): number {
  const { origin } = t;
  return origin === undefined || t.values !== undefined
    ? 0
    : traits[origin.op].multiplyAdds(t, origin.inputs);
}

/** A tensor that does not depend on what is trained, read by what does. */
export interface FrozenTensor extends RowUse {
  /** The tensor. */
  readonly tensor: Tensor;
  /** Number of its structure. */
  readonly id: number;
}

/** Where a graph stops to depend on what is trained. */
export interface Frontier {
  /** Where it stops. */
  readonly tensors: readonly FrozenTensor[];
  /** Numbers of structures. */
  readonly structure: Structure;
}

/** How structures come from their examples, once it has been found out. */
export type KnownUses = Map<number, RowUse | undefined>;

/** What a tensor is computed from before modules hold it. */
function operands(t: Tensor): readonly Tensor[] {
  return t.lasting ? [] : pendingOperands(t);
}

/**
 * The last tensors before what is trained: those that do not depend on it, cost products, are examples row
 * by row (or the same for all), and are read by what depends on it.
 *
 * @param outputs - Lazy tensors.
 * @param trained - What changes from step to step.
 */
export function frontierOf(
  outputs: readonly Tensor[],
  trained: ReadonlySet<Tensor>,
  { structures, known }: { readonly structures: Structures; readonly known: KnownUses },
): Frontier {
  const [moving, heavy, read] = [new Set<Tensor>(), new Set<Tensor>(), new Set<Tensor>()];
  const frozen: Tensor[] = [];
  // Of texts that were read in two and joined, the loss may read the second part only.
  const wanted = demanded(outputs);
  for (const t of upstream(outputs, operands)) {
    const inputs = operands(t);
    if (trained.has(t) || inputs.some((u) => moving.has(u))) {
      moving.add(t);
      for (const u of inputs) if (!moving.has(u) && wanted.has(u)) read.add(u);
      continue;
    }
    frozen.push(t);
    if (multiplyAddsOf(t) > 0 || inputs.some((u) => heavy.has(u))) heavy.add(t);
  }
  for (const t of outputs) if (!moving.has(t)) read.add(t);
  const structure = new Structure(structures, batchSizeOf(frozen));
  if (heavy.size > 0) for (const t of frozen) structure.add(t);
  const found = new Map<Tensor, FrozenTensor>();
  const seen = new Set<Tensor>();
  const stack = [...read].filter((t) => heavy.has(t));
  for (let t = stack.pop(); t !== undefined; t = stack.pop()) {
    if (seen.has(t) || t.values !== undefined) continue;
    seen.add(t);
    const before = [...new Set(operands(t))].filter((u) => heavy.has(u));
    const use = isLarger(t, before) ? undefined : useOf(t, structure, known);
    if (use === undefined) stack.push(...before);
    else found.set(t, { ...use, tensor: t, id: structure.idOf(t) });
  }
  return { tensors: [...found.values()], structure };
}

/** Whether a tensor only repeats or pads what it is made of, which then is what to keep. */
function isLarger(t: Tensor, before: readonly Tensor[]): boolean {
  const bytes = before.reduce((sum, u) => sum + bytesOf(u), 0);
  return multiplyAddsOf(t) === 0 && before.length > 0 && bytes < bytesOf(t);
}

function useOf(t: Tensor, structure: Structure, known: KnownUses): RowUse | undefined {
  const id = structure.idOf(t);
  if (!known.has(id)) known.set(id, rowUseOf(t, structure));
  return known.get(id);
}

/** Multiply-adds that tensors cost together, of which nothing has been computed yet. */
export function costOf(tensors: readonly Tensor[]): number {
  let sum = 0;
  for (const t of upstream(tensors, operands)) sum += multiplyAddsOf(t);
  return sum;
}
