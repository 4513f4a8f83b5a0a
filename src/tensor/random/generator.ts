import { describeValue } from "../../base/describe-value.ts";
import { isCount } from "../../base/is-count.ts";
import { fail } from "../errors.ts";
import { threefry } from "./threefry.ts";
import { normal, shortNormal, type WordSource } from "./ziggurat.ts";

/** 128 bits of state as four numbers of 32 bits. */
type Words = readonly [number, number, number, number];

/** All there is to a {@link Generator}: plain data, which JSON keeps exactly. */
export interface GeneratorState {
  /** What the stream's start and the children are derived from. */
  readonly key: readonly [number, number];
  /** Children split off so far. */
  readonly splits: number;
  /** Place in the stream. */
  readonly words: Words;
}

/** Counter of the first child's key; those below are for the stream's start. */
const FIRST_CHILD = 2;

function startOf(key: readonly [number, number]): GeneratorState {
  return { key, splits: 0, words: [...threefry(key, [0, 0]), ...threefry(key, [1, 0])] };
}

function areWords<T extends readonly number[]>(value: T | undefined, count: number): value is T {
  const isList = Array.isArray(value) && value.length === count;
  return isList && value.every((word) => Number.isInteger(word) && word === (word | 0));
}

function fromSeed(seed: number): GeneratorState {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    fail("Generator", `the seed must be an integer from 0 to 2^53 - 1, got ${String(seed)}`);
  }
  return startOf([seed | 0, Math.floor(seed / 2 ** 32) | 0]);
}

/**
 * Random numbers that repeat exactly from a seed, in every JavaScript engine.
 *
 * The stream is xoshiro128++ (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2021; period 2^128 - 1). Its start, and the keys of split-off children, come from
 * Threefry-2x32 (Salmon and others, 2011), so that neighbouring seeds have nothing in common.
 * Normal numbers are made by the ziggurat method.
 *
 * @example
 * ```ts
 * import { Generator, randn } from "tsvene";
 * const generator = new Generator(42);
 * const x = randn([2, 3], { generator });
 * const forData = generator.split(); // a stream of its own; the parent's is not disturbed
 * console.log(forData.uniform(), forData.integer(10));
 * ```
 */
export class Generator implements WordSource {
  #key: readonly [number, number];
  #splits: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /**
   * @param start - A seed, a whole number from 0 to 2^53 - 1; or a {@link stateDict} to go on from.
   * @throws TensorError for any other seed.
   */
  constructor(start: number | GeneratorState) {
    const { key, splits, words } = typeof start === "object" ? start : fromSeed(start);
    this.#key = [key[0], key[1]];
    this.#splits = splits;
    [this.#a, this.#b, this.#c, this.#d] = words;
  }

  /** The state of this generator: `new Generator(state)` continues as this one does. */
  stateDict(): GeneratorState {
    return {
      key: this.#key,
      splits: this.#splits,
      words: [this.#a, this.#b, this.#c, this.#d],
    };
  }

  /**
   * Goes on from a saved state.
   * @throws TensorError for what is none; this generator is then as it was.
   */
  loadStateDict(state: GeneratorState): void {
    const { key, splits, words } = (state ?? {}) as Partial<GeneratorState>;
    if (!areWords(key, 2) || !areWords(words, 4) || !isCount(splits)) {
      fail(
        "Generator.loadStateDict",
        `expected what stateDict() gave, got ${describeValue(state)}`,
      );
    }
    this.#key = [key[0], key[1]];
    this.#splits = splits;
    [this.#a, this.#b, this.#c, this.#d] = words;
  }

  /**
   * A new generator with a stream of its own. The n-th child depends on the seed and on n only, not
   * on how many numbers were drawn, and splitting does not change what this generator draws.
   */
  split(): Generator {
    const counter = FIRST_CHILD + this.#splits++;
    return new Generator(startOf(threefry(this.#key, [counter | 0, 0])));
  }

  /** The next 32 random bits, as a signed integer. */
  word(): number {
    const sum = (this.#a + this.#d) | 0;
    const result = (((sum << 7) | (sum >>> 25)) + this.#a) | 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A number in [0, 1), of 53 random bits. */
  uniform(): number {
    const high = this.word() >>> 5;
    return (high * 2 ** 26 + (this.word() >>> 6)) / 2 ** 53;
  }

  /** A number from the normal distribution of mean 0 and standard deviation 1. */
  normal(): number {
    return normal(this);
  }

  /**
   * A whole number in [0, high), every one equally likely.
   * @param high - From 1 to 2^53 - 1.
   */
  integer(high: number): number {
    if (!Number.isSafeInteger(high) || high < 1) {
      fail("Generator.integer", `high must be an integer from 1 to 2^53 - 1, got ${String(high)}`);
    }
    const short = high <= 2 ** 32;
    const range = short ? 2 ** 32 : 2 ** 53;
    // What lies beyond the last whole multiple would make small numbers likelier.
    const limit = range - (range % high);
    for (;;) {
      const drawn = short ? this.word() >>> 0 : this.uniform() * 2 ** 53;
      if (drawn < limit) return drawn % high;
    }
  }

  /** Fills an array with numbers in [0, 1): of 24 random bits for float32, of 53 for float64. */
  fillUniform<T extends Float32Array | Float64Array>(out: T): T {
    const short = out instanceof Float32Array;
    for (let i = 0; i < out.length; i++) {
      out[i] = short ? (this.word() >>> 8) / 2 ** 24 : this.uniform();
    }
    return out;
  }

  /** Fills an array with normal numbers of mean 0 and standard deviation 1. */
  fillNormal<T extends Float32Array | Float64Array>(out: T): T {
    const short = out instanceof Float32Array;
    for (let i = 0; i < out.length; i++) out[i] = short ? shortNormal(this) : normal(this);
    return out;
  }
}

let global = new Generator(0);

/** What is drawn from where no generator is given. Seeded with 0 until {@link manualSeed}. */
export function defaultGenerator(): Generator {
  return global;
}

/**
 * Does what draws from the default generator with another one in its place, which is put back after.
 *
 * @param work - Must not be async: others would draw from the generator while it waits.
 */
export function drawingFrom<T>(generator: Generator, work: () => T): T {
  const before = global;
  global = generator;
  try {
    return work();
  } finally {
    global = before;
  }
}

/**
 * Restarts the default generator.
 *
 * @example
 * ```ts
 * import { manualSeed, rand } from "tsvene";
 * manualSeed(7);
 * console.log(await rand([3]).toArray()); // the same on every run
 * ```
 */
export function manualSeed(seed: number): Generator {
  global = new Generator(seed);
  return global;
}
