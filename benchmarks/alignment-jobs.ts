import {
  Adam,
  evaluate,
  functional as F,
  IntervenableModel,
  manualSeed,
  MLPForClassification,
  rand,
  randint,
  RotatedSpaceIntervention,
  type Tensor,
} from "tsvene";
import { dasMlpFloor } from "./das-mlp-floor.ts";
import { weightsOf } from "./graph.ts";
import type { Job } from "./job.ts";
import { python } from "./python.ts";

const MLP = { hDim: 16, nLayer: 3, numClasses: 2, activationFunction: "relu", pdrop: 0 } as const;
const BATCH = 6400;
const STEPS = 50;

interface MlpTask {
  readonly model: MLPForClassification;
  /** Of base and both sources, [batch, 1, width]. */
  readonly inputs: readonly Tensor[];
  readonly labels: Tensor;
}

/** A frozen network and a batch for it, all of which is there before anything is measured. */
async function mlpTask(): Promise<MlpTask> {
  manualSeed(0);
  const model = new MLPForClassification(MLP).eval();
  model.requiresGrad(false);
  const inputs = [0, 1, 2].map(() => rand([BATCH, 1, MLP.hDim]).mul(2).sub(1));
  const labels = randint(0, MLP.numClasses, [BATCH]);
  await evaluate(labels, ...inputs, ...Object.values(model.stateDict()));
  return { model, inputs, labels };
}

/** A training step in which the first half of a rotated state comes from one source, the second from another. */
function mlpStep({ model, inputs, labels }: MlpTask): () => Promise<number> {
  const intervention = RotatedSpaceIntervention.with({
    subspacePartition: [
      { from: 0, to: 8 },
      { from: 8, to: 16 },
    ],
  });
  const site = {
    layer: 0,
    component: "block_output",
    interventionLinkKey: 0,
    intervention,
  } as const;
  const aligned = new IntervenableModel([site, site], model);
  const optimizer = new Adam(aligned.trainableParameters(), { lr: 1e-3 });
  const [base, ...sources] = inputs.map((inputsEmbeds) => ({ inputsEmbeds }));
  return () => {
    const { intervened } = aligned.forward(base ?? {}, { sources, subspaces: { each: [0, 1] } });
    return optimizer.step(F.crossEntropy(intervened.logits, labels));
  };
}

async function repeat(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) await work();
}

/** Trainings of alignments, beside the same in PyTorch. */
export const alignmentJobs: readonly Job[] = [
  {
    name: "floor_das_mlp_B6400_50steps",
    async prepare() {
      const { model, inputs } = await mlpTask();
      const products = await dasMlpFloor({ batch: BATCH, width: MLP.hDim }, await weightsOf(model));
      const values = await Promise.all(inputs.map((x) => x.data()));
      return () => repeat(STEPS, () => products(values as Float32Array[]));
    },
  },
  {
    name: "das_mlp_B6400_50steps",
    async prepare() {
      const step = mlpStep(await mlpTask());
      const torch = await python("das_mlp.py");
      const run = (): Promise<void> => repeat(STEPS, step);
      const other = "plain PyTorch on one thread";
      return typeof torch === "string"
        ? { run, beside: torch, other }
        : { run, beside: torch.run, other, close: torch.close };
    },
  },
];
