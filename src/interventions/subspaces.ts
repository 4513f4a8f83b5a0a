import { fail } from "./errors.ts";

/**
 * Groups of dimensions. An entry of exactly two numbers `[i, j]` is the range from i to before j, as
 * in pyvene; one of any other length lists dimensions. Write two dimensions i < j that are not
 * neighbours as two entries.
 */
export type SubspacePartition = readonly (readonly number[])[];

/**
 * Which dimensions (or parts of a partition) an intervention changes: the same for all rows, or
 * one list for each row of the batch.
 */
export type Subspaces = number | readonly number[] | readonly (readonly number[])[];

/** Dimensions of each part. */
export function expandPartition(op: string, partition: SubspacePartition): number[][] {
  if (!Array.isArray(partition) || partition.length === 0) {
    fail(op, "subspacePartition must be a list of parts, such as [[0, 8], [8, 24]]");
  }
  return partition.map((part, i) => {
    if (!Array.isArray(part) || part.length === 0 || !part.every(isIndex)) {
      fail(
        op,
        `part ${i} of subspacePartition must list dimensions of 0 or more, got ${show(part)}`,
      );
    }
    const [start = 0, end = 0] = part;
    if (part.length !== 2) return [...part];
    if (start >= end) {
      fail(
        op,
        `part ${i} of subspacePartition is the range from ${start} to before ${end}, which is empty`,
      );
    }
    return Array.from({ length: end - start }, (_, k) => start + k);
  });
}

/** What is being selected from, for messages and bounds. */
export interface SubspaceBounds {
  /** Size of the last dimension. */
  readonly width: number;
  readonly partition: readonly (readonly number[])[] | undefined;
}

/**
 * The dimensions meant: one list that holds for all rows, or one a row.
 * @throws InterventionError for what is not a list of whole numbers within bounds.
 */
export function resolveSubspaces(
  op: string,
  subspaces: unknown,
  { width, partition }: SubspaceBounds,
): readonly (readonly number[])[] {
  const rows = asRows(op, subspaces);
  const limit = partition?.length ?? width;
  const what = partition === undefined ? `${width} dimensions` : `${limit} parts of the partition`;
  const resolved = rows.map((row) => {
    for (const id of row) {
      if (isIndex(id) && id < limit) continue;
      fail(op, `subspace ${String(id)} is not one of the ${what} (0 to ${limit - 1})`);
    }
    return partition === undefined ? row : row.flatMap((id) => partition[id] ?? []);
  });
  for (const dim of resolved.flat()) {
    if (dim >= width) fail(op, `the partition names dimension ${dim}, but there are ${width}`);
  }
  const [first = []] = resolved;
  const same = resolved.every(
    (row) => row.length === first.length && row.every((d, i) => d === first[i]),
  );
  return same ? [first] : resolved;
}

function asRows(op: string, subspaces: unknown): readonly (readonly number[])[] {
  if (typeof subspaces === "number") return [[subspaces]];
  if (Array.isArray(subspaces)) {
    const list = subspaces as unknown[];
    if (list.length > 0 && list.every((v) => typeof v === "number")) return [list];
    if (list.length > 0 && list.every((v) => Array.isArray(v))) return list as number[][];
  }
  return fail(
    op,
    `subspaces must be a number, a list of numbers, or one list a row, got ${show(subspaces)}`,
  );
}

function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
