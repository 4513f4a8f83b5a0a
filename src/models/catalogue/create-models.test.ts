import { describe, expect, it } from "vitest";
import "../../runtime/default-runtime.ts";
import {
  createBlip,
  createBlipItm,
  createGpt2Lm,
  createGruClassifier,
  createLlava,
  createMllama,
  createMlpClassifier,
} from "./create-models.ts";
import { GPT2LMHeadModel } from "../families/gpt2/gpt2.ts";
import { GRUForClassification } from "../families/gru/gru.ts";
import { loadPretrained } from "../model/load-pretrained.ts";

const MINI = "tsvene-mini";

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
    await expect(createGpt2Lm("./nowhere", { config })).rejects.toThrow("there is no directory");
  });

  it("load weights in 16 bits, and models that read images", async () => {
    const { model, tokenizer } = await createGpt2Lm(MINI, { dtype: "bfloat16", revision: "main" });
    expect(model.dtype).toBe("bfloat16");
    expect(tokenizer).toBeDefined();
    const recorded = "tests/goldens/models";
    for (const [create, name] of [
      [createLlava, "llava"],
      [createMllama, "mllama"],
      [createBlip, "blip_vqa"],
      [createBlipItm, "blip_itm"],
    ] as const) {
      const created = await create(`${recorded}/${name}`);
      expect(created.config.modelType).toBe(created.model.config.modelType);
      expect(created.model.parameters().length).toBeGreaterThan(0);
      expect(created.tokenizer).toBeUndefined();
    }
  });

  it("say what they need", async () => {
    await expect(createMlpClassifier()).rejects.toThrow("got neither a name nor settings");
  });
});
