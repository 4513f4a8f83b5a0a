import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { partsOf, range } from "../../base/lists.ts";
import { isCount } from "../../base/is-count.ts";
import { type OptionNames, requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import { bytesText } from "../../base/quantities.ts";
import type { Module } from "../../nn/module.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { requirePairs } from "../data/require-pairs.ts";
import { contrastMetric } from "../metrics/contrast-metric.ts";
import { Effects } from "../results/effects.ts";
import { NamedArray } from "../results/named-array.ts";
import { readNumbers } from "../results/read-numbers.ts";
import { BUDGET } from "../sweep/plan-sweep.ts";
import type { SweepCells } from "../sweep/sweep-cells.ts";
import { planSource } from "../sweep/sweep-source.ts";
import { attributionCells, type CellsAtPlace, cellsByPlace } from "./attribution-cells.ts";
import type { Attributed, Attribution, AttributionOptions } from "./attribution-options.ts";
import { eachCell } from "./cell-sums.ts";
import { type AttributionRuns, type Estimates, traceEstimates } from "./estimate.ts";
import { traceStates } from "./traced-states.ts";
import { verifyEstimates } from "./verify-estimates.ts";

const OP = "attribute";
/** How many states of a site's size live at once in a program with a gradient. */
const LIVE = 6;
/** A metric that falls or rises by less than this per unit of any logit has no gradient there. */
const FLAT = 1e-6;

const ASKED: OptionNames<Attribution> = {
  sites: true,
  direction: true,
  metric: true,
  method: true,
  steps: true,
  rule: true,
  qkFix: true,
  gradDrop: true,
};
const OPTIONS: OptionNames<AttributionOptions> = {
  verify: true,
  memoryBudget: true,
  onProgress: true,
  signal: true,
};

/**
 * Attribution patching: an estimate of what `sweep` finds, for all cells of a grid at once, from two passes
 * and one gradient: the difference of a cell's states, times the gradient of the metric there (Nanda, 2023;
 * AtP* by Kramár et al., 2024; along the embeddings' way, Hanna et al., 2024). The order of cells is usually
 * right and their size often not: `verify` says how far.
 *
 * @param model - Any model: by components, or by paths of modules.
 * @param pairs - Of prompts, `contrastPairs` makes them.
 * @param asked - The grid, and how it is estimated: plain data.
 * @returns Estimates by named axes, of every pair, and what was found of them.
 * @throws TsveneError, before anything runs, for what `sweep` refuses and for corrections that the model or the
 * sites do not allow; and for a metric that has no gradient at the base.
 *
 * @example
 * ```ts
 * import { attribute, AutoModelForCausalLM, AutoTokenizer, contrastPairs } from "tsvene";
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
 * const sites = { component: "head_attention_value_output", layer: "all", head: "all" } as const;
 * const { effects, verified } = await attribute(model, pairs, { sites }, { verify: 3 });
 * console.log(String(effects), verified?.spearman);
 * ```
 */
export async function attribute(
  model: Module,
  pairs: ContrastData,
  asked: Attribution,
  options: AttributionOptions = {},
): Promise<Attributed> {
  check(model, pairs, asked, options);
  const metric = contrastMetric(OP, asked.metric);
  const runs: AttributionRuns = { op: OP, model, data: pairs, metric, asked };
  const grid = attributionCells(OP, model, pairs, asked.sites);
  const places = cellsByPlace(OP, model, grid.cells);
  const found = new Found(runs, grid, places);
  let done = 0;
  for (const chunk of partsOf(range(pairs.length), pairsAtOnce(runs, places, options))) {
    options.signal?.throwIfAborted();
    await found.take(chunk, traceEstimates(runs, places, chunk));
    done += chunk.length;
    options.onProgress?.(done, pairs.length);
  }
  const effects = found.effects();
  const { verify = 0, memoryBudget } = options;
  const { direction = "denoise" } = asked;
  const exactly = { sites: {}, direction };
  const source = planSource(exactly, pairs.length);
  const sweepRuns = { model, data: pairs, metric, sweep: exactly, source };
  const verified =
    verify > 0 ? await verifyEstimates(sweepRuns, grid, effects, verify, memoryBudget) : undefined;
  const { convergenceDelta } = found;
  return {
    effects,
    ...(convergenceDelta && { convergenceDelta }),
    ...(verified && { verified }),
  };
}

function check(
  model: unknown,
  pairs: unknown,
  asked: Attribution,
  { verify = 0, ...options }: AttributionOptions,
): void {
  requirePairs(OP, model, pairs);
  requireKnownOptions(OP, asked, ASKED);
  requireKnownOptions(OP, options, OPTIONS);
  requireRule(OP, asked);
  requireOneOf(OP, "direction", asked.direction, [undefined, "denoise", "noise"]);
  if (!isCount(verify)) fail(OP, `verify must be a number of cells, got ${shown(verify)}`);
  if (asked.gradDrop === true && asked.method === "integratedGradients") {
    fail(OP, 'gradDrop leaves layers out of one gradient; use method: "gradient" with it');
  }
}

/** @throws TsveneError for a method that is not known, and for points that are none. */
export function requireRule(
  op: string,
  { method, rule, steps = 1 }: Pick<Attribution, "method" | "rule" | "steps">,
): void {
  requireOneOf(op, "method", method, [undefined, "gradient", "integratedGradients"]);
  requireOneOf(op, "rule", rule, [undefined, "midpoint", "left"]);
  if (!isCount(steps) || steps < 1) {
    fail(op, `steps must be a number of points from 1, got ${shown(steps)}`);
  }
}

/** How many pairs the budget allows in one program. */
function pairsAtOnce(
  { model, data, asked }: AttributionRuns,
  places: readonly CellsAtPlace[],
  { memoryBudget = BUDGET }: AttributionOptions,
): number {
  const sites = new Map(places.map(({ key, site }) => [key, site]));
  const { at } = traceStates(model, data.batch([0]).clean, { sites });
  const states = [...at.values()].reduce((sum, { numel }) => sum + numel, 0);
  const points = asked.method === "integratedGradients" ? (asked.steps ?? 10) : 1;
  const bytes = 4 * LIVE * states * points;
  const pairs = Math.floor(memoryBudget / bytes);
  if (pairs >= 1) return pairs;
  return fail(
    OP,
    `memoryBudget is ${shown(memoryBudget)} bytes, but one pair takes about ${bytesText(bytes)}; ` +
      "give more, or fewer sites or steps",
  );
}

/** What was found so far. */
class Found {
  readonly #runs: AttributionRuns;
  readonly #grid: SweepCells;
  readonly #places: readonly CellsAtPlace[];
  readonly #changes: Float64Array;
  readonly #unedited: Readonly<Record<"clean" | "corrupt" | "delta", number[]>>;
  #isFlat = true;

  constructor(runs: AttributionRuns, grid: SweepCells, places: readonly CellsAtPlace[]) {
    this.#runs = runs;
    this.#grid = grid;
    this.#places = places;
    const count = grid.axes.reduce((product, { values }) => product * values.length, 1);
    this.#changes = new Float64Array(count * runs.data.length).fill(NaN);
    this.#unedited = { clean: [], corrupt: [], delta: [] };
  }

  get convergenceDelta(): readonly number[] | undefined {
    const { delta } = this.#unedited;
    return delta.length === 0 ? undefined : delta;
  }

  async take(pairs: readonly number[], estimates: Estimates): Promise<void> {
    const { sums, clean, corrupt, convergenceDelta: delta, steepest } = estimates;
    await evaluate(...sums, clean, corrupt, steepest, ...(delta === undefined ? [] : [delta]));
    this.#unedited.clean.push(...(await readNumbers(clean)));
    this.#unedited.corrupt.push(...(await readNumbers(corrupt)));
    if (delta !== undefined) this.#unedited.delta.push(...(await readNumbers(delta)));
    this.#isFlat &&= Math.abs(await steepest.item()) < FLAT;
    for (const [i, place] of this.#places.entries()) {
      const own = sums[i];
      if (own === undefined) continue;
      const values = await readNumbers(own);
      eachCell(place, own.shape, (index, row, offset) => {
        const at = index * this.#runs.data.length + (pairs[row] ?? 0);
        this.#changes[at] = values[offset] ?? NaN;
      });
    }
  }

  effects(): Effects {
    const { metric, asked, data } = this.#runs;
    if (this.#isFlat) this.#refuseFlat();
    const { clean, corrupt } = this.#unedited;
    const direction = asked.direction ?? "denoise";
    const base = direction === "denoise" ? corrupt : clean;
    const axes = [...this.#grid.axes, { name: "example", values: range(data.length) }];
    const values = this.#changes.map((change, i) => change + (base[i % data.length] ?? NaN));
    const named = new NamedArray({ name: `estimated ${metric.name}`, axes, values });
    return new Effects({ values: named, direction, clean, corrupt, isShare: false });
  }

  #refuseFlat(): never {
    const { metric, asked } = this.#runs;
    const along =
      asked.method === "integratedGradients"
        ? "everywhere on the way"
        : 'at the base; use method: "integratedGradients", or the other direction';
    return fail(
      OP,
      `the gradient of the ${metric.name} is zero ${along}, or a metric that has one, such as ` +
        '"logitDifference": every estimate would be zero',
    );
  }
}
