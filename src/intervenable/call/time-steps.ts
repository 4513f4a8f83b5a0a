import { fail } from "../../interventions/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Action } from "./plan.ts";
import { type Rows, Selection } from "../units/selection.ts";

/** What an action works on at one time step, as a sequence of one: [batch, 1, width]. */
export interface StepEdit {
  readonly value: Tensor;
  /** The rows that are edited at this step, or what is edited of all; undefined for all of all. */
  readonly edits: Selection | undefined;
  /** [batch, 1, width], or a vector for all rows. */
  readonly source: Tensor | undefined;
}

const OP = "IntervenableModel";

/**
 * What is edited at a time step: in each row, if the step is among its places. Undefined where it is
 * among no row's.
 *
 * @param value [batch, width]: what the module passes at this step.
 * @param source the units for all steps, or the whole of what was read.
 * @throws InterventionError for interventions that need several steps at once, and steps before the first.
 */
export function editAtStep(
  { name, intervention, edits, axes }: Action,
  value: Tensor,
  source: Tensor | undefined,
  step: number,
): StepEdit | undefined {
  const one = value.unsqueeze(1);
  const rows = edits?.levels[0];
  if (rows === undefined) {
    return { value: one, edits, source: unitOf(source, [step]) };
  }
  const { concatenatesUnits, keepLastDim, constructor } = intervention;
  if (concatenatesUnits && !keepLastDim && rows.some((row) => row.length > 1)) {
    fail(
      OP,
      `${name}: ${constructor.name} sees the units of a row as one vector, but time steps come one ` +
        `after another; give one step a row, or { keepLastDim: true }`,
    );
  }
  for (const row of rows) checkSteps(row);
  const columns = rows.map((row) => row.indexOf(step));
  if (columns.every((column) => column < 0)) return undefined;
  const local = columns.map((column) => (column < 0 ? [] : [0]));
  return { value: one, edits: new Selection(axes, [local]), source: unitOf(source, columns) };
}

function checkSteps(row: readonly number[]): void {
  const early = row.find((step) => step < 0);
  if (early !== undefined) {
    fail(
      "unitLocations",
      `step ${early}: steps to edit are counted from the first, as their number is not known before`,
    );
  }
  if (new Set(row).size === row.length) return;
  fail("unitLocations", `a row names a step twice: ${row.join(", ")}`);
}

/** Of [batch, units, width], the unit of each row, [batch, 1, width]; the first for rows without. */
function unitOf(source: Tensor | undefined, columns: readonly number[]): Tensor | undefined {
  if (source === undefined || source.ndim < 3) return source;
  const units = columns.map((column) => Math.max(0, column));
  const [first = 0] = units;
  if (units.every((unit) => unit === first)) return source.slice(1, first, first + 1);
  const rows = units.map((_, row) => (source.size(0) === 1 ? 0 : row));
  return source.index([indices(rows), indices(units)]).unsqueeze(1);
}

function indices(values: readonly number[]): Tensor {
  return Tensor.fromData(BigInt64Array.from(values, BigInt), [values.length], "int64");
}

/** @throws InterventionError for a step that the module did not reach. */
export function refuseLateSteps(name: string, rows: Rows | undefined, count: number): void {
  for (const step of rows?.flat() ?? []) {
    if (step < count) continue;
    fail(OP, `${name} never fires: step ${step} is out of range, there are ${count}`);
  }
}
