/**
 * "Does $8.50 lie between $3.00 and $9.00?" How does a network come to its answer? It could look whether the
 * amount reaches the lower bound and keep that, or read where the middle of the bracket is, or the bracket.
 * Boundless distributed alignment search looks for each of these variables and learns how many dimensions it
 * takes: first in a transformer that was made to keep the first one, then in one that learned the task alone.
 *
 * `npx tsx node_modules/tsvene/examples/price-tagging.ts` runs it at reduced size; with `--full` at the size
 * of the guide's figures, which takes a quarter of an hour. In the repository, with
 * `npx tsx --conditions=tsvene-source examples/price-tagging.ts`.
 */
import {
  type AlignmentData,
  type AlignmentScore,
  anyValue,
  BoundlessRotatedSpaceIntervention,
  CausalModel,
  configureRuntime,
  drawnExamples,
  Embedding,
  evalAlignment,
  functional,
  Generator,
  IntervenableModel,
  Linear,
  manualSeed,
  Module,
  settingPairs,
  type Tensor,
  tensor,
  terminalTable,
  train,
  trainAlignment,
  TransformerEncoder,
  VanillaIntervention,
} from "tsvene";

// Operations of this size are not worth being shared between threads.
configureRuntime({ threads: 1 });

const SIZE = process.argv.includes("--full")
  ? { width: 64, depth: 3, task: 500, plainTask: 800, batch: 256, lr: 2e-3, pairs: 25_600, search: 400, test: 10_000, seeds: [0, 1], penalties: [1, 0.3], plainSeeds: [0] } // prettier-ignore
  : { width: 32, depth: 2, task: 300, plainTask: 300, batch: 128, lr: 4e-3, pairs: 5120, search: 80, test: 500, seeds: [0], penalties: [0.3], plainSeeds: [0] }; // prettier-ignore
const { width, depth } = SIZE;

// 1. The task: a bracket, an amount and one of three questions. Prices are tokens from 0 on, then questions,
// then the two answers.
const PRICES = 30;
const below = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const prices = below(PRICES);
const inputs = { lo: prices, hi: prices, amount: prices };
const truth = [false, true];
const POSITIONS = { amount: 2, question: 3 };

interface Tag {
  readonly lo: number;
  readonly hi: number;
  readonly amount: number;
}

/** The answer to the question is a conjunction: the network could decide its two parts first. */
const parts = new CausalModel({
  values: { ...inputs, left: truth, right: truth, between: truth },
  parents: { left: ["lo", "amount"], right: ["hi", "amount"], between: ["left", "right"] },
  functions: {
    left: (lo, amount) => amount >= lo,
    right: (hi, amount) => amount <= hi,
    between: (left, right) => left && right,
  },
});
const QUESTIONS = ["between", "left", "right"] as const;
const TOKENS = PRICES + QUESTIONS.length + 2;
const answerToken = (answer: boolean): number => TOKENS - 2 + Number(answer);

/** lo hi amount question */
const idsOf = (tags: readonly Tag[], questions?: readonly number[]): Tensor =>
  tensor(
    tags.map(({ lo, hi, amount }, i) => [lo, hi, amount, PRICES + (questions?.[i] ?? 0)]),
    { dtype: "int64" },
  );

/** A bracket from a quarter to three quarters of all prices wide. */
function drawBracket(from: Generator): readonly [lo: number, hi: number] {
  const reach = 7 + from.integer(15);
  const lo = 1 + from.integer(Math.max(1, PRICES - 2 - reach));
  return [lo, Math.min(lo + reach, PRICES - 2)];
}

function drawTag(from: Generator): Tag {
  const [lo, hi] = drawBracket(from);
  return { lo, hi, amount: from.integer(PRICES) };
}

/** Reads a tag and a question, and answers at the last position. */
class Net extends Module {
  readonly token = new Embedding(TOKENS, width, { std: 0.1 });
  readonly place = new Embedding(4, width, { std: 0.1 });
  readonly encoder = new TransformerEncoder(width, 4, depth, {
    dimFeedforward: 4 * width,
    dropout: 0,
    activation: "gelu",
    normFirst: true,
    norm: true,
  });
  readonly head = new Linear(width, TOKENS, { bias: false });

  override forward(ids: Tensor): Tensor {
    const embedded = this.token.forward(ids).add(this.place.weight.value);
    const states = this.encoder.forward(embedded, { isCausal: true });
    return this.head.forward(states.select(1, -1));
  }
}
const outputOf = (layer: number): string => `encoder.layers.${layer}.output`;

