import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  Adam,
  type AlignmentBatch,
  type AlignmentData,
  BoundlessRotatedSpaceIntervention,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  Parameter,
  tensor,
  train,
  trainAlignment,
  type TrainAlignmentOptions,
  type TrainOptions,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { ids, TINY, tinyGpt2 } from "../interventions/tiny-gpt2.ts";
import { refusesEach, untyped } from "../mistakes.ts";

const scratch = await mkdtemp(join(tmpdir(), "train-mistakes-"));

/** A training of one number, with other options. */
function training(given: object): Promise<unknown> {
  const w = new Parameter(tensor([1]), { name: "w" });
  const usual = { parameters: [w], data: { length: 4, batch: () => 0 }, steps: 2, progress: false };
  return untyped({ train }).train({ ...usual, loss: () => w.value.sum(), ...given }) as never;
}

const rotation = { rotation: [new Parameter(tensor([1]))] };

describe("train refuses", () => {
  refusesEach([
    [
      "an unknown option",
      () => training({ learningRate: 1 }),
      /no option learningRate; did you mean/,
    ],
    ["epochs and steps", () => training({ epochs: 1 }), /give epochs or steps, and not both/],
    ["neither", () => training({ steps: undefined }), /give epochs or steps, one of them/],
    ["no example", () => training({ data: { length: 0, batch: () => 0 } }), /data has no examples/],
    ["no data", () => training({ data: 3 }), /data must be .* got a number/],
    [
      "half a step",
      () => training({ steps: 1.5 }),
      /steps must be a whole number of 1 or more, got 1.5/,
    ],
    ["no batch", () => training({ batchSize: 0 }), /batchSize must be a whole number of 1 or more/],
    [
      "epochs of nothing",
      () => training({ steps: undefined, epochs: 1, data: () => 0 }),
      /has no epochs/,
    ],
    [
      "no parameter",
      () => training({ parameters: [] }),
      /there is nothing to train: no parameters/,
    ],
    [
      "what is no parameter",
      () => training({ parameters: [tensor([1])] }),
      /of the class Parameter, got a Tensor/,
    ],
    [
      "frozen parameters",
      () =>
        training({ parameters: [new Parameter(tensor([1]), { requiresGrad: false, name: "w" })] }),
      /nothing to train: all 1 parameters are frozen \(w\); call requiresGrad\(true\)/,
    ],
    [
      "an optimiser",
      () => training({ optimizer: "adamm" }),
      /no optimizer "adamm"; did you mean adam/,
    ],
    [
      "an option of another optimiser",
      () => training({ optimizer: { name: "adam", momentum: 0.9 } }),
      /Adam: there is no option momentum/,
    ],
    [
      "two learning rates",
      () => training({ optimizer: new Adam([new Parameter(tensor([1]))]), lr: 1 }),
      /lr is given beside an optimizer that has its own/,
    ],
    [
      "an optimiser of other parameters",
      () => training({ optimizer: new Adam([new Parameter(tensor([1]))]) }),
      /the optimizer has 1 parameters, and 1 are to be trained; it lacks w/,
    ],
    [
      "a group that is not there",
      () => training({ parameters: rotation, lr: { boundary: 1, others: 1 } }),
      /lr: there are no parameters boundary; there are rotation/,
    ],
    [
      "a group that nothing is said of",
      () => training({ parameters: rotation, lr: {} }),
      /lr says nothing of rotation; give it, or "others"/,
    ],
    ["a negative rate", () => training({ lr: -1 }), /lr must be a number of 0 or more, got -1/],
    [
      "a schedule",
      () => training({ schedule: "exp" }),
      /schedule must be one of .*linear.* got "exp"/,
    ],
    ["a schedule that is none", () => training({ schedule: () => 1 }), /must make an LRScheduler/],
    ["a warm-up", () => training({ warmUp: -1 }), /warmUp must be a whole number of 0 or more/],
    [
      "patience with nothing to wait for",
      () => training({ patience: 2 }),
      /give evaluate: { data }/,
    ],
    [
      "an evaluation of nothing",
      () => training({ evaluate: { every: 2 } }),
      /evaluate takes data, or/,
    ],
    [
      "a metric that is not there",
      () => training({ evaluate: { measure: () => ({ a: 1 }), metric: "b", every: 1 } }),
      /evaluate.metric: there is no b; there are a/,
    ],
    ["what is no signal", () => training({ signal: {} }), /signal must be an AbortSignal/],
    ["a norm of zero", () => training({ maxGradNorm: 0 }), /maxGradNorm must be above zero/],
    [
      "temperatures through zero",
      () => training({ anneal: [{ values: { from: 1, to: 0, curve: "exponential" }, set() {} }] }),
      /to must be above 0 for an exponential curve, got 0/,
    ],
    [
      "no loss",
      () => training({ loss: () => undefined }),
      /loss must give a Tensor.* got undefined/,
    ],
    [
      "a loss of two numbers",
      () => training({ loss: () => tensor([1, 2]) }),
      /one floating-point number/,
    ],
    [
      "no file to go on from",
      () => training({ checkpoint: { path: join(scratch, "none.pt"), resume: "must" } }),
      /no checkpoint .*none.pt to go on from/,
    ],
  ]);
});

