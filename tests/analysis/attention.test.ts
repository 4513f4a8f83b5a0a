import { Script } from "node:vm";
import { describe, expect, test } from "vitest";
import {
  attentionPage,
  attentionPatterns,
  attentionPlot,
  AutoModelForCausalLM,
  AutoModelForSeq2SeqLM,
  AutoTokenizer,
  CollectIntervention,
  GPT2LMHeadModel,
  headScores,
  IntervenableModel,
  type ModelCard,
  Module,
  NamedArray,
  randomRepeats,
  type Tensor,
  tensor,
  toSvg,
} from "tsvene";
import { range } from "../../src/base/lists.ts";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";
import { DECODERS } from "./families.ts";

const IDS = [5, 7, 9, 11, 13, 2];
const inputIds = tensor([IDS], { dtype: "int64" });
/** The matrix that heads write with in layer 1. */
const OUTPUT = /(?:h|layers)\.1\.(?:attn\.c_proj|self_attn\.o_proj)\.weight$/;
const gpt2 = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval();

describe.each(DECODERS)("%s", (name) => {
  test("each query's shares are 1 together, of itself and what came before", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const patterns = await attentionPatterns(model, { inputIds });
    expect(patterns.axes.map((axis) => axis.name)).toEqual(["layer", "head", "query", "key"]);
    expect(patterns.axis("key").labels).toEqual(IDS.map(String));
    // A sink takes a part of each.
    const least = name === "gpt_oss" ? 0 : 1 - 1e-5;
    const sums = patterns.reduce("key", (row) => row.reduce((a, b) => a + b, 0));
    expect(Math.min(...sums.values)).toBeGreaterThan(least);
    expect(Math.max(...sums.values)).toBeLessThan(1 + 1e-5);
    const later = patterns.entries().filter(({ at }) => Number(at["key"]) > Number(at["query"]));
    expect(later.every(({ value }) => value === 0)).toBe(true);
  });
});

describe.each(["gpt2", "llama", "gemma2"])("what the keys of %s say", (name) => {
  test("is their weight times the length of what is written of their value", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const plain = await attentionPatterns(model, { inputIds });
    const shares = await attentionPatterns(model, { inputIds }, { weighting: "value" });
    const { collected } = new IntervenableModel(
      { layer: 1, component: "value_output", intervention: CollectIntervention },
      model,
    ).forward({ inputIds });
    const heads = plain.axis("head").values.length;
    const flat = (await collected[0]?.squeeze(0).toArray(2)) ?? [];
    const weight = Object.entries(model.stateDict()).find(([key]) => OUTPUT.test(key))?.[1];
    const output = await (name === "gpt2" ? weight?.transpose(0, 1) : weight)?.toArray(2);
    const features = (output?.[0]?.length ?? 0) / heads;
    const group = (heads * features) / (flat[0]?.length ?? 1);
    const lengthOf = (key: number, head: number): number => {
      const own = Math.floor(head / group) * features;
      const value = flat[key]?.slice(own, own + features) ?? [];
      const rows = output?.map((row) => row.slice(head * features, (head + 1) * features)) ?? [];
      return Math.hypot(...rows.map((row) => row.reduce((sum, w, i) => sum + w * (value[i] ?? 0), 0))); // prettier-ignore
    };
    for (const head of range(heads)) {
      const at = { layer: 1, head, query: 4 };
      const written = [...plain.at(at).values].map((share, key) => share * lengthOf(key, head));
      const sum = written.reduce((a, b) => a + b, 0);
      const found = [...shares.at(at).values];
      for (const [key, own] of written.entries()) expect(found[key]).toBeCloseTo(own / sum, 5);
    }
  });
});

