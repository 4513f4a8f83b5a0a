import type { OpName } from "../../tensor/ops/ops.ts";
import { numel } from "../../tensor/shape.ts";
import { traits } from "../../tensor/ops/traits.ts";
import { isStep, type Value } from "./step.ts";

/** What a run of a program does, or a step of it. */
export interface Work {
  /** Operations. */
  readonly nodes: number;
  /** How many nodes there are of each operation. */
  readonly byOp: ReadonlyMap<OpName, number>;
  /** Multiply-adds in products, convolutions and recurrences. */
  readonly multiplyAdds: number;
  /** Whether no operation is worth being shared between threads. */
  readonly isSmall: boolean;
}

/**
 * Waking a thread takes about as long as this many multiply-adds; another element counts as several,
 * for it may be an exponential.
 */
const WORTH_A_THREAD = 250_000;
const ELEMENT = 8;

/** What the steps of a program add up to. */
export function sumUp(values: readonly Value[]): Work {
  const byOp = new Map<OpName, number>();
  let [nodes, total, largest] = [0, 0, 0];
  for (const value of values) {
    if (!isStep(value)) continue;
    const { op } = value.origin;
    const products = traits[op].multiplyAdds(value.tensor, value.origin.inputs);
    nodes++;
    total += products;
    largest = Math.max(largest, products, ELEMENT * numel(value.tensor.shape));
    byOp.set(op, (byOp.get(op) ?? 0) + 1);
  }
  return { nodes, byOp, multiplyAdds: total, isSmall: largest < WORTH_A_THREAD };
}
