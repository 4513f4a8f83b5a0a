import type { Weights } from "./emit/packing.ts";
import type { Program } from "./program/program.ts";
import { remember } from "./remember.ts";

/** How much a program has been run with the same weights, by their keys, the latest last. */
type Heat = Map<string, number>;

/**
 * Building a weight in costs about 2 ns a byte, once; a multiply-add takes about 1/50 ns. A program
 * that has run as long as building its weights in will take is likely to go on: the usual bet when
 * one does not know whether to rent or to buy, which never costs more than twice the best choice.
 * It counts arithmetic and not time, so that a repeated run does the same.
 */
const MULTIPLY_ADDS_PER_BYTE = 100;

/**
 * In a program of more operations than a model has, these take longer to compile than weights to build in:
 * 0.1 ms each, which a quarter less time for each run is to make up for.
 */
const FEW_NODES = 1_000;
const MULTIPLY_ADDS_PER_NODE = 20_000_000;

/** Programs whose heat is known; the longest unused is forgotten. */
const KNOWN = 512;

/** Weights, or sizes, that are known of each. */
const KNOWN_WEIGHTS = 4;

/** How much programs have been run with the same weights. */
export class Heats {
  readonly #heats = new Map<string, Heat>();

  /** Whether building the weights in is likely to pay. */
  isHot({ signature, work }: Program, { key, bytes }: Weights): boolean {
    const nodes = MULTIPLY_ADDS_PER_NODE * Math.max(0, work.nodes - FEW_NODES);
    const heat = this.#heats.get(signature)?.get(key) ?? 0;
    return heat >= MULTIPLY_ADDS_PER_BYTE * bytes + nodes;
  }

  /** Notes a run with these weights. */
  warm({ signature }: Program, { key }: Weights, multiplyAdds: number): void {
    const heat: Heat = this.#heats.get(signature) ?? new Map<string, number>();
    remember(this.#heats, signature, heat, KNOWN);
    remember(heat, key, (heat.get(key) ?? 0) + multiplyAdds, KNOWN_WEIGHTS);
  }

  /** Starts counting again, because what was built in was given up. */
  cool(signature: string): void {
    this.#heats.delete(signature);
  }
}
