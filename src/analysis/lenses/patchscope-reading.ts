import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import type { AxisValue } from "../../intervenable/grid/site-grid.ts";
import { heatMap, type HeatMapOptions } from "../../plots/heat-map.ts";
import { terminalTable } from "../../plots/terminal-table.ts";
import { oneLine } from "../../plots/terminal-text.ts";
import { NamedArray, type NamedArrayJSON } from "../results/named-array.ts";
import { labelsOf } from "../results/named-axis.ts";
import type { TokenProbability } from "../top-tokens.ts";

/** What a {@link PatchscopeReading} is made of. */
export interface PatchscopeReadingFields {
  /** Ids of the likeliest next tokens, [layer, position, rank]; ranks count from 1. */
  readonly ids: NamedArray;
  /** Their log probabilities, [layer, position, rank]. */
  readonly logProbabilities: NamedArray;
  /** What the ids read. */
  readonly texts: Readonly<Record<number, string>>;
  /** What was written after each prompt, by layer and position; undefined where that was not asked for. */
  readonly written: readonly (readonly string[])[] | undefined;
}

/** A reading as JSON has it. */
export interface PatchscopeReadingJSON extends Pick<PatchscopeReadingFields, "texts"> {
  /** Ids of the likeliest next tokens. */
  readonly ids: NamedArrayJSON;
  /** Their log probabilities. */
  readonly logProbabilities: NamedArrayJSON;
  /** What was written after each prompt. */
  readonly written?: readonly (readonly string[])[];
}

const OP = "PatchscopeReading";

/**
 * What a model says of states of one prompt that are put into another, by the layer and the position that each
 * was read at; what `patchscope` returns.
 */
export class PatchscopeReading implements PatchscopeReadingFields {
  readonly ids: NamedArray;
  readonly logProbabilities: NamedArray;
  readonly texts: Readonly<Record<number, string>>;
  readonly written: readonly (readonly string[])[] | undefined;

  constructor({ ids, logProbabilities, texts, written }: PatchscopeReadingFields) {
    this.ids = ids;
    this.logProbabilities = logProbabilities;
    this.texts = texts;
    this.written = written;
  }

  /** The likeliest next tokens for a state, the likeliest first. @throws TsveneError where there is no such state. */
  top(at: {
    readonly layer: AxisValue;
    readonly position: AxisValue;
  }): readonly TokenProbability[] {
    const [ids, logs] = [this.ids.at(at), this.logProbabilities.at(at)];
    return Array.from(ids.values, (id, i) => ({
      id,
      token: this.texts[id] ?? "",
      probability: Math.exp(logs.values[i] ?? NaN),
    }));
  }

  /** A heat map with the likeliest token in each cell, the last layer on top, coloured by its probability. */
  plot(options: Pick<HeatMapOptions, "title" | "subtitle" | "domain"> = {}): TopLevelSpec {
    const { values, texts, rows, columns } = this.#picture();
    return heatMap(values, {
      title: "What the model says of each state",
      subtitle: "put into another prompt",
      domain: [0, 1],
      ...options,
      valueTitle: "probability",
      rows,
      columns,
      texts,
      rowTitle: "layer",
      columnTitle: "position in the source",
    });
  }

  /** Plain data: what {@link fromJSON} takes. */
  toJSON(): PatchscopeReadingJSON {
    const { ids, logProbabilities, texts, written } = this;
    const arrays = { ids: ids.toJSON(), logProbabilities: logProbabilities.toJSON() };
    return { ...arrays, texts, ...(written && { written }) };
  }

  /** The reading that {@link toJSON} gave. @throws TsveneError for what is none. */
  static fromJSON(json: PatchscopeReadingJSON): PatchscopeReading {
    if (json?.ids === undefined || json.logProbabilities === undefined) {
      fail(OP, "this is no reading: ids and logProbabilities were expected, as toJSON gives them");
    }
    return new PatchscopeReading({
      ids: NamedArray.fromJSON(json.ids),
      logProbabilities: NamedArray.fromJSON(json.logProbabilities),
      texts: json.texts,
      written: json.written,
    });
  }

  /** The likeliest token of each state. */
  toString(): string {
    const { values, texts, rows, columns } = this.#picture();
    return terminalTable(values, {
      title: "What the model says of each state, put into another prompt",
      valueTitle: "probability",
      domain: [0, 1],
      rows: rows.map((row) => `layer ${row}`),
      columns,
      texts,
    });
  }

  #picture(): Pick<HeatMapOptions, "rows" | "columns"> & {
    readonly values: readonly (readonly number[])[];
    readonly texts: readonly (readonly string[])[];
  } {
    const [ids, logs] = [this.ids.at({ rank: 1 }), this.logProbabilities.at({ rank: 1 })];
    const [layers, positions] = [ids.axis("layer"), ids.axis("position")];
    const lines = ({ values }: NamedArray): readonly (readonly number[])[] => {
      const width = positions.values.length;
      return layers.values
        .map((_, row) => [...values.subarray(row * width, (row + 1) * width)])
        .toReversed();
    };
    return {
      values: lines(logs.map(Math.exp)),
      texts: lines(ids).map((row) => row.map((id) => oneLine((this.texts[id] ?? "").trim()))),
      rows: labelsOf(layers).toReversed(),
      columns: labelsOf(positions).map(oneLine),
    };
  }
}

printsItself(PatchscopeReading.prototype);
showsInNotebooks(PatchscopeReading.prototype, (one) => one.plot());
