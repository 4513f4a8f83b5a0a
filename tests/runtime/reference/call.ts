import type { DType, OpName, Ops } from "tsvene";
import { entry, type HostArray, type Sizes } from "./host-array.ts";

/** One operation with everything that it is computed from. */
export interface Call<Attributes> {
  readonly inputs: readonly HostArray[];
  readonly attributes: Attributes;
  /** Shapes, bounds and counts. */
  readonly sizes: readonly Sizes[];
  /** The type of the result. */
  readonly dtype: DType;
}

/** Computes one operation. */
export type Interpret<Attributes> = (call: Call<Attributes>) => HostArray;

/** A row for each of these operations. */
export type Rows<Name extends OpName> = { readonly [K in Name]: Interpret<Ops[K]> };

/** An operand, which is there. */
export function operand({ inputs }: Call<unknown>, i: number): HostArray {
  return entry(inputs, i);
}
