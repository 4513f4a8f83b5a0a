/**
 * "When Mary and John went to the store, John gave a drink to": where does a network keep the name that
 * it is going to say? A small transformer is trained on such sentences, and directions are sought in
 * which one thing that a causal model knows is kept; then the same is asked of tsvene-mini.
 *
 * `npx tsx node_modules/tsvene/examples/indirect-objects.ts` runs it at reduced size; with `--full` at the
 * size of the guide's figures, which takes some minutes. In the repository, with
 * `npx tsx --conditions=tsvene-source examples/indirect-objects.ts`.
 */
import {
  type AlignmentData,
  type AlignmentScore,
  AutoTokenizer,
  CausalModel,
  configureRuntime,
  drawnExamples,
  Embedding,
  evalAlignment,
  functional,
  Generator,
  GPT2LMHeadModel,
  IntervenableModel,
  keepCorrect,
  Linear,
  LowRankRotatedSpaceIntervention,
  manualSeed,
  Module,
  type PromptExample,
  promptPairs,
  settingPairs,
  tensor,
  type Tensor,
  terminalTable,
  train,
  trainAlignment,
  TransformerEncoder,
} from "tsvene";

const SIZE = process.argv.includes("--full")
  ? {
      task: 500,
      steps: 120,
      test: 2000,
      miniTrain: 640,
      miniSteps: 60,
      miniTest: 200,
      everywhere: true,
    }
  : {
      task: 150,
      steps: 40,
      test: 300,
      miniTrain: 128,
      miniSteps: 12,
      miniTest: 60,
      everywhere: false,
    };
// Operations of this size are not worth being shared between threads.
configureRuntime({ threads: 1 });

const BATCH = 128;
const heading = (text: string): void => console.log(`\n${text}\n${"=".repeat(text.length)}\n`);
const percent = (share: number | undefined): string => (share ?? NaN).toFixed(3);

heading("1. A hypothesis, and a small transformer that does the task");

const NAMES = Array.from({ length: 20 }, (_, name) => name);
const ROLES = ["first", "second"] as const;

// Which of the two names comes again, and hence which one is the answer.
const hypothesis = new CausalModel({
  values: {
    first: NAMES,
    second: NAMES,
    again: ROLES,
    position: ROLES,
    name: NAMES,
    answer: NAMES,
  },
  parents: { position: ["again"], name: ["first", "second", "position"], answer: ["name"] },
  functions: {
    position: (again) => again,
    name: (first, second, position) => (position === "first" ? second : first),
    answer: (name) => name,
  },
});

interface Sentence {
  readonly first: number;
  readonly second: number;
  readonly again: "first" | "second";
}

function drawSentence(generator: Generator, names?: Sentence): Sentence {
  const first = names?.first ?? generator.integer(20);
  const second = names?.second ?? (first + 1 + generator.integer(19)) % 20;
  return { first, second, again: generator.integer(2) === 0 ? "first" : "second" };
}

const [BOS, AND, WENT, GAVE, TO] = [20, 21, 22, 23, 24];
const places = { subject: 5, end: 7 };

/** BOS first and second went again gave to */
function tokensOf({ first, second, again }: Sentence): number[] {
  return [BOS, first, AND, second, WENT, again === "first" ? first : second, GAVE, TO];
}

const ids = (sentences: readonly Sentence[]): Tensor =>
  tensor(sentences.map(tokensOf), { dtype: "int64" });

class Toy extends Module {
  readonly token = new Embedding(25, 64, { std: 0.1 });
  readonly place = new Embedding(8, 64, { std: 0.1 });
  readonly encoder = new TransformerEncoder(64, 4, 3, {
    dimFeedforward: 256,
    dropout: 0,
    activation: "gelu",
    normFirst: true,
    norm: true,
  });
  readonly head = new Linear(64, 25, { bias: false });

  override forward(tokens: Tensor): Tensor {
    const embedded = this.token.forward(tokens).add(this.place.weight.value);
    const states = this.encoder.forward(embedded, { isCausal: true });
    return this.head.forward(states.select(1, -1));
  }
}
manualSeed(1);
const toy = new Toy();

const answers = (sentences: readonly Sentence[]) =>
  tensor(
    sentences.map((sentence) => hypothesis.run(sentence).answer),
    { dtype: "int64" },
  );

await train({
  parameters: toy,
  data: ({ generator }) => Array.from({ length: BATCH }, () => drawSentence(generator)),
  loss: (sentences) => functional.crossEntropy(toy.forward(ids(sentences)), answers(sentences)),
  steps: SIZE.task,
  optimizer: { name: "adamw", betas: [0.9, 0.98], weightDecay: 0.01 },
  lr: 2e-3,
  schedule: "linear",
  warmUp: 60,
  progress: false,
});
toy.eval();

