import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { AxisValue } from "../../intervenable/grid/site-grid.ts";
import { arrayPlot, type ArrayPlotOptions, arrayText } from "./array-plot.ts";
import type { NamedAxis } from "./named-axis.ts";

/** Values along some axes: one, which takes the axis away, or a list, which keeps it. */
export type ArraySelection = Readonly<Record<string, AxisValue | readonly AxisValue[]>>;

/** What a {@link NamedArray} is made of. */
export interface NamedArrayFields {
  /** What the numbers are, such as `"logit difference"`. */
  readonly name: string;
  /** The axes, the first outermost. */
  readonly axes: readonly NamedAxis[];
  /** The numbers in the axes' order, the last axis varying fastest; NaN for what does not exist. */
  readonly values: ArrayLike<number>;
}

/** A named array as JSON has it: what does not exist is null. */
export interface NamedArrayJSON extends Omit<NamedArrayFields, "values"> {
  /** The numbers, the last axis varying fastest. */
  readonly values: readonly (number | null)[];
}

/** A number of a {@link NamedArray}, and where it is. */
export interface NamedEntry {
  /** A value of each axis. */
  readonly at: Readonly<Record<string, AxisValue>>;
  /** The number. */
  readonly value: number;
}

const OP = "NamedArray";

/**
 * Numbers by named axes, so that nobody has to remember an order: what analyses return. NaN stands for
 * what does not exist, such as a head that a layer does not have; it is never zero.
 *
 * @example
 * ```ts
 * import { NamedArray } from "tsvene";
 * const effects = new NamedArray({
 *   name: "logit difference",
 *   axes: [
 *     { name: "layer", values: [0, 1] },
 *     { name: "position", values: [0, 1, 2], labels: ["The", " cat", " sat"] },
 *   ],
 *   values: [0, 1, 2, 3, 4, 5],
 * });
 * console.log(effects.valueAt({ layer: 1, position: 2 })); // 5
 * console.log(effects.at({ position: 0 }).toArray()); // [0, 3]
 * console.log(String(effects));
 * ```
 */
export class NamedArray {
  /** What the numbers are. */
  readonly name: string;
  /** The axes, the first outermost. */
  readonly axes: readonly NamedAxis[];
  /** The numbers, the last axis varying fastest; NaN for what does not exist. */
  readonly values: Float64Array;

  /** @throws TsveneError for axes that are named twice, and for another count of numbers. */
  constructor({ name, axes, values }: NamedArrayFields) {
    const names = axes.map((axis) => axis.name);
    const twice = names.find((one, i) => names.indexOf(one) < i);
    if (twice !== undefined) fail(OP, `two axes are called ${twice}`);
    for (const axis of axes) requireLabels(axis);
    const count = axes.reduce((product, axis) => product * axis.values.length, 1);
    if (values.length !== count) {
      fail(OP, `${names.join(" x ")} are ${count} numbers, got ${values.length}`);
    }
    this.name = name;
    this.axes = axes;
    this.values = Float64Array.from(values);
  }

  /** Number of values of each axis. */
  get shape(): readonly number[] {
    return this.axes.map(({ values }) => values.length);
  }

  /** The axis of this name. @throws TsveneError for one that is not there. */
  axis(name: string): NamedAxis {
    const axis = this.axes.find((one) => one.name === name);
    if (axis !== undefined) return axis;
    const names = this.axes.map((one) => one.name);
    return fail(OP, `there is no axis ${name}; ${didYouMean(name, names)}`);
  }

  /**
   * A part: `at({ layer: 1 })` without the axis of layers, `at({ layer: [0, 1] })` with these two.
   * @throws TsveneError for axes and values that are not there.
   */
  at(selection: ArraySelection): NamedArray {
    for (const name of Object.keys(selection)) this.axis(name);
    const picked = this.axes.map((axis) => pick(axis, selection[axis.name]));
    const indices = picked.reduce<readonly number[]>(
      (before, { indices: own, axis }) =>
        before.flatMap((start) => own.map((index) => start * axis.values.length + index)),
      [0],
    );
    return new NamedArray({
      name: this.name,
      axes: picked.flatMap(({ kept }) => kept ?? []),
      values: indices.map((index) => this.values[index] ?? NaN),
    });
  }

  /**
   * The number at a value of each axis; an axis of one value may be left out.
   * @throws TsveneError where several numbers are there.
   */
  valueAt(selection: ArraySelection): number {
    const { values } = this.at(selection);
    const [value] = values;
    if (value !== undefined && values.length === 1) return value;
    return fail(OP, `${values.length} numbers are at ${JSON.stringify(selection)}; one was wanted`);
  }

  /** Another number for each, with the same axes. */
  map(of: (value: number, index: number) => number, name: string = this.name): NamedArray {
    return new NamedArray({ name, axes: this.axes, values: this.values.map(of) });
  }

