import { openTerminalBars } from "#terminal-bars";
import type { EvaluationRecord, StepRecord } from "./train-options.ts";

/** What a training draws on a terminal. */
export interface TrainingProgress {
  readonly onStep: (record: StepRecord) => void;
  readonly onEvaluate: (record: EvaluationRecord) => void;
  /** Takes the bar away and leaves its last numbers. */
  readonly stop: () => void;
}

const nothing = (): void => undefined;
/** Draws nothing. */
export const SILENT: TrainingProgress = { onStep: nothing, onEvaluate: nothing, stop: nothing };
const FORMAT = "{bar} {percentage}%  step {value} of {total}  {numbers}  {eta_formatted}";

/** A bar of the steps with loss and metrics, where it is wanted and standard error is a terminal. */
export async function openTrainingProgress(
  wanted: boolean,
  op: string,
  steps: number,
): Promise<TrainingProgress> {
  const bars = wanted ? await openTerminalBars(FORMAT) : undefined;
  if (bars === undefined) return SILENT;
  let [done, trained, evaluated] = [0, "", ""];
  const draw = (): void => bars.draw(op, done, steps, { numbers: trained + evaluated });
  return {
    onStep: ({ step, loss, metrics }) => {
      done = step + 1;
      trained = numbersText({ loss, ...metrics });
      draw();
    },
    onEvaluate: ({ metrics }) => {
      evaluated = `; evaluated: ${numbersText(metrics)}`;
      draw();
    },
    stop: () =>
      bars.stop(`${op}: ${done} of ${steps} steps${trained && `, ${trained}${evaluated}`}`),
  };
}

/** Numbers by name, with as many digits as one reads. */
export function numbersText(numbers: Readonly<Record<string, number>>): string {
  return Object.entries(numbers)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(", ");
}
