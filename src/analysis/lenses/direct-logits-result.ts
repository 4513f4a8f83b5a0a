import { fixed } from "../../base/fixed.ts";
import { range } from "../../base/lists.ts";
import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import { valueText } from "../../intervenable/grid/site-grid.ts";
import { hexColor, rampColor } from "../../plots/color-ramp.ts";
import { plotConfig } from "../../plots/theme.ts";
import type { ResidualNode } from "../residual/residual-nodes.ts";
import { NamedArray, type NamedArrayJSON } from "../results/named-array.ts";

/** What {@link DirectLogits} are made of. */
export interface DirectLogitsFields {
  /** What each part wrote into the difference, [component], in order of depth. */
  readonly values: NamedArray;
  /** What the parts are. */
  readonly nodes: readonly ResidualNode[];
  /**
   * What each neuron of the MLPs that were taken apart wrote, [layer, neuron]; NaN for neurons that a layer does not
   * have. With {@link neuronBias}, those of a layer sum to its MLP's part.
   */
  readonly neurons?: NamedArray | undefined;
  /** What these MLPs wrote beside their neurons, [layer]: biases of the projection, and of a norm after it. */
  readonly neuronBias?: NamedArray | undefined;
  /** What no part wrote: biases of the norm and of the matrix of logits. */
  readonly remainder: number;
  /** The difference: the sum of all parts and the remainder. */
  readonly total: number;
}

/** Direct logits as JSON has them. */
export interface DirectLogitsJSON extends Omit<
  DirectLogitsFields,
  "values" | "neurons" | "neuronBias"
> {
  /** What each part writes. */
  readonly values: NamedArrayJSON;
  /** What each neuron writes, where MLPs were taken apart. */
  readonly neurons?: NamedArrayJSON;
  /** What these MLPs write beside their neurons. */
  readonly neuronBias?: NamedArrayJSON;
}

/** How direct logits are drawn. */
export interface DirectLogitsPlotOptions {
  /** Text above. @default what was taken apart */
  readonly title?: string;
  /** Whether the heads of a layer are one bar. @default from 40 parts on */
  readonly byLayer?: boolean;
}

const OP = "DirectLogits";
const MANY = 40;

/** What each part of a model writes straight into a logit, or a difference of two: see `directLogits`. */
export class DirectLogits implements DirectLogitsFields {
  /** What each part wrote into the difference, [component], in order of depth. */
  readonly values: NamedArray;
  /** What the parts are. */
  readonly nodes: readonly ResidualNode[];
  readonly neurons: NamedArray | undefined;
  readonly neuronBias: NamedArray | undefined;
  /** What no part wrote: biases of the norm and of the matrix of logits. */
  readonly remainder: number;
  /** The difference: the sum of all parts and the remainder. */
  readonly total: number;

  constructor(fields: DirectLogitsFields) {
    const { values, nodes, neurons, neuronBias, remainder, total } = fields;
    this.values = values;
    this.nodes = nodes;
    this.neurons = neurons;
    this.neuronBias = neuronBias;
    this.remainder = remainder;
    this.total = total;
  }

  /** Those of the heads, [layer, head]; NaN for heads that a layer does not have. */
  get heads(): NamedArray {
    const layers = 1 + Math.max(...this.nodes.map(({ layer = -1 }) => layer));
    const heads = 1 + Math.max(...this.nodes.map(({ head = -1 }) => head));
    const values = new Float64Array(layers * heads).fill(NaN);
    for (const [i, { kind, layer = 0, head = 0 }] of this.nodes.entries()) {
      if (kind === "head") values[layer * heads + head] = this.values.values[i] ?? NaN;
    }
    return new NamedArray({
      name: this.values.name,
      axes: [
        { name: "layer", values: range(layers) },
        { name: "head", values: range(heads) },
      ],
      values,
    });
  }