  /** What `of` makes of the numbers along the axis, which is then gone; such as their mean. */
  reduce(axis: string, of: (values: Float64Array) => number, name: string = this.name): NamedArray {
    const at = this.axes.indexOf(this.axis(axis));
    const inner = this.shape.slice(at + 1).reduce((a, b) => a * b, 1);
    const length = this.shape[at] ?? 1;
    const axes = this.axes.filter((_, i) => i !== at);
    const count = axes.reduce((product, { values }) => product * values.length, 1);
    const lines = Array.from({ length: count }, (_, i) => {
      const start = Math.floor(i / inner) * inner * length + (i % inner);
      return Float64Array.from({ length }, (__, j) => this.values[start + j * inner] ?? NaN);
    });
    return new NamedArray({ name, axes, values: lines.map(of) });
  }

  /** Every number that exists, with where it is, in the axes' order. */
  entries(): readonly NamedEntry[] {
    const { shape } = this;
    return Array.from(this.values, (value, index) => ({
      at: siteAt(this.axes, shape, index),
      value,
    })).filter(({ value }) => !Number.isNaN(value));
  }

  /**
   * The numbers that exist, the one with the greatest `by` first.
   * @param by - What is compared. @default the magnitude
   */
  ranked(by: (value: number) => number = Math.abs): readonly NamedEntry[] {
    return this.entries().toSorted((a, b) => by(b.value) - by(a.value));
  }

  /** The numbers as nested lists, the first axis outermost; of no axes, the number. */
  toArray(): unknown {
    return nested(this.values, this.shape);
  }

  /**
   * A heat map as a Vega-Lite specification, for `saveSvg`: the last two axes with several values, and one
   * map for each value of an axis before these. Signed numbers are blue above 0 and red below.
   *
   * @throws TsveneError for more than three axes with several values; choose with {@link at}.
   */
  plot(options: ArrayPlotOptions = {}): TopLevelSpec {
    return arrayPlot(this, options);
  }

  /** Plain data: what {@link fromJSON} takes. */
  toJSON(): NamedArrayJSON {
    const values = Array.from(this.values, (value) => (Number.isNaN(value) ? null : value));
    return { name: this.name, axes: this.axes, values };
  }

  /** The array that {@link toJSON} gave. @throws TsveneError for what is none. */
  static fromJSON(json: NamedArrayJSON): NamedArray {
    if (!Array.isArray(json?.axes) || !Array.isArray(json.values)) {
      fail(OP, "this is no named array: axes and values were expected, as toJSON gives them");
    }
    return new NamedArray({ ...json, values: json.values.map((value) => value ?? NaN) });
  }

  /** Tables for the terminal. */
  toString(): string {
    return arrayText(this);
  }
}

printsItself(NamedArray.prototype);
showsInNotebooks(NamedArray.prototype, (one) => one.plot());

function requireLabels({ name, values, labels }: NamedAxis): void {
  const keys = new Set(values.map((value) => JSON.stringify(value)));
  if (keys.size < values.length) fail(OP, `axis ${name} has a value twice`);
  if (labels === undefined || labels.length === values.length) return;
  fail(OP, `axis ${name} has ${values.length} values, but ${labels.length} labels`);
}

/** Of an axis, the places that are wanted, and the axis that is left. */
interface Picked {
  readonly axis: NamedAxis;
  readonly indices: readonly number[];
  readonly kept?: NamedAxis;
}

function pick(axis: NamedAxis, wanted: AxisValue | readonly AxisValue[] | undefined): Picked {
  if (wanted === undefined) return { axis, indices: axis.values.map((_, i) => i), kept: axis };
  // A list may be one value, as dimensions are.
  const one = find(axis, wanted as AxisValue);
  if (one >= 0) return { axis, indices: [one] };
  const list = [wanted].flat() as readonly AxisValue[];
  const indices = list.map((value) => {
    const at = find(axis, value);
    if (at >= 0) return at;
    const known = axis.values.map((each) => JSON.stringify(each)).join(", ");
    return fail(OP, `${axis.name} has no value ${JSON.stringify(value)}; it has ${known}`);
  });
  const { values, labels } = axis;
  const kept: NamedAxis = {
    name: axis.name,
    values: indices.map((index) => values[index] ?? ""),
    ...(labels && { labels: indices.map((index) => labels[index] ?? "") }),
  };
  return { axis, indices, kept };
}

function find({ values }: NamedAxis, wanted: AxisValue): number {
  const key = JSON.stringify(wanted);
  return values.findIndex((value) => JSON.stringify(value) === key);
}

function siteAt(
  axes: readonly NamedAxis[],
  shape: readonly number[],
  index: number,
): Readonly<Record<string, AxisValue>> {
  let rest = index;
  const places = shape.toReversed().map((length) => {
    const at = rest % length;
    rest = Math.floor(rest / length);
    return at;
  });
  return Object.fromEntries(
    axes.map(({ name, values }, i) => [name, values[places[axes.length - 1 - i] ?? 0] ?? ""]),
  );
}

function nested(values: Float64Array, shape: readonly number[]): unknown {
  const [length, ...inner] = shape;
  if (length === undefined) return values[0];
  const size = values.length / length;
  return Array.from({ length }, (_, i) => nested(values.subarray(i * size, (i + 1) * size), inner));
}
