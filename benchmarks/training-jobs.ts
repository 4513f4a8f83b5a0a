import {
  Adam,
  evaluate,
  FrozenParts,
  functional,
  Generator,
  type GPT2LMHeadModel,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  RotatedSpaceIntervention,
  type Tensor,
  tensor,
} from "tsvene";
import { randomGpt2, SMALL } from "./random-gpt2.ts";
import type { Job } from "./job.ts";

const [BATCH, LENGTH, PLAIN_LENGTH] = [16, 16, 64];

function ids(shape: readonly [number, number], seed: number): Tensor {
  const generator = new Generator(seed);
  const draw = (): bigint => BigInt(generator.integer(SMALL.vocabSize));
  return tensor(BigInt64Array.from({ length: shape[0] * shape[1] }, draw), { shape });
}

const ROTATIONS = {
  lowrank32: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 32 }),
  rotated768: RotatedSpaceIntervention.with({ interchangeDim: 128 }),
} as const;

const AT_THE_END = { "sources->base": LENGTH - 1 };

function alignedTo(
  kind: keyof typeof ROTATIONS,
  model: GPT2LMHeadModel,
): IntervenableModel<GPT2LMHeadModel> {
  const site = { layer: 6, component: "block_output", intervention: ROTATIONS[kind] } as const;
  return new IntervenableModel<GPT2LMHeadModel>(site, model);
}

/** A step of alignment search: interchange in learned directions at the last position of layer 6. */
function dasStep(kind: keyof typeof ROTATIONS): Job {
  return {
    name: `das_${kind}_step_B16_T16`,
    async prepare() {
      const model = await randomGpt2();
      const aligned = alignedTo(kind, model);
      const optimizer = new Adam(aligned.trainableParameters(), { lr: 1e-3 });
      const base = { inputIds: ids([BATCH, LENGTH], 1) };
      const sources = { inputIds: ids([BATCH, LENGTH], 2) };
      const labels = ids([1, BATCH], 3).select(0, 0);
      const plain = { inputIds: ids([1, PLAIN_LENGTH], 0) };
      return {
        run: () => {
          const { logits } = aligned.forward(base, {
            sources,
            unitLocations: AT_THE_END,
          }).intervened;
          return optimizer.step(functional.crossEntropy(logits.select(1, -1), labels));
        },
        beside: () => model.forward(plain).logits.data(),
        other: "plain_T64",
      };
    },
  };
}

/** Examples of which each batch has others, in another order in each epoch. */
const EXAMPLES = 64;

/** The same on batches of a data set, what does not depend on the rotation being kept: from the second epoch on. */
function cachedDasStep(kind: keyof typeof ROTATIONS): Job {
  return {
    name: `das_${kind}_step_B16_T16_cached`,
    async prepare() {
      const model = await randomGpt2();
      const aligned = alignedTo(kind, model);
      const parameters = aligned.trainableParameters();
      const optimizer = new Adam(parameters, { lr: 1e-3 });
      const frozen = new FrozenParts();
      const [base, source] = [ids([EXAMPLES, LENGTH], 1), ids([EXAMPLES, LENGTH], 2)];
      const labels = ids([1, EXAMPLES], 3).select(0, 0);
      await evaluate(base, source, labels);
      const plain = { inputIds: ids([1, PLAIN_LENGTH], 0) };
      let step = 0;
      const run = async (): Promise<number> => {
        // In order in the first epoch, mixed in all others.
        const stride = step < EXAMPLES / BATCH ? 1 : 5;
        const rows = Array.from(
          { length: BATCH },
          (_, i) => (step * BATCH + stride * i) % EXAMPLES,
        );
        step++;
        const { logits } = aligned.forward(
          { inputIds: await taken(base, rows) },
          { sources: { inputIds: await taken(source, rows) }, unitLocations: AT_THE_END },
        ).intervened;
        const loss = functional.crossEntropy(logits.select(1, -1), await taken(labels, rows));
        await frozen.settle([loss], parameters);
        return optimizer.step(loss);
      };
      for (let i = 0; i < EXAMPLES / BATCH; i++) await run();
      return { run, beside: () => model.forward(plain).logits.data(), other: "plain_T64" };
    },
  };
}

/** Rows of data, as a loader hands them out. */
async function taken(t: Tensor, rows: readonly number[]): Promise<Tensor> {
  const part = t.indexSelect(0, rows);
  await evaluate(part);
  return part;
}

/** Steps of training, in turn with a plain pass over 64 tokens. */
export const trainingJobs: readonly Job[] = [
  dasStep("lowrank32"),
  dasStep("rotated768"),
  cachedDasStep("lowrank32"),
  cachedDasStep("rotated768"),
];
