import { sameShape, show } from "../../../tensor/shape.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import { fail } from "../../errors.ts";

/**
 * How many steps of each row of a batch are real, from its first on: numbers, or integers [batch].
 * What follows them is not read, and its outputs are 0, as with PyTorch's packed sequences.
 */
export type Lengths = readonly number[] | Tensor;

/** Which rows have a step. */
export class RowLengths {
  readonly #lengths: Tensor | undefined;
  readonly #shortest: number;

  /** @throws ModelError for lengths that are not one number from 1 to `steps` for each row. */
  constructor(
    layer: string,
    lengths: Lengths | undefined,
    { batch, steps }: { readonly batch: number; readonly steps: number },
  ) {
    if (lengths !== undefined) checkLengths(layer, lengths, batch, steps);
    this.#shortest = lengths === undefined ? steps : shortestOf(lengths);
    this.#lengths = lengths === undefined ? undefined : asTensor(lengths);
  }

  /** [batch, 1]: whether each row has step `t`; undefined where all are known to. */
  at(t: number): Tensor | undefined {
    return t < this.#shortest ? undefined : this.#lengths?.gt(t).unsqueeze(1);
  }
}

function checkLengths(layer: string, lengths: Lengths, batch: number, steps: number): void {
  const isTensor = lengths instanceof Tensor;
  const [shape, dtype] = isTensor ? [lengths.shape, lengths.dtype] : [[lengths.length], "int64"];
  if (!sameShape(shape, [batch]) || (dtype !== "int64" && dtype !== "int32")) {
    const got = isTensor ? `${dtype} ${show(shape)}` : `a list of ${lengths.length}`;
    fail(layer, `lengths must be one integer for each of ${batch} rows, got ${got}`);
  }
  for (const length of isTensor ? (lengths.values ?? []) : lengths) {
    const value = Number(length);
    if (Number.isSafeInteger(value) && value >= 1 && value <= steps) continue;
    fail(layer, `a length must be 1 to ${steps}, the steps there are; got ${value}`);
  }
}

function shortestOf(lengths: Lengths): number {
  const values = lengths instanceof Tensor ? lengths.values : lengths;
  return values === undefined ? 0 : Math.min(...Array.from(values, Number));
}

function asTensor(lengths: Lengths): Tensor {
  if (lengths instanceof Tensor) return lengths;
  return Tensor.fromData(BigInt64Array.from(lengths, BigInt), [lengths.length], "int64");
}
