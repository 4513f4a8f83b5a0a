import type { TopLevelSpec } from "vega-lite";
import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { linePlots, type LinePlot } from "../../plots/line-plots.ts";
import { terminalRows } from "../../plots/terminal-rows.ts";
import { type Interval, meanOf } from "../../training/alignment/statistics.ts";
import { intervalOf } from "../results/intervals.ts";
import { NamedArray, type NamedArrayJSON } from "../results/named-array.ts";

/** What a {@link SteeringTable} holds. */
export interface SteeringTableFields {
  /** The metric of each prompt, [strength, example]. */
  readonly effects: NamedArray;
  /** Whether the metric is 1 or 0 of each prompt. */
  readonly isShare: boolean;
  /** Divergence of neutral texts from the plain model's, the mean over tokens, in nats, [strength, text]. */
  readonly divergences: NamedArray;
  /** Sum of the negative log probabilities of each neutral text's tokens but the first, [strength, text]. */
  readonly losses: NamedArray;
  /** How many tokens of each text that is the sum of. */
  readonly tokens: readonly number[];
}

/** A table as JSON has it. */
export interface SteeringTableJSON extends Pick<SteeringTableFields, "isShare" | "tokens"> {
  /** The metric of each prompt. */
  readonly effects: NamedArrayJSON;
  /** Divergence of neutral texts. */
  readonly divergences: NamedArrayJSON;
  /** Loss of neutral texts. */
  readonly losses: NamedArrayJSON;
}

/** What a strength may cost. */
export interface StrengthLimits {
  /** The mean divergence of neutral texts, in nats. @default any */
  readonly maxKl?: number;
  /** The perplexity of neutral texts, as a multiple of the plain model's. @default any */
  readonly maxPerplexityRatio?: number;
  /** Whether a smaller metric is better. @default false */
  readonly lowerIsBetter?: boolean;
}

const OP = "SteeringTable";
const LIMITS: OptionNames<StrengthLimits> = {
  maxKl: true,
  maxPerplexityRatio: true,
  lowerIsBetter: true,
};
const ARRAYS = ["effects", "divergences", "losses"] as const;

/** What each strength of steering does, and what it costs; what `steeringTable` returns. */
export class SteeringTable implements SteeringTableFields {
  readonly effects: NamedArray;
  readonly isShare: boolean;
  readonly divergences: NamedArray;
  readonly losses: NamedArray;
  readonly tokens: readonly number[];

  constructor({ effects, isShare, divergences, losses, tokens }: SteeringTableFields) {
    this.effects = effects;
    this.isShare = isShare;
    this.divergences = divergences;
    this.losses = losses;
    this.tokens = tokens;
  }

  /** The strengths, from the least; 0 is the plain model. */
  get strengths(): readonly number[] {
    return this.effects.axis("strength").values as readonly number[];
  }

  /** The metric at each strength, the mean over the prompts. */
  get effect(): NamedArray {
    return this.effects.reduce("example", (values) => meanOf([...values]));
  }

  /** Divergence of neutral texts from the plain model's, the mean over texts, in nats. */
  get kl(): NamedArray {
    return this.divergences.reduce("text", (values) => meanOf([...values]));
  }

  /** Perplexity of all neutral texts; NaN of models whose logits are not of the next token. */
  get perplexity(): NamedArray {
    const tokens = this.tokens.reduce((sum, count) => sum + count, 0);
    const of = (losses: Float64Array): number =>
      Math.exp(losses.reduce((sum, loss) => sum + loss, 0) / tokens);
    return this.losses.reduce("text", of, "perplexity");
  }

