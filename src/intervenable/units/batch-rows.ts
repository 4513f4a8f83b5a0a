import type { Counted } from "../../models/model/card.ts";
import { fail } from "../../interventions/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";

const OP = "IntervenableModel";

/** A text among the inputs of a run. */
interface Text {
  /** Name of its mask. */
  readonly mask: string;
  /** Name of its tokens. */
  readonly ids: string;
}

const READ: Text = { mask: "attentionMask", ids: "inputIds" };

const TEXTS: { readonly [K in Counted]: Text | undefined } = {
  text: READ,
  source: READ,
  target: { mask: "decoderAttentionMask", ids: "decoderInputIds" },
  other: undefined,
};

/**
 * The rows of a run's inputs: how many there are, and which positions of each are padding. What is
 * padding is only known where inputs have a mask [batch, sequence] with values: `attentionMask`, or
 * `decoderAttentionMask` for what a decoder writes.
 */
export class BatchRows {
  readonly rows: number;
  readonly #inputs: unknown;
  readonly #what: string;
  readonly #padTokenId: number | undefined;

  /**
   * @param what - Name of the inputs in messages.
   * @param padTokenId - The model's token for padding, if it has one.
   * @throws InterventionError for inputs without a tensor that has a batch.
   */
  constructor(inputs: unknown, what: string, padTokenId?: number) {
    this.rows = batchOf(inputs, what);
    this.#inputs = inputs;
    this.#what = what;
    this.#padTokenId = padTokenId;
  }

  /**
   * The last position of a row that is not padding; undefined where there is no mask, and the last
   * place of the tensor is meant.
   * @throws InterventionError for a mask that has no values yet, for a row that is all padding, and for
   * rows that are padded while no mask says so.
   */
  lastOf(row: number, counts: Counted): number | undefined {
    const text = TEXTS[counts];
    const mask = text && matrixIn(this.#inputs, text.mask);
    if (mask === undefined) {
      this.#refusePadded('"last"', text);
      return undefined;
    }
    if (mask.values === undefined) {
      fail(OP, `"last" needs the values of ${text?.mask}; evaluate it first`);
    }
    const cached = this.#cachedIn(mask, text);
    for (let at = mask.size(1) - 1; at >= cached; at--) {
      if (!isValue(mask, row, at, 0)) return at - cached;
    }
    return fail(OP, `row ${row} of ${text?.mask} leaves out all positions`);
  }

  /** Whether something says which positions are padding, so that rows may differ in it. */
  isMasked(counts: Counted): boolean {
    const text = TEXTS[counts];
    return text !== undefined && matrixIn(this.#inputs, text.mask) !== undefined;
  }

  /**
   * Name of the mask that says that a position, negative ones counting from the end, is padding;
   * undefined where it is not known to be.
   * @throws InterventionError for a negative position in rows that are padded while no mask says so.
   */
  maskOf(row: number, position: number, counts: Counted): string | undefined {
    const text = TEXTS[counts];
    const mask = text && matrixIn(this.#inputs, text.mask);
    if (mask === undefined && position < 0) this.#refusePadded(`position ${position}`, text);
    const at =
      position < 0 || mask === undefined ? position : position + this.#cachedIn(mask, text);
    return isValue(mask, row, at, 0) ? text?.mask : undefined;
  }

  /** Places of a mask that are of tokens in the cache, which no position means. */
  #cachedIn(mask: Tensor, text: Text | undefined): number {
    const { [text?.ids ?? ""]: ids } = this.#inputs as Readonly<Record<string, unknown>>;
    return ids instanceof Tensor && ids.ndim === 2 ? Math.max(0, mask.size(1) - ids.size(1)) : 0;
  }

  /** Rows of which some begin or end in padding, and others do not, have different lengths. */
  #refusePadded(place: string, text: Text | undefined): void {
    const pad = this.#padTokenId;
    const ids = text && matrixIn(this.#inputs, text.ids);
    if (ids === undefined || pad === undefined) return;
    for (const [position, verb] of [
      [-1, "ends"],
      [0, "begins"],
    ] as const) {
      const rows = Array.from({ length: this.rows }, (_, row) => isValue(ids, row, position, pad));
      if (!rows.includes(true) || !rows.includes(false)) continue;
      fail(
        OP,
        `${this.#what}: row ${rows.indexOf(true)} ${verb} in padding (token ${pad}), but there is no ` +
          `${text?.mask}, so that ${place} is not the same in all rows; pass the mask`,
      );
    }
  }
}

function matrixIn(inputs: unknown, name: string): Tensor | undefined {
  if (inputs instanceof Tensor || typeof inputs !== "object" || inputs === null) return undefined;
  const value = (inputs as Readonly<Record<string, unknown>>)[name];
  return value instanceof Tensor && value.ndim === 2 ? value : undefined;
}

/** Whether a number is known to be somewhere in a matrix. */
function isValue(matrix: Tensor | undefined, row: number, at: number, wanted: number): boolean {
  if (matrix?.values === undefined) return false;
  const length = matrix.size(1);
  const column = at < 0 ? at + length : at;
  if (column < 0 || column >= length || row >= matrix.size(0)) return false;
  return Number(matrix.values[row * length + column]) === wanted;
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
