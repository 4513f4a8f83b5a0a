import type { TopLevelSpec } from "vega-lite";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import { hexColor, rampColor } from "../../plots/color-ramp.ts";
import { MUTED, plotConfig } from "../../plots/theme.ts";
import { spreadOf } from "../../training/alignment/statistics.ts";
import { CircuitEvaluation, type CircuitEvaluationJSON } from "./circuit-evaluation.ts";

/** What a {@link CircuitCurve} holds. */
export interface CircuitCurveFields {
  /** Shares of all edges. */
  readonly shares: readonly number[];
  /** Of a circuit for each share, called after it. */
  readonly evaluation: CircuitEvaluation;
}

/** A curve as JSON has it. */
export interface CircuitCurveJSON {
  /** Shares of all edges. */
  readonly shares: readonly number[];
  /** Of the circuits. */
  readonly evaluation: CircuitEvaluationJSON;
}

/** A size and how faithful circuits of it are. */
export interface CurvePoint {
  /** Share of all edges that was asked for. */
  readonly share: number;
  /** Edges of the circuit, without those on no path. */
  readonly edges: number;
  /** 1 for what does all that the model does. */
  readonly faithfulness: number;
  /** The lower end of the 95 % interval; NaN of a single pair. */
  readonly low: number;
  /** Its upper end. */
  readonly high: number;
  /** The mean of random circuits of as many edges. */
  readonly random: number;
  /** Their standard deviation. */
  readonly randomSd: number;
}

/** Faithfulness by size. */
export class CircuitCurve implements CircuitCurveFields {
  readonly shares: readonly number[];
  readonly evaluation: CircuitEvaluation;
  #points: readonly CurvePoint[] | undefined;

  constructor({ shares, evaluation }: CircuitCurveFields) {
    this.shares = shares;
    this.evaluation = evaluation;
  }

  /** The curve, share by share. */
  get points(): readonly CurvePoint[] {
    this.#points ??= this.#computePoints();
    return this.#points;
  }

  #computePoints(): readonly CurvePoint[] {
    const { evaluation } = this;
    const [own, random] = [evaluation.faithfulness(), evaluation.controlFaithfulness()];
    const { low, high } = evaluation.interval();
    const names = evaluation.values.axis("circuit").values;
    return this.shares.map((share) => {
      const circuit = shareName(share);
      const { mean, sd } = spreadOf([...random.at({ circuit }).values]);
      return {
        share,
        edges: evaluation.sizes[names.indexOf(circuit)] ?? NaN,
        faithfulness: own.valueAt({ circuit }),
        low: low.valueAt({ circuit }),
        high: high.valueAt({ circuit }),
        random: mean,
        randomSd: sd,
      };
    });
  }

  /** The area under the curve, by trapezia from the first share on: the more the better (MIB). */
  get cpr(): number {
    return area(this.points, ({ faithfulness }) => faithfulness);
  }

  /** The area between the curve and 1: 0 is best (MIB). */
  get cmd(): number {
    return area(this.points, ({ faithfulness }) => Math.abs(1 - faithfulness));
  }

  /** The curve with its band over a logarithmic axis, random circuits below, and lines at 0 and 1. */
  plot(): TopLevelSpec {
    const blue = hexColor(rampColor("diverging", "paper", 0.95));
    const axis = {
      title: "share of edges",
      format: "~p",
      values: [...this.shares],
      labelOverlap: true,
    };
    const x = {
      field: "share",
      type: "quantitative" as const,
      scale: { type: "log" as const },
      axis,
    };
    const y = { type: "quantitative", title: "faithfulness" } as const;
    const tooltip = ["share", "edges", "faithfulness", "random"].map(
      (field) => ({ field, type: "quantitative" }) as const,
    );
    return {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      description: `Faithfulness by share of edges. ${this.#areas()}`,
      title: {
        text: "Faithfulness of circuits",
        subtitle: `${this.#areas()}; grey: random circuits`,
      },
      width: 420,
      height: 240,
      data: { values: [...this.points] },
      layer: [
        {
          data: { values: [{ at: 0 }, { at: 1 }] },
          mark: { type: "rule", stroke: MUTED, strokeDash: [3, 3] },
          encoding: { y: { field: "at", ...y } },
        },
        {
          mark: { type: "area", color: blue, opacity: 0.15 },
          encoding: { x, y: { field: "low", ...y }, y2: { field: "high" } },
        },
        {
          mark: { type: "line", color: MUTED, opacity: 0.6, point: { color: MUTED } },
          encoding: { x, y: { field: "random", ...y }, tooltip },
        },
        {
          mark: { type: "line", color: blue, point: { color: blue } },
          encoding: { x, y: { field: "faithfulness", ...y }, tooltip },
        },
      ],
      config: plotConfig(),
    };
  }

  /** Plain data: what {@link fromJSON} takes. */
  toJSON(): CircuitCurveJSON {
    return { shares: this.shares, evaluation: this.evaluation.toJSON() };
  }

  /** The curve that {@link toJSON} gave. @throws TsveneError for what is none. */
  static fromJSON({ shares, evaluation }: CircuitCurveJSON): CircuitCurve {
    return new CircuitCurve({ shares, evaluation: CircuitEvaluation.fromJSON(evaluation) });
  }

  /** The evaluation of each circuit, and the areas. */
  toString(): string {
    return `${String(this.evaluation)}\n${this.#areas()}`;
  }

  #areas(): string {
    return `CPR ${this.cpr.toFixed(3)}, CMD ${this.cmd.toFixed(3)}`;
  }
}

printsItself(CircuitCurve.prototype);
showsInNotebooks(CircuitCurve.prototype, (one) => one.plot());

/** What the circuit of a share is called. */
export function shareName(share: number): string {
  return `${Number((100 * share).toPrecision(12))}%`;
}

function area(points: readonly CurvePoint[], of: (point: CurvePoint) => number): number {
  return points.slice(1).reduce((sum, point, i) => {
    const before = points[i] ?? point;
    return sum + ((point.share - before.share) * (of(before) + of(point))) / 2;
  }, 0);
}
