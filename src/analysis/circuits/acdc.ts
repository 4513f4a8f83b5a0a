import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { range } from "../../base/lists.ts";
import type { Module } from "../../nn/module.ts";
import { meanOf } from "../../training/alignment/statistics.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import type { ContrastMetricChoice } from "../metrics/contrast-metric.ts";
import type { PatchingOptions } from "../paths/patching.ts";
import type { ResidualEdge } from "../residual/residual-edges.ts";
import { Circuit } from "./circuit.ts";
import { type CircuitMeasure, CircuitRuns } from "./circuit-runs.ts";
import { EdgeGraph } from "./edge-graph.ts";

/** How ACDC decides: plain data, where the metric is named. */
export interface AcdcSettings extends Omit<CircuitMeasure, "metric"> {
  /** An edge without which things get worse by less than this is taken out. */
  readonly threshold: number;
  /** What is measured; of divergences more is worse, of everything else less. @default "kl" */
  readonly metric?: ContrastMetricChoice;
  /** Compare the magnitude of a change, so that what hurts the answer stays too. @default false */
  readonly absolute?: boolean;
}

/** What was decided of an edge. */
export interface AcdcDecision {
  /** Its name. */
  readonly edge: string;
  /** By how much the metric changed for the worse without it, beside all that was taken out before. */
  readonly change: number;
  /** Whether it stays. */
  readonly isKept: boolean;
}

/** How ACDC is run: nothing of it changes what comes out. */
export interface AcdcOptions extends Omit<PatchingOptions, "onProgress"> {
  /** Called for each edge that is decided. */
  readonly onEdge?: (decision: AcdcDecision, done: number, total: number) => void;
  /** Decisions of a run of the same settings that was stopped, which are not made again. */
  readonly resume?: readonly AcdcDecision[];
}

/** What ACDC finds. */
export interface AcdcResult {
  /** The edges that stay, with their changes as scores; without those on no path. */
  readonly circuit: Circuit;
  /** Of all edges, in the order in which they were tried. */
  readonly decisions: readonly AcdcDecision[];
  /** The metric of the model, the mean over the pairs. */
  readonly whole: number;
  /** The same of what is left. */
  readonly left: number;
}

const OP = "acdc";
const ASKED: OptionNames<AcdcSettings> = {
  threshold: true,
  metric: true,
  absolute: true,
  source: true,
};
const OPTIONS: OptionNames<AcdcOptions> = {
  memoryBudget: true,
  signal: true,
  onEdge: true,
  resume: true,
};
/** How many edges are tried in one program: few sizes, for each is a program of its own. */
const SIZES = [2, 8, 32];

/**
 * Automatic circuit discovery (ACDC, Conmy et al., 2023): from the logits down, one edge after the other is
 * made to carry what was written for the corrupt input, beside all that were taken out before; where that
 * makes things worse by less than the threshold, it stays out. Several edges are tried at once, each beside
 * those before it in the list, and what was found is right up to the first that has to stay.
 *
 * @param model - Of a family whose layers add to a residual stream.
 * @param pairs - Of prompts, `contrastPairs` makes them.
 * @throws TsveneError, before anything runs, for settings that say nothing and decisions of another model.
 *
 * @example
 * ```ts
 * import { acdc, AutoTokenizer, contrastPairs, GPT2LMHeadModel } from "tsvene";
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const { vocabSize } = tokenizer;
 * const model = new GPT2LMHeadModel({ nLayer: 1, nHead: 2, nEmbd: 8, vocabSize }).eval();
 * const pairs = contrastPairs(tokenizer, [
 *   {
 *     clean: "The capital of Italy is",
 *     corrupt: "The capital of Spain is",
 *     right: " Rome",
 *     wrong: " Madrid",
 *   },
 * ]);
 * const { circuit, left } = await acdc(model, pairs, { threshold: 1e-4 });
 * console.log(String(circuit), left);
 * ```
 */
export async function acdc(
  model: Module,
  pairs: ContrastData,
  asked: AcdcSettings,
  options: AcdcOptions = {},
): Promise<AcdcResult> {
  check(asked, options);
  const { threshold, metric = "kl", absolute = false, source } = asked;
  const { signal, onEdge, resume = [] } = options;
  const measure = { metric, ...(source && { source }) };
  const runs = new CircuitRuns(OP, model, pairs, measure, options);
  const whole = meanOf(await runs.whole());
  const search = new EdgeSearch(runs, whole, signal);
  search.resume(resume);
  const isWorse = metric === "kl" || metric === "js" ? 1 : -1;
  while (!search.isDone) {
    for (const { edge, value, before } of await search.next()) {
      const change = (value - before) * isWorse;
      const isKept = !((absolute ? Math.abs(change) : change) < threshold);
      const decision = { edge: edge.name, change, isKept };
      search.decide(decision, value);
      onEdge?.(decision, search.decisions.length, search.total);
      // What comes after was tried without this edge.
      if (isKept) break;
    }
  }
  const { decisions } = search;
  const edges = decisions.filter(({ isKept }) => isKept).map(({ edge }) => edge);
  const scores = Object.fromEntries(decisions.map(({ edge, change }) => [edge, change]));
  const { layers } = runs.runs.stream;
  const width = runs.runs.runs.stateShape.at(-1) ?? 0;
  const circuit = new Circuit({ layers, width, edges, scores }).pruned();
  return { circuit, decisions, whole, left: await search.current() };
}