test("an encoder's attention by name, which looks both ways", async () => {
  const t5 = await AutoModelForSeq2SeqLM.fromPretrained(golden("t5"));
  const inputs = { inputIds, decoderInputIds: inputIds.narrow(1, 0, 2) };
  const own = await attentionPatterns(t5, inputs);
  expect(own.shape.slice(2)).toEqual([2, 2]);
  const other = await attentionPatterns(t5, inputs, { component: "encoder.attention_weight" });
  expect(other.shape.slice(2)).toEqual([6, 6]);
  expect(other.valueAt({ layer: 0, head: 0, query: 0, key: 5 })).toBeGreaterThan(0);
});

/** A model whose attention is what it is told. */
class Told extends Module {
  static readonly card: ModelCard<null> = {
    layers: () => 1,
    components: {
      attention_weight: { path: "weights", side: "output", headsFirst: true, dimension: () => undefined }, // prettier-ignore
    },
  };
  readonly config = null;
  readonly weights: Module;
  constructor(weights: Tensor) {
    super();
    this.weights = new Constant(weights);
  }
  override forward(inputs: unknown): Tensor {
    return (this.weights as Constant).forward(inputs);
  }
}

class Constant extends Module {
  readonly #value: Tensor;
  constructor(value: Tensor) {
    super();
    this.#value = value;
  }
  override forward(_: unknown): Tensor {
    return this.#value;
  }
}

/** Scores of one head that attends as a function says. */
async function scoresOf(
  ids: number[],
  attends: (query: number) => number[],
  period?: number,
): Promise<NamedArray> {
  const inputs = { inputIds: tensor([ids], { dtype: "int64" }) };
  const told = new Told(tensor([[ids.map((_, query) => attends(query))]]));
  const scores = await headScores(told, inputs, period === undefined ? {} : { period });
  return scores.at({ layer: 0, head: 0 });
}

const oneHot = (length: number, at: number): number[] =>
  Array.from({ length }, (_, i) => Number(i === at));

describe("scores of heads", () => {
  const repeated = [3, 1, 4, 3, 1, 4];

  test.each([
    ["previousToken", (t: number) => Math.max(t - 1, 0)],
    ["currentToken", (t: number) => t],
    ["firstToken", () => 0],
    ["repeatInduction", (t: number) => Math.max(t - 2, 0)],
  ] as const)("a head that does nothing but %s scores 1", async (score, at) => {
    const scores = await scoresOf(repeated, (t) => oneHot(6, at(t)), 3);
    expect(scores.valueAt({ score })).toBeCloseTo(1, 6);
    expect(scores.valueAt({ score: "entropy" })).toBeCloseTo(0, 6);
  });

  test("of all attention, what is on such tokens", async () => {
    // Rows without such a token attend to nothing, so that only the pattern is left.
    const only = (at: (t: number) => number) => (t: number) => oneHot(6, t < 3 ? -1 : at(t));
    const duplicates = await scoresOf(repeated, only((t) => t - 3)); // prettier-ignore
    expect(duplicates.valueAt({ score: "duplicateToken" })).toBe(1);
    expect(duplicates.valueAt({ score: "induction" })).toBe(0);
    const induction = await scoresOf(repeated, only((t) => t - 2)); // prettier-ignore
    expect(induction.valueAt({ score: "induction" })).toBe(1);
  });

  test("uniform attention scores the share of the places", async () => {
    const uniform = (t: number): number[] =>
      Array.from({ length: 6 }, (_, s) => (s <= t ? 1 / (t + 1) : 0));
    const scores = await scoresOf(repeated, uniform, 3);
    const rows = [1, 2, 3, 4, 5].map((t) => 1 / (t + 1));
    const mean = rows.reduce((a, b) => a + b, 0) / 5;
    for (const score of ["previousToken", "firstToken", "currentToken"]) {
      expect(scores.valueAt({ score })).toBeCloseTo(mean, 6);
    }
    const half = [1 / 4, 1 / 5, 1 / 6].reduce((a, b) => a + b, 0);
    expect(scores.valueAt({ score: "duplicateToken" })).toBeCloseTo(half / 6, 6);
    expect(scores.valueAt({ score: "repeatInduction" })).toBeCloseTo(half / 3, 6);
    const entropy = [1, 2, 3, 4, 5, 6].reduce((sum, n) => sum + Math.log(n), 0) / 6;
    expect(scores.valueAt({ score: "entropy" })).toBeCloseTo(entropy, 5);
  });

  test("are no number where a text has no such tokens, and are not there without repeats", async () => {
    const scores = await headScores(gpt2, { inputIds });
    expect(scores.at({ score: "duplicateToken" }).values.every(Number.isNaN)).toBe(true);
    expect(scores.axis("score").values).not.toContain("repeatInduction");
    const { inputIds: ids } = randomRepeats({ vocabularySize: 20, length: 4, rows: 2, first: 1 });
    const [row = []] = await ids.toArray(2);
    expect(row.slice(1, 5)).toEqual(row.slice(5));
    const repeats = await headScores(gpt2, { inputIds: ids }, { period: 4 });
    expect(repeats.shape).toEqual([7, 2, 2]);
  });
});

