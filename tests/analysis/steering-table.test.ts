import { beforeAll, expect, test } from "vitest";
import {
  AdditionIntervention,
  AutoModelForCausalLM,
  AutoTokenizer,
  type CausalLanguageModel,
  type ContrastData,
  contrastPairs,
  IntervenableModel,
  linePlots,
  type PreTrainedTokenizer,
  type Steering,
  SteeringTable,
  steeringTable,
  steeringVector,
  type Tensor,
  tensor,
  toSvg,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";

let model: CausalLanguageModel;
let tokenizer: PreTrainedTokenizer;
let vectors: Steering<CausalLanguageModel>;
let prompts: ContrastData;
let table: SteeringTable;
const neutral = ["One morning, a cat went to the river.", "The king of the land was old"];
const strengths = [2, -1, 0.5];

beforeAll(async () => {
  model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
  tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
  const about = (country: string): string[] =>
    ["capital", "language", "food", "king"].map((what) => `The ${what} of ${country}`);
  vectors = await steeringVector(model, {
    tokenizer,
    positive: about("Italy"),
    negative: about("Spain"),
    sites: { layer: 1 },
  });
  const spain = { right: " Rome", wrong: " Madrid" };
  prompts = contrastPairs(tokenizer, [
    { clean: "The capital of Spain is", ...spain },
    { clean: "You know that the capital of Spain is", ...spain },
  ]);
  table = await steeringTable(vectors.intervention(), prompts, { strengths, neutral, tokenizer });
});

test("strengths come in order, with the plain model, whose numbers are exact", () => {
  expect(table.strengths).toEqual([-1, 0, 0.5, 2]);
  expect([...table.divergences.at({ strength: 0 }).values]).toEqual([0, 0]);
  expect(table.kl.valueAt({ strength: 2 })).toBeGreaterThan(table.kl.valueAt({ strength: 0.5 }));
  expect(table.effect.valueAt({ strength: 2 })).toBeGreaterThan(
    table.effect.valueAt({ strength: 0 }),
  );
});

test("numbers are those of one run after the other, whatever the budget", async () => {
  const steered = vectors.intervention();
  const [{ inputIds }] = [tokenizer.tokenize(neutral[0] ?? "")];
  const { original, intervened } = steered.forward({ inputIds }, { strength: 2 });
  const [plain, edited] = [original, intervened].map(({ logits }) => logits.logSoftmax(-1));
  const apart = (plain as Tensor).exp().mul((plain as Tensor).sub(edited as Tensor));
  const kl = await apart.sum({ dim: -1 }).mean().item();
  expect(table.divergences.valueAt({ strength: 2, text: 0 })).toBeCloseTo(kl, 4);
  const next = inputIds.size(1) - 1;
  const said = (edited as Tensor).narrow(1, 0, next);
  const loss = said
    .gather(-1, inputIds.narrow(1, 1, next).unsqueeze(-1))
    .sum()
    .neg();
  expect(table.losses.valueAt({ strength: 2, text: 0 })).toBeCloseTo(await loss.item(), 3);
  const few = { strengths, neutral, tokenizer, memoryBudget: 1_200_000 };
  const again = await steeringTable(steered, prompts, few);
  for (const name of ["effects", "divergences", "losses"] as const) {
    table[name].values.forEach((value, i) => {
      expect(again[name].values[i]).toBeCloseTo(value, 3);
    });
  }
});

test("the best strength is within what it may cost", () => {
  expect(table.best()).toBe(2);
  expect(table.best({ maxKl: 0 })).toBe(0);
  expect(table.best({ maxKl: table.kl.valueAt({ strength: 0.5 }) })).toBe(0.5);
  expect(table.best({ maxPerplexityRatio: 1, lowerIsBetter: true })).toBeLessThanOrEqual(0);
});

test("it is kept as JSON, written and drawn", async () => {
  const again = SteeringTable.fromJSON(JSON.parse(JSON.stringify(table)));
  expect(String(again)).toBe(String(table));
  expect(String(table)).toMatch(/strength.*logit difference.*95 %.*KL.*perplexity/);
  const svg = await toSvg(table.plot());
  expect(svg).toContain("KL (nats)");
  expect(svg).toContain("cost on 2 neutral texts");
});

test("a strength for each row is that of each alone", async () => {
  const steered = vectors.intervention();
  const inputs = tokenizer.tokenize(["The capital of Spain is", "The capital of Italy is"]);
  const both = steered.forward(inputs, { strength: [2, -1] }).intervened.logits;
  for (const [row, strength] of [2, -1].entries()) {
    const alone = steered.forward(inputs, { strength }).intervened.logits;
    const apart = both.select(0, row).sub(alone.select(0, row));
    expect(await apart.abs().amax().item()).toBeLessThan(1e-5);
  }
});

refusesEach([
  [
    "no strengths",
    () => steeringTable(vectors.intervention(), prompts, { strengths: [], neutral, tokenizer }),
    /strengths must be a list of finite numbers, got \[\]/,
  ],
  [
    "vectors in place of an intervention",
    () => untyped({ steeringTable }).steeringTable(vectors, prompts, { strengths, neutral }),
    /first a model with interventions, such as steering\.intervention\(\)/,
  ],
  [
    "texts without a tokenizer",
    () => steeringTable(vectors.intervention(), prompts, { strengths, neutral }),
    /neutral texts need a tokenizer/,
  ],
  [
    "texts of one token",
    () =>
      steeringTable(vectors.intervention(), prompts, {
        strengths,
        neutral: { inputIds: tensor([[1]], { dtype: "int64" }) },
      }),
    /one token say nothing of what comes next/,
  ],
  [
    "a budget that is too small",
    () =>
      steeringTable(vectors.intervention(), prompts, {
        strengths,
        neutral,
        tokenizer,
        memoryBudget: 10,
      }),
    /memoryBudget is 10 bytes, but one text takes about/,
  ],
  [
    "an edit that reads a source",
    () =>
      steeringTable(
        new IntervenableModel({ layer: 1, intervention: AdditionIntervention }, model),
        prompts,
        { strengths, neutral, tokenizer },
      ),
    /source/,
  ],
  [
    "as many strengths as there are no rows",
    () =>
      vectors
        .intervention()
        .forward(tokenizer.tokenize("The capital of Spain is"), { strength: [1, 2] }),
    /strength has 2 numbers, but the batch has 1 rows/,
  ],
  ["a limit that is none", () => table.best({ maxKl: -1 }), /maxKl must be 0 or more/],
  [
    "lines of another length",
    () => linePlots([{ title: "a", values: [1] }], { title: "t", x: [1, 2], xTitle: "x" }),
    /a has 1 numbers, but there are 2 places/,
  ],
]);
