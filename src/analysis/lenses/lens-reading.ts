import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import { requireOneOf } from "../../base/known-options.ts";
import { heatMap, type HeatMapOptions } from "../../plots/heat-map.ts";
import { terminalTable, type TerminalTableOptions } from "../../plots/terminal-table.ts";
import { oneLine } from "../../plots/terminal-text.ts";
import type { AxisValue } from "../../intervenable/grid/site-grid.ts";
import { NamedArray, type NamedArrayJSON } from "../results/named-array.ts";
import { labelsOf } from "../results/named-axis.ts";
import type { TokenProbability } from "../top-tokens.ts";
import { END } from "./stream.ts";

/** The arrays of a reading. */
interface LensArrays<A> {
  /** Ids of the likeliest tokens, [layer, position, rank]. */
  readonly ids: A;
  /** Their log probabilities, [layer, position, rank]. */
  readonly logProbabilities: A;
  /** Of the target, [layer, position]. */
  readonly targetLogit: A;
  /** Of the target, [layer, position]. */
  readonly targetLogProbability: A;
  /** 1 for the likeliest token, [layer, position]. */
  readonly targetRank: A;
  /** Of the distribution, in nats, [layer, position]. */
  readonly entropy: A;
  /** Of what the model says in the end from the distribution, in nats, [layer, position]. */
  readonly kl: A;
}

/** What a {@link LensReading} is made of. */
export interface LensReadingFields extends LensArrays<NamedArray> {
  /** The target's id at each position. */
  readonly targets: readonly number[];
  /** What the ids read. */
  readonly texts: Readonly<Record<number, string>>;
}

/** A reading as JSON has it. */
export interface LensReadingJSON
  extends LensArrays<NamedArrayJSON>, Pick<LensReadingFields, "targets" | "texts"> {}

/** What colours a picture of a reading. */
export type LensColor = "probability" | "targetProbability" | "rank" | "entropy" | "kl";

/** How a reading is drawn. */
export interface LensPlotOptions extends Pick<HeatMapOptions, "title" | "subtitle" | "domain"> {
  /**
   * What the colours say: the probability of the token that is written, that of the target, the target's rank
   * (on a scale of powers of ten), the entropy, or the divergence from what the model says in the end.
   * @default "probability"
   */
  readonly color?: LensColor;
}

/** Numbers and names of a picture. */
interface Look {
  readonly title: string;
  readonly domain?: readonly [number, number];
  readonly of: (reading: LensReading) => NamedArray;
}

const LOOKS: { readonly [K in LensColor]: Look } = {
  probability: {
    title: "probability",
    domain: [0, 1],
    of: ({ logProbabilities }) => logProbabilities.at({ rank: 1 }).map(Math.exp),
  },
  targetProbability: {
    title: "probability of the target",
    domain: [0, 1],
    of: ({ targetLogProbability }) => targetLogProbability.map(Math.exp),
  },
  rank: {
    title: "log10 of the target's rank",
    of: ({ targetRank }) => targetRank.map(Math.log10),
  },
  entropy: { title: "entropy (nats)", of: ({ entropy }) => entropy },
  kl: { title: "KL (nats)", of: ({ kl }) => kl },
};

const ARRAYS = [
  "ids",
  "logProbabilities",
  "targetLogit",
  "targetLogProbability",
  "targetRank",
  "entropy",
  "kl",
] as const satisfies readonly (keyof LensArrays<unknown>)[];

const OP = "LensReading";

/**
 * What a model would say if each state of its residual stream were the last one. The axis of layers has the
 * number of the layer that the state enters, and `"output"` for the one that leaves the last layer, which is
 * what the model says.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, logitLens } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const reading = await logitLens(model, "The capital of Italy is", { tokenizer });
 * console.log(String(reading));
 * console.log(reading.top({ layer: "output", position: 4 })[0]?.token); // " Rome"
 * ```
 */
export class LensReading {
  /** Ids of the likeliest tokens, [layer, position, rank]; ranks count from 1. */
  readonly ids: NamedArray;
  /** Their log probabilities, [layer, position, rank]. */
  readonly logProbabilities: NamedArray;
  /** The target's logit, [layer, position]. */
  readonly targetLogit: NamedArray;
  /** The target's log probability, [layer, position]. */
  readonly targetLogProbability: NamedArray;
  /** The target's rank, 1 for the likeliest token, [layer, position]. */
  readonly targetRank: NamedArray;
  /** Entropy in nats, [layer, position]. */
  readonly entropy: NamedArray;
  /** Divergence of what the model says in the end from this, in nats, [layer, position]. */
  readonly kl: NamedArray;
  /** The target's id at each position. */
  readonly targets: readonly number[];
  /** What the ids read. */
  readonly texts: Readonly<Record<number, string>>;

