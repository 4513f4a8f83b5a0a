import { Training } from "./training.ts";
import type { TrainingResult, TrainOptions } from "./train-options.ts";

/**
 * Trains parameters: takes batches, makes their loss small, and says how it went. Each step is one
 * program (of accumulated batches, one each and one for the step), which the first one compiles.
 *
 * All that changes from step to step depends on the seed and the number of the step only, so that the
 * same seed gives the same numbers to the bit, and a training that goes on from its checkpoint those
 * that it would have given without a stop.
 *
 * @throws TsveneError for options that contradict each other, nothing to train, and data without examples;
 * TrainingError when a loss is not finite or depends on no parameter. Parameters are then as the last
 * good step left them.
 *
 * @example
 * ```ts
 * import { functional, Linear, randn, train, type TrainingData } from "tsvene";
 * const probe = new Linear(4, 2);
 * const x = randn([100, 4]);
 * const y = x.select(1, 0).gt(0).long();
 * const data: TrainingData<readonly number[]> = { length: 100, batch: (indices) => indices };
 * const { history } = await train({
 *   parameters: probe,
 *   data,
 *   loss: (rows) => {
 *     const logits = probe.forward(x.indexSelect(0, rows));
 *     const labels = y.indexSelect(0, rows);
 *     return {
 *       loss: functional.crossEntropy(logits, labels),
 *       metrics: { accuracy: logits.argmax(1).eq(labels) },
 *     };
 *   },
 *   epochs: 5,
 *   lr: 0.05,
 * });
 * console.log(history.at(-1)?.metrics["accuracy"]);
 * ```
 */
export async function train<Batch>(options: TrainOptions<Batch>): Promise<TrainingResult> {
  return new Training("train", options).run();
}
