import { fail } from "../tensor/errors.ts";
import { Tensor } from "../tensor/tensor.ts";

const OP = "IntervenableModel";

/**
 * The rows of a run's inputs: how many there are, and which positions of each are padding. What is
 * padding is only known where inputs have an `attentionMask` [batch, sequence] with values.
 */
export class BatchRows {
  readonly rows: number;
  readonly #mask: Tensor | undefined;

  /**
   * @param what - Name of the inputs in messages.
   * @throws TensorError for inputs without a tensor that has a batch.
   */
  constructor(inputs: unknown, what: string) {
    this.rows = batchOf(inputs, what);
    const mask: unknown =
      inputs instanceof Tensor ? undefined : Object(inputs as object).attentionMask;
    this.#mask = mask instanceof Tensor && mask.ndim === 2 ? mask : undefined;
  }

  /**
   * The last position of a row that is not padding; undefined where nothing says what is padding.
   * @throws TensorError for a mask that has no values yet, and for a row that is all padding.
   */
  lastOf(row: number): number | undefined {
    if (this.#mask === undefined) return undefined;
    const values = this.#valuesOf(row);
    if (values === undefined) {
      fail(OP, '"last" needs the values of attentionMask; evaluate it first');
    }
    const last = values.findLastIndex((counts) => counts);
    return last >= 0 ? last : fail(OP, `row ${row} of attentionMask leaves out all positions`);
  }

  /** Whether a position, negative ones counting from the end, is known to be padding. */
  isPadding(row: number, position: number): boolean {
    return this.#valuesOf(row)?.at(position) === false;
  }

  #valuesOf(row: number): readonly boolean[] | undefined {
    const { values, shape } = this.#mask ?? {};
    const [, length = 0] = shape ?? [];
    if (values === undefined) return undefined;
    return Array.from({ length }, (_, at) => Number(values[row * length + at]) !== 0);
  }
}

/** Size of the batch: of the tensor, or of the first tensor among the inputs. */
export function batchOf(inputs: unknown, what: string): number {
  const tensor = [inputs instanceof Tensor ? inputs : Object.values(inputs ?? {})]
    .flat()
    .find((value) => value instanceof Tensor);
  if (tensor !== undefined && tensor.ndim > 0) return tensor.size(0);
  return fail(
    OP,
    `${what} must be a Tensor, or an object with one, whose first dimension is the batch`,
  );
}
