import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { requireOneOf } from "../../base/known-options.ts";
import { partsOf, range } from "../../base/lists.ts";
import { bytesText } from "../../base/quantities.ts";
import type { Module } from "../../nn/module.ts";
import type { ContrastData, ContrastSide } from "../data/contrast-data.ts";
import { requirePairs } from "../data/require-pairs.ts";
import { type ContrastMetric, contrastMetric } from "../metrics/contrast-metric.ts";
import { ResidualStream } from "../residual/residual-stream.ts";
import type { Direction } from "../results/effects.ts";
import { BUDGET } from "../sweep/plan-sweep.ts";
import { SIDES } from "../sweep/sweep-source.ts";
import type { Patching } from "./patching.ts";
import { type PreparedPairs, preparePairs } from "./prepared-pairs.ts";
import { requireSource, sharedSource } from "./shared-source.ts";
import { tensorsOf, type WrittenStates, writtenStates } from "./written-states.ts";

/** Some pairs of which both inputs were run, and what takes the place of what senders write. */
export interface PairChunk extends PreparedPairs {
  /** Of as many examples as pairs, or of one for all. */
  readonly source: WrittenStates;
}

/**
 * What runs of edges and of paths have in common: a model, pairs, what is put in and what is measured. Both
 * inputs of each pair are run once.
 */
export class PairRuns {
  readonly op: string;
  readonly model: Module;
  readonly data: ContrastData;
  readonly stream: ResidualStream;
  readonly metric: Required<ContrastMetric>;
  readonly direction: Direction;
  /** The input that is run with edits. */
  readonly base: ContrastSide;
  readonly #from: NonNullable<Patching["source"]>;
  readonly #budget: number;
  readonly #shapes: WrittenStates;
  readonly #kept = new Map<string, Promise<PairChunk>>();
  #shared: Promise<WrittenStates | undefined> | undefined;

  /**
   * @param op - Who asks, for errors.
   * @throws TsveneError for a model whose residual stream cannot be taken apart, and settings that say nothing.
   */
  constructor(
    op: string,
    model: Module,
    pairs: ContrastData,
    { direction = "noise", source = "counterpart", metric }: Patching,
    memoryBudget: number = BUDGET,
  ) {
    requirePairs(op, model, pairs);
    requireOneOf(op, "direction", direction, ["denoise", "noise"]);
    requireSource(op, source);
    if (!(memoryBudget > 0)) {
      fail(op, `memoryBudget must be a number of bytes, got ${shown(memoryBudget)}`);
    }
    this.op = op;
    this.model = model;
    this.data = pairs;
    this.metric = contrastMetric(op, metric);
    this.direction = direction;
    this.base = SIDES[direction].base;
    this.#from = source;
    this.#budget = memoryBudget;
    const { [this.base]: inputs } = pairs.batch([0]);
    this.stream = new ResidualStream(op, model, inputs);
    this.#shapes = writtenStates(this.stream, this.stream.trace(inputs));
  }

  /** Of what the first layer is given of one pair: [1, position, width]. */
  get stateShape(): readonly number[] {
    return this.#shapes.input.shape;
  }

  /**
   * How many runs the budget allows in one program.
   * @param states - How many states of a layer's size one run has at once.
   * @throws TsveneError for none.
   */
  rowsAtOnce(states: number): number {
    const bytes = 4 * states * this.#shapes.input.numel;
    const rows = Math.floor(this.#budget / bytes);
    if (rows > 0) return rows;
    return fail(
      this.op,
      `memoryBudget is ${bytesText(this.#budget)}, but one run takes about ${bytesText(bytes)}`,
    );
  }

  /** All pairs in pieces, each prepared when its turn comes; kept where all of them fit in the budget. */
  async *chunks(size: number): AsyncGenerator<PairChunk> {
    for (const pairs of partsOf(range(this.data.length), size)) yield await this.#chunk(pairs);
  }

  #chunk(pairs: readonly number[]): Promise<PairChunk> {
    const key = `${pairs[0]} ${pairs.length}`;
    const known = this.#kept.get(key) ?? this.#prepare(pairs);
    const numbers = tensorsOf(this.#shapes).reduce((sum, { numel }) => sum + numel, 0);
    const isKept = 4 * numbers * this.data.length <= this.#budget;
    if (isKept) this.#kept.set(key, known);
    return known;
  }

  async #prepare(pairs: readonly number[]): Promise<PairChunk> {
    const { from } = SIDES[this.direction];
    const sides = this.#from === "counterpart" ? ([this.base, from] as const) : [this.base];
    const { op, stream, data, metric } = this;
    const prepared = await preparePairs({ op, stream, data, metric, pairs, sides });
    if (this.#from !== "counterpart") {
      this.#shared ??= sharedSource(this, this.#from, pairs.length);
      const shared = await this.#shared;
      return { ...prepared, source: shared ?? fail(this.op, "internal: there is no source") };
    }
    const { [from]: source } = prepared.written;
    return { ...prepared, source: source ?? fail(this.op, "internal: the source was not run") };
  }
}
