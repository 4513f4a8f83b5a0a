import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { requireKnownOptions, type OptionNames } from "../../base/known-options.ts";
import { shuffle } from "../../tensor/random/random.ts";
import type { Resumable } from "../training-state.ts";
import { childGenerator } from "./child-generator.ts";

/** Data that a loader takes batches of. */
export interface LoadedData<Batch> {
  /** Number of examples. */
  readonly length: number;
  /** The examples with these numbers, from 0. */
  batch(indices: readonly number[]): Batch;
  /** Names of the variables that an example intervenes on, for `groupBy: "variables"`. */
  variables?(index: number): readonly string[];
}

/** How data is gone through. */
export interface DataLoaderOptions {
  /** Examples in a batch. @default 32 */
  readonly batchSize?: number;
  /** Take the examples in another order in each epoch. @default true */
  readonly shuffle?: boolean;
  /** Decides the orders, a whole number. @default 0 */
  readonly seed?: number;
  /** Leave out batches that are not full. @default false */
  readonly dropLast?: boolean;
  /**
   * Have only examples of one group in a batch: `"variables"` for those that intervene on the same
   * variables, or a function that says an example's group. The last batch of each group may be smaller.
   * @default all are one group
   */
  readonly groupBy?: "variables" | ((index: number) => string);
}

const OPTIONS: OptionNames<DataLoaderOptions> = {
  batchSize: true,
  shuffle: true,
  seed: true,
  dropLast: true,
  groupBy: true,
};

/** Where a {@link DataLoader} stands: plain data. */
export interface DataLoaderState {
  /** The epoch that is under way, from 0. */
  readonly epoch: number;
  /** The batch of it that comes next, from 0. */
  readonly batch: number;
  /** Number of examples. */
  readonly length: number;
  /** Number of batches in an epoch. */
  readonly batches: number;
  /** Examples in a batch. */
  readonly batchSize: number;
  /** Whether each epoch has an order of its own. */
  readonly shuffle: boolean;
  /** What decides the orders. */
  readonly seed: number;
}

const OP = "DataLoader";

/**
 * Goes through data in batches. To iterate over it is one epoch, or what is left of one that was left
 * early; the next iteration is the next epoch. The order of an epoch depends on the seed and the
 * number of the epoch only, and {@link stateDict} says where it stands, within an epoch too.
 *
 * @example
 * ```ts
 * import { DataLoader } from "tsvene";
 * const data = { length: 10, batch: (indices: readonly number[]) => indices };
 * const loader = new DataLoader(data, { batchSize: 4, seed: 1 });
 * for (const batch of loader) console.log(batch); // four numbers, four, and two
 * console.log(loader.epoch); // 1
 * ```
 */
export class DataLoader<Batch> implements Resumable, Iterable<Batch> {
  /** What batches are made of. */
  readonly data: LoadedData<Batch>;
  readonly #options: Required<Omit<DataLoaderOptions, "groupBy">>;
  readonly #groups: readonly (readonly number[])[];
  #epoch = 0;
  #next = 0;
  /** The batches of the epoch that was last asked for. */
  #order: { readonly epoch: number; readonly batches: readonly (readonly number[])[] } | undefined;

  /**
   * @throws TsveneError for options that are wrong or unknown, data without examples, no batch at all, and
   * data that does not say the variables that are asked for.
   */
  constructor(data: LoadedData<Batch>, options: DataLoaderOptions = {}) {
    requireKnownOptions(OP, options, OPTIONS);
    requireData(data);
    const { batchSize = 32, shuffle: shuffles = true, seed = 0, dropLast = false } = options;
    if (!isCount(batchSize) || batchSize === 0) {
      fail(OP, `batchSize must be a whole number from 1, got ${shown(batchSize)}`);
    }
    if (!isCount(seed)) fail(OP, `seed must be a whole number, got ${shown(seed)}`);
    this.data = data;
    this.#options = { batchSize, shuffle: shuffles, seed, dropLast };
    this.#groups = groupsOf(data, options.groupBy);
    if (this.length === 0) {
      fail(
        OP,
        `no batch of ${batchSize} is full, and dropLast leaves out the others; make it smaller`,
      );
    }
  }

  /** Number of batches in an epoch. */
  get length(): number {
    const { batchSize, dropLast } = this.#options;
    const count = dropLast ? Math.floor : Math.ceil;
    return this.#groups.reduce((sum, { length }) => sum + count(length / batchSize), 0);
  }

