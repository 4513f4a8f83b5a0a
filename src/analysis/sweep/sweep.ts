import { fail } from "../../base/errors.ts";
import { partsOf, range } from "../../base/lists.ts";
import { type OptionNames, requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import type { Module } from "../../nn/module.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { requirePairs } from "../data/require-pairs.ts";
import { contrastMetric } from "../metrics/contrast-metric.ts";
import { type Direction, Effects } from "../results/effects.ts";
import { NamedArray } from "../results/named-array.ts";
import { planSweep, rowsAtOnce, type SweepChunk } from "./plan-sweep.ts";
import { type SweepCell, type SweepCells, sweepCells } from "./sweep-cells.ts";
import type { Sweep, SweepOptions } from "./sweep-options.ts";
import { planSource } from "./sweep-source.ts";
import {
  computeCells,
  requireEditable,
  runCells,
  runUnedited,
  type SweepRuns,
  traceCells,
} from "./sweep-rows.ts";

const OP = "sweep";
const SWEEP: OptionNames<Sweep> = {
  sites: true,
  direction: true,
  source: true,
  corruption: true,
  metric: true,
  intervention: true,
  window: true,
  unit: true,
};
const OPTIONS: OptionNames<SweepOptions> = {
  memoryBudget: true,
  resume: true,
  onCell: true,
  onProgress: true,
  signal: true,
};

/**
 * Activation patching over a grid: for each cell and each pair, what becomes of a metric when the cell's state
 * in a run of one input is replaced by that of the other's. All cells are rows of a few programs, in which
 * what rows have in common is computed once.
 *
 * @param model - Any model: by components, or by paths of modules.
 * @param pairs - Of prompts, `contrastPairs` makes them.
 * @param asked - The grid, and what is done and measured there: plain data.
 * @returns The metric by named axes, of every pair.
 * @throws TsveneError, before anything runs, for a grid without cells, cells that cannot be edited, a metric
 * that the pairs do not allow, and a memory budget that is too small for one cell.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, contrastPairs, sweep } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const pairs = contrastPairs(tokenizer, [
 *   {
 *     clean: "The capital of Italy is",
 *     corrupt: "The capital of Spain is",
 *     right: " Rome",
 *     wrong: " Madrid",
 *   },
 * ]);
 * const effects = await sweep(model, pairs, {
 *   sites: { component: "block_input", layer: "all", position: "all" },
 * });
 * console.log(String(effects));
 * ```
 */
export async function sweep(
  model: Module,
  pairs: ContrastData,
  asked: Sweep,
  options: SweepOptions = {},
): Promise<Effects> {
  check(model, pairs, asked, options);
  const runs = {
    model,
    data: pairs,
    sweep: asked,
    source: planSource(asked, pairs.length),
    metric: contrastMetric(OP, asked.metric),
  };
  const grid = sweepCells(model, pairs, asked);
  const rows = rowsAtOnce(runs, grid.cells, options.memoryBudget);
  const found = new Found(runs, grid, options.resume);
  const waiting = grid.cells.filter((cell) => !found.has(cell));
  const chunks = planSweep(runs, waiting, rows);
  const ahead = await tracedAhead(runs, waiting, chunks);
  await found.runUnedited(runs, rows);
  for (const chunk of chunks) {
    options.signal?.throwIfAborted();
    const values = ahead ? computeCells(runs, ahead) : runCells(runs, chunk);
    found.take(chunk, await values);
    if (!chunk.isLast) continue;
    const done = grid.cells.filter((cell) => found.has(cell)).length;
    options.onProgress?.(done, grid.cells.length);
    if (options.onCell === undefined) continue;
    const effects = found.effects();
    for (const { site } of chunk.cells) options.onCell(site, effects);
  }
  return found.effects();
}

/** Traces all cells before anything is computed: the only program, or what is refused. */
async function tracedAhead(
  runs: SweepRuns,
  cells: readonly SweepCell[],
  [only, ...others]: readonly SweepChunk[],
): Promise<Tensor | undefined> {
  if (only === undefined) return undefined;
  // Means are computed first.
  if (others.length === 0 && !runs.source.isMean) return traceCells(runs, only);
  await requireEditable(runs, cells);
  return undefined;
}

function check(model: unknown, pairs: unknown, asked: Sweep, options: SweepOptions): void {
  requirePairs(OP, model, pairs);
  requireKnownOptions(OP, asked, SWEEP);
  requireKnownOptions(OP, options, OPTIONS);
  requireOneOf(OP, "direction", asked.direction, [undefined, "denoise", "noise"]);
}

/** What was found so far. */
class Found {
  readonly #grid: SweepCells;
  readonly #pairs: number;
  readonly #values: Float64Array;
  readonly #clean: number[] = [];
  readonly #corrupt: number[] = [];
  readonly #about: {
    readonly direction: Direction;
    readonly isShare: boolean;
    readonly metric: string;
  };

  /** @throws TsveneError for results of another sweep. */
  constructor(runs: SweepRuns, grid: SweepCells, before: Effects | undefined) {
    const { metric, sweep: asked, data } = runs;
    const direction: Direction = asked.direction ?? "denoise";
    this.#grid = grid;
    this.#pairs = data.length;
    const count = grid.axes.reduce((product, { values }) => product * values.length, 1);
    this.#values = new Float64Array(count * this.#pairs).fill(NaN);
    this.#about = { direction, isShare: metric.isShare, metric: metric.name };
    if (before !== undefined) this.#resume(before);
  }

  /** Runs all pairs without edits. */
  async runUnedited(runs: SweepRuns, rows: number): Promise<void> {
    for (const pairs of partsOf(range(this.#pairs), rows)) {
      this.#clean.push(...(await runUnedited(runs, pairs, "clean")));
      this.#corrupt.push(...(await runUnedited(runs, pairs, "corrupt")));
    }
  }

  has({ index }: SweepCell): boolean {
    const start = index * this.#pairs;
    return this.#values.subarray(start, start + this.#pairs).every((value) => !Number.isNaN(value));
  }

  take({ cells, pairs }: SweepChunk, values: readonly number[]): void {
    cells.forEach(({ index }, c) => {
      pairs.forEach((pair, p) => {
        this.#values[index * this.#pairs + pair] = values[c * pairs.length + p] ?? NaN;
      });
    });
  }

  effects(): Effects {
    const { metric: name, ...about } = this.#about;
    const axes = [...this.#grid.axes, { name: "example", values: range(this.#pairs) }];
    const values = new NamedArray({ name, axes, values: this.#values });
    return new Effects({ ...about, values, clean: this.#clean, corrupt: this.#corrupt });
  }

  #resume(before: Effects): void {
    const own = this.effects();
    const key = ({ values, direction }: Effects): string =>
      JSON.stringify([
        values.name,
        direction,
        values.axes.map(({ name, values: of }) => [name, of]),
      ]);
    if (key(before) !== key(own)) {
      fail(OP, "resume is of another sweep: its metric, direction, axes or pairs differ");
    }
    this.#values.set(before.values.values);
  }
}
