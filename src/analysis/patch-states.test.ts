import { beforeAll, describe, expect, test } from "vitest";
import { VanillaIntervention } from "../interventions/vanilla.ts";
import { IntervenableModel } from "../intervenable/intervenable-model.ts";
import { AutoModelForCausalLM } from "../models/catalogue/auto.ts";
import type { CausalLanguageModel } from "../models/model/causal-language-model.ts";
import "../runtime/index.ts";
import { AutoTokenizer } from "../tokenizers/auto-tokenizer.ts";
import type { PreTrainedTokenizer } from "../tokenizers/tokenizer.ts";
import { patchPlot } from "./patch-plot.ts";
import { patchStates } from "./patch-states.ts";

let model: CausalLanguageModel;
let tokenizer: PreTrainedTokenizer;

const TEXTS = {
  base: "The capital of Spain is",
  source: "The capital of Italy is",
  answer: " Rome",
};

beforeAll(async () => {
  model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
  tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
});

/** The same by hand: one place, one run. */
async function logitsAt(layer: number, component: string, position: number): Promise<number[]> {
  const place = { layer, component, intervention: VanillaIntervention };
  const { intervened } = new IntervenableModel(place, model).forward(
    tokenizer.tokenize(TEXTS.base),
    { sources: tokenizer.tokenize(TEXTS.source), unitLocations: { "sources->base": position } },
  );
  const { logits } = intervened;
  return logits.select(1, -1).select(0, 0).toArray(1);
}

describe("patchStates", () => {
  test("finds the country where it is, as runs by hand do", async () => {
    const patched = await patchStates(model, tokenizer, TEXTS);
    expect(patched.values.map((row) => row.map(Math.round))).toEqual([
      [0, 0, 0, 1, 0],
      [0, 0, 0, 0, 1],
      [0, 0, 0, 0, 1],
      [0, 0, 0, 0, 1],
      [0, 0, 0, 0, 1],
    ]);
    expect([patched.base, patched.source].map(Math.round)).toEqual([0, 1]);
    const logits = await logitsAt(0, "block_input", 3);
    const exps = logits.map(Math.exp);
    const sum = exps.reduce((a, b) => a + b, 0);
    const [rome = 0] = tokenizer.encode(" Rome");
    expect(patched.values[0]?.[3]).toBeCloseTo((exps[rome] ?? 0) / sum, 5);
  });

  test("compares logits, at some layers of another component", async () => {
    const options = { ...TEXTS, against: " Madrid", component: "mlp_output", layers: [1] };
    const { measure, values, layers } = await patchStates(model, tokenizer, options);
    const logits = await logitsAt(1, "mlp_output", 4);
    const [rome = 0, madrid = 0] = [" Rome", " Madrid"].map((text) => tokenizer.encode(text)[0]);
    expect([measure, layers]).toEqual(["logitDifference", [1]]);
    expect(values[0]?.[4]).toBeCloseTo((logits[rome] ?? 0) - (logits[madrid] ?? 0), 3);
  });

  test.each([
    [{ source: "The capital" }, /base has 5 tokens and source 2.*\n.*" Spain"/s],
    [{ answer: "Rome" }, /"Rome" is 2 tokens \("R" "ome"\).*a space before them: " Rome"/],
    [{ answer: "" }, /answer "" is 0 tokens/],
    [{ base: "" }, /base is empty/],
    [{ component: "mlp_outputs" }, /no component "mlp_outputs"; did you mean mlp_output/],
    [{ layers: [5] }, /there is no layer 5; layers are 0 to 4/],
  ])("refuses %o", async (wrong, message) => {
    await expect(patchStates(model, tokenizer, { ...TEXTS, ...wrong })).rejects.toThrow(message);
  });

  test("stops between layers", async () => {
    const controller = new AbortController();
    const done: number[] = [];
    const onProgress = (layers: number): void => {
      done.push(layers);
      controller.abort();
    };
    const options = { ...TEXTS, onProgress, signal: controller.signal };
    await expect(patchStates(model, tokenizer, options)).rejects.toThrow(/abort/);
    expect(done).toEqual([1]);
  });

  test("names a plot's columns by both texts where they differ", async () => {
    const patched = await patchStates(model, tokenizer, { ...TEXTS, layers: [0] });
    const { title, subtitle, columns, domain } = patchPlot(patched, TEXTS);
    expect(columns).toEqual(["The", " capital", " of", "Spain→Italy", " is"]);
    expect(title).toBe('Probability of " Rome" after "The capital of Spain is"');
    expect(subtitle).toContain("block_input");
    expect(domain).toEqual([0, 1]);
  });
});
