import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import type { Module } from "../../nn/module.ts";
import { terminalRows } from "../../plots/terminal-rows.ts";
import { valueText } from "../../intervenable/grid/site-grid.ts";
import type { ArrayPlotOptions } from "../results/array-plot.ts";
import type { NamedArray, NamedEntry } from "../results/named-array.ts";
import type { Steering } from "./steering.ts";

/** What {@link DirectionChoice} holds. */
export interface DirectionChoiceFields<M extends Module = Module> {
  /** All candidates. */
  readonly candidates: Steering<M>;
  /** What was measured. */
  readonly metric: string;
  /** The metric of texts with what is looked for, each direction taken out: low where it is needed. */
  readonly ablated: NamedArray;
  /** The metric of texts without it, each vector added: high where it is enough. */
  readonly induced: NamedArray;
  /** Divergence of texts without it from the plain model when the direction is taken out, in nats. */
  readonly kl: NamedArray;
  /** 1 for the candidates that may be chosen, and 0; NaN, as all, where the texts do not differ. */
  readonly allowed: NamedArray;
  /** The metric without edits, of texts with what is looked for and of those without. */
  readonly plain: { readonly positive: number; readonly negative: number };
}

const OP = "DirectionChoice";

/** Candidates for a direction, and what each does where it is taken out and added; what `chooseDirection` returns. */
export class DirectionChoice<M extends Module = Module> implements DirectionChoiceFields<M> {
  readonly candidates: Steering<M>;
  readonly metric: string;
  readonly ablated: NamedArray;
  readonly induced: NamedArray;
  readonly kl: NamedArray;
  readonly allowed: NamedArray;
  readonly plain: { readonly positive: number; readonly negative: number };

  constructor(fields: DirectionChoiceFields<M>) {
    this.candidates = fields.candidates;
    this.metric = fields.metric;
    this.ablated = fields.ablated;
    this.induced = fields.induced;
    this.kl = fields.kl;
    this.allowed = fields.allowed;
    this.plain = fields.plain;
  }

  /** The candidates that may be chosen, the one that is needed most first, with the metric without it. */
  ranked(): readonly NamedEntry[] {
    return this.ablated
      .ranked((value) => -value)
      .filter(({ at }) => this.allowed.valueAt(at) === 1);
  }

  /**
   * The vector that was chosen, to be taken out or added: of those allowed, the one without which the metric is
   * least.
   * @throws TsveneError where none is allowed.
   */
  get best(): Steering<M> {
    const [first] = this.ranked();
    if (first !== undefined) return this.candidates.at(first.at);
    return fail(
      OP,
      "no candidate is allowed: each changes other texts too much, does not bring about what is looked for, " +
        "or is in too deep a layer; look at kl and induced, and say maxKl, minInduced or deepest",
    );
  }

  /** A heat map of the metric without each candidate; those that may not be chosen are left out. */
  plot(options: ArrayPlotOptions = {}): TopLevelSpec {
    const { positive } = this.plain;
    const chosen = this.ablated.map((value, i) => (this.allowed.values[i] === 1 ? value : NaN));
    return chosen.plot({
      title: `${this.metric} with the direction taken out`,
      subtitle: `without edits ${positive.toFixed(2)}; grey: not allowed`,
      valueTitle: this.metric,
      ...options,
    });
  }

  /** A row for each of the best candidates. */
  toString(): string {
    const axes = this.ablated.axes.filter(({ values }) => values.length > 1);
    const rows = this.ranked()
      .slice(0, 10)
      .map(({ at, value }) => [
        axes.map(({ name }) => `${name} ${valueText(at[name] ?? "")}`).join(", "),
        value.toFixed(3),
        this.induced.valueAt(at).toFixed(3),
        this.kl.valueAt(at).toFixed(3),
      ]);
    const heads = [`${this.metric} of`, "taken out", "added", "KL"];
    const plain = ["no edit", this.plain.positive.toFixed(3), this.plain.negative.toFixed(3), ""];
    return terminalRows(heads, [plain, ...rows], { right: [1, 2, 3] });
  }
}

printsItself(DirectionChoice.prototype);
showsInNotebooks(DirectionChoice.prototype, (one) => one.plot());
