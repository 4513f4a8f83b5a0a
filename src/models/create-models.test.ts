import { describe, expect, it } from "vitest";
import "../runtime/run.ts";
import { createGpt2Lm, createGruClassifier, createMlpClassifier } from "./create-models.ts";
import { GPT2LMHeadModel } from "./gpt2/gpt2.ts";
import { GRUForClassification } from "./gru/gru.ts";
import { loadPretrained } from "./load-pretrained.ts";

const MINI = "models/tsvene-mini";

describe("the functions that create models", () => {
  it("load a model with its settings and tokenizer", async () => {
    const { config, tokenizer, model } = await createGpt2Lm(MINI);
    expect(model).toBeInstanceOf(GPT2LMHeadModel);
    expect(config).toBe(model.config);
    const same = await loadPretrained(GPT2LMHeadModel, MINI);
    const inputs = tokenizer?.tokenize("The capital of Spain is");
    if (inputs === undefined) throw new Error("a tokenizer was wanted");
    const wanted = await same.forward(inputs).logits.toArray();
    expect(await model.forward(inputs).logits.toArray()).toEqual(wanted);
  });

  it("make new models of settings", async () => {
    const config = { nLayer: 1, nEmbd: 8, nHead: 2, vocabSize: 20 };
    const named = await createGpt2Lm(MINI, { config });
    expect(named.config.nEmbd).toBe(8);
    expect(named.tokenizer).toBeDefined();
    const { model, tokenizer } = await createGruClassifier(undefined, { config: {} });
    expect(model).toBeInstanceOf(GRUForClassification);
    expect(tokenizer).toBeUndefined();
  });

  it("say what they need", async () => {
    await expect(createMlpClassifier()).rejects.toThrow("got neither a name nor settings");
  });
});
