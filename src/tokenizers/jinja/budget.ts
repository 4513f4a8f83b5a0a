import { TemplateError } from "./template-error.ts";

/** Steps for a template by itself; each value of the conversation adds some. */
const BASE_STEPS = 500_000;
const STEPS_PER_VALUE = 1000;
/** Characters that are made or looked through for one step. */
const CHARACTERS_PER_STEP = 32;
/** Deeper templates would end in an overflow of the stack; Python ends earlier. */
const MAX_DEPTH = 800;

/**
 * What rendering may cost. A template comes from a file of others, so each part evaluated, each
 * element and each run of characters made counts, and each level of nesting, down to an error
 * instead of an endless loop, a full memory or a full stack.
 */
export class Budget {
  #steps: number;
  readonly #total: number;
  #depth = 0;

  /** @param values - Number of values in the conversation, which a longer one has more of. */
  constructor(values: number) {
    this.#total = BASE_STEPS + STEPS_PER_VALUE * values;
    this.#steps = this.#total;
  }

  /** @throws TemplateError when more has been spent than there was. */
  spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps >= 0) return;
    throw new TemplateError(
      `rendering takes more than ${this.#total} steps, so it was stopped; ` +
        "a template in good order needs a fraction of that",
    );
  }

  /** Counts a text that is about to be made or looked through. */
  spendText(length: number): void {
    this.spend(1 + length / CHARACTERS_PER_STEP);
  }

  /** Enters one level of nesting; not left when an error is thrown, which ends the rendering. */
  enter(): void {
    this.spend(1);
    this.#depth += 1;
    if (this.#depth <= MAX_DEPTH) return;
    throw new TemplateError(
      `it nests deeper than ${MAX_DEPTH} levels (a macro that calls itself without end?)`,
    );
  }

  leave(): void {
    this.#depth -= 1;
  }
}
