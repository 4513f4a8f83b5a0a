import { arange, type ContrastData, Generator, randint, type Tensor, where } from "tsvene";

/** Inputs of language models. */
export interface Ids {
  readonly inputIds: Tensor;
}

/** Random pairs of ids that differ at one position, with answers 1 and 2. */
export function tinyPairs({
  count = 3,
  length = 6,
  vocabulary = 20,
  differsAt = 2,
  seed = 1,
}: Readonly<Record<string, number>> = {}): ContrastData<Ids> {
  const generator = new Generator(seed);
  const ids = (size: readonly number[]): Tensor =>
    randint(3, vocabulary, size, { generator, dtype: "int64" });
  const clean = ids([count, length]);
  const isOther = arange(length).eq(differsAt);
  const other = clean
    .sub(2)
    .remainder(vocabulary - 3)
    .add(3);
  const corrupt = where(isOther, other, clean);
  const rows = (of: Tensor, indices: readonly number[]): Ids => ({
    inputIds: of.indexSelect(0, [...indices]),
  });
  return {
    length: count,
    batch: (indices) => ({
      indices,
      clean: rows(clean, indices),
      corrupt: rows(corrupt, indices),
      right: indices.map(() => [1]),
      wrong: indices.map(() => [2]),
    }),
  };
}
