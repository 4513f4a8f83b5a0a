import type { OpName } from "../tensor/ops.ts";
import { numel } from "../tensor/shape.ts";
import { isStep, type Step, type Value } from "./step.ts";

/** What a run of a program does, or a step of it. */
export interface Work {
  /** Operations. */
  readonly nodes: number;
  readonly byOp: ReadonlyMap<OpName, number>;
  /** Multiply-adds in matrix products and convolutions. */
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
    const products = multiplyAdds(value);
    nodes++;
    total += products;
    largest = Math.max(largest, products, ELEMENT * numel(value.tensor.shape));
    byOp.set(op, (byOp.get(op) ?? 0) + 1);
  }
  return { nodes, byOp, multiplyAdds: total, isSmall: largest < WORTH_A_THREAD };
}

/** Multiply-adds of one step; only products count. */
function multiplyAdds({ tensor, origin }: Step): number {
  const [x, w] = origin.inputs;
  const isProduct = origin.op === "matmul" || origin.op === "linear";
  if (isProduct) return numel(tensor.shape) * (x?.shape.at(-1) ?? 0);
  if (origin.op === "conv") return numel(tensor.shape) * numel(w?.shape.slice(1) ?? []);
  if (origin.op === "convTranspose") return numel(x?.shape ?? []) * numel(w?.shape.slice(1) ?? []);
  // Each number of a state fades and is read out at each step.
  if (origin.op === "selectiveScan") return 2 * numel(x?.shape ?? []) * (origin.inputs[2]?.shape[0] ?? 0); // prettier-ignore
  if (origin.op === "recurrence") return numel(tensor.shape);
  return 0;
}
