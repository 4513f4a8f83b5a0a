import { TorchFileError } from "./torch-file-error.ts";

/** Something that one file may take only so much of. */
export class Budget {
  readonly #file: string;
  readonly #what: string;
  #left: number;

  /** @param what such as "values", for the message. */
  constructor(limit: number, what: string, file: string) {
    this.#file = file;
    this.#what = what;
    this.#left = limit;
  }

  /** @throws TorchFileError when no more is left. */
  spend(amount: number): void {
    this.#left -= amount;
    if (this.#left >= 0) return;
    throw new TorchFileError(
      `${this.#file}: the file describes far more ${this.#what} than it has bytes for: it is ` +
        "damaged, or made to exhaust whoever reads it",
    );
  }
}

/** What a file may make its reader do, each counted over all of it. */
export interface Budgets {
  /**
   * Values of the pickle, as it can use what it made before for two bytes, so that whatever walks a
   * value once more has to be counted.
   */
  readonly values: Budget;
  /** Elements of all tensors, as tensors may share a storage, and repeat its elements (`expand`). */
  readonly elements: Budget;
}

const LEAST_VALUES = 100_000;
const VALUES_A_BYTE = 2;
const LEAST_ELEMENTS = 1 << 24;
const ELEMENTS_A_BYTE = 4;

/** Far more than any file has that PyTorch wrote. */
export function budgetsOf(pickleBytes: number, fileBytes: number, file: string): Budgets {
  return {
    values: new Budget(LEAST_VALUES + VALUES_A_BYTE * pickleBytes, "values", file),
    elements: new Budget(LEAST_ELEMENTS + ELEMENTS_A_BYTE * fileBytes, "elements of tensors", file),
  };
}
