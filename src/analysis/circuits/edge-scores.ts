import { uneditedText } from "../results/unedited-text.ts";
import { fixed } from "../../base/fixed.ts";
import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import type { ResidualShape } from "../residual/residual-nodes.ts";
import type { ArrayPlotOptions } from "../results/array-plot.ts";
import type { Direction } from "../results/effects.ts";
import { NamedArray, type NamedArrayJSON, type NamedEntry } from "../results/named-array.ts";
import { Circuit } from "./circuit.ts";
import { EdgeGraph } from "./edge-graph.ts";
import { type EdgeSelection, selectEdges } from "./select-edges.ts";

/** What {@link EdgeScores} hold. */
export interface EdgeScoresFields {
  /** The change of the metric by `sender` and `receiver`, the mean over the pairs; NaN where no edge is. */
  readonly changes: NamedArray;
  /** The standard errors of these means; NaN of a single pair. */
  readonly errors: NamedArray;
  /** Which input was the base. */
  readonly direction: Direction;
  /** The metric of each clean input without edits. */
  readonly clean: readonly number[];
  /** The metric of each corrupt input without edits. */
  readonly corrupt: readonly number[];
  /** The layers of the model. */
  readonly layers: ResidualShape["layers"];
  /** The width of its residual stream. */
  readonly width: number;
}

/** Scores as JSON has them. */
export interface EdgeScoresJSON extends Omit<EdgeScoresFields, "changes" | "errors"> {
  /** The mean changes. */
  readonly changes: NamedArrayJSON;
  /** Their standard errors. */
  readonly errors: NamedArrayJSON;
}

/** An edge and what it does. */
export interface ScoredEdge {
  /** Such as `a0.h1->m2` or `m0->a1.h3<q>`. */
  readonly edge: string;
  /** The estimated change of the metric where the receiver reads what the sender wrote in the other input. */
  readonly change: number;
  /** The standard error of the mean over the pairs. */
  readonly error: number;
}

const OP = "EdgeScores";

/**
 * What each edge of a model is estimated to change: what a sender wrote differently, as far as one receiver
 * reads it.
 */
export class EdgeScores implements EdgeScoresFields {
  readonly changes: NamedArray;
  readonly errors: NamedArray;
  readonly direction: Direction;
  readonly clean: readonly number[];
  readonly corrupt: readonly number[];
  readonly layers: ResidualShape["layers"];
  readonly width: number;

  constructor(fields: EdgeScoresFields) {
    this.changes = fields.changes;
    this.errors = fields.errors;
    this.direction = fields.direction;
    this.clean = fields.clean;
    this.corrupt = fields.corrupt;
    this.layers = fields.layers;
    this.width = fields.width;
  }

  /**
   * What each edge does for the answer: of `"noise"` the change the other way round, which takes the answer
   * away; of `"denoise"` the change, which brings it back.
   */
  importance(): NamedArray {
    const sign = this.direction === "denoise" ? 1 : -1;
    return this.changes.map((value) => sign * value, "importance");
  }

  /** The sum over the receivers of each sender: what attribution says of the node. */
  nodes(): NamedArray {
    return this.changes.reduce("receiver", (values) =>
      values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0),
    );
  }

  /**
   * Edges, the one with the greatest `by` first.
   * @param count - How many.
   * @param by - What is compared, of the change. @default the magnitude
   */
  top(count: number, by: (change: number) => number = Math.abs): readonly ScoredEdge[] {
    return this.changes
      .ranked(by)
      .slice(0, count)
      .map(({ at, value }) => ({
        edge: edgeName(at),
        change: value,
        error: this.errors.valueAt(at),
      }));
  }

  /**
   * The circuit of the edges that matter most, with what they are worth.
   * @throws TsveneError for a number of edges that the model does not have.
   *
   * @example
   * ```ts
   * import { attributeEdges, AutoModelForCausalLM, AutoTokenizer, contrastPairs } from "tsvene";
   * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
   * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
   * const pairs = contrastPairs(tokenizer, [
   *   {
   *     clean: "The capital of Italy is",
   *     corrupt: "The capital of Spain is",
   *     right: " Rome",
   *     wrong: " Madrid",
   *   },
   * ]);
   * const { scores } = await attributeEdges(model, pairs);
   * const circuit = scores.circuit({ edges: 20, selection: "greedy" });
   * console.log(String(circuit));
   * ```
   */
  circuit(selection: EdgeSelection): Circuit {
    const { layers, width } = this;
    const entries = this.importance().entries();
    const scores = Object.fromEntries(entries.map(({ at, value }) => [edgeName(at), value]));
    const graph = new EdgeGraph({ layers });
    const edges = selectEdges(graph, new Map(Object.entries(scores)), selection);
    return new Circuit({ layers, width, scores, edges: edges.map(({ name }) => name) });
  }

  /** A heat map of {@link importance}, receivers from top to bottom; see {@link NamedArray.plot}. */
  plot(options: ArrayPlotOptions = {}): TopLevelSpec {
    const title = `importance of edges for ${this.changes.name}`;
    const look = {
      title,
      subtitle: uneditedText(this),
      rows: "receiver",
      showValues: false,
      valueTitle: "importance",
    };
    return this.importance().plot({ ...look, ...options });
  }

  /** Plain data: what {@link fromJSON} takes. */
  toJSON(): EdgeScoresJSON {
    const { changes, errors, ...rest } = this;
    return { ...rest, changes: changes.toJSON(), errors: errors.toJSON() };
  }

  /** The scores that {@link toJSON} gave. @throws TsveneError for what are none. */
  static fromJSON(json: EdgeScoresJSON): EdgeScores {
    if (json?.changes === undefined || json.errors === undefined || !Array.isArray(json.layers)) {
      fail(
        OP,
        "these are no scores: changes, errors and layers were expected, as toJSON gives them",
      );
    }
    const { changes, errors, ...rest } = json;
    return new EdgeScores({
      ...rest,
      changes: NamedArray.fromJSON(changes),
      errors: NamedArray.fromJSON(errors),
    });
  }

  /** The greatest ten, and what they are to be compared with. */
  toString(): string {
    const top = this.top(10);
    const width = Math.max(...top.map(({ edge }) => edge.length));
    const lines = top.map(
      ({ edge, change, error }) =>
        `${edge.padEnd(width)}  ${fixed(change, 3).padStart(8)}` +
        (Number.isNaN(error) ? "" : ` ± ${(1.96 * error).toFixed(3)}`),
    );
    const count = this.changes.entries().length;
    const heading = `estimated change of ${this.changes.name}: the greatest of ${count} edges`;
    return [heading, ...lines, uneditedText(this)].join("\n");
  }
}

printsItself(EdgeScores.prototype);
showsInNotebooks(EdgeScores.prototype, (one) => one.plot());

function edgeName(at: NamedEntry["at"]): string {
  return `${at["sender"] as string}->${at["receiver"] as string}`;
}
