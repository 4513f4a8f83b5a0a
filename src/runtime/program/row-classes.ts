import type { Tensor } from "../../tensor/tensor.ts";
import type { TypedArray } from "../../tensor/dtype.ts";
import type { Axis } from "./row-axes.ts";
import { type Layout, layout } from "./row-values.ts";

/** Which rows are surely equal: those of one class. Classes are numbered as they come first. */
export interface Classes {
  /** The class of each row. */
  readonly of: Int32Array;
  /** The first row of each class. */
  readonly first: readonly number[];
}

/** Classes of rows with the same key. */
function byKey(rows: number, key: (row: number) => number): Classes {
  const of = new Int32Array(rows);
  const first: number[] = [];
  const known = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    const own = key(row);
    let at = known.get(own);
    if (at === undefined) {
      at = first.push(row) - 1;
      known.set(own, at);
    }
    of[row] = at;
  }
  return { of, first };
}

/** Every row for itself. */
export function distinct(rows: number): Classes {
  return byKey(rows, (row) => row);
}

/** One class of all rows. */
export function alike(rows: number): Classes {
  return { of: new Int32Array(rows), first: [0] };
}

/** Rows that are equal in all operands; the classes of an operand themselves where that says all. */
export function inAll(rows: number, operands: readonly Classes[]): Classes {
  const [first, ...others] = new Set(operands);
  if (first === undefined) return alike(rows);
  return others.reduce((a, b) => inBoth(rows, a, b), first);
}

function inBoth(rows: number, a: Classes, b: Classes): Classes {
  const count = b.first.length;
  if (count === 1) return a;
  if (a.first.length === 1) return b;
  return known(
    byKey(rows, (row) => (a.of[row] ?? 0) * count + (b.of[row] ?? 0)),
    [a, b],
  );
}

/** Classes, as the object of those that are the same, by which others are quickly told to be. */
function known(classes: Classes, others: readonly Classes[]): Classes {
  const same = others.find(
    (other) =>
      other.first.length === classes.first.length &&
      other.of.every((at, row) => at === classes.of[row]),
  );
  return same ?? classes;
}

/** In {@link Choices}, a row that has to be computed. */
export const MIXED = -1;

/** For each row of a result, the place of the operand that it is, or {@link MIXED}. */
export type Choices = Int8Array;

/**
 * Rows that come from one operand each, or from all of them.
 *
 * @param operands - Classes of each operand that may be chosen.
 * @param mixed - Classes of what is computed of all of them.
 */
export function chosenClasses(
  chosen: Choices,
  operands: readonly Classes[],
  mixed: () => Classes,
): Classes {
  const starts: number[] = [];
  let total = 0;
  for (const { first } of operands) {
    starts.push(total);
    total += first.length;
  }
  const rest = chosen.includes(MIXED) ? mixed() : undefined;
  const key = (row: number): number => {
    const choice = chosen[row] ?? MIXED;
    if (choice === MIXED) return total + (rest?.of[row] ?? 0);
    return (starts[choice] ?? 0) + (operands[choice]?.of[row] ?? 0);
  };
  return known(byKey(chosen.length, key), operands);
}

/**
 * For each row, the operand that a `where` takes there; undefined where its condition is not known.
 *
 * @param axis - Where the rows are in the condition.
 */
export function choicesOf(
  condition: Tensor | undefined,
  axis: Axis | undefined,
  rows: number,
): Choices | undefined {
  const { values, shape, lasting } = condition ?? {};
  if (values === undefined || shape === undefined || lasting === true) return undefined;
  if (typeof axis !== "number") {
    const whole = { outer: 1, rows: 1, inner: values.length };
    return new Int8Array(rows).fill(choiceAt(values, whole, 0));
  }
  const own = layout(shape, axis, rows);
  return new Int8Array(rows).map((_, row) => choiceAt(values, own, row));
}

function choiceAt(values: TypedArray, { outer, rows, inner }: Layout, row: number): number {
  const first = values[row * inner];
  for (let i = 0; i < outer; i++) {
    const start = (i * rows + row) * inner;
    for (let at = start; at < start + inner; at++) if (values[at] !== first) return MIXED;
  }
  return first ? 0 : 1;
}

/** Rows of data that hold the same numbers, bit by bit; weights are not looked at. */
export function dataClasses(t: Tensor, axis: number, rows: number): Classes {
  if (t.values === undefined || t.lasting || t.numel === 0) return distinct(rows);
  const { outer, inner } = layout(t.shape, axis, rows);
  const { words, each } = wordsOf(t.values, inner);
  const width = inner * each;
  const starts = Array.from({ length: outer }, (_, i) => i * rows * width);
  return comparedRows(words, { rows, width, starts, step: width });
}

/** Rows of coordinates that are the same but for the number of the row, with which they begin. */
export function coordinateClasses({ values, shape }: Tensor, rows: number): Classes {
  if (values === undefined) return distinct(rows);
  const { words, each } = wordsOf(values, 1);
  const width = (shape.at(-1) ?? 1) * each;
  const step = words.length / rows;
  const starts = Array.from({ length: step / width }, (_, i) => i * width + each);
  return comparedRows(words, { rows, width: width - each, starts, step });
}

/** Numbers as words of 32 bits where as many of them as lie together are such. */
function wordsOf(
  { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: bytes }: TypedArray,
  together: number,
): { readonly words: Int32Array | Uint8Array; readonly each: number } {
  const fits = byteOffset % 4 === 0 && (together * bytes) % 4 === 0;
  return fits
    ? { words: new Int32Array(buffer, byteOffset, byteLength / 4), each: bytes / 4 }
    : { words: new Uint8Array(buffer, byteOffset, byteLength), each: bytes };
}

/** Words of rows. */
interface Compared {
  /** How many rows there are. */
  readonly rows: number;
  /** Words of a row that lie together. */
  readonly width: number;
  /** Where the pieces of the first row begin. */
  readonly starts: readonly number[];
  /** From one row to the next. */
  readonly step: number;
}

function comparedRows(
  words: Int32Array | Uint8Array,
  { rows, width, starts, step }: Compared,
): Classes {
  const hash = (row: number): number => {
    let digest = 0x811c9dc5;
    for (const start of starts) {
      const from = start + row * step;
      for (let at = from; at < from + width; at++) {
        digest = Math.imul(digest ^ (words[at] ?? 0), 0x01000193);
        digest ^= digest >>> 15;
      }
    }
    return digest;
  };
  const same = (a: number, b: number): boolean =>
    starts.every((start) => {
      const [x, y] = [start + a * step, start + b * step];
      for (let i = 0; i < width; i++) if (words[x + i] !== words[y + i]) return false;
      return true;
    });
  const buckets = new Map<number, number[]>();
  // A row's key is the first row with its numbers.
  return byKey(rows, (row) => {
    const digest = hash(row);
    const bucket = buckets.get(digest) ?? [];
    const equal = bucket.find((other) => same(other, row));
    if (equal === undefined) buckets.set(digest, [...bucket, row]);
    return equal ?? row;
  });
}