const fresh = Array.from({ length: 2000 }, (_, i) => drawSentence(new Generator(1_000_000 + i)));
const said = toy.forward(ids(fresh)).argmax(-1);
const accuracy = await said.eq(answers(fresh)).float().mean().item();
console.log(`It says the right name in ${percent(accuracy)} of 2,000 new sentences.`);

heading("2. Where are the variables? Directions of a layer's output, found by gradient");

type Variable = "name" | "position";

/** Sources with the same two names only differ in which of them comes again. */
function toyData(variable: Variable, names: "same" | "other", length: number, seed: number) {
  const examples = drawnExamples(
    length,
    (generator) => {
      const base = drawSentence(generator);
      const source = drawSentence(generator, names === "same" ? base : undefined);
      return {
        base,
        sources: { [variable]: source },
        label: hypothesis.interchange(base, { [variable]: source }).answer,
        baseLabel: hypothesis.run(base).answer,
      };
    },
    { seed },
  );
  return (at: number) =>
    settingPairs(hypothesis, examples, {
      encode: (settings) => ids(settings as unknown as readonly Sentence[]),
      unitLocations: { "sources->base": at },
    });
}

interface Search {
  readonly model: Module;
  /** The output of a layer, by its component or its path. */
  readonly outputOf: (layer: number) => { readonly component: string; readonly layer?: number };
  readonly variable: string;
  readonly rank: number;
  readonly steps: number;
  readonly batchSize: number;
  /** The last layer's output is read at the end only: elsewhere nothing can be learned. */
  readonly isRead: boolean;
  readonly train: AlignmentData;
  readonly test: AlignmentData;
}

/** Trains as many directions of one layer's output, and evaluates them on examples that were not seen. */
async function search(
  layer: number,
  { model, outputOf, variable, rank, steps, batchSize, isRead, train: data, test }: Search,
): Promise<AlignmentScore> {
  manualSeed(layer);
  const aligned = new IntervenableModel(
    {
      ...outputOf(layer),
      intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: rank }),
      name: variable,
    },
    model,
  );
  if (isRead) {
    await trainAlignment(aligned, data, {
      steps,
      batchSize,
      lr: 1e-2,
      schedule: "constant",
      warmUp: 0,
      progress: false,
    });
  }
  return evalAlignment(aligned, test, { batchSize: 500, randomDraws: 3, otherSite: false });
}

type Place = readonly [layer: number, at: keyof typeof places];
const EVERYWHERE = [0, 1, 2].flatMap((layer): Place[] => [
  [layer, "subject"],
  [layer, "end"],
]);

interface Question {
  readonly variable: Variable;
  readonly names: "same" | "other";
  readonly rank: number;
  /** Where it is looked for at reduced size; at full size, everywhere. */
  readonly at: readonly Place[];
}

const questions: readonly Question[] = [
  {
    variable: "name",
    names: "other",
    rank: 16,
    at: [
      [0, "end"],
      [1, "end"],
    ],
  },
  { variable: "position", names: "same", rank: 16, at: [[0, "subject"]] },
  { variable: "position", names: "other", rank: 16, at: [[0, "subject"]] },
];

interface Finding extends Question {
  readonly place: Place;
  readonly score: AlignmentScore;
}

const findings: Finding[] = [];
for (const question of questions) {
  const { variable, names, rank, at } = question;
  const training = toyData(variable, names, SIZE.steps * BATCH, 1);
  const testing = toyData(variable, names, SIZE.test, 2);
  for (const place of SIZE.everywhere ? EVERYWHERE : at) {
    const [layer, word] = place;
    const data = { train: training(places[word]), test: testing(places[word]) };
    const isRead = layer < 2 || word === "end";
    const outputOf = (at: number) => ({ component: `encoder.layers.${at}.output` });
    const settings = {
      model: toy,
      outputOf,
      variable,
      rank,
      steps: SIZE.steps,
      batchSize: BATCH,
      isRead,
    };
    const score = await search(layer, { ...settings, ...data });
    findings.push({ ...question, place, score });
  }
}
const heads = ["variable", "rank", "layer", "at", "found", "no edit", "full swap", "random"];
console.log(
  tableText(
    heads,
    findings.map(({ variable, names, rank, place: [layer, word], score }) => {
      const { noEdit, fullSwap, random } = score.controls;
      const numbers = [score.iia, noEdit, fullSwap, random?.mean].map(percent);
      return [`${variable}, ${names} names`, String(rank), String(layer), word, ...numbers];
    }),
  ),
);

/** What is found of a variable in the places that were looked at, beside what there is without an edit. */
function conclude(variable: Variable, names: "same" | "other"): boolean {
  const tried = findings.filter((one) => one.variable === variable && one.names === names);
  const gain = ({ score }: Finding): number => score.iia - score.controls.noEdit;
  const found = tried.filter(({ score }) => score.iia >= 0.9);
  const where = found.map(({ place: [layer, word] }) => `${word} after layer ${layer}`).join(", ");
  const [best] = [...tried].sort((a, b) => gain(b) - gain(a));
  const most = `${percent(best?.score.iia)}, and ${percent(best?.score.controls.noEdit)} without an edit`;
  const result = where === "" ? `not found (at best ${most})` : where;
  console.log(`The ${variable}, with ${names} names in the source: ${result}.`);
  return where !== "";
}

