import { internal } from "../../base/errors.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { allocate } from "../../tensor/dtype.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import { leaf } from "../../tensor/ops/apply.ts";
import { toNumbers } from "../../tensor/tensor-core.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { known, meanOf, type Numbers, numbersOf } from "./numbers.ts";
import type { AnyOptimizer, TracedBatch } from "./train-options.ts";

type Gradients = ReadonlyMap<Parameter, Tensor>;

/** What a step works with. */
export interface StepSettings {
  readonly optimizer: AnyOptimizer;
  readonly maxGradNorm: number | undefined;
  /** Number of batches that count as one. */
  readonly accumulate: number;
  /** Throws to refuse what was computed, before anything is changed. */
  readonly refuse: (computed: Computed) => void;
}

/** A batch, traced. */
export type Traced = Required<TracedBatch> & {
  /** What else its trace left to be computed. */
  readonly also: readonly Tensor[];
};

/** What a batch or a step is accepted by. */
export interface Computed {
  readonly loss: number;
  /** Sum of the magnitudes of each parameter's gradient; undefined before the last batch of a step. */
  readonly pulls?: ReadonlyMap<Parameter, number>;
  /** New values of parameters and of the optimiser's states. */
  readonly updated: readonly Tensor[];
}

/** What a step gave. */
export interface TakenStep extends Numbers {
  /** Sum of the magnitudes of the gradient of each parameter that the loss depends on. */
  readonly pulls: ReadonlyMap<Parameter, number>;
}

/** A step of one batch, in one program. */
export async function stepOfOne(settings: StepSettings, traced: Traced): Promise<TakenStep> {
  const gradients = settings.optimizer.gradients(traced.loss);
  const also = [traced.loss, ...Object.values(traced.metrics), ...traced.also];
  const pulls = await update(settings, gradients, also, () => known(traced.loss));
  return { ...numbersOf(traced), pulls };
}

/** Gradients of several batches, added up: each batch is a program, which the first one compiles. */
export class Accumulation {
  readonly #settings: StepSettings;
  readonly #sums = new Map<Parameter, Tensor>();
  readonly #numbers: Numbers[] = [];

  constructor(settings: StepSettings) {
    this.#settings = settings;
  }

  async add(traced: Traced): Promise<void> {
    const { optimizer, accumulate, refuse } = this.#settings;
    const gradients = optimizer.gradients(traced.loss.div(accumulate));
    const sums = [...gradients].map(
      // From zeros, so that the first batch is the same program.
      ([p, g]) => [p, g.add(this.#sums.get(p) ?? zerosAs(g))] as const,
    );
    const numbers = [traced.loss, ...Object.values(traced.metrics), ...traced.also];
    await evaluate(...numbers, ...sums.map(([, sum]) => sum));
    refuse({ loss: known(traced.loss), updated: [] });
    for (const [parameter, sum] of sums) this.#sums.set(parameter, settled(sum));
    this.#numbers.push(numbersOf(traced));
  }

  /** Takes the step. */
  async step(): Promise<TakenStep> {
    const numbers = meanOf(this.#numbers);
    const pulls = await update(this.#settings, this.#sums, [], () => numbers.loss);
    return { ...numbers, pulls };
  }
}

async function update(
  { optimizer, maxGradNorm, refuse }: StepSettings,
  gradients: Gradients,
  also: readonly Tensor[],
  loss: () => number,
): Promise<ReadonlyMap<Parameter, number>> {
  const sizes = cat([...gradients.values()].map((g) => g.abs().sum().float().reshape([1])));
  let pulls: ReadonlyMap<Parameter, number> = new Map();
  await optimizer.stepWith(gradients, {
    ...(maxGradNorm === undefined ? {} : { maxGradNorm }),
    also: [...also, sizes],
    accept: (updated) => {
      const sums = toNumbers(sizes.values ?? internal("gradients were not computed"), "float32");
      pulls = new Map([...gradients.keys()].map((parameter, i) => [parameter, sums[i] ?? NaN]));
      refuse({ loss: loss(), pulls, updated });
    },
  });
  return pulls;
}

function zerosAs({ dtype, shape, numel }: Tensor): Tensor {
  return leaf(allocate(dtype, numel), shape, dtype);
}

/** A computed tensor as a leaf that depends on nothing. */
function settled({ values, dtype, shape }: Tensor): Tensor {
  return leaf(values ?? internal("a sum of gradients was not computed"), shape, dtype);
}
