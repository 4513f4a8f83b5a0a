import type { UnitLocations } from "../../intervenable/units/locations.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * One example of counterfactual data: a base, what each variable is taken from, and what should come
 * out. It is plain data, JSON where its inputs are.
 *
 * @example
 * ```ts
 * import type { AlignmentExample } from "tsvene";
 * const example: AlignmentExample<string, string> = {
 *   base: "The capital of Spain is",
 *   sources: { country: "The capital of Italy is" },
 *   label: " Rome",
 *   baseLabel: " Madrid",
 * };
 * console.log(JSON.stringify(example));
 * ```
 */
export interface AlignmentExample<Input = unknown, Label = unknown> {
  /** What the model is run on: a prompt, or a setting of a causal model's inputs. */
  readonly base: Input;
  /** By variable, what its value is taken from. A variable that is absent is not intervened on. */
  readonly sources: Readonly<Record<string, Input>>;
  /** What the model should say with the interventions. */
  readonly label: Label;
  /** What the model should say of the base as it is. */
  readonly baseLabel?: Label;
  /** By variable, what the model should say of its source as it is. */
  readonly sourceLabels?: Readonly<Record<string, Label>>;
}

/** Some examples as tensors, which a model takes. */
export interface AlignmentBatch<Inputs = unknown> {
  /** Numbers of the examples in their data, by which parts that are kept are known. */
  readonly indices: readonly number[];
  /** What the model's `forward` takes; the first dimension is the examples. */
  readonly base: Inputs;
  /** By variable, the inputs of its source run. Examples without one repeat the base. */
  readonly sources: Readonly<Record<string, Inputs>>;
  /** By variable, which examples are intervened on. @default all, for each variable of `sources` */
  readonly rows?: Readonly<Record<string, readonly boolean[]>>;
  /** Which units are read and edited. @default whole tensors */
  readonly unitLocations?: UnitLocations;
  /** Which dimensions are changed, as `forward` takes them. @default all */
  readonly subspaces?: unknown;
  /** What the model should say with the interventions: [batch] int64, or what the loss takes. */
  readonly labels: Tensor;
  /** What the model should say of the base as it is, as `labels`. */
  readonly baseLabels?: Tensor;
  /** By variable, what the model should say of its source as it is, as `labels`. */
  readonly sourceLabels?: Readonly<Record<string, Tensor>>;
  /**
   * Of language models, for each example the position that predicts the answer, counted from the
   * tensor's first. @default the last position
   */
  readonly labelPositions?: readonly number[];
  /** By variable, the same of its source. @default the last position */
  readonly sourceLabelPositions?: Readonly<Record<string, readonly number[]>>;
}

/**
 * Counterfactual data as training and evaluation read it. All batches have the same padded length, so
 * that a step is compiled once.
 *
 * @example Data of your own: an object with a length and a function.
 * ```ts
 * import { type AlignmentData, randn, tensor, type Tensor } from "tsvene";
 * const data: AlignmentData<Tensor> = {
 *   length: 100,
 *   batch: (indices) => ({
 *     indices,
 *     base: randn([indices.length, 4]),
 *     sources: { sum: randn([indices.length, 4]) },
 *     labels: tensor(indices.map(() => 1), { dtype: "int64" }),
 *   }),
 * };
 * console.log(data.batch([3, 5]).base.shape); // [2, 4]
 * ```
 */
export interface AlignmentData<Inputs = unknown> {
  /** Number of examples. */
  readonly length: number;
  /** The examples with these numbers, from 0, as tensors. The same number is always the same example. */
  batch(indices: readonly number[]): AlignmentBatch<Inputs>;
  /** Names of the variables that an example intervenes on. @default those of its batch */
  variables?(index: number): readonly string[];
  /** A text that is the same for equal examples only, by which overlapping data are found. */
  key?(index: number): string;
}