describe("pictures", () => {
  test("triangles of all heads, and tokens where a few are drawn", async () => {
    const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
    const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
    const patterns = await attentionPatterns(model, "The capital of Italy", { tokenizer });
    const all = await toSvg(attentionPlot(patterns));
    for (const text of ["layer 4", "head 3", "1.0"]) expect(all).toContain(text);
    const few = await toSvg(attentionPlot(patterns.at({ layer: 1, head: [0, 2] })));
    expect(few).toContain("capital");
  });

  test("a page that needs nothing else, and is not broken by its tokens", async () => {
    const patterns = await attentionPatterns(gpt2, { inputIds });
    const axes = patterns.axes.map((axis) =>
      axis.name === "query" ? { ...axis, labels: IDS.map(() => "</script>") } : axis,
    );
    const html = attentionPage(
      new NamedArray({ name: patterns.name, axes, values: patterns.values }),
    );
    expect(html).not.toMatch(/https?:|src=|href=/);
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    const data = /type="application\/json">(.*?)<\/script>/s.exec(html)?.[1] ?? "";
    const { values } = JSON.parse(data) as { readonly values: string };
    const bytes = Buffer.from(values, "base64");
    expect([...bytes]).toEqual([...patterns.values].map((value) => Math.round(255 * value)));
    const script = /<script>(.*?)<\/script>/s.exec(html)?.[1] ?? "";
    expect(() => new Script(script)).not.toThrow();
  });
});

describe("what is refused", () => {
  const { attentionPatterns: patterns, headScores: scores } = untyped({ attentionPatterns, headScores }); // prettier-ignore
  refusesEach([
    ["no model", () => patterns({}, { inputIds }), /first a model/],
    ["a model without heads", async () => patterns(await AutoModelForCausalLM.fromPretrained(golden("mamba")), { inputIds }), /Mamba.* has no attention_weight/],
    ["another component", () => patterns(gpt2, { inputIds }, { component: "attention_weights" }), /did you mean attention_weight/],
    ["a period that is none", () => scores(gpt2, { inputIds }, { period: 3 }), /the last 3 tokens of each row are not those before/],
    ["padding", () => scores(gpt2, { inputIds, attentionMask: tensor([[0, 1, 1, 1, 1, 1]]) }), /without padding/],
    ["no vocabulary", () => untyped({ randomRepeats }).randomRepeats({}), /vocabularySize must be 1 or more/],
    ["a weighting that is none", () => patterns(gpt2, { inputIds }, { weighting: "values" }), /weighting/],
    ["values of a component", () => patterns(gpt2, { inputIds }, { weighting: "value", component: "attention_weight" }), /leave out component/],
    ["a plot of something else", () => untyped({ attentionPlot }).attentionPlot([]), /as attentionPatterns gives it/],
  ]); // prettier-ignore
});
