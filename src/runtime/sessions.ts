import { InferenceSession } from "#ort";
import { isFloat, itemsize } from "../tensor/dtype.ts";
import { fail } from "../tensor/errors.ts";
import { compileModel } from "./compile.ts";
import { isStep, type Program } from "./program.ts";
import { counters } from "./stats.ts";

/** Settings of the runtime. */
export interface RuntimeOptions {
  /** Programs kept compiled; the least recently used is released. @default 64 */
  readonly maxSessions?: number;
  /** Threads that one operation may use. @default the number of physical cores */
  readonly threads?: number;
}

interface Entry {
  readonly session: Promise<InferenceSession>;
  /** Runs under way; a session is not released beneath them. */
  uses: number;
  evicted: boolean;
}

let settings: { maxSessions: number; threads: number | undefined } = {
  maxSessions: 64,
  threads: undefined,
};

/** In order of last use. */
const sessions = new Map<string, Entry>();

/**
 * Changes settings of the runtime. Programs that are compiled already keep theirs.
 * @throws TensorError for a count below 1.
 */
export function configureRuntime(options: RuntimeOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isInteger(value) || value < 1) {
      fail("configureRuntime", `${name} must be an integer of 1 or more, got ${String(value)}`);
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

function create(program: Program): Entry {
  counters.programsCompiled++;
  const { threads } = settings;
  const session = InferenceSession.create(compileModel(program), {
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
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
  session.then(
    () => counters.sessionsAlive++,
    () => sessions.delete(program.signature),
  );
  return { session, uses: 0, evicted: false };
}

function evict(): void {
  for (const [key, entry] of sessions) {
    if (sessions.size <= settings.maxSessions) return;
    sessions.delete(key);
    void retire(entry);
  }
}

async function retire(entry: Entry): Promise<void> {
  entry.evicted = true;
  if (entry.uses === 0) await release(entry);
}

async function release(entry: Entry): Promise<void> {
  counters.sessionsAlive--;
  await (await entry.session).release();
}

/** Runs `work` with the program's session, which is compiled if need be and stays alive meanwhile. */
export async function withSession<T>(
  program: Program,
  work: (session: InferenceSession) => Promise<T>,
): Promise<T> {
  let entry = sessions.get(program.signature);
  sessions.delete(program.signature);
  entry ??= create(program);
  sessions.set(program.signature, entry);
  entry.uses++;
  evict();
  try {
    return await work(await entry.session);
  } finally {
    entry.uses--;
    if (entry.evicted && entry.uses === 0) await release(entry);
  }
}