/** A training whose checkpoint is in a file. */
function kept(given: Partial<TrainOptions<unknown>>): Promise<unknown> {
  return training({ checkpoint: join(scratch, "kept.pt"), steps: 4, ...given });
}

test("a checkpoint of another configuration is refused by what differs, and changes nothing", async () => {
  await kept({});
  const w = new Parameter(tensor([7]), { name: "w" });
  const loss = (): ReturnType<typeof w.value.sum> => w.value.sum();
  await expect(kept({ lr: 0.5, parameters: [w], loss })).rejects.toThrow(
    /checkpoint is of another configuration: its lr is not given, this training's 0.5;/,
  );
  await expect(kept({ steps: 9 })).rejects.toThrow(/its steps is 4, this training's 9/);
  await expect(kept({ optimizer: "sgd" })).rejects.toThrow(
    /its optimizer is "adam", this .* "sgd"/,
  );
  expect(await w.value.toArray()).toEqual([7]);
  await writeFile(join(scratch, "kept.pt"), "something else");
  await expect(kept({})).rejects.toThrow(/kept.pt/);
});

const aligned = (kind: object = LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 })) =>
  new IntervenableModel({ layer: 0, intervention: kind as never, name: "token" }, tinyGpt2());

function data(given: Partial<AlignmentBatch> = {}): AlignmentData {
  return {
    length: 4,
    batch: (indices) => ({
      indices,
      base: ids(...indices.map((i) => [i, 2, 3])),
      sources: { token: ids(...indices.map((i) => [i, 5, 6])) },
      unitLocations: { "sources->base": 2 },
      labels: tensor(indices, { dtype: "int64" }),
      ...given,
    }),
  };
}

function alignment(
  given: object,
  examples: unknown = data(),
  model: unknown = aligned(),
): Promise<unknown> {
  const options = { steps: 1, progress: false, ...given } as TrainAlignmentOptions;
  return trainAlignment(model as IntervenableModel, examples as AlignmentData, options);
}

function frozen(): IntervenableModel {
  const model = aligned();
  model.interventions.requiresGrad(false);
  return model;
}

describe("trainAlignment refuses", () => {
  refusesEach([
    ["what is no aligned model", () => alignment({}, data(), tinyGpt2()), /IntervenableModel/],
    ["an unknown option", () => alignment({ epoch: 2 }), /no option epoch; did you mean epochs/],
    ["nothing to train", () => alignment({}, data(), aligned(VanillaIntervention)), /VanillaIntervention has no parameters to be learned; use/],
    ["a frozen intervention", () => alignment({}, data(), frozen()), /all 1 parameters are frozen \(token.rotate_layer/],
    ["no example", () => alignment({}, { ...data(), length: 0 }), /the data has no examples/],
    ["a variable that nothing is named after", () => alignment({}, data({ sources: { tokens: ids([1, 2, 3]) } })), /sources for tokens, which no intervention is named after; did you mean token/],
    ["a source that is not there", () => alignment({}, data({ sources: {} })), /token needs a source, but the data has sources for none/],
    ["a label out of the vocabulary", () => alignment({}, data({ labels: tensor([TINY.vocabSize, 0, 0, 0], { dtype: "int64" }) })), /target 64 is not one of the 64 classes/],
    ["a temperature of nothing", () => alignment({ temperature: 1 }), /no intervention has a mask/],
    ["a temperature below zero", () => alignment({ temperature: -1 }, data(), aligned(BoundlessRotatedSpaceIntervention)), /temperature must be a positive number, got -1/],
    ["a regulariser of nothing", () => alignment({ regularizer: { boundary: 1 } }), /regularizer: no intervention has a boundary/],
    ["an unknown regulariser", () => alignment({ regularizer: { bounds: 1 } }), /no option bounds; did you mean boundary/],
    ["a factual loss without labels", () => alignment({ factual: 1 }), /needs baseLabels/],
    ["parts that are none", () => alignment({ parameters: "all" }), /"interventions", "model", "both" or a list, got "all"/],
    ["rates of other kinds", () => alignment({ lr: { mask: 1 } }), /lr: there are no parameters mask; there are rotation/],
    ["a place that the answer does not come from", () => alignment({}, data({ labelPositions: [0, 0, 0, 0] })), /gradient of all that is trained is zero, token.rotate_layer/],
    ["an edit without a gradient", () => alignment({ parameters: [new Parameter(tensor([1]))] }), /does not depend on what is trained/],
    ["an unlearnable edit", () => alignment({}, data(), aligned(ZeroIntervention)), /ZeroIntervention has no parameters/],
  ]); // prettier-ignore
});
