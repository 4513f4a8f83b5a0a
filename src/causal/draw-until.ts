import { shown } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { isCount } from "../base/is-count.ts";

/** Draws until something passes, and gives up when nothing has for a long time. */
export class Draws {
  readonly #op: string;
  readonly #tries: number;
  #drawn = 0;
  #kept = 0;

  /**
   * @param tries - Draws one after the other that may fail.
   * @throws TsveneError where that is no number of draws.
   */
  constructor(op: string, tries = 10_000) {
    if (!isCount(tries) || tries === 0) {
      fail(op, `tries must be a whole number from 1, got ${shown(tries)}`);
    }
    this.#op = op;
    this.#tries = tries;
  }

  /**
   * @param draw - Gives undefined for what does not pass.
   * @param wanted - What is asked of a draw, for the message.
   * @throws TsveneError with the share of draws that passed so far.
   */
  until<T>(draw: () => T | undefined, wanted: string | (() => string)): T {
    for (let i = 0; i < this.#tries; i++) {
      this.#drawn++;
      const drawn = draw();
      if (drawn === undefined) continue;
      this.#kept++;
      return drawn;
    }
    const rate = `${this.#kept} of ${this.#drawn} (${((100 * this.#kept) / this.#drawn).toFixed(2)} %)`;
    return fail(
      this.#op,
      `none of the last ${this.#tries} draws ${typeof wanted === "string" ? wanted : wanted()}; ${rate} did in all. Ask for less, draw what fits ` +
        "with a sampler of your own, or give more tries",
    );
  }
}
