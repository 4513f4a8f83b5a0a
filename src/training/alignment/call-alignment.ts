import { fail } from "../../base/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { ForwardOptions } from "../../intervenable/generation/arguments.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { IntervenableOutput } from "../../intervenable/call/output.ts";
import type { AlignmentBatch } from "../data/alignment-data.ts";

/**
 * Runs an aligned model on a batch: each group of interventions gets the source of its variable, which
 * one of its interventions is named after.
 * @throws TsveneError for variables that no intervention is named after, and sources that are missing.
 */
export function callAlignment(
  op: string,
  aligned: IntervenableModel,
  batch: AlignmentBatch,
  more: Pick<ForwardOptions<unknown>, "hard" | "reusePrefix"> = {},
): IntervenableOutput<unknown> {
  return aligned.forward(batch.base, { ...argumentsOf(op, aligned, batch), ...more });
}

/** How many positions come before the edits of a batch; see `reusePrefix` of `forward`. */
export function prefixOfBatch(
  op: string,
  aligned: IntervenableModel,
  batch: AlignmentBatch,
): number {
  return aligned.prefixLength(batch.base, argumentsOf(op, aligned, batch));
}

function argumentsOf(
  op: string,
  aligned: IntervenableModel,
  batch: AlignmentBatch,
): ForwardOptions<unknown> {
  const { sources: given, rows: edited, unitLocations, subspaces } = batch;
  checkVariables(op, aligned, given);
  const sources = aligned.groups.map((names) => sourceOf(op, aligned, names, given));
  const isRead = sources.some((source) => source !== null);
  return {
    ...(isRead ? { sources } : {}),
    ...(edited === undefined ? {} : { rows: rowsByName(aligned, edited) }),
    ...(unitLocations === undefined ? {} : { unitLocations }),
    ...(subspaces === undefined ? {} : { subspaces }),
  };
}

function checkVariables(
  op: string,
  { names }: IntervenableModel,
  sources: Readonly<Record<string, unknown>>,
): void {
  const unknown = Object.keys(sources).find((variable) => !names.includes(variable));
  if (unknown === undefined) return;
  fail(
    op,
    `the data has sources for ${unknown}, which no intervention is named after; ` +
      `${didYouMean(unknown, names)} Name interventions in the configuration: { name: "${unknown}", ... }`,
  );
}

/** The source that a group reads; null where it reads none. */
function sourceOf(
  op: string,
  { interventions }: IntervenableModel,
  names: readonly string[],
  given: Readonly<Record<string, unknown>>,
): unknown {
  const variables = names.filter((name) => given[name] !== undefined);
  const [variable, other] = variables;
  if (other !== undefined && given[other] !== given[variable ?? ""]) {
    fail(op, `${variable} and ${other} share a source through their groupKey; give one of them`);
  }
  if (variable !== undefined) return given[variable];
  const reader = names.find((name) => {
    const { sourceUse, sourceRepresentation } = interventions.get(name);
    return sourceUse === "required" && sourceRepresentation === undefined;
  });
  if (reader === undefined) return null;
  const there = Object.keys(given).join(", ") || "none";
  return fail(
    op,
    `${names.join(", ")} needs a source, but the data has sources for ${there}; name interventions after ` +
      "the data's variables, or leave this one out of the alignment",
  );
}

/** Interventions that share a source are made in the same rows. */
function rowsByName(
  { groups }: IntervenableModel,
  rows: Readonly<Record<string, readonly boolean[]>>,
): Readonly<Record<string, readonly boolean[]>> {
  const entries = groups.flatMap((names) => {
    const shared = names.map((name) => rows[name]).find((row) => row !== undefined);
    return names.flatMap((name) => {
      const own = rows[name] ?? shared;
      return own === undefined ? [] : [[name, own] as const];
    });
  });
  return Object.fromEntries(entries);
}
