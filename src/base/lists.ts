/** The numbers from 0. */
export function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** A list in pieces of a size, of which the last may be shorter. */
export function partsOf<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return range(Math.ceil(list.length / size)).map((i) => list.slice(i * size, (i + 1) * size));
}