const heading = (text: string): void => console.log(`\n${text}\n${"=".repeat(text.length)}\n`);

/** The answers' tokens, each to its own question. */
const answersOf = (tags: readonly Tag[], questions: readonly number[]): Tensor =>
  tensor(
    tags.map((tag, i) => answerToken(parts.run(tag)[QUESTIONS[questions[i] ?? 0] ?? "between"])),
    { dtype: "int64" },
  );

const fresh = below(SIZE.test).map((i) => drawTag(new Generator(1_000_000 + i)));
async function accuracy(net: Net, question: number): Promise<number> {
  const questions = fresh.map(() => question);
  const said = net.forward(idsOf(fresh, questions)).argmax(-1);
  return said.eq(answersOf(fresh, questions)).float().mean().item();
}

// 2. Three hypotheses, each with a variable that is taken from another tag.
const middle = new CausalModel({
  values: { ...inputs, midpoint: anyValue<number>(), reach: anyValue<number>(), between: truth },
  parents: {
    midpoint: ["lo", "hi"],
    reach: ["lo", "hi"],
    between: ["midpoint", "reach", "amount"],
  },
  functions: {
    midpoint: (lo, hi) => (lo + hi) / 2,
    reach: (lo, hi) => (hi - lo) / 2,
    between: (midpoint, reach, amount) => Math.abs(amount - midpoint) <= reach,
  },
});
const whole = new CausalModel({
  values: { ...inputs, bracket: anyValue<readonly [number, number]>(), between: truth },
  parents: { bracket: ["lo", "hi"], between: ["bracket", "amount"] },
  functions: {
    bracket: (lo, hi) => [lo, hi],
    between: ([lo, hi], amount) => lo <= amount && amount <= hi,
  },
});

type Pair = readonly [base: Tag, source: Tag];
const REGIONS = ["under", "in", "over"] as const;
const REGION_PAIRS = REGIONS.flatMap((base) => REGIONS.map((source) => ({ base, source })));

function drawIn(region: (typeof REGIONS)[number], from: Generator): Tag {
  const [lo, hi] = drawBracket(from);
  const [least, end] = { under: [0, lo], in: [lo, hi + 1], over: [hi + 1, PRICES] }[region];
  return { lo, hi, amount: (least ?? 0) + from.integer((end ?? 0) - (least ?? 0)) };
}

/** As in pyvene's tutorial: half of the answers are yes, and the regions that give an answer come as often. */
function drawBalanced(from: Generator): Pair {
  const isYes = from.integer(2) === 1;
  const pairs = REGION_PAIRS.filter(
    ({ base, source }) => (base !== "over" && source !== "under") === isYes,
  );
  const { base, source } = pairs[from.integer(pairs.length)] ?? { base: "in", source: "in" };
  return [drawIn(base, from), drawIn(source, from)];
}
const drawAny = (from: Generator): Pair => [drawTag(from), drawTag(from)];

const HYPOTHESES = {
  left: {
    draw: drawBalanced,
    answer: (base: Tag, source: Tag) => parts.interchange(base, { left: source }).between,
  },
  midpoint: {
    draw: drawAny,
    answer: (base: Tag, source: Tag) => middle.interchange(base, { midpoint: source }).between,
  },
  bracket: {
    draw: drawAny,
    answer: (base: Tag, source: Tag) => whole.interchange(base, { bracket: source }).between,
  },
};
const VARIABLES = ["left", "midpoint", "bracket"] as const;

function examplesOf(variable: (typeof VARIABLES)[number], length: number, seed: number) {
  const { draw, answer } = HYPOTHESES[variable];
  return drawnExamples(
    length,
    (from) => {
      const [base, source] = draw(from);
      return {
        base,
        sources: { [variable]: source },
        label: answerToken(answer(base, source)),
        baseLabel: answerToken(parts.run(base).between),
      };
    },
    { seed },
  );
}

const dataOf = (
  examples: Parameters<typeof settingPairs>[1],
  variables: readonly string[],
): AlignmentData<Tensor> =>
  settingPairs({ inputs: Object.keys(inputs) }, examples, {
    encode: (settings) => idsOf(settings as unknown as readonly Tag[]),
    unitLocations: { "sources->base": POSITIONS.amount },
    variables,
  });

/** Examples of all three variables: to search with, and others for the test. */
const listOf = (length: number, seed: number) =>
  VARIABLES.flatMap((variable) => {
    const drawn = examplesOf(variable, length, seed);
    return below(length).flatMap((i) => drawn.at(i) ?? []);
  });
