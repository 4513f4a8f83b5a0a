import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import type { ArrayPlotOptions } from "../results/array-plot.ts";
import { NamedArray, type NamedArrayJSON } from "../results/named-array.ts";

/** The arrays of probes' scores. */
interface ProbeArrays<A> {
  /** The share of texts whose class was told by a probe that was not fitted on them, by site. */
  readonly accuracy: A;
  /** Lower ends of its 95 % intervals (Wilson). */
  readonly low: A;
  /** Upper ends of them. */
  readonly high: A;
  /** The accuracy for labels in another order: what is told of nothing. */
  readonly control: A;
  /** accuracy - control (Hewitt and Liang, 2019). */
  readonly selectivity: A;
}

/** What {@link ProbeScores} hold. */
export interface ProbeScoresFields extends ProbeArrays<NamedArray> {
  /** The accuracy of probes of a model with random weights; undefined where none was given. */
  readonly untrained?: NamedArray | undefined;
  /** The share of the most frequent class, which is told without looking. */
  readonly majority: number;
  /** Number of texts. */
  readonly n: number;
}

/** Scores as JSON has them. */
export interface ProbeScoresJSON
  extends ProbeArrays<NamedArrayJSON>, Pick<ProbeScoresFields, "majority" | "n"> {
  /** Those of a model with random weights, if there was one. */
  readonly untrained?: NamedArrayJSON;
}

const OP = "ProbeScores";
const ARRAYS = ["accuracy", "low", "high", "control", "selectivity"] as const;

/** How well probes tell classes of states at the sites of a grid; what `probeSweep` returns. */
export class ProbeScores implements ProbeScoresFields {
  readonly accuracy: NamedArray;
  readonly low: NamedArray;
  readonly high: NamedArray;
  readonly control: NamedArray;
  readonly selectivity: NamedArray;
  readonly untrained: NamedArray | undefined;
  readonly majority: number;
  readonly n: number;

  constructor(fields: ProbeScoresFields) {
    this.accuracy = fields.accuracy;
    this.low = fields.low;
    this.high = fields.high;
    this.control = fields.control;
    this.selectivity = fields.selectivity;
    this.untrained = fields.untrained;
    this.majority = fields.majority;
    this.n = fields.n;
  }

  /** A heat map of the accuracy, of which the share of the most frequent class is the lower end. */
  plot(options: ArrayPlotOptions = {}): TopLevelSpec {
    return this.accuracy.plot({
      title: "Accuracy of probes",
      subtitle: this.#summary(),
      valueTitle: "accuracy",
      domain: [Math.min(this.majority, 0.999), 1],
      ...options,
    });
  }

  /** Plain data: what {@link fromJSON} takes. */
  toJSON(): ProbeScoresJSON {
    const arrays = ARRAYS.map((name) => [name, this[name].toJSON()]);
    const { majority, n, untrained } = this;
    return {
      ...(Object.fromEntries(arrays) as ProbeArrays<NamedArrayJSON>),
      ...(untrained && { untrained: untrained.toJSON() }),
      majority,
      n,
    };
  }

  /** The scores that {@link toJSON} gave. @throws TsveneError for what are none. */
  static fromJSON(json: ProbeScoresJSON): ProbeScores {
    const missing = ARRAYS.find((name) => json?.[name] === undefined);
    if (missing !== undefined) fail(OP, `these are no scores of probes: they have no ${missing}`);
    const arrays = ARRAYS.map((name) => [name, NamedArray.fromJSON(json[name])]);
    const { majority, n, untrained } = json;
    return new ProbeScores({
      ...(Object.fromEntries(arrays) as ProbeArrays<NamedArray>),
      untrained: untrained && NamedArray.fromJSON(untrained),
      majority,
      n,
    });
  }

  /** Tables of accuracy and controls. */
  toString(): string {
    const tables = [this.accuracy, this.control, this.untrained ?? []].flat().map(String);
    return [...tables, this.#summary()].join("\n");
  }

  #summary(): string {
    const controls = this.control.entries().map(({ value }) => value);
    const most = controls.length === 0 ? NaN : Math.max(...controls);
    return (
      `${this.n} texts; the most frequent class is ${this.majority.toFixed(2)} of them, and controls reach ` +
      most.toFixed(2)
    );
  }
}

printsItself(ProbeScores.prototype);
showsInNotebooks(ProbeScores.prototype, (one) => one.plot());
