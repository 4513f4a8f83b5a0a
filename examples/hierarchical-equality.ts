/**
 * Hierarchical equality: are two pairs both the same, or both different? A network that is trained to say so could
 * decide first, for each pair, whether it is the same. Distributed alignment search looks for these two decisions
 * in its first layer: in a network whose weights are written by hand, in trained ones with weight decay, and in
 * those of pyvene's tutorial, which is without.
 *
 * `npx tsx node_modules/tsvene/examples/hierarchical-equality.ts` runs it at reduced size, in half a minute;
 * with `--full` at full size, in about twenty.
 */
import {
  type AlignmentData,
  type AlignmentScore,
  CausalModel,
  evalAlignment,
  functional,
  Generator,
  IntervenableModel,
  manualSeed,
  MLPForClassification,
  RotatedSpaceIntervention,
  settingPairs,
  tensor,
  type Tensor,
  terminalTable,
  train,
  trainAlignment,
  VanillaIntervention,
} from "tsvene";

const full = process.argv.includes("--full");
const SIZE = full
  ? { steps: 6000, pairs: 65_536, search: 1000, test: 10_000, seeds: [0, 1, 2, 3, 4, 5, 6, 7] }
  : { steps: 1500, pairs: 16_384, search: 300, test: 1000, seeds: [0] };
/** How networks are trained: in a way that finds the two decisions, and as in pyvene's tutorial. */
const RECIPES = {
  decay: {
    task: { steps: SIZE.steps, batchSize: 512, lr: 3e-3, optimizer: { name: "adamw", weightDecay: 0.5 } as const }, // prettier-ignore
    search: SIZE.search,
    seeds: SIZE.seeds,
  },
  tutorial: {
    task: { steps: 3072, batchSize: 1024, lr: 1e-3, optimizer: "adam" as const },
    search: 2000,
    seeds: full ? [0, 1, 2, 3, 4] : [],
  },
};
type Recipe = (typeof RECIPES)[keyof typeof RECIPES];

/** What a thing is to the network: four numbers. */
type Thing = readonly number[];

const thing = (from: Generator): Thing =>
  Array.from({ length: 4 }, () => (from.integer(201) - 100) / 100);
const isSame = (a: Thing, b: Thing): boolean => a.every((number, i) => number === b[i]);
const truth = [false, true];

const equality = new CausalModel({
  values: { W: thing, X: thing, Y: thing, Z: thing, WX: truth, YZ: truth, O: truth },
  parents: { WX: ["W", "X"], YZ: ["Y", "Z"], O: ["WX", "YZ"] },
  functions: { WX: isSame, YZ: isSame, O: (wx, yz) => wx === yz },
});

/** Fresh things, of which each pair is the same as often as not, or as is asked. */
function draw(from: Generator, { WX = from.integer(2) === 0, YZ = from.integer(2) === 0 } = {}) {
  const [W, Y] = [thing(from), thing(from)];
  return { W, X: WX ? W : thing(from), Y, Z: YZ ? Y : thing(from) };
}

const MLP = { hDim: 16, numClasses: 2, activationFunction: "relu", pdrop: 0 } as const;
/** Numbers of things, [examples, 16], as the network reads them: at one position. */
const inputsOf = (numbers: Tensor) => ({ inputsEmbeds: numbers.unsqueeze(1) });

/** Examples in which WX, YZ or both are from other inputs. The other pair of a source is balanced too. */
function counterfactuals(size: number, seed: number): AlignmentData {
  const examples = equality.counterfactualDataset(size, {
    generator: new Generator(seed),
    sampler: ({ generator, variable, value }) =>
      draw(generator, variable === undefined ? {} : { [variable]: value }),
  });
  const [variables, subspaces] = [["WX", "YZ"], { each: [0, 1] }];
  return settingPairs(equality, examples, { input: inputsOf, variables, subspaces });
}

