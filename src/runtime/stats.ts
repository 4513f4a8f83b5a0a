import type { Work } from "./program/work.ts";

/** Counters of a runtime, since it was made or {@link Counters.reset}. */
export interface RuntimeStats {
  /** Programs compiled, that is, signatures met for the first time. */
  programsCompiled: number;
  /** Programs run; of those that make several steps at once, each step. */
  runs: number;
  /** Operations of this library in the programs run. */
  nodesRun: number;
  /** The same by operation, as `{ linear: 12, ... }`. */
  nodesByOp: Record<string, number>;
  /** Multiply-adds in the matrix products and convolutions run. */
  multiplyAdds: number;
  /** Sessions alive now. */
  sessionsAlive: number;
  /** Bytes of weights inside the sessions alive now, besides the tensors' own. */
  weightBytes: number;
  /** Bytes of computed values alive now, as far as the garbage collector has told. */
  bytesHeld: number;
}

/** The counters of several runtimes together. */
export function sumOfStats(all: readonly RuntimeStats[]): RuntimeStats {
  const sum: RuntimeStats = { ...NOTHING, nodesByOp: {} };
  for (const { nodesByOp, ...counts } of all) {
    for (const [name, n] of Object.entries(counts)) sum[name as keyof typeof counts] += n;
    for (const [op, n] of Object.entries(nodesByOp)) {
      sum.nodesByOp[op] = (sum.nodesByOp[op] ?? 0) + n;
    }
  }
  return sum;
}

/** What has been done since the last reset. */
const NOTHING_DONE = {
  programsCompiled: 0,
  runs: 0,
  nodesRun: 0,
  multiplyAdds: 0,
} as const;

/** All counters of a runtime that has done nothing. */
const NOTHING = { ...NOTHING_DONE, sessionsAlive: 0, weightBytes: 0, bytesHeld: 0 } as const;

/** The live counters of one runtime. */
export class Counters {
  readonly #stats: RuntimeStats = { ...NOTHING, nodesByOp: {} };
  readonly #dead = new FinalizationRegistry<number>((bytes) => {
    this.#stats.bytesHeld -= bytes;
  });

  /** A copy of the counters as they are now. */
  get snapshot(): RuntimeStats {
    return { ...this.#stats, nodesByOp: { ...this.#stats.nodesByOp } };
  }

  /** Sets the counters of work done to zero; what is alive stays counted. */
  reset(): void {
    Object.assign(this.#stats, NOTHING_DONE, { nodesByOp: {} });
  }

  /** Counts a program that was compiled. */
  countCompiled(): void {
    this.#stats.programsCompiled++;
  }

  /** Counts sessions, with the bytes of their weights: 1 that was made, -1 that was released. */
  countAlive(sessions: 1 | -1, bytes: number): void {
    this.#stats.sessionsAlive += sessions;
    this.#stats.weightBytes += sessions * bytes;
  }

  /** Counts `times` runs of a program of that much work. */
  countRun({ nodes, byOp, multiplyAdds }: Work, times: number): void {
    const stats = this.#stats;
    stats.runs += times;
    stats.nodesRun += nodes * times;
    stats.multiplyAdds += multiplyAdds * times;
    for (const [op, n] of byOp) stats.nodesByOp[op] = (stats.nodesByOp[op] ?? 0) + n * times;
  }

  /** Counts values as held until they are collected. */
  countHeld(values: object, bytes: number): void {
    this.#stats.bytesHeld += bytes;
    this.#dead.register(values, bytes);
  }
}
