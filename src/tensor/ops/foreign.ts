import type { DType } from "../dtype.ts";
import type { Shape } from "../shape.ts";

/** What is known of a foreign operation. */
export interface ForeignFacts {
  /** What messages call it. */
  readonly label: string;
  /** Sizes of the dimensions of its result. */
  readonly shape: Shape;
  /** Element type of its result. */
  readonly dtype: DType;
  /** Multiply-adds that it does. */
  readonly multiplyAdds: number;
  /** What it computes, in the words of the backend that is to compute it. */
  readonly body: object;
}

/**
 * An operation that this library has no words for: it is written down in those of a backend, and computed
 * as it is, as a part of the program. Nothing is known of how its result comes about.
 */
export class Foreign {
  /** Equal for those that compute the same: all that a program's signature says of it. */
  readonly key: string;
  readonly #facts: ForeignFacts;

  constructor(key: string, facts: ForeignFacts) {
    this.key = key;
    this.#facts = facts;
  }

  /** What is known of it, which is no part of a signature. */
  get facts(): ForeignFacts {
    return this.#facts;
  }
}
