/** One of the two inputs of a pair: the one whose answer is right, or the one that it is compared with. */
export type ContrastSide = "clean" | "corrupt";

/** Some pairs as what a model takes. */
export interface ContrastBatch<Inputs = unknown> {
  /** Numbers of the pairs in their data; a number may come several times. */
  readonly indices: readonly number[];
  /** What the model's `forward` takes; the first dimension is the pairs. */
  readonly clean: Inputs;
  /** The same of the other inputs. */
  readonly corrupt: Inputs;
  /** For each pair, the numbers of its right answers: tokens, or classes. */
  readonly right: readonly (readonly number[])[];
  /** For each pair, the numbers of its wrong answers; none where they are not known. */
  readonly wrong: readonly (readonly number[])[];
  /** By side, for each pair the position that predicts the answer. @default the last position */
  readonly answerPositions?: Readonly<Record<ContrastSide, readonly number[]>>;
}

/**
 * Pairs of inputs that differ in what is looked for, as analyses read them: what each pair is stays the same
 * whatever else is in the batch.
 *
 * @example Pairs of your own: an object with a length and a function.
 * ```ts
 * import { type ContrastData, randn, type Tensor } from "tsvene";
 * const [clean, corrupt] = [randn([8, 4]), randn([8, 4])];
 * const pairs: ContrastData<Tensor> = {
 *   length: 8,
 *   batch: (indices) => ({
 *     indices,
 *     clean: clean.indexSelect(0, [...indices]),
 *     corrupt: corrupt.indexSelect(0, [...indices]),
 *     right: indices.map(() => [0]),
 *     wrong: indices.map(() => [1]),
 *   }),
 * };
 * console.log(pairs.batch([3, 3, 5]).clean.shape); // [3, 4]
 * ```
 */
export interface ContrastData<Inputs = unknown> {
  /** Number of pairs. */
  readonly length: number;
  /** The pairs with these numbers, from 0, as tensors. */
  batch(indices: readonly number[]): ContrastBatch<Inputs>;
  /** Texts of the tokens at each position of a tensor's row, by pair. @default not known */
  tokens?(index: number, side: ContrastSide): readonly string[];
  /**
   * Where a position of a grid is in a pair: the positions of its row. @default numbers are those of the
   * row, and `"last"` is its last one
   */
  places?(position: number | string, index: number, side: ContrastSide): readonly number[];
}
