import { itemsize, type TypedArray } from "../tensor/dtype.ts";
import { fail, internal } from "../base/errors.ts";
import { numel, sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type OptionNames, requireKnownOptions } from "../base/known-options.ts";
import type { Backend, EngineOptions, Executable, HostValue } from "./backend.ts";
import { type CompiledLimits, CompiledPrograms } from "./compiled-programs.ts";
import { Heats } from "./heats.ts";
import { type Weights, weightsOf } from "./emit/packing.ts";
import { isStacked, type Program } from "./program/program.ts";
import { Plans } from "./program/plans.ts";
import { Counters, type RuntimeStats } from "./stats.ts";

/** Settings of a runtime. */
export interface RuntimeOptions extends EngineOptions {
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
}

const OPTIONS: OptionNames<RuntimeOptions> = {
  maxSessions: true,
  maxWeightBytes: true,
  threads: true,
  wasmPaths: true,
  executionProviders: true,
  numThreads: true,
};

const NO_IDS: ReadonlySet<number> = new Set();
const NO_INPUTS: ReadonlyMap<number, Tensor> = new Map();

/**
 * Turns lazy tensors into numbers: cuts away what is not asked for, brings the rest into canonical
 * form, has it compiled where no program like it is, and runs it. Each runtime has its own settings,
 * compiled programs and counters; several may live side by side.
 */
export class Runtime {
  /** What computes the programs. */
  readonly backend: Backend;
  readonly #counters = new Counters();
  readonly #heats = new Heats();
  readonly #plans = new Plans();
  readonly #programs: CompiledPrograms;
  #limits: CompiledLimits;

  /** @throws TensorError for settings that cannot be. */
  constructor(backend: Backend, options: RuntimeOptions = {}) {
    this.backend = backend;
    this.#limits = { maxSessions: 64, maxWeightBytes: backend.weightBytes, threads: undefined };
    const kept = { counters: this.#counters, heats: this.#heats };
    this.#programs = new CompiledPrograms(backend, this.#limits, kept);
    this.configure(options);
  }

  /**
   * Changes settings: all that are given or, where one is wrong, none. Programs that are compiled
   * already keep theirs.
   * @throws TsveneError for a count below 1, a setting that is not known, and what the engine cannot do.
   */
  configure(options: RuntimeOptions): void {
    requireKnownOptions("configureRuntime", options, OPTIONS);
    const { maxSessions, maxWeightBytes, ...engine } = options;
    const limits = given({ maxSessions, maxWeightBytes, threads: options.threads });
    for (const [name, value] of Object.entries(limits)) {
      const least = name === "maxWeightBytes" ? 0 : 1;
      if (!Number.isInteger(value) || value < least) {
        const wanted = `${name} must be an integer of ${least} or more`;
        fail("configureRuntime", `${wanted}, got ${String(value)}`);
      }
    }
    this.#configureEngine(given(engine));
    this.#limits = { ...this.#limits, ...limits };
    this.#programs.limit(this.#limits);
  }

  #configureEngine(options: EngineOptions): void {
    if (this.backend.configure !== undefined) return this.backend.configure(options);
    const other = Object.keys(options).find((name) => name !== "threads");
    if (other === undefined) return;
    fail("configureRuntime", `${other}: the backend ${this.backend.name} has no such setting`);
  }

  /** Releases every compiled program; they are compiled again when needed. */
  clear(): Promise<void> {
    return this.#programs.clear();
  }

  /** The counters as they are now. */
  get stats(): RuntimeStats {
    return this.#counters.snapshot;
  }

  /** Sets the counters of work done to zero; what is alive stays counted. */
  resetStats(): void {
    this.#counters.reset();
  }

  /** Computes lazy tensors in one program; afterwards they hold their values. */
  async evaluate(tensors: readonly Tensor[]): Promise<void> {
    const asked = [...new Set(tensors)].filter((t) => t.values === undefined);
    if (asked.length === 0) return;
    const program = this.#plans.programOf(asked);
    const values = await this.run(program, weightsOf(program), (executable) =>
      executable.bind(program, NO_IDS).run(NO_INPUTS, 1),
    );
    const targets = [...asked, ...program.targets.slice(asked.length)];
    targets.forEach((t, i) => {
      if (t.values === undefined) t.settle(values[i] ?? internal(`no values for output ${i}`));
    });
  }

  /**
   * @internal Runs a program with `weights`, and gives the values of its targets.
   *
   * @param call Runs the compiled program.
   * @param times Steps, if it is a loop.
   */
  async run(
    program: Program,
    weights: Weights | undefined,
    call: (executable: Executable) => Promise<readonly HostValue[]>,
    times = 1,
  ): Promise<readonly TypedArray[]> {
    const fits = weights !== undefined && weights.bytes <= this.#limits.maxWeightBytes;
    const usable = fits ? weights : undefined;
    const within = usable && this.#heats.isHot(program, usable) ? usable : undefined;
    const values = await this.#programs.use(program, within, async (executable) =>
      valuesOf(program, await call(executable), times),
    );
    this.#counters.countRun(program.work, times);
    if (usable !== undefined && within === undefined) {
      this.#heats.warm(program, usable, program.work.multiplyAdds * times);
    }
    program.targets.forEach(({ dtype }, i) => {
      const computed = values[i] ?? internal(`no values for output ${i}`);
      this.#counters.countHeld(computed, computed.length * itemsize(dtype));
    });
    return values;
  }
}

/** Those of the settings that have a value. */
function given<T extends object>(
  options: T,
): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const present = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** The values of the targets in what a backend gave. */
function valuesOf(program: Program, results: readonly HostValue[], times: number): TypedArray[] {
  return program.targets.map((target, i) => {
    const { shape: given, data } = results[i] ?? internal(`no output ${i}`);
    const shape = isStacked(program, i) ? [times, ...target.shape] : target.shape;
    const features = shape.at(-1) ?? 1;
    const matrix = [numel(shape) / features, features];
    if (!sameShape(given, shape) && !sameShape(given, matrix)) {
      internal(`the program gives ${show(given)} where ${show(shape)} was recorded`);
    }
    return data;
  });
}
