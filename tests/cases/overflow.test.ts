import { join } from "node:path";
import {
  AutoModelForCausalLM,
  GPT2LMHeadModel,
  Linear,
  loadSafetensors,
  manualSeed,
  Parameter,
  saveSafetensors,
  tensor,
} from "tsvene";
import { afterEach, describe, expect, test, vi } from "vitest";
import { temporaryDirectory } from "../models/checkpoints.ts";

function gpt2(weight?: number): GPT2LMHeadModel {
  manualSeed(1);
  const model = new GPT2LMHeadModel({ nLayer: 1, nEmbd: 8, nHead: 2, vocabSize: 20 }).eval();
  if (weight === undefined) return model;
  const { bias } = model.transformer.ln_f;
  if (bias === undefined) throw new Error("a norm without a bias");
  bias.set(tensor([0, weight, 0, 0, 0, 0, 0, 0]));
  return model;
}

const inputIds = tensor([[3, 1, 4]], { dtype: "int64" });

describe("a number that an element type cannot hold", () => {
  test.each([
    ["float16", 65520, 65519],
    ["float16", -1e6, -65504],
    ["bfloat16", 3.4e38, 3.38e38],
  ] as const)("is refused on saving as %s: %d", async (dtype, large, fits) => {
    const directory = await temporaryDirectory();
    const model = gpt2(large);
    const name = /transformer\.ln_f\.bias holds .*which b?float16 cannot hold/;
    await expect(model.savePretrained(directory, { dtype })).rejects.toThrow(name);
    expect(() => model.to(dtype)).toThrow(name);
    expect(model.dtype).toBe("float32");
    await model.savePretrained(directory);
    await expect(AutoModelForCausalLM.fromPretrained(directory, { dtype })).rejects.toThrow(name);
    await gpt2(fits).savePretrained(directory, { dtype });
    const loaded = await AutoModelForCausalLM.fromPretrained(directory, { dtype });
    expect(loaded.dtype).toBe(dtype);
  });

  test("is refused in a file of tensors, and before it is put into weights of 16 bits", async () => {
    const path = join(await temporaryDirectory(), "own.safetensors");
    const large = tensor([[1, 2e5]]);
    await expect(saveSafetensors(path, { large: large.to("float16") })).rejects.toThrow(/"large" holds 200000/); // prettier-ignore
    await expect(saveSafetensors(path, { large: large.to("float16").t() })).rejects.toThrow(/"large" holds 200000/); // prettier-ignore
    await saveSafetensors(path, { large, small: tensor([1, 2]).to("float16"), endless: tensor([Infinity]).to("float16") }); // prettier-ignore
    expect([...(await loadSafetensors(path)).keys()].sort()).toEqual(["endless", "large", "small"]);
    const kept = new Parameter(tensor([1, 2]), { name: "scale" });
    kept.keepIn("float16");
    expect(() => kept.set(tensor([1, 7e4]))).toThrow(/scale holds 70000/);
    const layer = new Linear(2, 2, { bias: false });
    layer.weight.set(tensor([[1, 2], [3, 1e5]])); // prettier-ignore
    expect(() => layer.to("float16")).toThrow(/Linear\.to: weight holds 100000/);
    expect(() => layer.to("bfloat16")).not.toThrow();
  });
});

describe("logits that are not finite", () => {
  afterEach(() => void vi.restoreAllMocks());

  test("are said once, where they are read", async () => {
    const said = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const fine = gpt2(2);
    await fine.forward({ inputIds }).logits.data();
    await fine.generate({ inputIds }, { maxNewTokens: 2, eosTokenId: null });
    expect(said).not.toHaveBeenCalled();
    const model = gpt2(Infinity);
    await model.forward({ inputIds }).logits.data();
    await model.forward({ inputIds }).logits.data();
    expect(said.mock.calls.flat().join()).toMatch(/GPT2LMHeadModel: the logits hold -?(Infinity|NaN)/); // prettier-ignore
    expect(said.mock.calls.length).toBeLessThan(3);
  });

  test("are said when a token is chosen by them, and refused where they are not numbers", async () => {
    const said = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const model = gpt2(2);
    // Unlike an infinite state, an infinite row of a matrix makes one logit infinite.
    const weight = await model.lm_head.weight.value.toArray();
    (weight as number[][])[7] = Array.from({ length: 8 }, (_, i) => (i === 1 ? Infinity : 0));
    const table = tensor(weight);
    const bad = new GPT2LMHeadModel({ ...model.config, tieWordEmbeddings: false }).eval();
    bad.lm_head.weight.set(table);
    for (const doSample of [false, true]) {
      const run = bad.generate({ inputIds }, { maxNewTokens: 1, doSample, seed: 1, eosTokenId: null });
      await run.catch((error: unknown) => expect(String(error)).toMatch(/not numbers/));
    }
    const nothing = gpt2(NaN).generate({ inputIds }, { maxNewTokens: 1, eosTokenId: null });
    await expect(nothing).rejects.toThrow(/not numbers/);
    expect(said.mock.calls.length).toBeLessThan(4);
  });
});
