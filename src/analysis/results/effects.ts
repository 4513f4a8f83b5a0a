import { uneditedText } from "./unedited-text.ts";
import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import { meanOf, spreadOf } from "../../training/alignment/statistics.ts";
import type { ArrayPlotOptions } from "./array-plot.ts";
import { type EffectIntervals, intervalOf, intervalsOf } from "./intervals.ts";
import { NamedArray, type NamedArrayJSON } from "./named-array.ts";

/**
 * Which input is run with the edits: `"denoise"`, the corrupt one with states of the clean one, which finds
 * what is enough for the answer; `"noise"`, the clean one with states of the corrupt one, which finds what it
 * needs.
 */
export type Direction = "denoise" | "noise";

/** What {@link Effects} hold. */
export interface EffectsFields {
  /** The metric of every cell and pair: the last axis is called `"example"`. */
  readonly values: NamedArray;
  /** Which input was run with the edits. */
  readonly direction: Direction;
  /** The metric of each clean input without edits. */
  readonly clean: readonly number[];
  /** The metric of each corrupt input without edits. */
  readonly corrupt: readonly number[];
  /** Whether the metric is 1 or 0 of each pair. */
  readonly isShare: boolean;
}

/** Effects as JSON has them. */
export interface EffectsJSON extends Omit<EffectsFields, "values"> {
  /** The metric of every cell and pair. */
  readonly values: NamedArrayJSON;
}

const OP = "Effects";
/** A difference of clean and corrupt below this many standard deviations is none. */
const LEAST = 1e-3;

/**
 * What became of a metric in each cell of a grid, for each pair. The numbers of all pairs are kept, and means
 * are means of these. A cell that does not exist, or was not computed, is NaN.
 */
export class Effects implements EffectsFields {
  readonly values: NamedArray;
  readonly direction: Direction;
  readonly clean: readonly number[];
  readonly corrupt: readonly number[];
  readonly isShare: boolean;

  constructor({ values, direction, clean, corrupt, isShare }: EffectsFields) {
    this.values = values;
    this.direction = direction;
    this.clean = clean;
    this.corrupt = corrupt;
    this.isShare = isShare;
  }

  /** What the numbers are. */
  get metric(): string {
    return this.values.name;
  }

  /** The metric of each input that was edited, without edits. */
  get base(): readonly number[] {
    return this.direction === "denoise" ? this.corrupt : this.clean;
  }

  /** The metric of each cell, the mean over the pairs. */
  mean(): NamedArray {
    return this.values.reduce("example", (values) => meanOf([...values]));
  }

  /** By how much each cell's edit changes the metric, the mean over the pairs. */
  change(): NamedArray {
    return this.#changes().reduce("example", (values) => meanOf([...values]));
  }

  /**
   * What each cell does for the answer: of `"denoise"` the change, which brings the answer back; of `"noise"`
   * the change the other way round, which takes it away.
   */
  importance(): NamedArray {
    const sign = this.direction === "denoise" ? 1 : -1;
    return this.change().map((value) => sign * value, `importance for ${this.metric}`);
  }

  /**
   * {@link change} as a share of the mean of the inputs that were edited, in percent, by the means over all
   * pairs: -20 where an edit takes a fifth of the metric away.
   *
   * @throws TsveneError where that mean is hardly more than nothing.
   */
  percent(): NamedArray {
    const base = meanOf(this.base);
    const { sd } = spreadOf([...this.clean, ...this.corrupt]);
    if (!(Math.abs(base) > LEAST * sd)) {
      fail(
        OP,
        `the ${this.metric} of the inputs that were edited is ${base}: there is nothing to take percents ` +
          "of; look at change()",
      );
    }
    return this.change().map((value) => (100 * value) / base, `change of ${this.metric}, %`);
  }

  /** The 95 % interval of {@link mean}. */
  interval(): EffectIntervals {
    return intervalsOf(this.values, (own) => intervalOf(own, this.isShare));
  }

  /** The 95 % interval of {@link change}, of differences pair by pair. */
  changeInterval(): EffectIntervals {
    return intervalsOf(this.#changes(), (own) => intervalOf(own, false));
  }

  /**
   * The mean of each cell on a scale on which the corrupt inputs are 0 and the clean ones 1, by the means over
   * all pairs. Of `"denoise"` this is what was recovered; of `"noise"`, what is left.
   *
   * @throws TsveneError where clean and corrupt inputs hardly differ.
   */
  normalized(): NamedArray {
    const [clean, corrupt] = [meanOf(this.clean), meanOf(this.corrupt)];
    const { sd } = spreadOf([...this.clean, ...this.corrupt]);
    if (!(Math.abs(clean - corrupt) > LEAST * sd)) {
      fail(
        OP,
        `the ${this.metric} of clean inputs, ${clean}, is that of corrupt ones, ${corrupt}: there is ` +
          "nothing to normalize by; look at change(), or choose pairs and a metric that differ",
      );
    }
    const of = (value: number): number => (value - corrupt) / (clean - corrupt);
    return this.mean().map(of, `${this.metric}, corrupt 0 and clean 1`);
  }

  /** A heat map of {@link change}; see {@link NamedArray.plot}. */
  plot(options: ArrayPlotOptions = {}): TopLevelSpec {
    return this.change().plot({ subtitle: uneditedText(this), valueTitle: "change", ...options });
  }

  /** Plain data: what {@link fromJSON} takes. */
  toJSON(): EffectsJSON {
    const { values, direction, clean, corrupt, isShare } = this;
    return { values: values.toJSON(), direction, clean, corrupt, isShare };
  }

  /** The effects that {@link toJSON} gave. @throws TsveneError for what are none. */
  static fromJSON(json: EffectsJSON): Effects {
    if (!Array.isArray(json?.clean) || !Array.isArray(json.corrupt)) {
      fail(
        OP,
        "these are no effects: values, clean and corrupt were expected, as toJSON gives them",
      );
    }
    return new Effects({ ...json, values: NamedArray.fromJSON(json.values) });
  }

  /** {@link change} as tables, and what it is to be compared with. */
  toString(): string {
    return `${String(this.change())}\n${uneditedText(this)}`;
  }

  #changes(): NamedArray {
    const { base } = this;
    const name = `change of ${this.metric}`;
    return this.values.map((value, index) => value - (base[index % base.length] ?? NaN), name);
  }
}

printsItself(Effects.prototype);
showsInNotebooks(Effects.prototype, (one) => one.plot());
