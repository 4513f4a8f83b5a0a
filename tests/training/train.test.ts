import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  Adam,
  BatchNorm2d,
  Dropout,
  functional,
  Generator,
  LambdaLR,
  Linear,
  Module,
  Parameter,
  rand,
  randn,
  type StepRecord,
  tensor,
  type Tensor,
  train,
  type TrainingData,
  TrainingError,
  type TrainOptions,
  zeros,
} from "tsvene";

const LENGTH = 40;
const generator = new Generator(5);
const inputs = randn([LENGTH, 6], { generator });
const classes = inputs.select(1, 0).add(inputs.select(1, 3)).gt(0).long();
const scratch = await mkdtemp(join(tmpdir(), "train-"));

/** Two layers with dropout between them. */
class Net extends Module {
  readonly up: Linear;
  readonly drop = new Dropout(0.3);
  readonly down: Linear;
  constructor(seed = 0) {
    super();
    const own = new Generator(seed);
    this.up = filled(new Linear(6, 8), own);
    this.down = filled(new Linear(8, 2), own);
  }
  override forward(x: Tensor): Tensor {
    return this.down.forward(this.drop.forward(this.up.forward(x).relu()));
  }
}

function filled<M extends Module>(module: M, from: Generator): M {
  for (const p of module.parameters()) p.set(randn(p.shape, { generator: from }).mul(0.4));
  return module;
}

/** Rows by their numbers. */
const rows: TrainingData<readonly number[]> = { length: LENGTH, batch: (indices) => indices };

/** Cross entropy of some rows, with the accuracy. */
function lossOf(net: Module): TrainOptions<readonly number[]>["loss"] {
  return (indices) => {
    const logits = net.forward(...([inputs.indexSelect(0, indices)] as never[])) as Tensor;
    const labels = classes.indexSelect(0, indices);
    const accuracy = logits.argmax(1).eq(labels);
    return { loss: functional.crossEntropy(logits, labels), metrics: { accuracy } };
  };
}

type Given = Partial<TrainOptions<readonly number[]>>;

/** The usual training of a net, with some options of one's own. */
function optionsOf(net: Module, given: Given = {}): TrainOptions<readonly number[]> {
  const usual = { parameters: net, data: rows, loss: lossOf(net), lr: 0.02, progress: false };
  const length = given.steps === undefined ? { epochs: 2 } : {};
  return { ...usual, ...length, batchSize: 8, ...given };
}

async function valuesOf(module: Module): Promise<Record<string, ArrayLike<number | bigint>>> {
  const entries = Object.entries(module.stateDict());
  return Object.fromEntries(
    await Promise.all(entries.map(async ([name, t]) => [name, await t.data()] as const)),
  );
}

const lossesOf = (history: readonly StepRecord[]): number[] => history.map(({ loss }) => loss);

test("a training goes through the data in epochs, and learns", async () => {
  const net = new Net();
  const { steps, history, stopped, best } = await train(optionsOf(net, { epochs: 12 }));
  expect([steps, stopped, best]).toEqual([60, "end", undefined]);
  const mean = (part: readonly StepRecord[]): number =>
    part.reduce((sum, { metrics }) => sum + (metrics["accuracy"] ?? 0), 0) / part.length;
  expect(mean(history.slice(-10))).toBeGreaterThan(mean(history.slice(0, 10)) + 0.1);
  expect(history.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, i) => i));
});

test("an epoch has each example once, in an order that the seed decides", async () => {
  const seen = async (given: Given): Promise<number[][]> => {
    const net = new Net();
    const batches: number[][] = [];
    const loss = lossOf(net);
    const noting: typeof loss = (indices, moment) => {
      batches.push([...indices]);
      return loss(indices, moment);
    };
    await train(optionsOf(net, { batchSize: 12, epochs: 2, loss: noting, ...given }));
    return batches;
  };
  const batches = await seen({ seed: 3 });
  expect(batches.map(({ length }) => length)).toEqual([12, 12, 12, 4, 12, 12, 12, 4]);
  const all = Array.from({ length: LENGTH }, (_, i) => i);
  for (const epoch of [batches.slice(0, 4), batches.slice(4)]) {
    expect(epoch.flat().sort((a, b) => a - b)).toEqual(all);
    expect(epoch.flat()).not.toEqual(all);
  }
  expect(batches.slice(0, 4)).not.toEqual(batches.slice(4));
  expect(await seen({ seed: 3 })).toEqual(batches);
  expect(await seen({ seed: 4 })).not.toEqual(batches);
  const whole = await seen({ shuffle: false, dropLast: true, epochs: 1 });
  expect(whole).toEqual([all.slice(0, 12), all.slice(12, 24), all.slice(24, 36)]);
});

