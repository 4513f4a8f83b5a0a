import { warn } from "../../base/warn.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { gradientOperands, upstream } from "../../tensor/graph.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isFinite } from "./finite.ts";
import type { Records } from "./records.ts";
import type { Computed } from "./take-step.ts";
import type { BestRecord, TrainingResult } from "./train-options.ts";
import { TrainingError } from "./training-error.ts";
import { shortList, type TrainedParameter } from "./trained-parameters.ts";

/** Looks after what would go wrong in silence: numbers that are none, and parameters that never move. */
export class Watch {
  readonly #op: string;
  readonly #trained: readonly TrainedParameter[];
  readonly #records: Records;
  /** Those that have had no gradient, or none but zeros, so far. */
  #still: ReadonlySet<string>;

  constructor(op: string, trained: readonly TrainedParameter[], records: Records) {
    this.#op = op;
    this.#trained = trained;
    this.#records = records;
    this.#still = new Set(trained.map(({ name }) => name));
  }

  /** What there is to say so far. */
  result(best: BestRecord | undefined): Omit<TrainingResult, "stopped" | "frozen"> {
    const { steps, history, evaluations } = this.#records;
    return { steps, history, evaluations, best };
  }

  isStopped(error: unknown): boolean {
    return error instanceof TrainingError;
  }

  /** @throws TrainingError when the first loss has nothing to do with what is trained. */
  seeTrace(loss: Tensor): void {
    if (this.#records.steps > 0 || loss.values !== undefined) return;
    const used = upstream([loss], gradientOperands);
    if (this.#trained.some(({ parameter }) => used.has(parameter.value))) return;
    this.#stop(
      `the loss does not depend on what is trained, ${this.#names()}: no way leads from it to any of ` +
        "them; is there a detach() on the way, or was it made of other parameters?",
    );
  }

  /** @throws TrainingError for numbers that must not get into parameters. */
  refuse({ loss, pulls, updated }: Computed): void {
    if (!Number.isFinite(loss)) this.#stop(`the loss is ${loss}`);
    if (!updated.every(isFinite)) {
      this.#stop(
        `the loss is ${loss}, but its gradients, or the step along them, are not finite; lower the ` +
          "learning rate, or give maxGradNorm",
      );
    }
    if (pulls !== undefined) this.#seePulls(pulls);
  }

  #seePulls(pulls: ReadonlyMap<Parameter, number>): void {
    if (this.#still.size === 0) return;
    const isStill = ({ name, parameter }: TrainedParameter): boolean =>
      this.#still.has(name) && (pulls.get(parameter) ?? 0) === 0;
    const still = this.#trained.filter(isStill).map(({ name }) => name);
    if (this.#records.steps === 0 && still.length === this.#trained.length) {
      this.#stop(
        `the gradient of all that is trained is zero, ${this.#names()}: the loss reads nothing that ` +
          "they change; is the place that is edited one that the answer does not come from?",
      );
    }
    this.#still = new Set(still);
  }

  /** Says what has been trained in vain. */
  end(): void {
    if (this.#still.size === 0 || this.#records.steps === 0) return;
    warn(
      this.#op,
      `the loss of none of ${this.#records.steps} steps depended on ${shortList([...this.#still])}, ` +
        "which stayed as before",
    );
  }

  stateDict(): object {
    return { still: [...this.#still] };
  }

  loadStateDict({ still }: { readonly still: readonly string[] }): void {
    this.#still = new Set(still);
  }

  #names(): string {
    return shortList(this.#trained.map(({ name }) => name));
  }

  #stop(what: string): never {
    const { steps } = this.#records;
    const state =
      steps === 0
        ? "nothing has changed"
        : `parameters and optimizer are as step ${steps - 1} left them`;
    throw new TrainingError(
      `${this.#op}: step ${steps}: ${what} (${state})`,
      this.result(undefined),
    );
  }
}
