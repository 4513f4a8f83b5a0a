import { TsveneError } from "../../base/errors.ts";
import type { TrainingResult } from "./train-options.ts";

/** A training that could not go on. Parameters and optimiser are as the last good step left them. */
export class TrainingError extends TsveneError {
  override readonly name: string = "TrainingError";
  /** What the steps before gave. */
  readonly result: Omit<TrainingResult, "stopped" | "frozen">;

  constructor(message: string, result: Omit<TrainingResult, "stopped" | "frozen">) {
    super(message);
    this.result = result;
  }
}