console.log("");
conclude("name", "other");
const [withSame, withOther] = [conclude("position", "same"), conclude("position", "other")];
if (withSame && !withOther) {
  console.log("What looks like a position with the same names is the repeated name or the answer:");
  console.log(
    "a position would move the answer with other names as well. This is a true negative.",
  );
}

function tableText(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = heads.map((head, i) =>
    Math.max(...[heads, ...lines].map((l) => (l[i] ?? head).length)),
  );
  return [heads, ...lines]
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

heading("3. The same in tsvene-mini, layer by layer and word by word");

const mini = await GPT2LMHeadModel.fromPretrained("tsvene-mini");
const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
const people =
  "Mary Anna Emma Alice Lucy Sarah Julia Laura Kate Jane Rose John Tom James Peter Paul"
    .split(" ")
    .filter((name) => tokenizer.encode(` ${name}`).length === 1);

const sentence = (a: string, b: string): string =>
  `When ${a} and ${b} went to the store, ${b} gave a drink to`;

function drawPair(generator: Generator): PromptExample {
  const draw = (): [string, string] => {
    const a = generator.integer(people.length);
    const b = (a + 1 + generator.integer(people.length - 1)) % people.length;
    return [people[a] ?? "", people[b] ?? ""];
  };
  const [[a, b], [c, d]] = [draw(), draw()];
  return {
    base: sentence(a, b),
    sources: { name: sentence(c, d) },
    label: ` ${c}`,
    baseLabel: ` ${a}`,
    sourceLabels: { name: ` ${c}` },
  };
}

/** Places of a sentence by words: a function where the word differs. */
const words = {
  "indirect object": (prompt: string) => prompt.split(" ")[1] ?? "",
  subject: (prompt: string) => ({ part: prompt.split(" ")[3] ?? "", occurrence: 0 }),
  "subject again": (prompt: string) => ({ part: prompt.split(" ")[3] ?? "", occurrence: 1 }),
  end: "last",
} as const;

/** Examples that the model is right on, as they stand and in their sources. */
async function knownPairs(count: number, seed: number): Promise<readonly PromptExample[]> {
  const drawn = drawnExamples(count, drawPair, { seed });
  const examples = Array.from({ length: count }, (_, i) => drawn.at(i)).flatMap((one) => one ?? []);
  const all = promptPairs(tokenizer, examples, { positions: "last" });
  const { indices } = await keepCorrect(mini, all, { batchSize: 60 });
  return indices.flatMap((i) => examples[i] ?? []);
}

const textsOf = ({ base, sources }: PromptExample): string => JSON.stringify([base, sources]);
const testPairs = await knownPairs(SIZE.miniTest, 4);
const tested = new Set(testPairs.map(textsOf));
const trainPairs = (await knownPairs(SIZE.miniTrain, 3)).filter((one) => !tested.has(textsOf(one)));
console.log(
  `It is right on base and source in ${testPairs.length} of ${SIZE.miniTest} pairs for the test.\n`,
);

const layers = SIZE.everywhere ? [...mini.transformer.h].map((_, layer) => layer) : [0, 4];
const looked = Object.entries(words).filter(([word]) => SIZE.everywhere || /again|end/.test(word));
const map: AlignmentScore[][] = [];
for (const [word, positions] of looked) {
  const dataOf = (pairs: readonly PromptExample[]) => promptPairs(tokenizer, pairs, { positions });
  const scores: AlignmentScore[] = [];
  for (const layer of layers) {
    const data = { train: dataOf(trainPairs), test: dataOf(testPairs) };
    const isRead = layer < mini.transformer.h.length - 1 || word === "end";
    const how = { steps: SIZE.miniSteps, batchSize: 32, isRead };
    const outputOf = (at: number) => ({ layer: at, component: "block_output" });
    const settings = { model: mini, outputOf, variable: "name", rank: 16, ...how };
    scores.push(await search(layer, { ...settings, ...data }));
  }
  map.push(scores);
}
const labels = {
  rows: looked.map(([word]) => word),
  columns: layers.map((layer) => `layer ${layer}`),
};
const picture = (number: (score: AlignmentScore) => number): string =>
  terminalTable(
    map.map((scores) => scores.map(number)),
    labels,
  );
console.log("16 directions of a block's output, found by gradient:");
console.log(picture(({ iia }) => iia));
console.log("\nThe whole block's output swapped:");
console.log(picture(({ controls }) => controls.fullSwap ?? NaN));
console.log(`\nWithout an edit: ${percent(map[0]?.[0]?.controls.noEdit)}.`);