  /**
   * The strength with the best metric among those that cost no more than is said; the least one of equals.
   * @throws TsveneError for limits that not even the plain model keeps.
   */
  best(limits: StrengthLimits = {}): number {
    requireKnownOptions(OP, limits, LIMITS);
    const { maxKl = Infinity, maxPerplexityRatio = Infinity, lowerIsBetter = false } = limits;
    if (!(maxKl >= 0) || !(maxPerplexityRatio >= 1)) {
      fail(
        OP,
        `maxKl must be 0 or more and maxPerplexityRatio 1 or more, got ${shown(maxKl)} and ` +
          shown(maxPerplexityRatio),
      );
    }
    const { kl, perplexity } = this;
    const plain = perplexity.valueAt({ strength: 0 });
    if (maxPerplexityRatio < Infinity && Number.isNaN(plain)) {
      fail(OP, "this model has no perplexity of next tokens; say maxKl");
    }
    const sign = lowerIsBetter ? -1 : 1;
    const allowed = this.effect
      .ranked((value) => sign * value)
      .filter(({ at }) => {
        const dear = perplexity.valueAt(at) / plain > maxPerplexityRatio;
        return kl.valueAt(at) <= maxKl && !dear;
      });
    const [first] = allowed;
    const equal = allowed.filter(({ value }) => value === first?.value);
    const strengths = equal.map(({ at }) => Number(at["strength"]));
    return strengths.toSorted((a, b) => Math.abs(a) - Math.abs(b))[0] ?? 0;
  }

  /** Lines over strengths, one below the other: the metric with its 95 % interval, and what it costs. */
  plot({
    title = "What steering does, and what it costs",
  }: { readonly title?: string } = {}): TopLevelSpec {
    const { effect, kl, perplexity, strengths } = this;
    const intervals = this.#intervals();
    const parts: LinePlot[] = [
      {
        title: effect.name,
        values: [...effect.values],
        low: intervals.map(([low]) => low),
        high: intervals.map(([, high]) => high),
      },
      { title: "KL (nats)", values: [...kl.values] },
      { title: "perplexity", values: [...perplexity.values] },
    ];
    const known = parts.filter(({ values }) => values.some((value) => !Number.isNaN(value)));
    const n = this.effects.axis("example").values.length;
    const prompts = `${n} ${n === 1 ? "prompt" : "prompts"}`;
    const costs = `cost on ${this.tokens.length} neutral ${this.tokens.length === 1 ? "text" : "texts"}`;
    const subtitle = `${prompts}; ${costs}; dotted: no steering`;
    return linePlots(known, { title, subtitle, x: strengths, xTitle: "strength", mark: 0 });
  }

  /** Plain data: what {@link fromJSON} takes. */
  toJSON(): SteeringTableJSON {
    const { effects, isShare, divergences, losses, tokens } = this;
    const arrays = { effects: effects.toJSON(), divergences: divergences.toJSON() };
    return { ...arrays, losses: losses.toJSON(), isShare, tokens };
  }

  /** The table that {@link toJSON} gave. @throws TsveneError for what is none. */
  static fromJSON(json: SteeringTableJSON): SteeringTable {
    const missing = ARRAYS.find((name) => json?.[name] === undefined);
    if (missing !== undefined) fail(OP, `this is no table of steering: it has no ${missing}`);
    const [effects, divergences, losses] = ARRAYS.map((name) => NamedArray.fromJSON(json[name]));
    return new SteeringTable({ ...json, effects, divergences, losses } as SteeringTableFields);
  }

  /** A row for each strength. */
  toString(): string {
    const { effect, kl, perplexity } = this;
    const text = (value: number | undefined): string =>
      value === undefined || Number.isNaN(value) ? "–" : value.toFixed(3);
    const intervals = this.#intervals();
    const rows = this.strengths.map((strength, i) => [
      String(strength),
      text(effect.values[i]),
      intervals[i]?.map(text).join(" to ") ?? "",
      text(kl.values[i]),
      text(perplexity.values[i]),
    ]);
    const heads = ["strength", effect.name, "95 %", "KL", "perplexity"];
    return terminalRows(heads, rows, { right: [0, 1, 2, 3, 4] });
  }

  #intervals(): readonly Interval[] {
    const width = this.effects.axis("example").values.length;
    const of = (row: number): Float64Array =>
      this.effects.values.slice(row * width, (row + 1) * width);
    return this.strengths.map((_, row) => intervalOf(of(row), this.isShare));
  }
}

printsItself(SteeringTable.prototype);
showsInNotebooks(SteeringTable.prototype, (one) => one.plot());
