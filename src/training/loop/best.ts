import type { Tensor } from "../../tensor/tensor.ts";
import { type Compared, comparison } from "./evaluation.ts";
import { snapshot } from "./checkpoint.ts";
import type { BestRecord, EvaluationRecord } from "./train-options.ts";
import type { TrainedParameter } from "./trained-parameters.ts";

/** The best evaluation so far, with the parameters that it was of. */
export class Best {
  readonly #trained: readonly TrainedParameter[];
  #record: BestRecord | undefined;
  #values: Readonly<Record<string, Tensor>> = {};
  /** Evaluations since the best one. */
  waited = 0;

  constructor(trained: readonly TrainedParameter[]) {
    this.#trained = trained;
  }

  get record(): BestRecord | undefined {
    return this.#record;
  }

  /** Takes note of an evaluation. */
  see(op: string, options: Compared, evaluation: EvaluationRecord): void {
    const { isBetterThan, ...record } = comparison(op, options, evaluation);
    const best = this.#record;
    this.waited++;
    if (best !== undefined && !Number.isNaN(best.value) && !isBetterThan(best.value)) return;
    this.waited = 0;
    this.#record = record;
    this.#values = snapshot(this.#trained);
  }

  /** Puts the best parameters in place. */
  restore(): void {
    if (this.#record === undefined) return;
    for (const { name, parameter } of this.#trained) {
      const value = this.#values[name];
      if (value !== undefined) parameter.set(value);
    }
  }

  stateDict(): object {
    return { record: this.#record, values: { ...this.#values }, waited: this.waited };
  }

  loadStateDict(state: object): void {
    const { record, values, waited } = state as {
      readonly record?: BestRecord;
      readonly values: Readonly<Record<string, Tensor>>;
      readonly waited: number;
    };
    this.#record = record;
    this.#values = values;
    this.waited = waited;
  }
}
