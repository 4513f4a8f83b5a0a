import type { Origin } from "../../tensor/ops/apply.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** softmax(q kᵀ scale + mask) v, by ids of values. */
export interface Attention {
  /** [batch, heads, queries, features] */
  readonly query: number;
  /** [batch, keyValueHeads, keys, features] */
  readonly key: number;
  /** [batch, keyValueHeads, keys, out] */
  readonly value: number;
  /** [..., queries, keys] */
  readonly mask: number | undefined;
  /** Factor of the scores before the softmax. */
  readonly scale: number;
  /** Where keys and values are each those of earlier tokens and those of new ones. */
  readonly cache: Cached | undefined;
}

/** Keys, or values, that are appended to others, by ids. */
export interface Joined {
  /** Number of the value that is in the cache. */
  readonly past: number;
  /** Number of the value that is added to it. */
  readonly added: number;
}

/** How the keys and values of an attention are put together. */
export interface Cached {
  /** The keys: those in the cache, and those that are added. */
  readonly key: Joined;
  /** The values: those in the cache, and those that are added. */
  readonly value: Joined;
}

/** How a matrix is cut along a dimension. */
export interface Blocks {
  /** Whether blocks are of rows, 0, or of columns, 1. */
  readonly dim: 0 | 1;
  /** Rows, or columns, of a block. */
  readonly size: number;
  /** Where each begins; the last one begins early where they do not come out even. */
  readonly starts: readonly number[];
  /** Sizes of the matrix. */
  readonly shape: readonly [number, number];
}

/** A weight that is kept in 16 bits, as one step reads it: in float32. */
export interface Widening {
  /** Id of what is kept. */
  readonly source: number;
  /** How it is kept. */
  readonly from: "float16" | "bfloat16";
  /** Which copy in float32 it reads, for steps that follow soon read the same one. */
  readonly copy: number;
  /** The blocks that a product widens one after the other, if it does. */
  readonly blocks?: Blocks;
}

/** One operation of a program; its place in the list is the id of its value. */
export interface Step {
  /** A tensor that this step computes: its dtype and rank hold for all runs, its sizes do not. */
  readonly tensor: Tensor;
  /** The operation and its attributes. */
  readonly origin: Origin;
  /** Numbers of the values that it reads. */
  readonly inputs: readonly number[];
  /** Slots of its size operands. */
  readonly sizes: readonly number[];
  /** Which of several kernels computes it. */
  readonly variant: string;
  /** The attention that it is the last step of. */
  readonly attention?: Attention;
  /** What it reads in float32 of weights in 16 bits, by ids of its operands. */
  readonly widenings?: ReadonlyMap<number, Widening>;
}

/** A value that comes from outside. */
export interface Input {
  /** The tensor whose values are fed. */
  readonly tensor: Tensor;
}

/** A value of a program. */
export type Value = Step | Input;

export function isStep(value: Value): value is Step {
  return "origin" in value;
}
