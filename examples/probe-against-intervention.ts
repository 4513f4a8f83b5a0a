/**
 * A linear probe finds a property almost wherever it can be read; an interchange along a learned
 * direction finds it only where the model goes on to use it. Here: is a country in Europe or in Asia?
 *
 * `npx tsx node_modules/tsvene/examples/probe-against-intervention.ts` runs it at reduced size; with
 * `--full` at the size of the guide's figures. In the repository, with
 * `npx tsx --conditions=tsvene-source examples/probe-against-intervention.ts`.
 */
import {
  type AlignmentData,
  AutoTokenizer,
  CollectIntervention,
  evalAlignment,
  GPT2LMHeadModel,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  type PromptExample,
  probeScore,
  promptPairs,
  trainAlignment,
  TrainingError,
} from "tsvene";

const full = process.argv.includes("--full");
const SIZE = full
  ? { steps: 60, pairs: 200, layers: [0, 1, 2, 3, 4] }
  : { steps: 20, pairs: 60, layers: [0, 1, 3] };

const gpt2 = await GPT2LMHeadModel.fromPretrained("tsvene-mini");
const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");

// Countries that the model knows, by continent. Every fourth is kept for the tests.
const EUROPE =
  "Spain Italy France Germany Portugal Greece Austria Ireland England Poland Hungary Sweden Norway " +
  "Denmark Finland Russia Iceland Romania Croatia";
const ASIA =
  "Armenia Bangladesh China India Iran Iraq Japan Jordan Laos Lebanon Mongolia Nepal Oman Syria Thailand " +
  "Turkey Uzbekistan Vietnam Yemen";
const [europe, asia] = [EUROPE.split(" "), ASIA.split(" ")];
const prompt = (country: string): string => `If you travel to ${country}, you travel to`;
const continentOf = (country: string): string => (europe.includes(country) ? "Europe" : "Asia");
const isTest = (_: string, i: number): boolean => i % 4 === 3;
const isTrain = (country: string, i: number): boolean => !isTest(country, i);

const all = [...europe, ...asia];
const words = tokenizer.encode(prompt("Spain")).map((id) => tokenizer.decode([id]).trim());
const subject = words.indexOf("Spain");
words[subject] = "country";
// From the country on: what is before it is the same for all countries.
const positions = full
  ? words.map((_, i) => i).slice(subject)
  : [subject, subject + 2, words.length - 1];

// 1. The probe: logistic regression on what goes into each block, tested on countries that it has not seen.
const reader = new IntervenableModel(
  SIZE.layers.map((layer) => ({
    layer,
    component: "block_input" as const,
    intervention: CollectIntervention,
  })),
  gpt2,
);
const { collected } = reader.forward(tokenizer.tokenize(all.map(prompt)));
const probed: number[][] = [];
for (const activations of collected) {
  const row: number[] = [];
  for (const position of positions) {
    const at = activations.select(1, position);
    row.push((await probeScore(at, all.map(continentOf), { l2: 0.1 })).accuracy);
  }
  probed.push(row);
}

// 2. The intervention: one direction is learned at each place, along which the source's country is put in;
// does the model then say the source's continent?
function pairs(countries: readonly string[], count: number): PromptExample[] {
  return Array.from({ length: count }, (_, i): PromptExample => {
    const base = countries[i % countries.length] ?? "";
    // Steps that have no divisor in common with the number of countries reach all of them.
    const source =
      countries[(i * 7 + Math.floor(i / countries.length) + 3) % countries.length] ?? "";
    return {
      base: prompt(base),
      sources: { continent: prompt(source) },
      label: ` ${continentOf(source)}`,
      baseLabel: ` ${continentOf(base)}`,
      sourceLabels: { continent: ` ${continentOf(source)}` },
    };
  });
}
/** Pairs of countries of two continents. */
const across = (countries: readonly string[], count: number): PromptExample[] =>
  pairs(countries, 4 * count)
    .filter(({ label, baseLabel }) => label !== baseLabel)
    .slice(0, count);

const split = (test: (country: string, i: number) => boolean): string[] => [
  ...europe.filter(test),
  ...asia.filter(test),
];
/** Learns the direction, where the answer depends on it at all. */
async function learn(aligned: IntervenableModel, examples: AlignmentData): Promise<void> {
  try {
    await trainAlignment(aligned, examples, {
      steps: SIZE.steps,
      batchSize: 20,
      lr: 2e-2,
      seed: 0,
    });
  } catch (error) {
    // Before the first block, the words after the country are the same in both prompts: nothing to learn.
    const isUnused = error instanceof TrainingError && error.message.includes("is zero");
    if (!isUnused) throw error;
  }
}
const data = (examples: readonly PromptExample[]) =>
  promptPairs(tokenizer, examples, { positions: "last" });
const table = await evalAlignment(
  {
    model: gpt2,
    variable: "continent",
    sites: { layer: SIZE.layers, component: "block_input", position: positions },
    intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 1 }),
  },
  data(across(split(isTest), 40)),
  {
    trainData: data(across(split(isTrain), SIZE.pairs)),
    train: learn,
    randomDraws: 2,
  },
);

const percent = (share: number): string => String(Math.round(100 * share)).padStart(9);
function show(title: string, at: (layer: number, position: number) => number): void {
  console.log(`\n${title}`);
  console.log(`layer${positions.map((position) => (words[position] ?? "").padStart(9)).join("")}`);
  for (const layer of SIZE.layers) {
    const row = positions.map((position) => percent(at(layer, position)));
    console.log(String(layer).padStart(5) + row.join(""));
  }
}
show("Probe: % of countries whose continent it tells", (layer, position) => {
  return probed[SIZE.layers.indexOf(layer)]?.[positions.indexOf(position)] ?? 0;
});
show(
  "Interchange along one learned direction: % of answers that follow the source",
  (layer, position) => {
    return table.scoreAt({ layer, position }).iia;
  },
);
const [best] = table.ranked();
console.log(`\nBest place: ${JSON.stringify(best?.site)}\n${String(best?.score)}`);