  /** The parts with each layer's attention as one, [component]: `input`, `a0`, `m0`, `a1`, ... */
  get byLayer(): NamedArray {
    const sums = new Map<string, number>();
    for (const [i, { kind, layer, name }] of this.nodes.entries()) {
      const isAttention = kind === "head" || kind === "bias";
      const key = isAttention ? `a${layer}` : name;
      sums.set(key, (sums.get(key) ?? 0) + (this.values.values[i] ?? NaN));
    }
    return new NamedArray({
      name: this.values.name,
      axes: [{ name: "component", values: [...sums.keys()] }],
      values: [...sums.values()],
    });
  }

  /** Bars in order of depth, blue for what raises the difference, and a line of their sum so far. */
  plot({ title, byLayer = this.nodes.length >= MANY }: DirectLogitsPlotOptions = {}): TopLevelSpec {
    const parts = byLayer ? this.byLayer : this.values;
    const names = [...parts.axis("component").values, "remainder"];
    let sum = 0;
    const data = [...parts.values, this.remainder].map((value, i) => {
      sum += value;
      return { component: names[i], value, sum };
    });
    const [low, high] = [0.06, 0.94].map((t) => hexColor(rampColor("diverging", "paper", t)));
    const component = { field: "component", type: "nominal", sort: names };
    const number = { type: "quantitative", title: this.values.name, axis: { grid: true } };
    return {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      description: `What each of ${names.length} parts writes into the ${this.values.name}, ${fixed(this.total, 3)}.`,
      title: {
        text: title ?? `Direct effect on the ${this.values.name}`,
        subtitle: `bars: each part; line: their sum so far, in the end ${fixed(this.total, 2)}`,
      },
      width: Math.max(240, 18 * names.length),
      height: 240,
      data: { values: data },
      encoding: { x: { ...component, title: null, axis: { labelAngle: -60 } } },
      layer: [
        {
          mark: { type: "bar", tooltip: { content: "data" } },
          encoding: {
            y: { field: "value", ...number },
            color: { condition: { test: "datum.value < 0", value: low }, value: high },
          },
        },
        {
          mark: {
            type: "line",
            color: "#555b66",
            strokeWidth: 1.5,
            point: { size: 14, color: "#555b66" },
          },
          encoding: { y: { field: "sum", ...number } },
        },
      ],
      config: plotConfig(),
    } as unknown as TopLevelSpec;
  }

  /** Plain data: what {@link fromJSON} takes. */
  toJSON(): DirectLogitsJSON {
    const { values, nodes, neurons, neuronBias, remainder, total } = this;
    return {
      values: values.toJSON(),
      nodes,
      ...(neurons && { neurons: neurons.toJSON() }),
      ...(neuronBias && { neuronBias: neuronBias.toJSON() }),
      remainder,
      total,
    };
  }

  /** The direct logits that {@link toJSON} gave. @throws TsveneError for what are none. */
  static fromJSON(json: DirectLogitsJSON): DirectLogits {
    if (!Array.isArray(json?.nodes)) fail(OP, "these are no direct logits: they have no nodes");
    const { neurons, neuronBias } = json;
    return new DirectLogits({
      ...json,
      values: NamedArray.fromJSON(json.values),
      neurons: neurons && NamedArray.fromJSON(neurons),
      neuronBias: neuronBias && NamedArray.fromJSON(neuronBias),
    });
  }

  /** The parts that matter most. */
  toString(): string {
    const lines = this.values
      .ranked()
      .slice(0, 10)
      .map(
        ({ at, value }) =>
          `${valueText(at["component"] ?? "").padEnd(10)}${fixed(value, 3).padStart(9)}`,
      );
    const rest = [`remainder ${fixed(this.remainder, 3).padStart(9)}`, `total     ${fixed(this.total, 3).padStart(9)}`]; // prettier-ignore
    return [`direct effect on the ${this.values.name}`, ...lines, ...rest].join("\n");
  }
}

printsItself(DirectLogits.prototype);
showsInNotebooks(DirectLogits.prototype, (one) => one.plot());