  /** The epoch that is under way, from 0. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The batches of the epoch that is under way, from where it stands. */
  [Symbol.iterator](): Generator<Batch, void, undefined> {
    return this.#rest((indices) => this.data.batch(indices));
  }

  /** As iterating over the loader, but the numbers of the examples in each batch. */
  indices(): Generator<readonly number[], void, undefined> {
    return this.#rest((indices) => indices);
  }

  /** What is left of the epoch. What cannot be made is not passed over. */
  *#rest<T>(make: (indices: readonly number[]) => T): Generator<T, void, undefined> {
    const epoch = this.#epoch;
    while (this.#epoch === epoch) {
      const batches = this.#batchesOf(epoch);
      const made = make(batches[this.#next] ?? []);
      this.#next++;
      if (this.#next === batches.length) [this.#epoch, this.#next] = [epoch + 1, 0];
      yield made;
    }
  }

  /** Where it stands: after the batch that was last handed out. */
  stateDict(): DataLoaderState {
    const { batchSize, shuffle: shuffles, seed } = this.#options;
    return {
      epoch: this.#epoch,
      batch: this.#next,
      length: this.data.length,
      batches: this.length,
      batchSize,
      shuffle: shuffles,
      seed,
    };
  }

  /**
   * Goes on from where another loader of the same data and options stood.
   * @throws TsveneError for the state of a loader that was made otherwise; this one is then as it was.
   */
  loadStateDict(state: DataLoaderState): void {
    const { epoch, batch, ...made } = Object(state) as Partial<DataLoaderState>;
    const { epoch: _, batch: __, ...own } = this.stateDict();
    for (const [name, value] of Object.entries(own)) {
      const other = (made as Readonly<Record<string, unknown>>)[name];
      if (other === value) continue;
      fail(
        `${OP}.loadStateDict`,
        `the state is of a loader with ${name} ${shown(other)}, but here it is ${shown(value)}; make this ` +
          "one as that one was",
      );
    }
    if (!isCount(epoch) || !isCount(batch) || batch >= this.length) {
      fail(`${OP}.loadStateDict`, `expected what stateDict() gave, got ${describeValue(state)}`);
    }
    [this.#epoch, this.#next] = [epoch, batch];
  }

  #batchesOf(epoch: number): readonly (readonly number[])[] {
    if (this.#order?.epoch === epoch) return this.#order.batches;
    const { shuffle: shuffles, seed } = this.#options;
    const generator = childGenerator(seed, epoch);
    const mixed = <T>(list: readonly T[]): readonly T[] =>
      shuffles ? shuffle(list, generator) : list;
    const cut = this.#groups.map((group) => this.#cut(mixed(group)));
    // A single group is in its order already; of several, batches take turns at random.
    const batches = cut.length === 1 ? (cut[0] ?? []) : mixed(cut.flat());
    this.#order = { epoch, batches };
    return batches;
  }

  #cut(group: readonly number[]): readonly (readonly number[])[] {
    const { batchSize, dropLast } = this.#options;
    const count = (dropLast ? Math.floor : Math.ceil)(group.length / batchSize);
    return Array.from({ length: count }, (_, i) => group.slice(i * batchSize, (i + 1) * batchSize));
  }
}

function requireData(data: unknown): void {
  const { length, batch } = Object(data) as Partial<LoadedData<unknown>>;
  if (!isCount(length) || typeof batch !== "function") {
    fail(OP, `expected data, { length, batch(indices) }, got ${describeValue(data)}`);
  }
  if (length === 0) fail(OP, "the data has no examples");
}

/** The examples of each group, in order. */
function groupsOf(
  data: LoadedData<unknown>,
  groupBy: DataLoaderOptions["groupBy"],
): readonly (readonly number[])[] {
  const all = Array.from({ length: data.length }, (_, index) => index);
  if (groupBy === undefined) return [all];
  const groups = new Map<string, number[]>();
  for (const index of all) {
    const name = groupBy === "variables" ? variablesOf(data, index) : groupBy(index);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [index]);
    else group.push(index);
  }
  return [...groups.values()];
}

function variablesOf(data: LoadedData<unknown>, index: number): string {
  if (data.variables !== undefined) return JSON.stringify(data.variables(index));
  return fail(
    OP,
    'groupBy: "variables" needs data that says them, variables(index); write one, or groupBy as a function',
  );
}
