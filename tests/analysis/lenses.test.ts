import { describe, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  AutoModelForMaskedLM,
  AutoModelForSeq2SeqLM,
  AutoTokenizer,
  functional,
  GPT2LMHeadModel,
  LensReading,
  logitLens,
  type Module,
  type NamedArray,
  type Tensor,
  tensor,
  toSvg,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";
import { DECODERS, RECURRENT } from "./families.ts";

const IDS = [5, 7, 9, 11, 13, 2];
const inputIds = tensor([IDS], { dtype: "int64" });
const gpt2 = new GPT2LMHeadModel({ nLayer: 3, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval();

type Says = (inputs: unknown) => { readonly logits: Tensor };

/** What a model says at each position: the logit and log probability of a token, the entropy. */
async function saidBy(model: Module, inputs: unknown, token: number): Promise<number[][]> {
  const { logits } = (model.forward as Says).call(model, inputs);
  const logP = functional.logSoftmax(logits.squeeze(0), -1);
  const columns = [
    logits.squeeze(0).select(1, token),
    logP.select(1, token),
    logP.exp().mul(logP).sum({ dim: -1 }).neg(),
  ];
  return Promise.all(columns.map(async (column) => column.toArray(1)));
}

function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? NaN))));
}

/** The last entry of a reading is the model's own answer. */
async function expectEnd(model: Module, inputs: object): Promise<LensReading> {
  const reading = await logitLens(model, inputs, { target: 3, k: 2 });
  const end = (array: NamedArray): Float64Array => array.at({ layer: "output" }).values;
  const [logit = [], logP = [], entropy = []] = await saidBy(model, inputs, 3);
  expect(apart(end(reading.targetLogit), logit)).toBeLessThan(2e-6);
  expect(apart(end(reading.targetLogProbability), logP)).toBeLessThan(2e-6);
  expect(apart(end(reading.entropy), entropy)).toBeLessThan(2e-6);
  expect(Math.max(...end(reading.kl).map(Math.abs))).toBeLessThan(1e-6);
  expect(Math.max(...reading.kl.at({ layer: 0 }).values)).toBeGreaterThan(1e-4);
  return reading;
}

describe.each([...DECODERS, ...RECURRENT])("%s", (name) => {
  test("the last state says what the model says", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const reading = await expectEnd(model, { inputIds });
    expect(reading.kl.axis("layer").values.at(-1)).toBe("output");
    expect(reading.ids.shape.slice(1)).toEqual([IDS.length, 2]);
  });
});

test("a model that fills gaps, and the decoder of one in two halves", async () => {
  const bert = await AutoModelForMaskedLM.fromPretrained(golden("bert"));
  await expectEnd(bert, { inputIds });
  const t5 = await AutoModelForSeq2SeqLM.fromPretrained(golden("t5"));
  await expectEnd(t5, { inputIds, decoderInputIds: inputIds });
});

test("each state passes the model's own norm and matrix, with its own scale", async () => {
  const { transformer, lm_head } = gpt2;
  const reading = await logitLens(gpt2, { inputIds }, { target: [1, 2, 3, 4, 5, 6], k: 20 });
  const embedded = transformer.wte
    .forward(inputIds)
    .add(transformer.wpe.weight.value.narrow(0, 0, 6));
  const logits = lm_head.forward(transformer.ln_f.forward(embedded)).squeeze(0);
  const rows = await logits.toArray(2);
  const targets = rows.map((row, i) => row[i + 1] ?? NaN);
  expect(apart(reading.targetLogit.at({ layer: 0 }).values, targets)).toBeLessThan(1e-6);
  const ranks = rows.map((row, i) => 1 + row.filter((value) => value > (targets[i] ?? 0)).length);
  expect([...reading.targetRank.at({ layer: 0 }).values]).toEqual(ranks);
  const best = rows.map((row) => row.indexOf(Math.max(...row)));
  expect([...reading.ids.at({ layer: 0, rank: 1 }).values]).toEqual(best);
  const total = reading.logProbabilities
    .at({ layer: 1, position: 2 })
    .values.reduce((sum, value) => sum + Math.exp(value), 0);
  expect(total).toBeCloseTo(1, 5);
});

test("shows when tsvene-mini comes to its answer", async () => {
  const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
  const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
  const reading = await logitLens(model, "The capital of Italy is", { tokenizer });
  expect(reading.top({ layer: "output", position: 4 })[0]?.token).toBe(" Rome");
  expect(reading.targetRank.at({ position: 4 }).values.at(-1)).toBe(1);
  const back = LensReading.fromJSON(JSON.parse(JSON.stringify(reading)) as never);
  expect(String(back)).toBe(String(reading));
  expect(String(reading).split("\n").slice(1, 4)).toEqual([
    "           The    capital    of     Italy    is",
    "output   country    of     Armenia   is     Rome",
    "layer 4  teacher    of      China    is     Rome",
  ]);
  const svg = await toSvg(reading.plot({ color: "rank", title: "When it knows" }));
  for (const text of ["Armenia", "When it knows", "rank"]) expect(svg).toContain(text);
});

describe("what a lens refuses", () => {
  const lens = untyped({ logitLens }).logitLens;
  const two = tensor([IDS, IDS], { dtype: "int64" });
  refusesEach([
    ["no model", () => lens({}, { inputIds }), /first a model/],
    ["a text without a tokenizer", () => lens(gpt2, "hello"), /a text needs a tokenizer/],
    ["several texts", () => lens(gpt2, { inputIds: two }), /\[2, 6\].*narrow/],
    ["an option of another library", () => lens(gpt2, { inputIds }, { topK: 3 }), /no option topK/],
    ["more tokens than there are", () => lens(gpt2, { inputIds }, { k: 21 }), /1 to 20, the vocabulary/],
    ["a target beyond the vocabulary", () => lens(gpt2, { inputIds }, { target: 20 }), /below 20, got 20/],
    ["targets of another text", () => lens(gpt2, { inputIds }, { target: [1, 2] }), /2 tokens, but there are 6/],
    ["a model without a stream", async () => lens(await AutoModelForCausalLM.fromPretrained(golden("gru_lm")), { inputIds }), /GRU.* has no layers on a residual stream/],
    ["a model without a head", () => lens(gpt2.transformer, { inputIds }), /GPT2Model gives no logits/],
  ]); // prettier-ignore
});