function check(asked: AcdcSettings, options: AcdcOptions): void {
  requireKnownOptions(OP, asked, ASKED);
  requireKnownOptions(OP, options, OPTIONS);
  const { threshold } = asked;
  if (typeof threshold !== "number" || Number.isNaN(threshold)) {
    fail(OP, `threshold must be a number, such as 0.01 nats, got ${shown(threshold)}`);
  }
}

/** An edge that was tried: the metric without it, and without those before it only. */
interface Trial {
  readonly edge: ResidualEdge;
  readonly value: number;
  readonly before: number;
}

/** Where a search stands. */
class EdgeSearch {
  readonly decisions: AcdcDecision[] = [];
  readonly #runs: CircuitRuns;
  readonly #signal: AbortSignal | undefined;
  readonly #graph: EdgeGraph;
  readonly #order: readonly ResidualEdge[];
  readonly #place: ReadonlyMap<string, number>;
  readonly #weights: Float32Array;
  readonly #written = new Set<string>();
  #value: number | undefined;
  #size = 0;
  /** How many edges went out one after the other. */
  #streak = 0;

  constructor(runs: CircuitRuns, whole: number, signal: AbortSignal | undefined) {
    this.#runs = runs;
    this.#signal = signal;
    this.#value = whole;
    this.#graph = new EdgeGraph(runs.runs.stream);
    this.#order = fromLogitsDown(this.#graph);
    this.#place = new Map(runs.runs.edges.map(({ name }, i) => [name, i]));
    this.#weights = new Float32Array(runs.runs.edges.length);
  }

  get total(): number {
    return this.#order.length;
  }

  get isDone(): boolean {
    return this.decisions.length >= this.total;
  }

  /** Takes over decisions that were made. @throws TsveneError for those of another model. */
  resume(decisions: readonly AcdcDecision[]): void {
    decisions.forEach((decision, i) => {
      const { edge } = decision;
      if (edge !== this.#order[i]?.name) {
        fail(
          OP,
          `resume is of another model: its edge ${i} is ${edge}, not ${this.#order[i]?.name}`,
        );
      }
      this.#take(decision);
    });
    if (decisions.some(({ isKept }) => !isKept)) this.#value = undefined;
  }

  /** The metric of what is left. */
  async current(): Promise<number> {
    this.#value ??= (await this.#measure([this.#weights]))[0] ?? NaN;
    return this.#value;
  }

  /** Tries edges, each without those before it. */
  async next(): Promise<readonly Trial[]> {
    const start = this.decisions.length;
    const free = this.#order
      .slice(start)
      .findIndex(({ receiver }) => this.#graph.reaches(receiver, this.#written));
    const unread = free < 0 ? this.total - start : free;
    let before = await this.current();
    // What a node reads whose own output nobody reads changes nothing.
    if (unread > 0) {
      return this.#order
        .slice(start, start + unread)
        .map((edge) => ({ edge, value: before, before }));
    }
    const size = SIZES[this.#size] ?? 1;
    const tried = this.#order.slice(start, start + size);
    const weights = this.#weights.slice();
    const sets = tried.map(({ name }) => {
      weights[this.#place.get(name) ?? 0] = 1;
      return weights.slice();
    });
    const filled = range(size).map((i) => sets[Math.min(i, sets.length - 1)] ?? weights);
    const values = await this.#measure(filled);
    return tried.map((edge, i) => {
      const value = values[i] ?? NaN;
      const trial = { edge, value, before };
      before = value;
      return trial;
    });
  }

  /** @param value - The metric without the edge. */
  decide(decision: AcdcDecision, value: number): void {
    this.#take(decision);
    if (!decision.isKept) this.#value = value;
    // Long lists where most goes out, short ones where most stays.
    if (decision.isKept) this.#streak = 0;
    else this.#streak++;
    this.#size = SIZES.findLastIndex((size, i) => i === 0 || this.#streak >= size / 2);
  }

  #take(decision: AcdcDecision): void {
    this.decisions.push(decision);
    const { edge, isKept } = decision;
    this.#weights[this.#place.get(edge) ?? 0] = isKept ? 0 : 1;
    if (isKept) this.#written.add(this.#graph.edge(OP, edge).sender.name);
  }

  async #measure(sets: readonly Float32Array[]): Promise<readonly number[]> {
    const values = await this.#runs.runs.run(sets, {
      ...(this.#signal && { signal: this.#signal }),
    });
    return values.map((own) => meanOf([...own]));
  }
}

/** Receivers from the end, and of each the senders from late to early. */
function fromLogitsDown(graph: EdgeGraph): readonly ResidualEdge[] {
  const count = graph.receivers.length;
  const place = ({ at }: ResidualEdge): readonly [receiver: number, sender: number] => [
    at % count,
    Math.floor(at / count),
  ];
  return graph.edges.toSorted((a, b) => {
    const [[receiverA, senderA], [receiverB, senderB]] = [place(a), place(b)];
    return receiverB - receiverA || senderB - senderA;
  });
}