  constructor(fields: LensReadingFields) {
    this.ids = fields.ids;
    this.logProbabilities = fields.logProbabilities;
    this.targetLogit = fields.targetLogit;
    this.targetLogProbability = fields.targetLogProbability;
    this.targetRank = fields.targetRank;
    this.entropy = fields.entropy;
    this.kl = fields.kl;
    this.targets = fields.targets;
    this.texts = fields.texts;
  }

  /** The likeliest tokens at a state, the likeliest first. @throws TsveneError where there is no such state. */
  top(at: {
    readonly layer: AxisValue;
    readonly position: AxisValue;
  }): readonly TokenProbability[] {
    const [ids, logs] = [this.ids.at(at), this.logProbabilities.at(at)];
    if (ids.axes.length !== 1) fail(OP, "one layer and one position are asked for");
    return Array.from(ids.values, (id, i) => ({
      id,
      token: this.texts[id] ?? "",
      probability: Math.exp(logs.values[i] ?? NaN),
    }));
  }

  /** A heat map with the likeliest token in each cell, the last layer on top. */
  plot({ color = "probability", ...options }: LensPlotOptions = {}): TopLevelSpec {
    const { values, look, texts, rows, columns } = this.#picture(color);
    return heatMap(values, {
      title: "What the model would say",
      subtitle: "if the state that enters a layer were the last one",
      ...look,
      ...options,
      rows,
      columns,
      texts,
      rowTitle: "layer",
      columnTitle: "position",
    });
  }

  /** The same as {@link plot} for the terminal. */
  toText({
    color = "probability",
    ...options
  }: Partial<TerminalTableOptions> & Pick<LensPlotOptions, "color"> = {}): string {
    const { values, look, texts, rows, columns } = this.#picture(color);
    const names = { columns, rows: rows.map((row) => (row === END ? row : `layer ${row}`)) };
    const title = "What the model would say if a state were the last one";
    return terminalTable(values, { title, ...look, ...options, ...names, texts });
  }

  /** Plain data: what {@link fromJSON} takes. */
  toJSON(): LensReadingJSON {
    const arrays = ARRAYS.map((name) => [name, this[name].toJSON()]);
    const { targets, texts } = this;
    return { ...(Object.fromEntries(arrays) as LensArrays<NamedArrayJSON>), targets, texts };
  }

  /** The reading that {@link toJSON} gave. @throws TsveneError for what is none. */
  static fromJSON(json: LensReadingJSON): LensReading {
    const missing = ARRAYS.find((name) => json?.[name] === undefined);
    if (missing !== undefined) fail(OP, `this is no reading of a lens: it has no ${missing}`);
    const arrays = ARRAYS.map((name) => [name, NamedArray.fromJSON(json[name])]);
    const { targets, texts } = json;
    return new LensReading({
      ...(Object.fromEntries(arrays) as LensArrays<NamedArray>),
      targets,
      texts,
    });
  }

  /** {@link toText}. */
  toString(): string {
    return this.toText();
  }

  #picture(color: LensColor): Picture {
    requireOneOf("plot", "color", color, Object.keys(LOOKS));
    const { title, domain, of } = LOOKS[color];
    const numbers = of(this);
    const tops = this.ids.at({ rank: 1 });
    const [layers, positions] = [this.ids.axis("layer"), this.ids.axis("position")];
    const width = positions.values.length;
    const upwards = <T>(row: (layer: number) => T): readonly T[] =>
      layers.values.map((_, layer) => row(layer)).toReversed();
    const line = ({ values }: NamedArray, layer: number): readonly number[] =>
      Array.from(values.subarray(layer * width, (layer + 1) * width));
    return {
      values: upwards((layer) => line(numbers, layer)),
      texts: upwards((layer) =>
        line(tops, layer).map((id) => oneLine((this.texts[id] ?? "").trim())),
      ),
      rows: labelsOf(layers).toReversed(),
      columns: labelsOf(positions).map(oneLine),
      look: { valueTitle: title, ...(domain && { domain }) },
    };
  }
}

/** A reading as a table of numbers and texts. */
interface Picture {
  /** What cells are coloured by, row by row from the top. */
  readonly values: readonly (readonly number[])[];
  /** What stands in them. */
  readonly texts: readonly (readonly string[])[];
  /** Names of the rows. */
  readonly rows: readonly string[];
  /** Names of the columns. */
  readonly columns: readonly string[];
  /** Title and scale of the colours. */
  readonly look: Pick<HeatMapOptions, "valueTitle" | "domain">;
}

printsItself(LensReading.prototype);
showsInNotebooks(LensReading.prototype, (one) => one.plot());
