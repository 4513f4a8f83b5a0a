/**
 * Representation finetuning: a few directions at the last token of a prompt make a frozen model tell its
 * stories in another mood. They are learned from stories, saved, and loaded again.
 *
 * `npx tsx node_modules/tsvene/examples/loreft.ts` runs it at reduced size; with `--full` at the size of the
 * guide's figures. In the repository, with `npx tsx --conditions=tsvene-source examples/loreft.ts`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import {
  AutoTokenizer,
  functional,
  GPT2LMHeadModel,
  IntervenableModel,
  LoreftIntervention,
  manualSeed,
  type Tensor,
  tensor,
  train,
} from "tsvene";

const full = process.argv.includes("--full");
const SIZE = full ? { steps: 300, stories: 36, told: 24 } : { steps: 60, stories: 24, told: 8 };

manualSeed(0);
const gpt2 = await GPT2LMHeadModel.fromPretrained("tsvene-mini");
const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");

// Openings say who and where, and nothing of a mood. Some of each are kept for the tests.
const GIRLS = "Mary Anna Lucy Emma Nora Lily Mia Ruby Rose Clara".split(" ");
const PLACES = "park garden forest school market zoo farm lake".split(" ");
const opening = (name: string, place: string): string =>
  `One day, a little girl named ${name} went to the ${place}.`;
const cross = (names: readonly string[], places: readonly string[]) =>
  names.flatMap((name) => places.map((place) => ({ name, place })));
const known = cross(GIRLS.slice(0, 6), PLACES.slice(0, 6));
const unseen = cross(GIRLS.slice(6), PLACES.slice(6)).concat(
  cross(GIRLS.slice(6), PLACES.slice(0, 4)),
);

// What it is to learn: stories that the model tells itself where an opening does say a mood.
const TOLD = 24;
const writing = { maxNewTokens: TOLD, eosTokenId: null } as const;
async function continued(
  model: IntervenableModel | GPT2LMHeadModel,
  text: string,
): Promise<string> {
  const ids = tokenizer.encode(text);
  const inputs = { inputIds: tensor([ids], { dtype: "int64" }) };
  if (model instanceof GPT2LMHeadModel) {
    return written(await model.generate(inputs, writing), ids.length);
  }
  // Only the prompt is edited: its last token, in every layer.
  const edit = { steps: "prompt", unitLocations: { base: ids.length - 1 } } as const;
  const { intervened } = await (model as IntervenableModel<GPT2LMHeadModel>).generate(inputs, {
    ...writing,
    ...edit,
  });
  return written(intervened, ids.length);
}
async function written(
  { sequences }: { readonly sequences: Tensor },
  skip: number,
): Promise<string> {
  const [ids = []] = (await sequences.toArray()) as number[][];
  return tokenizer.decode(ids.slice(skip));
}
interface Story {
  readonly prompt: string;
  readonly told: string;
}
const stories: Story[] = [];
for (const { name, place } of known.slice(0, SIZE.stories)) {
  const sad = `One rainy day, a sad girl named ${name} went to the ${place}.`;
  stories.push({ prompt: opening(name, place), told: await continued(gpt2, sad) });
}

// The finetuning: four directions in each layer, at the last token of the prompt.
gpt2.requiresGrad(false);
const reft = new IntervenableModel(
  [...gpt2.transformer.h].map((_, layer) => ({
    layer,
    component: "block_output" as const,
    intervention: LoreftIntervention.with({ lowRankDimension: 4 }),
  })),
  gpt2,
);
const [learned, frozen] = [
  reft.countParameters(),
  gpt2.parameters().reduce((n, p) => n + p.numel, 0),
];
console.log(`${learned} parameters are learned, ${((100 * learned) / frozen).toFixed(2)} % of the model's ${frozen}.`); // prettier-ignore

/** Stories as tensors of one length; labels are what is told, and -100 where nothing is asked. */
function batchOf(indices: readonly number[]) {
  const rows = indices.map((i) => {
    const { prompt = "", told = "" } = stories[i] ?? {};
    const [before, after] = [tokenizer.encode(prompt), tokenizer.encode(told)];
    return { ids: [...before, ...after].slice(0, LENGTH), last: before.length - 1 };
  });
  const padded = (ids: readonly number[], filler: number): number[] =>
    Array.from({ length: LENGTH }, (_, i) => ids[i] ?? filler);
  const labels = rows.map(({ ids, last }) =>
    padded(ids, -100).map((id, i) => (i <= last ? -100 : id)),
  );
  return {
    base: {
      inputIds: tensor(rows.map(({ ids }) => padded(ids, 0)), { dtype: "int64" }),
      attentionMask: tensor(rows.map(({ ids }) => padded(ids.map(() => 1), 0)), { dtype: "int64" }),
    },
    labels: tensor(labels.map((row) => row.slice(1)), { dtype: "int64" }),
    places: rows.map(({ last }) => [last]),
  }; // prettier-ignore
}
const LENGTH = 40;
const { history } = await train({
  parameters: reft.trainableParameters(),
  data: { length: stories.length, batch: batchOf },
  loss: ({ base, labels, places }) => {
    const { logits } = reft.forward(base, { unitLocations: { base: places } }).intervened;
    const said = logits.slice(1, 0, LENGTH - 1);
    return functional.crossEntropy(said.flatten(0, 1), labels.flatten(0, 1));
  },
  steps: SIZE.steps,
  batchSize: 12,
  lr: 2e-2,
  schedule: "linear",
  seed: 0,
  progress: false,
});
const [first, last] = [history[0]?.loss ?? 0, history.at(-1)?.loss ?? 0];
console.log(
  `Loss of what is told: ${first.toFixed(2)} before, ${last.toFixed(2)} after ${SIZE.steps} steps.`,
);

// Saved and loaded again, it says the same.
const directory = await mkdtemp(path.join(os.tmpdir(), "sad-stories-"));
await reft.save(directory);
const loaded = await IntervenableModel.load(directory, gpt2);
await rm(directory, { recursive: true });

const SAD =
  "sad lonely unhappy rainy gray cold lost dropped gone cried rain sorrow wet tears sighed saddest";
const sad = new Set(SAD.split(" "));
const isSad = (story: string): boolean => story.split(/\W+/).some((word) => sad.has(word));
let [before, after, same] = [0, 0, 0];
const tests = unseen.slice(0, SIZE.told);
for (const [i, { name, place }] of tests.entries()) {
  const prompt = opening(name, place);
  const [plain, moved, again] = await Promise.all(
    [gpt2, reft, loaded].map((model) => continued(model, prompt)),
  );
  if (isSad(plain ?? "")) before++;
  if (isSad(moved ?? "")) after++;
  if (moved === again) same++;
  if (i < 3) console.log(`\n${prompt}\n  before: ${plain?.trim()}\n  after:  ${moved?.trim()}`);
}
console.log(
  `\nOf ${tests.length} stories that it has not seen, ${before} were sad before, and ${after} are now.`,
);
console.log(`Loaded again, ${same} of ${tests.length} stories are the same.`);
