import { InferenceSession, WEIGHT_BYTES } from "#ort";
import { isFloat, itemsize } from "../tensor/dtype.ts";
import { fail } from "../tensor/errors.ts";
import { compileModel } from "./compile.ts";
import { cool, type Weights } from "./packing.ts";
import type { Program } from "./program.ts";
import { counters } from "./stats.ts";
import { isStep } from "./step.ts";

/** Settings of the runtime. */
export interface RuntimeOptions {
  /** Programs kept compiled; the least recently used is released. @default 64 */
  readonly maxSessions?: number;
  /**
   * Bytes of weights that compiled programs may hold besides the tensors' own. A program that has
   * run often with the same weights is compiled once more with them inside, as ONNX Runtime lays
   * them out best: faster, though its sums may differ in the last bit from those before. 0 turns
   * this off.
   *
   * @default 1 GiB in Node, 0 in browsers
   */
  readonly maxWeightBytes?: number;
  /**
   * Threads that one operation may use, in programs that have operations worth it.
   * @default the number of physical cores
   */
  readonly threads?: number;
}

interface Entry {
  readonly session: Promise<InferenceSession>;
  readonly signature: string;
  /** Bytes of the weights inside. */
  readonly bytes: number;
  /** Runs under way; a session is not released beneath them. */
  uses: number;
  evicted: boolean;
}

let settings: { maxSessions: number; maxWeightBytes: number; threads: number | undefined } = {
  maxSessions: 64,
  maxWeightBytes: WEIGHT_BYTES,
  threads: undefined,
};

/** Marks programs that use all threads. */
const LARGE = "large ";

/** In order of last use. */
const sessions = new Map<string, Entry>();

/** A program with a weight inside that nobody can ask for any more is of no use. */
const unused = new FinalizationRegistry<string>((key) => drop(key));

/**
 * Changes settings of the runtime. Programs that are compiled already keep theirs.
 * @throws TensorError for a count below 1.
 */
export function configureRuntime(options: RuntimeOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const least = name === "maxWeightBytes" ? 0 : 1;
    if (!Number.isInteger(value) || value < least) {
      const wanted = `${name} must be an integer of ${least} or more`;
      fail("configureRuntime", `${wanted}, got ${String(value)}`);
    }
  }
  settings = { ...settings, ...options };
  evict();
}

/** Releases every compiled program; they are compiled again when needed. */
export async function clearSessions(): Promise<void> {
  const entries = [...sessions.values()];
  sessions.clear();
  await Promise.all(entries.map(retire));
}

/** Whether weights in 16 bits come in. */
function readsHalves(program: Program): boolean {
  return program.values.some(
    (value) => !isStep(value) && isFloat(value.tensor.dtype) && itemsize(value.tensor.dtype) === 2,
  );
}

function create(key: string, program: Program, weights: Weights | undefined): Entry {
  counters.programsCompiled++;
  const threads = program.work.isSmall ? 1 : settings.threads;
  const { model, externalData } = compileModel(program, weights);
  const session = InferenceSession.create(model, {
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(externalData.length === 0 ? {} : { externalData }),
    // A session never gives back the memory of its arena, which widened weights would fill.
    enableCpuMemArena: !readsHalves(program),
    graphOptimizationLevel: "all",
    // What goes wrong is thrown; ONNX Runtime need not print it too.
    logSeverityLevel: 4,
    // It would turn the products back that `linear` turns round on purpose.
    extra: {
      optimization: { disable_specified_optimizers: "GemmTransposeFusion" },
      // Threads wait busily for the next operation, but not for the next run.
      session: { force_spinning_stop: "1" },
    },
  });
  const entry = {
    session,
    signature: program.signature,
    bytes: weights?.bytes ?? 0,
    uses: 0,
    evicted: false,
  };
  session.then(
    () => {
      counters.sessionsAlive++;
      counters.weightBytes += entry.bytes;
    },
    () => sessions.delete(key),
  );
  if (weights !== undefined) unused.register(weights.witness, key);
  return entry;
}

function evict(): void {
  let bytes = 0;
  for (const entry of sessions.values()) bytes += entry.bytes;
  if (sessions.size <= settings.maxSessions && bytes <= settings.maxWeightBytes) return;
  for (const [key, entry] of sessions) {
    const heavy = entry.bytes > 0 && bytes > settings.maxWeightBytes;
    if (!heavy && sessions.size <= settings.maxSessions) continue;
    bytes -= entry.bytes;
    drop(key);
  }
}

function drop(key: string): void {
  const entry = sessions.get(key);
  if (entry === undefined) return;
  sessions.delete(key);
  if (entry.bytes > 0) cool(entry.signature);
  void retire(entry);
}

async function retire(entry: Entry): Promise<void> {
  entry.evicted = true;
  if (entry.uses === 0) await release(entry);
}

async function release(entry: Entry): Promise<void> {
  counters.sessionsAlive--;
  counters.weightBytes -= entry.bytes;
  await (await entry.session).release();
}

/** Whether programs may hold these weights. */
export function mayHold({ bytes }: Weights): boolean {
  return bytes <= settings.maxWeightBytes;
}

/**
 * Runs `work` with the program's session, which is compiled if need be and stays alive meanwhile.
 * With `weights` it is one that holds them, and that wants them no more.
 */
export async function withSession<T>(
  program: Program,
  weights: Weights | undefined,
  work: (session: InferenceSession) => Promise<T>,
): Promise<T> {
  const threads = program.work.isSmall ? "" : LARGE;
  const key = `${threads}${weights === undefined ? "" : `${weights.key}@`}${program.signature}`;
  let entry = sessions.get(key);
  sessions.delete(key);
  entry ??= create(key, program, weights);
  sessions.set(key, entry);
  entry.uses++;
  evict();
  try {
    return await work(await entry.session);
  } finally {
    entry.uses--;
    if (entry.evicted && entry.uses === 0) await release(entry);
  }
}
