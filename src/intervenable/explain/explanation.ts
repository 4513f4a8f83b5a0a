import { printsItself } from "../../base/inspect.ts";
import { bytesText, countText } from "../../base/quantities.ts";
import type { ProgramDescription } from "../../runtime/program/describe-program.ts";
import { type Shape, show } from "../../tensor/shape.ts";
import type { Mode } from "../config/config.ts";

/** What one intervention does in a call. */
export interface ExplainedIntervention {
  /** Its own name, or its place. */
  readonly name: string;
  /** Name of its class. */
  readonly intervention: string;
  /** The module and its side, such as "transformer.h.0.mlp.output". */
  readonly site: string;
  /** Of the tensor there; undefined for an intervention that is skipped. */
  readonly shape: Shape | undefined;
  /** Of the units that it works on. */
  readonly units: Shape | undefined;
  /** Which rows of the batch it edits; undefined for all. */
  readonly rows: readonly boolean[] | undefined;
  /** Into how many heads the last dimension is split. */
  readonly heads: number | undefined;
  /** Width of one head. */
  readonly headDim: number | undefined;
  /** Which part of a fused projection it is, such as 1 of 3 for keys. */
  readonly part: { readonly index: number; readonly of: number } | undefined;
  /** Where the source comes from, such as "source 0 at transformer.h.2.output"; "none" for no source. */
  readonly source: string;
  /** Of the source's units. */
  readonly sourceShape: Shape | undefined;
  /** Numbers to be learned; what is linked counts with the first one. */
  readonly parameters: number;
  /** What may surprise at its place, such as that it is not what is added to the residual stream. */
  readonly note: string | undefined;
}

/** One forward pass of a call. */
export interface ExplainedRun {
  /** "source 0", "base", or "original", which is the pass without interventions. */
  readonly name: string;
  /** Names of the interventions that edit it. */
  readonly edits: readonly string[];
  /** Names of the interventions that read their sources in it. */
  readonly reads: readonly string[];
  /** The last place that is read in a source run: nothing after it is computed. */
  readonly stopsAt: string | undefined;
  /** The model's layers that are computed, by path. */
  readonly layers: readonly ExplainedLayer[];
  /** What computing this run alone would take. */
  readonly cost: ProgramDescription;
}

/** A layer that a run needs. */
export interface ExplainedLayer {
  /** Module path of the layer. */
  readonly path: string;
  /** The earlier run of which it takes the layer's result, instead of computing it again. */
  readonly sharedWith: string | undefined;
}

/** The fields of an {@link Explanation}. */
export interface ExplanationFields {
  /** The configuration's mode. */
  readonly mode: Mode;
  /** In order of declaration. */
  readonly interventions: readonly ExplainedIntervention[];
  /** Sources first, then the base with its edits, then the same without. */
  readonly runs: readonly ExplainedRun[];
  /** Numbers to be learned, linked ones once. */
  readonly trainableParameters: number;
  /** Of the intervened output and all that is collected. */
  readonly cost: ProgramDescription;
  /** Of the same together with the original output. */
  readonly costWithOriginal: ProgramDescription;
}

/** What a call of `forward` does: the plan that it carries out, and what that takes. */
export class Explanation {
  /** The configuration's mode. */
  readonly mode: Mode;
  /** In the order of declaration. */
  readonly interventions: readonly ExplainedIntervention[];
  /** Sources first, then the base with its edits, then the same without. */
  readonly runs: readonly ExplainedRun[];
  /** Numbers to be learned in all interventions, linked ones once. */
  readonly trainableParameters: number;
  /**
   * What computing the first tensor of the intervened output (logits), its loss where labels are
   * given, and all that is collected takes.
   */
  readonly cost: ProgramDescription;
  /** The same together with the original output. */
  readonly costWithOriginal: ProgramDescription;

  constructor(fields: ExplanationFields) {
    this.mode = fields.mode;
    this.interventions = fields.interventions;
    this.runs = fields.runs;
    this.trainableParameters = fields.trainableParameters;
    this.cost = fields.cost;
    this.costWithOriginal = fields.costWithOriginal;
  }

  /** The plan as tables. */
  toString(): string {
    return [
      table(INTERVENTION_HEADS, this.interventions.map(interventionRow)),
      ...this.interventions.flatMap(({ name, note }) =>
        note === undefined ? [] : [`${name}: ${note}`],
      ),
      table(RUN_HEADS, this.runs.map(runRow)),
      `mode ${this.mode}, ${this.trainableParameters} parameters to be learned`,
      `intervened: ${costText(this.cost)}`,
      `with the original output: ${costText(this.costWithOriginal)}`,
    ].join("\n\n");
  }
}

printsItself(Explanation.prototype);

const INTERVENTION_HEADS = ["name", "intervention", "site", "shape", "heads", "units", "source"];

function interventionRow(explained: ExplainedIntervention): readonly string[] {
  const { name, intervention, site, shape, heads, headDim, part, units, source } = explained;
  const { sourceShape, parameters } = explained;
  const split = heads === undefined ? "" : `${heads} x ${headDim}`;
  const of = part === undefined ? "" : `part ${part.index} of ${part.of}`;
  return [
    name,
    parameters === 0 ? intervention : `${intervention} (${parameters} learned)`,
    site,
    shape === undefined ? "-" : show(shape),
    [of, split].filter((text) => text !== "").join(", ") || "-",
    units === undefined ? "-" : show(units) + rowsText(explained),
    sourceShape === undefined ? source : `${source} ${show(sourceShape)}`,
  ];
}

function rowsText({ rows }: ExplainedIntervention): string {
  return rows === undefined ? "" : `, ${rows.filter(Boolean).length} of ${rows.length} rows`;
}

const RUN_HEADS = ["run", "edits", "reads", "layers", "shared", "stops at", "multiply-adds"];

function runRow({ name, edits, reads, layers, stopsAt, cost }: ExplainedRun): readonly string[] {
  const sharers = [...new Set(layers.flatMap(({ sharedWith }) => sharedWith ?? []))];
  const shared = sharers.map((other) => {
    const paths = layers.filter(({ sharedWith }) => sharedWith === other);
    return `${ranges(paths)} with ${other}`;
  });
  return [
    name,
    String(edits.length),
    String(reads.length),
    layers.length === 0 ? "none" : ranges(layers),
    shared.length === 0 ? "-" : shared.join("; "),
    stopsAt ?? "the end",
    countText(cost.multiplyAdds),
  ];
}

/** Layers in short: "h.0 to h.5" for those that follow each other. */
function ranges(layers: readonly ExplainedLayer[]): string {
  const runs: { first: string; last: string; next: string }[] = [];
  for (const { path } of layers) {
    const [, list = path, index] = /^(.*)\.(\d+)$/.exec(path) ?? [];
    const next = index === undefined ? "" : `${list}.${Number(index) + 1}`;
    const open = runs.at(-1);
    if (open?.next === path) Object.assign(open, { last: path, next });
    else runs.push({ first: path, last: path, next });
  }
  return runs.map(({ first, last }) => (first === last ? first : `${first} to ${last}`)).join(", ");
}

function costText({ nodes, multiplyAdds, inputBytes, peakBytes }: ProgramDescription): string {
  return (
    `${nodes} operations, ${countText(multiplyAdds)} multiply-adds, ${bytesText(inputBytes)} read, ` +
    `${bytesText(peakBytes)} of values at one time`
  );
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, ...rows];
  const widths = heads.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
