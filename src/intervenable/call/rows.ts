import { shown } from "../../base/describe-value.ts";
import { fail } from "../../interventions/errors.ts";
import { where } from "../../tensor/functions/arithmetic.ts";
import { show } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { requireNamed } from "../config/names.ts";
import type { Target } from "../sites/target.ts";
import { isRecord } from "../units/each.ts";

/**
 * Which rows of the batch are edited, the others being left exactly as they are: one list for all
 * interventions, or lists by name. A name that is left out, or null, edits all rows.
 */
export type EditedRows =
  readonly boolean[] | Readonly<Record<string, readonly boolean[] | null | undefined>>;

const OP = "IntervenableModel";

/**
 * The rows that each target edits; undefined for all of them.
 *
 * @param batches - For each target, the rows of the run that it edits.
 * @throws InterventionError for names that are not there, targets that edit nothing, and lists that are not
 * one boolean for each row.
 */
export function planRows(
  given: EditedRows | null | undefined,
  targets: readonly Target[],
  batches: readonly (number | undefined)[],
): readonly (readonly boolean[] | undefined)[] {
  if (given === undefined || given === null) return targets.map(() => undefined);
  if (Array.isArray(given)) {
    if (targets.every(({ intervention }) => intervention.collects)) refuseCollector("rows");
    return targets.map(({ intervention }, i) =>
      intervention.collects ? undefined : checked(given, "rows", batches[i]),
    );
  }
  if (!isRecord(given)) {
    return fail(OP, `rows must be lists of true and false, got ${shown(given)}; ${WANTED}`);
  }
  for (const [name, rows] of Object.entries(given)) {
    const { intervention } = requireNamed(`${OP}: rows`, name, targets);
    if (intervention.collects && rows !== null) refuseCollector(`rows: ${name}`);
  }
  return targets.map(({ name }, i) => {
    const rows: unknown = given[name];
    if (rows === undefined || rows === null) return undefined;
    return checked(rows, `rows: ${name}`, batches[i]);
  });
}

const WANTED = "give one for each row of the batch, [true, false], or such lists by name";

function refuseCollector(where: string): never {
  return fail(OP, `${where}: it collects and edits nothing; read the rows that you want of it`);
}

function checked(rows: unknown, where: string, batch: number | undefined): readonly boolean[] {
  const isList = Array.isArray(rows) && rows.every((edited) => typeof edited === "boolean");
  if (!isList) return fail(OP, `${where}: expected true and false, got ${shown(rows)}; ${WANTED}`);
  if (batch === undefined || rows.length === batch) return [...(rows as readonly boolean[])];
  return fail(OP, `${where}: ${rows.length} entries, but the batch has ${batch} rows; ${WANTED}`);
}

/**
 * The edited values in the rows that are edited, and the base's in the others.
 *
 * @param base [batch, ...]
 * @throws InterventionError for a tensor whose first dimension is not the batch.
 */
export function inRows(rows: readonly boolean[] | undefined, edited: Tensor, base: Tensor): Tensor {
  if (rows === undefined) return edited;
  if (base.size(0) !== rows.length) {
    fail(
      OP,
      `rows are said for a batch of ${rows.length}, but the tensor ${show(base.shape)} has no such ` +
        "dimension in front; edit all rows there",
    );
  }
  const shape = base.shape.map((_, dim) => (dim === 0 ? rows.length : 1));
  return where(Tensor.fromData(Uint8Array.from(rows, Number), shape, "bool"), edited, base);
}
