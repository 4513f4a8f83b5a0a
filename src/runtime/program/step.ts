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
  readonly scale: number;
  /** Where keys and values are each those of earlier tokens and those of new ones. */
  readonly cache: Cached | undefined;
}

/** Keys, or values, that are appended to others, by ids. */
export interface Joined {
  readonly past: number;
  readonly added: number;
}

/** How the keys and values of an attention are put together. */
export interface Cached {
  readonly key: Joined;
  readonly value: Joined;
}

/** One operation of a program; its place in the list is the id of its value. */
export interface Step {
  /** A tensor that this step computes: its dtype and rank hold for all runs, its sizes do not. */
  readonly tensor: Tensor;
  readonly origin: Origin;
  readonly inputs: readonly number[];
  /** Slots of its size operands. */
  readonly sizes: readonly number[];
  /** Which of several kernels computes it. */
  readonly variant: string;
  /** The attention that it is the last step of. */
  readonly attention?: Attention;
}

/** A value that comes from outside. */
export interface Input {
  readonly tensor: Tensor;
}

export type Value = Step | Input;

export function isStep(value: Value): value is Step {
  return "origin" in value;
}
