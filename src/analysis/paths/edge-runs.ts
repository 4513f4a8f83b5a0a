import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { partsOf } from "../../base/lists.ts";
import type { Module } from "../../nn/module.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { type ResidualEdge, residualEdges } from "../residual/residual-edges.ts";
import type { ResidualStream } from "../residual/residual-stream.ts";
import { readNumbers } from "../results/read-numbers.ts";
import { type PairChunk, PairRuns } from "./pair-runs.ts";
import type { Patching, PatchingOptions } from "./patching.ts";
import { answerLogits } from "./prepared-pairs.ts";
import { passesOf } from "./read-heads.ts";
import { inRows, traceEdges } from "./trace-edges.ts";

/** The metric of each pair without edits. */
export interface UneditedMetric {
  /** Of the clean inputs. */
  readonly clean: readonly number[];
  /** Of the corrupt inputs. */
  readonly corrupt: readonly number[];
}

/**
 * Runs of a model on pairs in which chosen edges carry the source's values, set of edges after set of edges.
 * What all runs have in common is computed once, and the sets are data of one program: hundreds of them cost
 * what their rows cost.
 *
 * Along a chosen edge a receiver sees what the sender wrote in the source's run, and along all others what it
 * writes in the edited run itself; what comes after is computed anew, through norms of the sum. All edges
 * make the source's answer, and none the base's.
 *
 * `new EdgeRuns("acdc", model, pairs, { metric: "kl" })`, then
 * `run([edges.map(({ name }) => (name === "a0.h1->m2" ? 1 : 0))])` for the metric of one set, of each pair.
 */
export class EdgeRuns {
  /** The model, the pairs and what is measured. */
  readonly runs: PairRuns;
  /** All edges, in the order of a set's weights. */
  readonly edges: readonly ResidualEdge[];
  readonly #rows: number;

  /**
   * @param op - Who asks, for errors.
   * @throws TsveneError for a model without a residual stream that can be taken apart, and a memory budget too
   * small for one run.
   */
  constructor(
    op: string,
    model: Module,
    pairs: ContrastData,
    patching: Patching = {},
    { memoryBudget }: Pick<PatchingOptions, "memoryBudget"> = {},
  ) {
    this.runs = new PairRuns(op, model, pairs, patching, memoryBudget);
    this.edges = residualEdges(this.stream);
    this.#rows = this.runs.rowsAtOnce(statesOfRun(this.stream));
  }

  /** What writes and what reads. */
  get stream(): ResidualStream {
    return this.runs.stream;
  }

  /** The metric of both inputs of each pair, without edits. */
  async unedited(): Promise<UneditedMetric> {
    const found: { clean: number[]; corrupt: number[] } = { clean: [], corrupt: [] };
    for await (const { unedited } of this.runs.chunks(this.#pairs)) {
      found.clean.push(...unedited.clean);
      found.corrupt.push(...unedited.corrupt);
    }
    return found;
  }

  /**
   * Runs all pairs with each set of edges.
   *
   * @param sets - Of each a weight for each of {@link edges}: 1 where it carries the source's value, 0 where
   * that of the run, and in between for a mean of both.
   * @returns For each set the metric of each pair.
   */
  async run(
    sets: readonly ArrayLike<number>[],
    { onProgress, signal }: Omit<PatchingOptions, "memoryBudget"> = {},
  ): Promise<readonly (readonly number[])[]> {
    for (const [i, weights] of sets.entries()) this.#requireWeights(weights, i);
    const found = sets.map((): number[] => []);
    let done = 0;
    for await (const chunk of this.runs.chunks(this.#pairs)) {
      const many = Math.max(1, Math.floor(this.#rows / chunk.pairs.length));
      for (const own of partsOf([...sets.entries()], many)) {
        signal?.throwIfAborted();
        const metric = this.#trace(
          chunk,
          own.map(([, weights]) => weights),
        );
        const values = partsOf(await readNumbers(metric), chunk.pairs.length);
        own.forEach(([set], i) => found[set]?.push(...(values[i] ?? [])));
        done += own.length * chunk.pairs.length;
        onProgress?.(done, sets.length * this.runs.data.length);
      }
    }
    return found;
  }

  /** How many pairs are run together. */
  get #pairs(): number {
    return Math.min(this.#rows, this.runs.data.length);
  }

  /** The metric of some pairs with some sets, the pairs varying fastest. */
  #trace(chunk: PairChunk, sets: readonly ArrayLike<number>[]): Tensor {
    const { op, data, base, metric } = this.runs;
    const rows = sets.flatMap(() => chunk.pairs);
    const batch = data.batch(rows);
    const final = traceEdges({
      stream: this.stream,
      passOf: passesOf(this.stream, rows, (own) => data.batch(own)[base]),
      weights: this.#weights(sets),
      change: { towards: chunk.source },
    });
    const output = this.stream.finish(batch[base], final);
    return metric.values({
      batch,
      logits: answerLogits(op, output, batch, base),
      get cleanLogits() {
        return inRows(chunk.cleanLogits ?? fail(op, "internal: no clean logits"), rows.length);
      },
    });
  }

  /** [sets, senders, receivers] */
  #weights(sets: readonly ArrayLike<number>[]): Tensor {
    const { senders, receivers } = this.stream;
    const size = senders.length * receivers.length;
    const values = new Float32Array(sets.length * size);
    sets.forEach((weights, set) => {
      this.edges.forEach(({ at }, i) => {
        values[set * size + at] = weights[i] ?? 0;
      });
    });
    return tensor(values, { shape: [sets.length, senders.length, receivers.length] });
  }

  #requireWeights(weights: ArrayLike<number> | undefined, set: number): void {
    const { op } = this.runs;
    const count = this.edges.length;
    if (weights?.length !== count) {
      const got = weights?.length ?? describeValue(weights);
      fail(op, `set ${set}: there are ${count} edges, each with a weight, got ${got}`);
    }
    const wrong = Array.from(weights).findIndex((weight) => !Number.isFinite(weight));
    if (wrong < 0) return;
    const name = this.edges[wrong]?.name;
    fail(op, `set ${set}: the weight of ${name} must be a number, got ${shown(weights[wrong])}`);
  }
}

/** About how many states of a layer's size a run has at once: all changes, and what one layer reads. */
function statesOfRun({ senders, layers }: ResidualStream): number {
  const read = Math.max(...layers.map(({ heads, keyHeads }) => heads + 2 * keyHeads));
  return 3 * senders.length + 3 * read;
}