/** The first half of a state for WX, the second for YZ. */
function aligned(network: MLPForClassification, kind: "neurons" | "rotated"): IntervenableModel {
  const options = { subspacePartition: [{ from: 0, to: 8 }, { from: 8, to: 16 }] }; // prettier-ignore
  const intervention =
    kind === "neurons" ? VanillaIntervention.with(options) : RotatedSpaceIntervention.with(options);
  const site = {
    layer: 0,
    component: "block_output",
    intervention,
    interventionLinkKey: 0,
  } as const;
  return new IntervenableModel([{ ...site, name: "WX" }, { ...site, name: "YZ" }], network); // prettier-ignore
}

/** |W - X| and |Y - Z| in the first layer, their difference both ways in the second, and what decides in the last. */
async function byHand(): Promise<MLPForClassification> {
  const network = new MLPForClassification({ ...MLP, nLayer: 2 }).eval();
  const first = Array.from({ length: 16 }, (_, row) =>
    Array.from({ length: 16 }, (_, column) => {
      const [pair, sign, part] = [row >> 3, (row & 4) === 0 ? 1 : -1, row & 3];
      if (column === 8 * pair + part) return sign;
      return column === 8 * pair + 4 + part ? -sign : 0;
    }),
  );
  // Sums over the first eight, and over the others.
  const sums = [[1, -1], [-1, 1], [1, 0], [0, 1]]; // prettier-ignore
  const second = Array.from({ length: 16 }, (_, row) =>
    Array.from({ length: 16 }, (_, column) => sums[row]?.[column >> 3] ?? 0),
  );
  const different = Array.from({ length: 16 }, (_, i) => [1, 1, -0.999, -0.999][i] ?? 0);
  const zero = Array.from<number>({ length: 16 }).fill(0);
  network.loadStateDict({
    "mlp.h.0.ff1.weight": tensor(first),
    "mlp.h.0.ff1.bias": tensor(zero),
    "mlp.h.1.ff1.weight": tensor(second),
    "mlp.h.1.ff1.bias": tensor(zero),
    "score.weight": tensor([different, zero]),
    "score.bias": tensor([0, 1e-6]),
  });
  return network;
}

/** A network that learned the task, from fresh examples in each step. */
async function trained({ task: { batchSize, ...how } }: Recipe, seed: number) {
  manualSeed(seed);
  const network = new MLPForClassification({ ...MLP, nLayer: 3 });
  await train({
    parameters: network,
    data: ({ generator }) => Array.from({ length: batchSize }, () => draw(generator)),
    loss: (settings) => {
      const { logits } = network.forward(inputsOf(equality.inputToTensor(settings)));
      const answers = settings.map((setting) => Number(equality.run(setting).O));
      return functional.crossEntropy(logits, tensor(answers, { dtype: "int64" }));
    },
    ...how,
    schedule: "linear",
    seed,
  });
  return network.eval();
}

const test = counterfactuals(SIZE.test, 1);
const scores: [network: string, score: AlignmentScore][] = [];
async function evaluate(name: string, alignment: IntervenableModel): Promise<void> {
  const score = await evalAlignment(alignment, test, { batchSize: 1000 });
  console.log(`${name}\n${String(score)}\n`);
  scores.push([name, score]);
}

await evaluate("written by hand", aligned(await byHand(), "neurons"));
const pairs = counterfactuals(SIZE.pairs, 2);
for (const [recipe, settings] of Object.entries(RECIPES)) {
  for (const seed of settings.seeds) {
    const network = await trained(settings, seed);
    const rotated = aligned(network, "rotated");
    const constant = { schedule: "constant", warmUp: 0 } as const;
    const search = { steps: settings.search, batchSize: 1024, lr: 1e-2, seed, ...constant };
    await trainAlignment(rotated, pairs, search);
    await evaluate(`${recipe}, seed ${seed}`, rotated);
  }
}

const columns = ["task", "aligned", "random", "no edit", "full swap"];
const table = scores.map(([, { baseAccuracy, iia, controls }]) => {
  const { random, noEdit, fullSwap } = controls;
  return [baseAccuracy, iia, random?.mean, noEdit, fullSwap].map((value) => value ?? NaN);
});
const rows = scores.map(([name]) => name);
console.log(terminalTable(table, { rows, columns, domain: [0, 1], digits: 3 }));
