import type { Backend, Executable } from "./backend.ts";
import type { Heats } from "./heats.ts";
import type { Weights } from "./emit/packing.ts";
import type { Program } from "./program/program.ts";
import type { Counters } from "./stats.ts";

/** Bounds of what is kept compiled. */
export interface CompiledLimits {
  /** Programs that are kept at most. */
  readonly maxSessions: number;
  /** Bytes of weights that programs hold within them at most. */
  readonly maxWeightBytes: number;
  /** Threads of a run; undefined leaves the choice to the backend. */
  readonly threads: number | undefined;
}

/** A compiled program in the list of those that are kept. */
interface Entry {
  /** The program, once it is compiled. */
  readonly executable: Promise<Executable>;
  /** What it is found by. */
  readonly signature: string;
  /** Bytes of the weights inside. */
  readonly bytes: number;
  /** Runs under way; nothing is released beneath them. */
  uses: number;
  /** Whether it fell out of the list while runs still use it. */
  evicted: boolean;
}

/** Marks programs that use all threads. */
const LARGE = "large ";

/** Compiled programs in order of last use, bounded in number and in the weights inside. */
export class CompiledPrograms {
  readonly #backend: Backend;
  readonly #counters: Counters;
  readonly #heats: Heats;
  readonly #entries = new Map<string, Entry>();
  /** A program with a weight inside that nobody can ask for any more is of no use. */
  readonly #unused = new FinalizationRegistry<string>((key) => this.#drop(key));
  #limits: CompiledLimits;

  constructor(
    backend: Backend,
    limits: CompiledLimits,
    { counters, heats }: { readonly counters: Counters; readonly heats: Heats },
  ) {
    this.#backend = backend;
    this.#limits = limits;
    this.#counters = counters;
    this.#heats = heats;
  }

  /** Changes the bounds; what is compiled already keeps its threads. */
  limit(limits: CompiledLimits): void {
    this.#limits = limits;
    this.#evict();
  }

  /** Releases everything; it is compiled again when needed. */
  async clear(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map((entry) => this.#retire(entry)));
  }

  /**
   * Runs `work` with the program, which is compiled if need be and stays alive meanwhile. With
   * `weights` it is one that holds them.
   */
  async use<T>(
    program: Program,
    weights: Weights | undefined,
    work: (executable: Executable) => Promise<T>,
  ): Promise<T> {
    const threads = program.work.isSmall ? "" : LARGE;
    const key = `${threads}${weights === undefined ? "" : `${weights.key}@`}${program.signature}`;
    let entry = this.#entries.get(key);
    this.#entries.delete(key);
    entry ??= this.#create(key, program, weights);
    this.#entries.set(key, entry);
    entry.uses++;
    this.#evict();
    try {
      return await work(await entry.executable);
    } finally {
      entry.uses--;
      if (entry.evicted && entry.uses === 0) await this.#release(entry);
    }
  }

  #create(key: string, program: Program, weights: Weights | undefined): Entry {
    this.#counters.countCompiled();
    const threads = program.work.isSmall ? 1 : this.#limits.threads;
    const executable = this.#backend.compile(program, { weights, threads });
    const bytes = weights?.bytes ?? 0;
    const entry = { executable, signature: program.signature, bytes, uses: 0, evicted: false };
    executable.then(
      () => this.#counters.countAlive(1, bytes),
      () => this.#entries.delete(key),
    );
    if (weights !== undefined) this.#unused.register(weights.witness, key);
    return entry;
  }

  #evict(): void {
    const { maxSessions, maxWeightBytes } = this.#limits;
    let bytes = 0;
    for (const entry of this.#entries.values()) bytes += entry.bytes;
    if (this.#entries.size <= maxSessions && bytes <= maxWeightBytes) return;
    for (const [key, entry] of this.#entries) {
      const heavy = entry.bytes > 0 && bytes > maxWeightBytes;
      if (!heavy && this.#entries.size <= maxSessions) continue;
      bytes -= entry.bytes;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    if (entry.bytes > 0) this.#heats.cool(entry.signature);
    void this.#retire(entry);
  }

  async #retire(entry: Entry): Promise<void> {
    entry.evicted = true;
    if (entry.uses === 0) await this.#release(entry);
  }

  async #release(entry: Entry): Promise<void> {
    this.#counters.countAlive(-1, entry.bytes);
    await (await entry.executable).release();
  }
}
