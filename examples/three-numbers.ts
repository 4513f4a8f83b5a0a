/**
 * Which state of a recurrent network holds a + b while it adds (a + b) + c? A causal model says what the
 * state would have to do; a search over time steps finds the one that does it; and distributed
 * alignment search says how many directions of it are needed. Beside each number stands what there is
 * without an alignment.
 *
 * `npx tsx node_modules/tsvene/examples/three-numbers.ts` runs it at reduced size; with `--full` at the size
 * of the guide's figures, which takes some minutes. In the repository, with
 * `npx tsx --conditions=tsvene-source examples/three-numbers.ts`.
 */
import {
  type AlignmentData,
  CausalModel,
  Embedding,
  evalAlignment,
  functional,
  Generator,
  GRUCell,
  Linear,
  LowRankRotatedSpaceIntervention,
  manualSeed,
  Module,
  randint,
  settingPairs,
  type Tensor,
  train,
  zeros,
} from "tsvene";

const full = process.argv.includes("--full");
const SIZE = full
  ? {
      steps: 4000,
      search: 10_000,
      train: 76_800,
      test: 10_000,
      alignment: 300,
      ranks: [1, 2, 4, 8],
    }
  : { steps: 700, search: 500, train: 12_000, test: 500, alignment: 60, ranks: [8] };
const BATCH = 256;

/** Reads three numbers, one after the other, and says their sum. */
class Adder extends Module {
  readonly embed = new Embedding(10, 16);
  readonly cell = new GRUCell(16, 32);
  readonly head = new Linear(32, 28);
  override forward(numbers: Tensor): Tensor {
    const read = this.embed.forward(numbers);
    let state: Tensor = zeros([numbers.size(0), 32]);
    for (let step = 0; step < 3; step++) state = this.cell.forward(read.select(1, step), state);
    return this.head.forward(state);
  }
}

// 1. The network learns the task.
manualSeed(0);
const net = new Adder();
const learned = await train({
  parameters: net,
  data: ({ generator }) => randint(0, 10, [BATCH, 3], { generator }),
  loss: (numbers) => {
    const [logits, sums] = [net.forward(numbers), numbers.sum({ dim: 1 })];
    const accuracy = logits.argmax(1).eq(sums);
    return { loss: functional.crossEntropy(logits, sums), metrics: { accuracy } };
  },
  steps: SIZE.steps,
  lr: 5e-3,
  schedule: "linear",
  optimizer: { name: "adamw", weightDecay: 0.05 },
});
console.log("The task, last batch:", learned.history.at(-1)?.metrics);

// 2. How it might be done: first a + b, then c.
const digits = Array.from({ length: 10 }, (_, i) => i);
const sums = Array.from({ length: 28 }, (_, i) => i);
const hypothesis = new CausalModel({
  values: { a: digits, b: digits, c: digits, sum: sums.slice(0, 19), total: sums },
  parents: { sum: ["a", "b"], total: ["sum", "c"] },
  functions: { sum: (a, b) => a + b, total: (sum, c) => sum + c },
});
/** Another way, which the network could have found but does not. */
const otherWay = new CausalModel({
  values: { a: digits, b: digits, c: digits, later: sums.slice(0, 19), total: sums },
  parents: { later: ["b", "c"], total: ["a", "later"] },
  functions: { later: (b, c) => b + c, total: (a, later) => a + later },
});

/** Examples that intervene on one variable each. */
function examples(size: number, seed: number) {
  const generator = new Generator(seed);
  const options = { generator, sampler: "uniform" } as const;
  return hypothesis.counterfactualDataset(size, {
    ...options,
    interventions: [["a"], ["sum"], ["total"]],
  });
}

function dataOf(list: ReturnType<typeof examples>): AlignmentData<Tensor> {
  return settingPairs(hypothesis, list, { encode: "ids" });
}

// 3. Search: swap the whole state after each number, and look at which variable goes with it.
const state = { path: "cell.output", step: [0, 1, 2] };
const test = examples(3 * SIZE.search, 1);
const table = await evalAlignment(
  { model: net, variable: ["a", "sum", "total"], sites: state },
  dataOf(test),
  { batchSize: BATCH },
);
console.log(String(table));
const wrong = otherWay.counterfactualDataset(SIZE.search, {
  generator: new Generator(2),
  sampler: "uniform",
  interventions: [["later"]],
});
const elsewhere = await evalAlignment(
  { model: net, variable: "later", sites: state },
  settingPairs(otherWay, wrong, { encode: "ids" }),
  { batchSize: BATCH },
);
console.log(String(elsewhere));

// 4. Which directions of that state: trained at each step, on other examples than are tested.
const pair = (example: (typeof test)[number]) => JSON.stringify([example.base, example.sources]);
const tested = examples(3 * SIZE.test, 4);
const known = new Set(tested.map(pair));
const trained = examples(3 * SIZE.train, 3).filter((example) => !known.has(pair(example)));
for (const rank of SIZE.ranks) {
  const directions = await evalAlignment(
    {
      model: net,
      variable: rank === 8 ? ["sum", "a"] : "sum",
      sites: { path: "cell.output", step: rank === 8 ? [0, 1, 2] : 1 },
      intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: rank }),
    },
    dataOf(tested),
    {
      trainData: dataOf(trained),
      train: {
        steps: SIZE.alignment,
        batchSize: BATCH,
        lr: 1e-2,
        schedule: "constant",
        warmUp: 0,
        progress: false,
      },
      batchSize: BATCH,
    },
  );
  console.log(`Rank ${rank}`);
  console.log(String(directions));
  if (rank === 8) {
    console.log(String(directions.scoreAt({ variable: "sum", step: 1 })));
  }
}
