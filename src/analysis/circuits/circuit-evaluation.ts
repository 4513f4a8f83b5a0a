import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { range } from "../../base/lists.ts";
import { Generator } from "../../tensor/random/generator.ts";
import { meanOf, spreadOf } from "../../training/alignment/statistics.ts";
import { type EffectIntervals, intervalsOf } from "../results/intervals.ts";
import { NamedArray, type NamedArrayJSON } from "../results/named-array.ts";

/** What a {@link CircuitEvaluation} holds. */
export interface CircuitEvaluationFields {
  /** The metric by `circuit` and `example`. */
  readonly values: NamedArray;
  /** The metric by `circuit`, `control` and `example`, of random circuits of as many edges. */
  readonly controls: NamedArray;
  /** The metric of each pair with all edges. */
  readonly whole: readonly number[];
  /** The metric of each pair without any edge. */
  readonly empty: readonly number[];
  /** How many edges each circuit has. */
  readonly sizes: readonly number[];
  /** How many edges the model has. */
  readonly modelSize: number;
}

/** An evaluation as JSON has it. */
export interface CircuitEvaluationJSON extends Omit<
  CircuitEvaluationFields,
  "values" | "controls"
> {
  /** The metric of circuits. */
  readonly values: NamedArrayJSON;
  /** The metric of controls. */
  readonly controls: NamedArrayJSON;
}

const OP = "CircuitEvaluation";
const RESAMPLES = 1000;
/** A difference of the whole model and no edge below this many standard deviations is none. */
const LEAST = 1e-3;

/** What circuits do of what the model does, beside random circuits of their size. */
export class CircuitEvaluation implements CircuitEvaluationFields {
  readonly values: NamedArray;
  readonly controls: NamedArray;
  readonly whole: readonly number[];
  readonly empty: readonly number[];
  readonly sizes: readonly number[];
  readonly modelSize: number;

  constructor(fields: CircuitEvaluationFields) {
    this.values = fields.values;
    this.controls = fields.controls;
    this.whole = fields.whole;
    this.empty = fields.empty;
    this.sizes = fields.sizes;
    this.modelSize = fields.modelSize;
  }

  /** The metric of each circuit, the mean over the pairs. */
  mean(): NamedArray {
    return this.values.reduce("example", (own) => meanOf([...own]));
  }

  /**
   * Of each circuit, (m(circuit) - m(no edge)) / (m(model) - m(no edge)), of means over the pairs: 1 for what
   * does all that the model does (MIB's faithfulness).
   * @throws TsveneError where the model does what it does without any edge.
   */
  faithfulness(): NamedArray {
    return this.#faithfulnessOf(this.values);
  }

  /** The same of each random circuit, by `circuit` and `control`. */
  controlFaithfulness(): NamedArray {
    return this.#faithfulnessOf(this.controls);
  }

  /** The 95 % interval of {@link faithfulness}: a bootstrap over the pairs, all three means of the same ones. */
  interval(): EffectIntervals {
    const generator = new Generator(0);
    const count = this.whole.length;
    const draws = range(RESAMPLES).map(() => {
      const rows = range(count).map(() => generator.integer(count));
      const of = (values: ArrayLike<number>): number => meanOf(rows.map((i) => values[i] ?? NaN));
      return { of, whole: of(this.whole), empty: of(this.empty) };
    });
    return intervalsOf(this.values, (own) => {
      if (count < 2) return [NaN, NaN];
      const drawn = draws
        .map(({ of, whole, empty }) => (of(own) - empty) / (whole - empty))
        .toSorted((x, y) => x - y);
      const end = (share: number): number => drawn[Math.round(share * (RESAMPLES - 1))] ?? NaN;
      return [end(0.025), end(0.975)];
    });
  }

  /** Plain data: what {@link fromJSON} takes. */
  toJSON(): CircuitEvaluationJSON {
    const { values, controls, ...rest } = this;
    return { ...rest, values: values.toJSON(), controls: controls.toJSON() };
  }

  /** The evaluation that {@link toJSON} gave. @throws TsveneError for what is none. */
  static fromJSON(json: CircuitEvaluationJSON): CircuitEvaluation {
    if (!Array.isArray(json?.whole) || !Array.isArray(json.empty) || !Array.isArray(json.sizes)) {
      fail(
        OP,
        "this is no evaluation: values, whole and empty were expected, as toJSON gives them",
      );
    }
    const [values, controls] = [json.values, json.controls].map((array) =>
      NamedArray.fromJSON(array),
    );
    return new CircuitEvaluation({ ...json, values, controls } as CircuitEvaluationFields);
  }

  /** A line for each circuit: its edges, its faithfulness, and that of random circuits. */
  toString(): string {
    const { values: own } = this.faithfulness();
    const { low, high } = this.interval();
    const random = this.controlFaithfulness();
    const names = this.values.axis("circuit").values as readonly string[];
    const width = Math.max(...names.map(({ length }) => length));
    const text = (value: number | undefined): string => (value ?? NaN).toFixed(3);
    const lines = names.map((name, i) => {
      const controls = [...random.at({ circuit: name }).values];
      const { mean, sd, n } = spreadOf(controls);
      return (
        `${name.padEnd(width)}  ${this.sizes[i]} edges  ${text(own[i])}` +
        (Number.isNaN(low.values[i]) ? "" : ` [${text(low.values[i])}, ${text(high.values[i])}]`) +
        (n === 0 ? "" : `, ${n} random ${text(mean)} ± ${text(sd)}`)
      );
    });
    const ends = `${this.values.name}: model ${text(meanOf(this.whole))}, no edge ${text(meanOf(this.empty))}`;
    return [`faithfulness, of ${this.modelSize} edges`, ...lines, ends].join("\n");
  }

  #faithfulnessOf(values: NamedArray): NamedArray {
    const [whole, empty] = [meanOf(this.whole), meanOf(this.empty)];
    const { sd } = spreadOf([...this.whole, ...this.empty]);
    if (!(Math.abs(whole - empty) > LEAST * sd)) {
      fail(
        OP,
        `the ${values.name} of the model, ${whole}, is that without any edge, ${empty}: there is nothing to ` +
          "be faithful to; look at mean(), or choose pairs and a metric that differ",
      );
    }
    const of = (value: number): number => (value - empty) / (whole - empty);
    return values.reduce("example", (own) => of(meanOf([...own])), "faithfulness");
  }
}

printsItself(CircuitEvaluation.prototype);