test("batches that are accumulated are a step of their mean, and the last window counts", async () => {
  const [one, several] = [new Net().eval(), new Net().eval()];
  const usual: Given = { optimizer: "sgd", lr: 0.1, shuffle: false, epochs: 1 };
  const whole = await train(optionsOf(one, { ...usual, batchSize: 20 }));
  const parts = await train(optionsOf(several, { ...usual, batchSize: 5, accumulate: 4 }));
  expect(parts.steps).toBe(2);
  for (const [i, loss] of lossesOf(whole.history).entries()) {
    expect(parts.history[i]?.loss).toBeCloseTo(loss, 5);
  }
  const [wanted, got] = await Promise.all([valuesOf(one), valuesOf(several)]);
  for (const [name, values] of Object.entries(wanted)) {
    for (const [i, value] of Array.from(values, Number).entries()) {
      expect(Number(got[name]?.[i]), name).toBeCloseTo(value, 5);
    }
  }
  // Five batches in windows of two: the last window has one, whose loss counts half.
  const w = new Parameter(tensor([1, 1]));
  const { steps } = await train({
    parameters: [w],
    data: { length: 5, batch: (indices: readonly number[]) => indices },
    loss: () => w.value.sum(),
    batchSize: 1,
    epochs: 1,
    accumulate: 2,
    optimizer: "sgd",
    lr: 1,
    progress: false,
  });
  expect(steps).toBe(3);
  expect(await w.value.toArray()).toEqual([-1.5, -1.5]);
});

test("learning rates follow the schedule in steps of the optimiser", async () => {
  const rates = async (given: Given): Promise<number[]> => {
    const { history } = await train(optionsOf(new Net(), { lr: 1, optimizer: "sgd", ...given }));
    return history.map(({ lr }) => lr[0] ?? NaN);
  };
  expect(await rates({ epochs: 1 })).toEqual([1, 1, 1, 1, 1]);
  expect(await rates({ epochs: 1, warmUp: 2 })).toEqual([0, 0.5, 1, 1, 1]);
  expect(await rates({ epochs: 2, schedule: "linear", warmUp: 0.2 })).toEqual([
    0, 0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125,
  ]);
  expect(await rates({ steps: 4, schedule: "linear", accumulate: 2 })).toEqual([
    1, 0.75, 0.5, 0.25,
  ]);
  const cosine = await rates({ steps: 4, schedule: "cosine" });
  for (const [i, rate] of cosine.entries()) {
    expect(rate).toBeCloseTo((1 + Math.cos((Math.PI * i) / 4)) / 2, 12);
  }
  const own: Given = { steps: 3, schedule: (o) => new LambdaLR(o, (step) => 2 ** -step) };
  expect(await rates(own)).toEqual([1, 0.5, 0.25]);
});

test("learning rates by group, by name, and of an optimiser of one's own", async () => {
  const net = new Net();
  const groups = { first: net.up.parameters(), last: net.down.parameters() };
  const start = await valuesOf(net);
  const lr = { first: 0, others: 0.1 };
  const { history } = await train(optionsOf(net, { parameters: groups, lr, steps: 1 }));
  expect(history[0]?.lr).toEqual([0, 0.1]);
  const after = await valuesOf(net);
  expect(after["up.weight"]).toEqual(start["up.weight"]);
  expect(after["down.weight"]).not.toEqual(start["down.weight"]);
  const byName = (name: string): number => (name.endsWith("bias") ? 0.5 : 0.25);
  const named = await train(optionsOf(net, { lr: byName, steps: 1 }));
  expect(named.history[0]?.lr).toEqual([0.25, 0.5]);
  const optimizer = new Adam(net.parameters(), { lr: 0.3 });
  const { lr: _, ...rest } = optionsOf(net, { steps: 1, optimizer });
  expect((await train(rest)).history[0]?.lr).toEqual([0.3]);
});

test("numbers are annealed from the first step to the last", async () => {
  const seen: number[] = [];
  const set = (value: number): void => void seen.push(value);
  await train(optionsOf(new Net(), { steps: 3, anneal: [{ values: { from: 50, to: 10 }, set }] }));
  expect(seen).toEqual([50, 30, 10]);
  seen.length = 0;
  const curve = { from: 100, to: 1, curve: "exponential" } as const;
  await train(optionsOf(new Net(), { steps: 3, anneal: [{ values: curve, set }] }));
  for (const [i, value] of [100, 10, 1].entries()) expect(seen[i]).toBeCloseTo(value, 10);
  seen.length = 0;
  const micro = { from: 0, to: 3, over: "microsteps" } as const;
  await train(optionsOf(new Net(), { steps: 2, accumulate: 2, anneal: [{ values: micro, set }] }));
  expect(seen).toEqual([0, 1, 2, 3]);
});

