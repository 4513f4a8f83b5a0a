import { fail } from "../../base/errors.ts";
import type { GridSite } from "../../intervenable/grid/site-grid.ts";
import type { Generator } from "../../tensor/random/generator.ts";
import type { AlignmentBatch, AlignmentData } from "../data/alignment-data.ts";
import { variableAt } from "./alignment-grid.ts";
import { variablesByExample } from "./examples.ts";
import { batchAt } from "./grid-cell.ts";
import { requireUnseen } from "./overlap.ts";
import { groupedBy } from "./grouped.ts";

/** Counterfactual data, or a function that gives it for each named position of a grid. */
export type GridData = AlignmentData | ((position: string) => AlignmentData);

/** A site that is to be evaluated. */
export interface GridCell {
  readonly site: GridSite;
  /** What is drawn there comes from this, whichever sites are evaluated before. */
  readonly generator: Generator;
}

/** Some examples, as a site of a grid sees them. */
export interface ExamplesAt {
  readonly data: AlignmentData;
  /** Those that intervene on the variable alone. */
  readonly examples: readonly number[];
  /** Whether the data was made for a named position. */
  readonly isNamed: boolean;
}

/** Sites that share their examples. */
export interface GridView extends ExamplesAt {
  /** What is trained on. */
  readonly train: ExamplesAt | undefined;
  readonly cells: readonly GridCell[];
}

const OP = "evalAlignment";

/** The data for a position. */
export function dataFor(data: GridData, position: unknown): AlignmentData {
  return typeof data === "function" ? data(String(position)) : data;
}

/** Sites by the examples that they share. */
export function viewsOf(
  cells: readonly GridCell[],
  data: GridData,
  trainData: GridData | undefined,
  batchSize: number,
): readonly GridView[] {
  const isNamed = typeof data === "function" || typeof trainData === "function";
  const keyOf = ({ site: { variable, position } }: GridCell): string =>
    JSON.stringify([variable, isNamed ? position : null]);
  return [...groupedBy(cells, keyOf).values()].map((group) => {
    const site = group[0]?.site ?? {};
    requireUnseen(OP, dataFor(data, site.position), trainData && dataFor(trainData, site.position));
    return {
      ...examplesAt(data, site, batchSize),
      train: trainData && examplesAt(trainData, site, batchSize),
      cells: group,
    };
  });
}

function examplesAt(given: GridData, site: GridSite, batchSize: number): ExamplesAt {
  const data = dataFor(given, site.position);
  const variables = variablesByExample(OP, data, batchSize);
  const examples = examplesOf(variableAt(site), variables);
  return { data, examples, isNamed: typeof given === "function" };
}

/** The examples that intervene on this variable and on no other. */
function examplesOf(
  variable: string,
  variables: readonly (readonly string[])[],
): readonly number[] {
  const found = variables.flatMap((names, example) =>
    names.length === 1 && names[0] === variable ? [example] : [],
  );
  if (found.length > 0) return found;
  const sets = new Set(variables.map((names) => names.join(" and ") || "nothing"));
  return fail(
    OP,
    `no example intervenes on ${variable} alone; those of the data do on ${[...sets].join(", ")}`,
  );
}

/** The examples of a site as data of its own, to be trained on. */
export function dataAt({ data, examples, isNamed }: ExamplesAt, site: GridSite): AlignmentData {
  return {
    length: examples.length,
    batch: (indices): AlignmentBatch => {
      const batch = data.batch(indices.map((index) => examples[index] ?? index));
      return { ...batchAt(batch, site, isNamed), indices: [...indices] };
    },
  };
}
