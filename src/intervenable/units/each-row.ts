/** Maps rows of places, once for rows next to each other that are one list, as where all are given together. */
export function mapRows<A, B>(
  rows: readonly (readonly A[])[],
  map: (row: readonly A[], index: number) => readonly B[],
): (readonly B[])[] {
  let last: readonly A[] | undefined;
  let mapped: readonly B[] = [];
  return rows.map((row, index) => {
    if (row !== last) mapped = map(row, index);
    last = row;
    return mapped;
  });
}

/** Visits rows of places, once where rows next to each other are one list. */
export function eachRow<A>(
  rows: readonly (readonly A[])[],
  visit: (row: readonly A[], index: number) => void,
): void {
  rows.forEach((row, index) => {
    if (index === 0 || row !== rows[index - 1]) visit(row, index);
  });
}