/** All that a resumed training has to go on from. */
function everything(given: Given): Given {
  return {
    epochs: 4,
    schedule: "linear",
    warmUp: 0.2,
    evaluate: { data: rows, every: 2, metric: "loss" },
    patience: 100,
    maxGradNorm: 1,
    ...given,
  };
}

test.each([1, 3])(
  "a stopped training goes on from its checkpoint as if there had been no stop, accumulating %i",
  async (accumulate) => {
    const heat: number[] = [];
    const anneal = [{ values: { from: 2, to: 1 }, set: (value: number) => void heat.push(value) }];
    const options = everything({ accumulate, anneal, seed: 8, optimizer: "adamw" });
    const straight = new Net();
    const wanted = await train(optionsOf(straight, options));
    const heatWanted = heat.splice(0);

    const path = join(scratch, `stopped-${accumulate}.pt`);
    const parts: StepRecord[] = [];
    for (const [run, stopAt] of [3, 5, Infinity].entries()) {
      const net = new Net(run === 0 ? 0 : 77 + run);
      const stop = new AbortController();
      const result = await train(
        optionsOf(net, {
          ...options,
          checkpoint: { path, resume: run === 0 ? "never" : "must" },
          signal: stop.signal,
          onStep: (record) => {
            parts.push(record);
            if (record.step === stopAt) stop.abort();
          },
        }),
      );
      if (stopAt < Infinity) {
        expect([result.steps, result.stopped]).toEqual([stopAt + 1, "signal"]);
        continue;
      }
      expect(result).toEqual(wanted);
      expect(parts).toEqual(wanted.history);
      expect(heat).toEqual(heatWanted);
      expect(await valuesOf(net)).toEqual(await valuesOf(straight));
    }
  },
);

test("what was learned before a signal stays, in the middle of a window nothing is half done", async () => {
  const net = new Net().eval();
  const stop = new AbortController();
  const loss = lossOf(net);
  const at = await train(optionsOf(net, { steps: 2, accumulate: 2 }));
  const learned = await valuesOf(net);
  expect(at.stopped).toBe("end");
  const again = await train(
    optionsOf(net, {
      steps: 5,
      accumulate: 2,
      signal: stop.signal,
      loss: (indices, moment) => {
        if (moment.microstep === 0) stop.abort();
        return loss(indices, moment);
      },
    }),
  );
  expect([again.steps, again.stopped]).toEqual([0, "signal"]);
  expect(await valuesOf(net)).toEqual(learned);
});

test("a training without improvement stops, and has its best parameters", async () => {
  const w = new Parameter(tensor([0]));
  const scores = [1, 5, 4, 5, 3, 9];
  const values: number[] = [];
  const result = await train({
    parameters: [w],
    data: () => undefined,
    loss: () => w.value.sum(),
    steps: 20,
    optimizer: "sgd",
    lr: 1,
    evaluate: { every: 1, measure: (steps) => ({ score: scores[steps - 1] ?? 0 }) },
    patience: 3,
    progress: false,
    onEvaluate: async () => void values.push(await w.value.sum().item()),
  });
  expect(result.stopped).toBe("patience");
  expect(result.best).toEqual({ steps: 2, metric: "score", value: 5 });
  expect(result.evaluations.map(({ metrics }) => metrics["score"])).toEqual([1, 5, 4, 5, 3]);
  expect(values).toEqual([-1, -2, -3, -4, -5]);
  expect(await w.value.toArray()).toEqual([-2]);
});

test("a loss that is not finite stops at its step, and nothing of it gets in", async () => {
  const path = join(scratch, "not-finite.pt");
  const net = new Net().eval();
  const kept: Record<string, ArrayLike<number | bigint>>[] = [];
  const optimizer = new Adam(net.parameters(), { lr: 0.02 });
  const states: unknown[] = [];
  const loss = lossOf(net);
  const { lr: _, ...options } = optionsOf(net, {
    steps: 9,
    optimizer,
    checkpoint: path,
    loss: (indices, moment) => {
      const traced = loss(indices, moment) as { readonly loss: Tensor };
      return moment.step === 4 ? traced.loss.mul(NaN) : traced;
    },
    onStep: async () => {
      kept.push(await valuesOf(net));
      states.push(optimizer.stateDict());
    },
  });
  const error = await train(options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TrainingError);
  if (!(error instanceof TrainingError)) return;
  expect(error.message).toMatch(/^train: step 4: the loss is NaN .*as step 3 left them/);
  expect(error.result.history).toHaveLength(4);
  expect(await valuesOf(net)).toEqual(kept[3]);
  expect(optimizer.stateDict()).toEqual(states[3]);
});

