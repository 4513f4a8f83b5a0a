import { beforeAll, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  type CausalLanguageModel,
  CollectIntervention,
  GPT2LMHeadModel,
  IntervenableModel,
  type PreTrainedTokenizer,
  probeScore,
  ProbeScores,
  probeSweep,
  type Tensor,
  toSvg,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";

let model: CausalLanguageModel;
let tokenizer: PreTrainedTokenizer;
let scores: ProbeScores;
const countries = ["Italy", "Spain", "France", "Japan", "China", "Peru"];
const texts = countries.flatMap((country) => [
  `The capital of ${country} is`,
  `The city of ${country} is`,
]);
const labels = texts.map((text) => text.includes("capital"));
const sites = { component: "block_output", layer: [0, 3] };

beforeAll(async () => {
  model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
  tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
  scores = await probeSweep(model, { tokenizer, texts, labels, sites, read: [0, 1], folds: 3 });
});

test("what is in a token is told there, and not before it", () => {
  for (const layer of [0, 3]) {
    expect(scores.accuracy.valueAt({ layer, position: 1 })).toBe(1);
    expect(scores.accuracy.valueAt({ layer, position: 0 })).toBeLessThanOrEqual(0.5);
    expect(scores.selectivity.valueAt({ layer, position: 1 })).toBeCloseTo(
      1 - scores.control.valueAt({ layer, position: 1 }),
      10,
    );
  }
  expect([scores.majority, scores.n]).toEqual([0.5, 12]);
});

test("each score is that of the collected states", async () => {
  const reader = new IntervenableModel({ layer: 3, intervention: CollectIntervention }, model);
  const { collected } = reader.forward(tokenizer.tokenize(texts, { padding: true }), {
    unitLocations: { base: 1 },
  });
  const alone = await probeScore(collected[0] as Tensor, labels, { folds: 3 });
  const at = { layer: 3, position: 1 };
  expect(scores.accuracy.valueAt(at)).toBe(alone.accuracy);
  expect(scores.control.valueAt(at)).toBe(alone.control);
  expect([scores.low.valueAt(at), scores.high.valueAt(at)]).toEqual([...alone.interval]);
});

test("a model with random weights tells what words give away, and no more", async () => {
  const asked = { tokenizer, texts, labels, sites, read: [0, 1], folds: 3 };
  const untrained = new GPT2LMHeadModel((model as GPT2LMHeadModel).config).eval();
  const seen: number[][] = [];
  const onProgress = (...done: number[]): void => void seen.push(done);
  const both = await probeSweep(model, { ...asked, untrained, onProgress });
  expect(both.accuracy.values).toEqual(scores.accuracy.values);
  expect(both.untrained?.shape).toEqual([1, 2, 2]);
  expect(both.untrained?.valueAt({ layer: 0, position: 1 })).toBe(1); // the word itself
  expect(both.untrained?.valueAt({ layer: 0, position: 0 })).toBeLessThanOrEqual(0.5);
  const itself = await probeSweep(model, { ...asked, untrained: model });
  expect(itself.untrained?.values).toEqual(scores.accuracy.values);
  expect(seen.at(-1)).toEqual([8, 8]);
  expect(String(ProbeScores.fromJSON(JSON.parse(JSON.stringify(both))))).toBe(String(both));
  expect(String(both)).toContain("accuracy with random weights");
  const small = new GPT2LMHeadModel({ nLayer: 1, nEmbd: 8, nHead: 2, vocabSize: 4000 });
  await expect(
    probeSweep(model, { ...asked, sites: { layer: "all" }, untrained: small }),
  ).rejects.toThrow(/untrained has other layers/);
});

test("scores are kept as JSON, written and drawn", async () => {
  expect(String(ProbeScores.fromJSON(JSON.parse(JSON.stringify(scores))))).toBe(String(scores));
  expect(String(scores)).toContain("12 texts; the most frequent class is 0.50 of them");
  expect(await toSvg(scores.plot())).toContain("Accuracy of probes");
});

refusesEach([
  [
    "labels that are not as many",
    () => probeSweep(model, { tokenizer, texts, labels: [1, 0], sites }),
    /labels are 2, but there are 12 texts/,
  ],
  [
    "groups that are not as many",
    () => probeSweep(model, { tokenizer, texts, labels, groups: ["a"], sites }),
    /groups are 1, but there are 12 texts/,
  ],
  [
    "an axis that is not read",
    () =>
      untyped({ probeSweep }).probeSweep(model, { tokenizer, texts, labels, sites: { step: 1 } }),
    /there is no option step/,
  ],
  [
    "another name of an option",
    () => untyped({ probeSweep }).probeSweep(model, { tokenizer, texts, labels, sites, fold: 3 }),
    /there is no option fold; did you mean folds/,
  ],
]);
