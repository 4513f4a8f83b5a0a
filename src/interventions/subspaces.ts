import { shown } from "../base/describe-value.ts";
import { fail } from "./errors.ts";

/** Dimensions from `from` to before `to`. */
export interface DimensionRange {
  /** The first dimension. */
  readonly from: number;
  /** The dimension after the last. */
  readonly to: number;
}

/**
 * Groups of dimensions: each is a range, `{ from: 0, to: 8 }`, or a list of the dimensions in it,
 * `[0, 2, 5]`, of whatever length.
 */
export type SubspacePartition = readonly (DimensionRange | readonly number[])[];

/**
 * Which dimensions (or parts of a partition) an intervention changes: the same for all rows, or
 * one list for each row of the batch.
 */
export type Subspaces = number | readonly number[] | readonly (readonly number[])[];

/**
 * Dimensions of each part.
 * @throws InterventionError for a part that is neither a range nor a list, or that is empty.
 */
export function expandPartition(op: string, partition: SubspacePartition): number[][] {
  if (!Array.isArray(partition) || partition.length === 0) {
    fail(
      op,
      `subspacePartition must be a list of parts, such as [{ from: 0, to: 8 }, [8, 9, 12]], got ` +
        shown(partition),
    );
  }
  return partition.map((part: unknown, i) =>
    expandPart(op, part, `part ${i} of subspacePartition`),
  );
}

function expandPart(op: string, part: unknown, which: string): number[] {
  if (Array.isArray(part)) {
    if (part.length > 0 && part.every(isIndex)) return [...part];
    return fail(op, `${which} must list dimensions of 0 or more, got ${shown(part)}`);
  }
  const names = typeof part === "object" && part !== null ? Object.keys(part).sort() : [];
  const { from, to } = (part ?? {}) as Partial<Readonly<Record<string, unknown>>>;
  if (names.join() !== "from,to" || !isIndex(from) || !isIndex(to)) {
    return fail(
      op,
      `${which} must be { from, to } with whole numbers of 0 or more, or a list of dimensions, got ` +
        shown(part),
    );
  }
  if (from < to) return Array.from({ length: to - from }, (_, k) => from + k);
  return fail(op, `${which} is the range from ${from} to before ${to}, which is empty`);
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
  const resolve = (row: readonly number[]): readonly number[] => {
    for (const id of row) {
      if (isIndex(id) && id < limit) continue;
      fail(op, `subspace ${String(id)} is not one of the ${what} (0 to ${limit - 1})`);
    }
    const dims = partition === undefined ? row : row.flatMap((id) => partition[id] ?? []);
    for (const dim of dims) {
      if (dim >= width) fail(op, `the partition names dimension ${dim}, but there are ${width}`);
    }
    return dims;
  };
  const [first = []] = rows;
  const resolved: (readonly number[])[] = [];
  rows.forEach((row, i) => {
    // Rows of a batch mostly name the same.
    const before = i === 0 ? undefined : rows[i - 1];
    resolved.push(before && sameList(before, row) ? (resolved[i - 1] ?? []) : resolve(row));
  });
  return rows.every((row) => sameList(row, first)) ? resolved.slice(0, 1) : resolved;
}

function sameList(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
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
    `subspaces must be a number, a list of numbers, or one list a row, got ${shown(subspaces)}`,
  );
}

function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
