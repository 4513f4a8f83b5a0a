import type { EvaluationRecord, StepRecord } from "./train-options.ts";

/** Steps as a file has them: one list for each number. */
interface Columns {
  readonly loss: readonly number[];
  readonly lr: readonly (readonly number[])[];
  readonly metrics: readonly Readonly<Record<string, number>>[];
}

/** What the steps and evaluations of a training gave. */
export class Records {
  readonly history: StepRecord[] = [];
  readonly evaluations: EvaluationRecord[] = [];

  /** Number of steps taken. */
  get steps(): number {
    return this.history.length;
  }

  stateDict(): object {
    const columns: Columns = {
      loss: this.history.map(({ loss }) => loss),
      lr: this.history.map(({ lr }) => lr),
      metrics: this.history.map(({ metrics }) => metrics),
    };
    return { history: columns, evaluations: this.evaluations };
  }

  loadStateDict(state: object): void {
    const { history, evaluations } = state as {
      readonly history: Columns;
      readonly evaluations: readonly EvaluationRecord[];
    };
    const { loss, lr, metrics } = history;
    const steps = loss.map((value, step): StepRecord => {
      return { step, loss: value, metrics: metrics[step] ?? {}, lr: lr[step] ?? [] };
    });
    this.history.splice(0, Infinity, ...steps);
    this.evaluations.splice(0, Infinity, ...evaluations);
  }
}
