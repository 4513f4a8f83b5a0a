import type { TypedArray } from "../../tensor/dtype.ts";

/** The numbers of one example: one array for each tensor that is kept. */
export type Row = readonly TypedArray[];

/** Rounds through what there is room for, after which something should have come again. */
const MANY = 32;

/** What is kept of the examples for one frontier. */
export class KeptRows {
  /** Bytes of one example. */
  readonly rowBytes: number;
  /** Multiply-adds that an example saves. */
  readonly saved: number;
  /** When it was last asked for something. */
  used = 0;
  /** How many examples were found here. */
  hits = 0;
  /** Whether there was no room for an example. */
  isFull = false;
  #asked = 0;
  readonly #rows = new Map<string, Row>();
  #shared = "";

  constructor(rowBytes: number, saved: number) {
    this.rowBytes = rowBytes;
    this.saved = saved;
  }

  /** Number of examples. */
  get size(): number {
    return this.#rows.size;
  }
  /** What they take. */
  get bytes(): number {
    return this.#rows.size * this.rowBytes;
  }

  /** Counts examples that were asked for, and those found. */
  looked(asked: number, found: number): void {
    this.#asked += asked;
    this.hits += found;
    if (this.isUseless) this.#rows.clear();
  }

  /** Whether it is full of what never comes again, as what is drawn at random does. */
  get isUseless(): boolean {
    return this.isFull && this.hits === 0 && this.#asked > MANY * this.#rows.size;
  }

  /** Forgets everything if what all examples share is another than before. */
  sharing(key: string): void {
    if (key !== this.#shared) this.#rows.clear();
    this.#shared = key;
  }

  /** An example by its digest. */
  get(key: string): Row | undefined {
    return this.#rows.get(key);
  }
  /** Keeps an example. */
  set(key: string, row: Row): void {
    this.#rows.set(key, row);
  }

  /** Forgets the oldest examples, so many bytes at least or all. */
  forget(bytes: number): void {
    let left = bytes;
    for (const key of this.#rows.keys()) {
      if (left <= 0) return;
      this.#rows.delete(key);
      left -= this.rowBytes;
    }
  }
}

/** Frontiers that nobody asked for in so many batches give way to others. */
const STALE = 1_000;

/** The kept rows of all frontiers, within a number of bytes. */
export class KeptStores {
  /** Bytes that all may take. */
  readonly budget: number;
  readonly #stores = new Map<string, KeptRows>();
  #now = 0;

  constructor(budget: number) {
    this.budget = budget;
  }

  /** Those of each frontier. */
  get all(): readonly KeptRows[] {
    return [...this.#stores.values()];
  }
  /** What all take. */
  get bytes(): number {
    return this.all.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Forgets everything. */
  clear(): void {
    this.#stores.clear();
  }

  /** The rows of a frontier, which `make` begins. */
  of(key: string, make: () => KeptRows): KeptRows {
    const store = this.#stores.get(key) ?? make();
    this.#stores.set(key, store);
    store.used = this.#now++;
    return store;
  }

  /**
   * Makes room for rows, at the cost of frontiers that nobody asks for any more or that save less per byte.
   * @returns how many of them there is room for.
   */
  room(store: KeptRows, rows: number): number {
    let missing = this.bytes + rows * store.rowBytes - this.budget;
    const isStale = (other: KeptRows): boolean => other.used < this.#now - STALE;
    const worth = (other: KeptRows): number => (isStale(other) ? 0 : other.saved / other.rowBytes);
    const others = this.all.filter((other) => other !== store && worth(other) < worth(store));
    for (const other of others.sort((a, b) => worth(a) - worth(b))) {
      if (missing <= 0) break;
      const before = other.bytes;
      other.forget(missing);
      missing -= before - other.bytes;
    }
    if (missing <= 0) return rows;
    return Math.max(0, rows - Math.ceil(missing / store.rowBytes));
  }
}