const tested = listOf(SIZE.test, 1);
const keyOf = (example: object): string => JSON.stringify(example);
const known = new Set(tested.map(keyOf));
const trainData = dataOf(
  listOf(SIZE.pairs, 2).filter((example) => !known.has(keyOf(example))),
  VARIABLES,
);
const testData = dataOf(tested, VARIABLES);

type Word = keyof typeof POSITIONS;

/** At each place a rotation and a boundary are learned for each variable, and tested with the boundary hard. */
async function search(
  net: Net,
  { layers, words }: { readonly layers: readonly number[]; readonly words: readonly Word[] },
  penalty: number,
): Promise<void> {
  const table = await evalAlignment(
    {
      model: net,
      variable: VARIABLES,
      sites: { path: layers.map(outputOf), position: words.map((word) => POSITIONS[word]) },
      intervention: BoundlessRotatedSpaceIntervention,
    },
    testData,
    {
      trainData,
      train: {
        steps: SIZE.search,
        batchSize: SIZE.batch,
        lr: { rotation: 1e-2, boundary: 1e-2 },
        regularizer: { boundary: penalty },
        progress: false,
      },
      batchSize: 1000,
      randomDraws: 3,
    },
  );
  console.log(`\nWith a penalty of ${penalty} for the boundary:`);
  const places = words.flatMap((word) => layers.map((layer) => ({ word, layer })));
  printScores(
    VARIABLES.flatMap((variable) =>
      places.map(({ word, layer }) => {
        const site = { variable, path: outputOf(layer), position: POSITIONS[word] };
        return [`${variable}, ${word}, layer ${layer}`, table.scoreAt(site)];
      }),
    ),
  );
}

/** Shares of examples beside what there is without an alignment, and of dimensions that are swapped. */
function printScores(rows: readonly (readonly [name: string, score: AlignmentScore])[]): void {
  const columns = ["found", "soft", "no edit", "full swap", "random", "boundary"];
  const values = rows.map(([, { iia, soft, controls, masks }]) => {
    const { noEdit, fullSwap, random } = controls;
    const numbers = [iia, soft, noEdit, fullSwap, random?.mean, masks[0]?.boundary];
    return numbers.map((number) => number ?? NaN);
  });
  const names = rows.map(([name]) => name);
  console.log(terminalTable(values, { rows: names, columns, digits: 3, domain: [0, 1] }));
}

const OPTIMIZER = { name: "adamw", betas: [0.9, 0.98] } as const;
const LEARNING = { lr: SIZE.lr, schedule: "linear", warmUp: 0.15, progress: false } as const;

for (const seed of SIZE.seeds) {
  heading(`Made by interchange training, seed ${seed}`);
  manualSeed(seed);
  const net = new Net();
  const layer = depth - 2;
  const wanted = new IntervenableModel(
    {
      component: outputOf(layer),
      intervention: VanillaIntervention.with({ interchangeDim: width / 2 }),
      name: "left",
    },
    net,
  );
  const examples = examplesOf("left", SIZE.task * SIZE.batch, 1000 + seed);
  await trainAlignment(wanted, dataOf(examples, ["left"]), {
    parameters: "model",
    factual: 1,
    steps: SIZE.task,
    batchSize: SIZE.batch,
    optimizer: OPTIMIZER,
    ...LEARNING,
    keepFrozen: false,
    seed,
  });
  net.eval();
  console.log(`It answers ${(await accuracy(net, 0)).toFixed(4)} of new questions rightly.`);
  for (const penalty of SIZE.penalties) {
    await search(net, { layers: [layer], words: ["amount"] }, penalty);
  }
}

for (const seed of SIZE.plainSeeds) {
  heading(`Trained on the task alone, seed ${seed}`);
  manualSeed(seed);
  const net = new Net();
  await train({
    parameters: net,
    data: ({ generator }) => {
      const tags = below(SIZE.batch).map(() => drawTag(generator));
      return { tags, questions: tags.map(() => generator.integer(QUESTIONS.length)) };
    },
    loss: ({ tags, questions }) =>
      functional.crossEntropy(net.forward(idsOf(tags, questions)), answersOf(tags, questions)),
    steps: SIZE.plainTask,
    optimizer: OPTIMIZER,
    ...LEARNING,
    seed,
  });
  net.eval();
  for (const [i, question] of QUESTIONS.entries()) {
    console.log(`${question}: right in ${(await accuracy(net, i)).toFixed(4)}`);
  }
  // Of the last layer only the last position is read.
  await search(net, { layers: below(depth - 1), words: ["amount", "question"] }, 1);
}
