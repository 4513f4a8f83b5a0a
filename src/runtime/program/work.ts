import type { OpName } from "../../tensor/ops/ops.ts";
import { numel } from "../../tensor/shape.ts";
import { traits } from "../../tensor/ops/traits.ts";
import { isStep, type Step, type Value } from "./step.ts";

/** What a run of a program does, or a step of it. */
export interface Work {
  /** Operations. */
  readonly nodes: number;
  /** How many nodes there are of each operation. */
  readonly byOp: ReadonlyMap<OpName, number>;
  /** Multiply-adds in products, convolutions and recurrences. */
  readonly multiplyAdds: number;
  /** Whether sharing its large operations between threads saves less than that costs the others. */
  readonly isSmall: boolean;
}

/**
 * From here on two threads do an operation faster than one, in multiply-adds: products of 256 rows with a
 * matrix of 64 x 64 take as long either way, and half of that 1.2 times as long with two; as do 128,000
 * elements. Another element counts as several, for it may be an exponential.
 */
const WORTH_A_THREAD = 1_000_000;
const ELEMENT = 8;

/**
 * A second thread takes a quarter off the operations that are worth one, or more, and costs all others 4
 * microseconds each, or 200,000 multiply-adds: a step of a small network of many operations is faster without.
 */
const PER_OPERATION = 4 * 200_000;

/** In multiply-adds; a product of few rows takes as long as reading the matrix. */
function workOf({ tensor, origin }: Step, products: number): number {
  const read = products > 0 ? origin.inputs.map(({ shape }) => numel(shape)) : [];
  return Math.max(products, ELEMENT * Math.max(numel(tensor.shape), ...read));
}

/** What the steps of a program add up to. */
export function sumUp(values: readonly Value[]): Work {
  const byOp = new Map<OpName, number>();
  let [nodes, total, large] = [0, 0, 0];
  for (const value of values) {
    if (!isStep(value)) continue;
    const { op } = value.origin;
    const products = traits[op].multiplyAdds(value.tensor, value.origin.inputs);
    nodes++;
    total += products;
    const work = workOf(value, products);
    if (work >= WORTH_A_THREAD) large += work;
    byOp.set(op, (byOp.get(op) ?? 0) + 1);
  }
  return { nodes, byOp, multiplyAdds: total, isSmall: large < PER_OPERATION * nodes };
}
