/**
 * An intervened model as a layer of a larger module, trained end to end, saved and loaded.
 *
 * tsvene-mini stays as it is and reads "The capital of Spain is". A classifier should tell the continent
 * from what the model holds at the last word, of countries that it was not trained on. What is there is on
 * its way to a capital; a learned intervention in the first layer, trained together with the classifier
 * through the frozen model, may ask for something else.
 *
 * `npx tsx node_modules/tsvene/examples/wrapper.ts` runs it at reduced size; with `--full` at the size of the
 * documented figures. In the repository, with `npx tsx --conditions=tsvene-source examples/wrapper.ts`.
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AutoTokenizer,
  functional as F,
  GPT2Model,
  IntervenableModel,
  Linear,
  loadSafetensors,
  LoreftIntervention,
  manualSeed,
  Module,
  saveSafetensors,
  type Tensor,
  tensor,
  train,
} from "tsvene";

const full = process.argv.includes("--full");
const SIZE = full ? { steps: 200, seeds: [0, 1, 2] } : { steps: 30, seeds: [0] };

const BY_CONTINENT = {
  Europe:
    "Spain Italy France Germany Portugal Greece Austria Ireland Poland Hungary Sweden Norway Denmark Finland Romania Croatia",
  Asia: "Japan China Mongolia Thailand Vietnam Laos India Nepal Iran Iraq Syria Jordan Lebanon Oman Yemen Armenia",
  Africa: "Egypt Libya Tunisia Algeria Morocco Sudan Somalia Kenya Tanzania Angola Ghana Nigeria",
  America: "Brazil Argentina Chile Peru Colombia Ecuador Uruguay Venezuela Cuba Mexico Canada",
} as const;
const countries = Object.values(BY_CONTINENT).flatMap((names, label) =>
  names.split(" ").map((name) => ({ name, label })),
);
// One country in four is trained on.
const groups = {
  train: countries.filter((_, i) => i % 4 === 0),
  test: countries.filter((_, i) => i % 4 !== 0),
};

const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
const gpt2 = (await GPT2Model.fromPretrained("tsvene-mini")).requiresGrad(false);

/** The frozen model with an intervention inside, and a classifier on top. */
class Classifier extends Module {
  readonly reader: IntervenableModel<GPT2Model>;
  readonly head = new Linear(gpt2.config.nEmbd, 4);

  constructor() {
    super();
    const edit = LoreftIntervention.with({ lowRankDimension: 4 });
    this.reader = new IntervenableModel(
      { name: "edit", layer: 0, component: "block_output", intervention: edit },
      gpt2,
    );
  }

  override forward(prompts: { readonly inputIds: Tensor }): Tensor {
    const { intervened } = this.reader.forward(prompts, { unitLocations: { base: "last" } });
    return this.head.forward(intervened.lastHiddenState.select(1, -1));
  }

  /** What was learned: everything but the frozen model. */
  learned(): Record<string, Tensor> {
    const entries = Object.entries(this.stateDict());
    return Object.fromEntries(entries.filter(([name]) => !name.startsWith("reader.model.")));
  }
}

/** Prompts as ids, and what the classifier should say. */
function encode(rows: readonly { name: string; label: number }[]) {
  const { inputIds } = tokenizer.tokenize(rows.map(({ name }) => `The capital of ${name} is`));
  return {
    inputIds,
    labels: tensor(
      rows.map(({ label }) => label),
      { dtype: "int64" },
    ),
  };
}

const data = { train: encode(groups.train), test: encode(groups.test) };

async function accuracy(classifier: Classifier, { inputIds, labels }: typeof data.test) {
  const right = classifier.eval().forward({ inputIds }).argmax(1).eq(labels);
  return right.to("float32").mean().item();
}

async function trained(seed: number, parts: (name: string) => boolean): Promise<Classifier> {
  manualSeed(seed);
  const classifier = new Classifier();
  for (const [name, parameter] of classifier.namedParameters()) {
    if (!parts(name)) parameter.requiresGrad = false;
  }
  await train({
    parameters: classifier,
    data: { length: groups.train.length, batch: (indices: readonly number[]) => indices },
    loss: (rows) => {
      const logits = classifier.forward({ inputIds: data.train.inputIds.indexSelect(0, rows) });
      return F.crossEntropy(logits, data.train.labels.indexSelect(0, rows));
    },
    steps: SIZE.steps,
    batchSize: groups.train.length,
    lr: 1e-2,
    seed,
  });
  return classifier;
}

const PARTS = {
  "the classifier alone": (name: string) => name.startsWith("head."),
  "with the intervention": (name: string) => !name.startsWith("reader.model."),
};

/** Trains a classifier for each seed, prints how often each is right, and gives the last one. */
async function compare(): Promise<Classifier | undefined> {
  let last: Classifier | undefined;
  for (const seed of SIZE.seeds) {
    for (const [what, parts] of Object.entries(PARTS)) {
      last = await trained(seed, parts);
      const [own, unseen] = [await accuracy(last, data.train), await accuracy(last, data.test)];
      console.log(
        `seed ${seed}, ${what}: ${own.toFixed(3)}, of unseen countries ${unseen.toFixed(3)}`,
      );
    }
  }
  return last;
}

const best = await compare();
if (best !== undefined) {
  // A module like any other: its learned part is saved, and goes into a new one.
  const file = join(await mkdtemp(join(tmpdir(), "wrapper-")), "classifier.safetensors");
  const learned = best.learned();
  await saveSafetensors(file, learned);
  const again = new Classifier();
  again.loadStateDict(Object.fromEntries(await loadSafetensors(file)), { strict: false });
  const count = Object.values(learned).reduce((n, { numel }) => n + numel, 0);
  const same = (await accuracy(again, data.test)) === (await accuracy(best, data.test));
  console.log(`${count} numbers saved and loaded: ${same ? "the same" : "another"} accuracy`);
}