test("a gradient that is not finite is refused though the loss is a number", async () => {
  const w = new Parameter(tensor([0, 4]));
  const training = train({
    parameters: [w],
    data: () => undefined,
    loss: () => w.value.sqrt().sum(),
    steps: 1,
    progress: false,
  });
  await expect(training).rejects.toThrow(/step 0: the loss is 2, but its gradients.* not finite/);
  expect(await w.value.toArray()).toEqual([0, 4]);
});

test("a loss that has nothing to do with what is trained says so at the first step", async () => {
  const [w, v] = [new Parameter(tensor([1]), { name: "w" }), new Parameter(tensor([1]))];
  const usual = { data: () => undefined, steps: 2, progress: false } as const;
  const none = train({ ...usual, parameters: [w], loss: () => v.value.sum() });
  await expect(none).rejects.toThrow(
    /step 0: the loss does not depend on what is trained, w: no way/,
  );
  const flat = train({
    ...usual,
    parameters: [w],
    loss: () => w.value.mul(0).sum().add(v.value.sum()),
  });
  await expect(flat).rejects.toThrow(/step 0: the gradient of all that is trained is zero, w:/);
  expect(await w.value.toArray()).toEqual([1]);
});

test("several losses are added with their weights, each on its own data", async () => {
  const w = new Parameter(tensor([0]));
  const data = (length: number): TrainingData<number> => ({
    length,
    batch: (indices) => indices.length,
  });
  const { history } = await train<number>({
    parameters: [w],
    data: [
      { data: data(3), weight: 2, name: "cause" },
      { data: data(5), weight: -1, loss: (count) => w.value.sum().mul(0).add(count), name: "iso" },
    ],
    loss: (count) => w.value.sum().add(count),
    batchSize: 2,
    epochs: 1,
    optimizer: "sgd",
    lr: 0.5,
    progress: false,
  });
  // The longer data set is an epoch; the other one begins anew.
  const metrics = history.map(({ metrics: m }) => [m["cause loss"], m["iso loss"]]);
  expect(metrics).toEqual([[2, 2], [0, 2], [0, 1]]); // prettier-ignore
  expect(lossesOf(history)).toEqual([2, -2, -1]);
});

test("fresh batches are drawn from the seed", async () => {
  const net = new Net();
  const drawn = async (seed: number): Promise<number[]> => {
    const { history } = await train({
      parameters: filled(net, new Generator(1)),
      data: ({ generator: own }) => rand([8, 6], { generator: own }),
      loss: (x) => net.forward(x).square().mean(),
      steps: 4,
      seed,
      progress: false,
    });
    return lossesOf(history);
  };
  const first = await drawn(1);
  expect(await drawn(1)).toEqual(first);
  expect(await drawn(2)).not.toEqual(first);
});

/** Normalises by batches while it is trained. */
class Normed extends Module {
  readonly norm = new BatchNorm2d(2);
  override forward(x: Tensor): Tensor {
    return this.norm.forward(x);
  }
}

test("running statistics move with the steps, and not with evaluations or refused steps", async () => {
  const net = new Normed();
  const counts: number[] = [];
  const training = train({
    parameters: net,
    data: { length: 8, batch: (indices: readonly number[]) => randn([indices.length, 2, 3, 3]) },
    loss: (x, { step, training: isTraining }) => {
      const loss = net.forward(x).square().mean();
      return isTraining && step === 3 ? loss.div(zeros([])) : loss;
    },
    batchSize: 4,
    steps: 5,
    evaluate: { data: { length: 2, batch: () => randn([2, 2, 3, 3]) }, every: 1 },
    progress: false,
    onStep: async () => void counts.push(await net.norm.num_batches_tracked.value.item()),
  });
  await expect(training).rejects.toThrow(/step 3: the loss is/);
  expect(counts).toEqual([1, 2, 3]);
  expect(net.training).toBe(true);
  expect(await net.norm.num_batches_tracked.value.item()).toBe(3);
});
