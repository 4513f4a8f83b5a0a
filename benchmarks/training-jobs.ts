import {
  Adam,
  evaluate,
  functional,
  Generator,
  GPT2LMHeadModel,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  manualSeed,
  RotatedSpaceIntervention,
  type Tensor,
  tensor,
} from "tsvene";
import type { Job } from "./job.ts";

const SMALL = { nLayer: 12, nEmbd: 768, nHead: 12, vocabSize: 50_257 };
const [BATCH, LENGTH, PLAIN_LENGTH] = [16, 16, 64];

let built: Promise<GPT2LMHeadModel> | undefined;

function gpt2(): Promise<GPT2LMHeadModel> {
  built ??= build();
  return built;
}

async function build(): Promise<GPT2LMHeadModel> {
  manualSeed(0);
  const model = new GPT2LMHeadModel(SMALL).eval();
  await evaluate(...model.parameters().map((p) => p.value));
  return model;
}

function ids(shape: readonly [number, number], seed: number): Tensor {
  const generator = new Generator(seed);
  const draw = (): bigint => BigInt(generator.integer(SMALL.vocabSize));
  return tensor(BigInt64Array.from({ length: shape[0] * shape[1] }, draw), { shape });
}

const ROTATIONS = {
  lowrank32: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 32 }),
  rotated768: RotatedSpaceIntervention.with({ interchangeDim: 128 }),
} as const;

/** A step of alignment search: interchange in learned directions at the last position of layer 6. */
function dasStep(kind: keyof typeof ROTATIONS): Job {
  return {
    name: `das_${kind}_step_B16_T16`,
    async prepare() {
      const model = await gpt2();
      const aligned = new IntervenableModel(
        { layer: 6, component: "block_output", intervention: ROTATIONS[kind] },
        model,
      );
      const optimizer = new Adam(aligned.trainableParameters(), { lr: 1e-3 });
      const base = { inputIds: ids([BATCH, LENGTH], 1) };
      const sources = { inputIds: ids([BATCH, LENGTH], 2) };
      const labels = ids([1, BATCH], 3).select(0, 0);
      const unitLocations = { "sources->base": LENGTH - 1 };
      const plain = { inputIds: ids([1, PLAIN_LENGTH], 0) };
      return {
        run: () => {
          const { logits } = aligned.forward(base, { sources, unitLocations }).intervened;
          return optimizer.step(functional.crossEntropy(logits.select(1, -1), labels));
        },
        beside: () => model.forward(plain).logits.data(),
        other: "plain_T64",
      };
    },
  };
}

/** Steps of training, in turn with a plain pass over 64 tokens. */
export const trainingJobs: readonly Job[] = [dasStep("lowrank32"), dasStep("rotated768")];
