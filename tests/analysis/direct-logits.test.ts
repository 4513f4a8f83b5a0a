import { describe, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  CollectIntervention,
  DirectLogits,
  directLogits,
  GPT2LMHeadModel,
  IntervenableModel,
  type Tensor,
  tensor,
  toSvg,
  ZeroIntervention,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";
import { DECODERS } from "./families.ts";

const inputIds = tensor([[5, 7, 9, 11, 13, 2]], { dtype: "int64" });
const gpt2 = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval();

/** Norms are taken of sums in these, so that there are no parts that add up. */
const WITHOUT_STREAM = ["opt_post_norm"];
const WITH_STREAM = DECODERS.filter((name) => !WITHOUT_STREAM.includes(name));

/** In these, experts are mixed, so that an MLP has no neurons of its own. */
const EXPERTS = ["mixtral", "qwen3_moe", "gpt_oss"];

/** The neurons of each MLP, and its biases, sum to its part. */
function expectNeurons({ neurons, neuronBias, values, nodes }: DirectLogits): void {
  const layers = nodes.filter(({ kind }) => kind === "mlp").length;
  expect(neurons?.shape).toEqual([layers, neurons?.axis("neuron").values.length]);
  expect(Math.max(...(neurons?.values ?? []).map(Math.abs))).toBeGreaterThan(1e-4);
  for (let layer = 0; layer < layers; layer++) {
    const own = [...(neurons?.at({ layer }).values ?? [])];
    const sum = own.reduce((a, b) => a + b, neuronBias?.valueAt({ layer }) ?? NaN);
    expect(Math.abs(sum - values.valueAt({ component: `m${layer}` }))).toBeLessThan(1e-5);
  }
}

describe.each(WITH_STREAM)("%s", (name) => {
  test("all parts and the remainder sum to the difference of logits", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const neurons = !EXPERTS.includes(name);
    const direct = await directLogits(model, { inputIds }, { right: 3, wrong: [1, 2], neurons });
    if (neurons) expectNeurons(direct);
    const sum = direct.values.values.reduce((a, b) => a + b, direct.remainder);
    expect(Math.abs(sum - direct.total)).toBeLessThan(1e-5);
    const { logits } = model.forward({ inputIds });
    const [row = []] = await logits.select(1, -1).toArray(2);
    const [one = 0, two = 0, three = 0] = [1, 2, 3].map((id) => row[id]);
    const difference = three - (one + two) / 2;
    const cap = (model.config as { readonly finalLogitSoftcapping?: number | null }).finalLogitSoftcapping; // prettier-ignore
    if (cap === undefined || cap === null) expect(direct.total).toBeCloseTo(difference, 5);
    else expect(direct.total).not.toBe(difference);
    expect(direct.values.axis("component").values.slice(0, 2)).toEqual(["input", "a0.h0"]);
    const whole = direct.byLayer.values.reduce((a, b) => a + b, direct.remainder);
    expect(Math.abs(whole - direct.total)).toBeLessThan(1e-5);
  });
});

test("takes one logit apart at any position, where biases are 0 without a remainder", async () => {
  const direct = await directLogits(gpt2, { inputIds }, { right: 4, position: 2 });
  const { logits } = gpt2.forward({ inputIds });
  expect(await logits.select(1, 2).select(1, 4).item()).toBeCloseTo(direct.total, 5);
  expect(direct.heads.shape).toEqual([2, 2]);
  expect(direct.heads.valueAt({ layer: 1, head: 0 })).toBe(
    direct.values.valueAt({ component: "a1.h0" }),
  );
  expect(direct.remainder).toBeCloseTo(0, 5);
});

test("finds what names the capital in tsvene-mini, and draws it", async () => {
  const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
  const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
  const text = "The capital of Italy is";
  const direct = await directLogits(model, text, { tokenizer, right: " Rome", wrong: " Madrid" });
  expect(direct.total).toBeGreaterThan(5);
  const back = DirectLogits.fromJSON(JSON.parse(JSON.stringify(direct)) as never);
  expect(String(back)).toBe(String(direct));
  const svg = await toSvg(direct.plot());
  for (const name of ["a4.h3", "m2", "remainder", "logit difference"]) expect(svg).toContain(name);
});

test("a neuron's share is what is lost when it is silenced in the last layer, with the norm's scale", async () => {
  const model = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval();
  const whole = await directLogits(model, { inputIds }, { right: 3, neurons: [1] });
  expect(whole.neurons?.shape).toEqual([1, 64]);
  const last = new IntervenableModel({ layer: 1, intervention: CollectIntervention }, model);
  const both = new IntervenableModel(
    [
      {
        layer: 1,
        component: "mlp_activation",
        intervention: ZeroIntervention.with({ interchangeDim: [7] }),
      },
      { layer: 1, intervention: CollectIntervention },
    ],
    model,
  );
  const at = { unitLocations: { base: "last" } } as const;
  const [state] = last.forward({ inputIds }, at).collected;
  const [other] = both.forward({ inputIds }, at).collected;
  const lost = (state as Tensor)
    .sub(other as Tensor)
    .squeeze(0)
    .squeeze(0);
  const centred = (state as Tensor).sub((state as Tensor).mean({ dim: -1, keepdim: true }));
  const scale = centred.square().mean().add(1e-5).sqrt();
  const { ln_f } = model.transformer;
  const direction = model.lm_head.weight.value.select(0, 3).mul(ln_f.weight?.value);
  const wanted = await lost.sub(lost.mean()).mul(direction).sum().div(scale).item();
  expect(whole.neurons?.valueAt({ layer: 1, neuron: 7 })).toBeCloseTo(wanted, 5);
  const back = DirectLogits.fromJSON(JSON.parse(JSON.stringify(whole)) as never);
  expect(back.neurons?.values).toEqual(whole.neurons?.values);
});

describe("what is refused", () => {
  const direct = untyped({ directLogits }).directLogits;
  refusesEach([
    ["no answer", () => direct(gpt2, { inputIds }, {}), /right is missing/],
    ["an answer that is none", () => direct(gpt2, { inputIds }, { right: 20 }), /right must be a text or an id below 20/],
    ["a text without a tokenizer", () => direct(gpt2, { inputIds }, { right: " Rome" }), /right is a text, which needs a tokenizer/],
    ["a position beyond the text", () => direct(gpt2, { inputIds }, { right: 1, position: 6 }), /from -6 to 5, got 6/],
    ["neurons where experts are mixed", async () => direct(await AutoModelForCausalLM.fromPretrained(golden("mixtral")), { inputIds }, { right: 1, neurons: true }), /MLP of layer 0 of MixtralForCausalLM is no linear function of neurons/],
    ["neurons of a layer that is not there", () => direct(gpt2, { inputIds }, { right: 1, neurons: [2] }), /layers from 0 to 1 .* got 2/],
    ["a model whose parts do not add up", async () => direct(await AutoModelForCausalLM.fromPretrained(golden("opt_post_norm")), { inputIds }, { right: 1 }), /no residual stream can be taken apart/],
  ]); // prettier-ignore
});
