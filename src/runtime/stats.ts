/** Counters of the runtime, since the process started or {@link resetStats}. */
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

const stats: RuntimeStats = {
  programsCompiled: 0,
  runs: 0,
  nodesRun: 0,
  nodesByOp: {},
  multiplyAdds: 0,
  sessionsAlive: 0,
  weightBytes: 0,
  bytesHeld: 0,
};

/** The live counters; only the runtime writes them. */
export const counters: RuntimeStats = stats;

/** A copy of the counters as they stand. */
export function runtimeStats(): RuntimeStats {
  return { ...stats, nodesByOp: { ...stats.nodesByOp } };
}

/** Sets the counters of work done to zero; what is alive stays counted. */
export function resetStats(): void {
  stats.programsCompiled = 0;
  stats.runs = 0;
  stats.nodesRun = 0;
  stats.nodesByOp = {};
  stats.multiplyAdds = 0;
}

const dead = new FinalizationRegistry<number>((bytes) => {
  stats.bytesHeld -= bytes;
});

/** Counts values as held until they are collected. */
export function countHeld(values: object, bytes: number): void {
  stats.bytesHeld += bytes;
  dead.register(values, bytes);
}
