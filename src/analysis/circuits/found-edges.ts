import { fail } from "../../base/errors.ts";
import { range } from "../../base/lists.ts";
import { NamedArray } from "../results/named-array.ts";
import { readNumbers } from "../results/read-numbers.ts";
import { SIDES } from "../sweep/sweep-source.ts";
import type { EdgeAttributionRuns, EdgeEstimates } from "./edge-estimates.ts";
import { EdgeScores } from "./edge-scores.ts";

/** A metric that falls or rises by less than this per unit of what the end reads has no gradient there. */
const FLAT = 1e-6;

/** Scores of edges, as they are found: sums over the points of some pairs, then over pairs. */
export class FoundEdges {
  readonly #runs: EdgeAttributionRuns;
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  readonly #unedited: Readonly<Record<"clean" | "corrupt" | "input", number[]>>;
  #pairs: readonly Float64Array[] = [];
  #ends: { readonly clean: readonly number[]; readonly corrupt: readonly number[] } | undefined;
  #isFlat = true;
  #count = 0;
  readonly #width: number;

  constructor(runs: EdgeAttributionRuns, width: number) {
    this.#runs = runs;
    this.#width = width;
    const { senders, receivers } = runs.stream;
    const size = senders.length * receivers.length;
    this.#mean = new Float64Array(size);
    this.#squares = new Float64Array(size);
    this.#unedited = { clean: [], corrupt: [], input: [] };
  }

  /** Takes in a share of the points of some pairs. */
  async add({ sums, steepest, ...ends }: EdgeEstimates, share: number): Promise<void> {
    const [clean, corrupt] = [await readNumbers(ends.clean), await readNumbers(ends.corrupt)];
    this.#ends = { clean, corrupt };
    this.#isFlat &&= Math.abs(await steepest.item()) < FLAT;
    if (this.#pairs.length === 0) {
      this.#pairs = clean.map(() => new Float64Array(this.#mean.length));
    }
    let first = 0;
    const width = this.#runs.stream.receivers.length;
    for (const own of sums) {
      const [, senders = 1, receivers = 1] = own.shape;
      const values = await readNumbers(own);
      this.#pairs.forEach((into, pair) => {
        for (let i = 0; i < senders * receivers; i++) {
          const at = Math.floor(i / receivers) * width + first + (i % receivers);
          into[at] = (into[at] ?? 0) + share * (values[pair * senders * receivers + i] ?? NaN);
        }
      });
      first += receivers;
    }
  }

  /** These pairs have all their points. */
  finish(): void {
    const width = this.#runs.stream.receivers.length;
    for (const own of this.#pairs) {
      this.#count++;
      own.forEach((value, i) => {
        const mean = this.#mean[i] ?? 0;
        const next = mean + (value - mean) / this.#count;
        this.#mean[i] = next;
        this.#squares[i] = (this.#squares[i] ?? 0) + (value - mean) * (value - next);
      });
      this.#unedited.input.push(own.subarray(0, width).reduce((sum, value) => sum + value, 0));
    }
    this.#unedited.clean.push(...(this.#ends?.clean ?? []));
    this.#unedited.corrupt.push(...(this.#ends?.corrupt ?? []));
    this.#pairs = [];
  }

  convergenceDelta(): readonly number[] {
    const { base, from } = SIDES[this.#runs.asked.direction ?? "noise"];
    const { [base]: before, [from]: after, input } = this.#unedited;
    return input.map((said, i) => said - ((after[i] ?? NaN) - (before[i] ?? NaN)));
  }

  /** @throws TsveneError where the metric had no gradient. */
  scores(): EdgeScores {
    const { stream, metric, asked, op } = this.#runs;
    if (this.#isFlat) {
      fail(
        op,
        `the gradient of the ${metric.name} is zero, as that of a divergence from the base itself: every ` +
          'score would be zero; use method: "integratedGradients", the other direction, or a metric that ' +
          'has one, such as "logitDifference"',
      );
    }
    const { senders, receivers, layers } = stream;
    const isEdge = senders.flatMap((u) => receivers.map((v) => stream.hasEdge(u, v)));
    const named = (name: string, of: (i: number) => number): NamedArray =>
      new NamedArray({
        name,
        axes: [
          { name: "sender", values: senders.map((node) => node.name) },
          { name: "receiver", values: receivers.map((node) => node.name) },
        ],
        values: range(isEdge.length).map((i) => (isEdge[i] === true ? of(i) : NaN)),
      });
    const n = this.#count;
    const { clean, corrupt } = this.#unedited;
    return new EdgeScores({
      changes: named(metric.name, (i) => this.#mean[i] ?? NaN),
      errors: named(`standard error of ${metric.name}`, (i) =>
        Math.sqrt((this.#squares[i] ?? NaN) / (n - 1) / n),
      ),
      direction: asked.direction ?? "noise",
      clean,
      corrupt,
      layers,
      width: this.#width,
    });
  }
}
