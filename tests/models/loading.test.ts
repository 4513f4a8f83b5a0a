import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AutoConfig,
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForImageClassification,
  AutoModelForSequenceClassification,
  AutoTokenizer,
  availableDevices,
  type ByteSource,
  type Device,
  FileSource,
  GPT2ForSequenceClassification,
  GPT2LMHeadModel,
  GPT2Model,
  LocalFiles,
  loadSafetensors,
  type PretrainedOptions,
  type RawTensor,
  saveSafetensors,
  type Tensor,
  tensor,
  zeros,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { changedCopy, golden, temporaryDirectory } from "./checkpoints.ts";

const IDS = tensor([[5, 7, 9, 11]], { dtype: "int64" });

async function logitsOf(model: {
  forward: (inputs: { inputIds: Tensor }) => { logits: Tensor };
}): Promise<unknown> {
  return model.forward({ inputIds: IDS }).logits.toArray();
}

async function message(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "nothing was thrown",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/** A directory that counts the bytes read of each file. */
class CountingFiles extends FileSource {
  readonly location = "counting";
  readonly read = new Map<string, number>();
  readonly sizes = new Map<string, number>();
  readonly #inner: LocalFiles;

  constructor(directory: string) {
    super();
    this.#inner = new LocalFiles(directory);
  }

  override exists(path: string): Promise<boolean> {
    return this.#inner.exists(path);
  }

  override async openRange(path: string): Promise<ByteSource> {
    const source = await this.#inner.openRange(path);
    this.sizes.set(path, source.size);
    return {
      name: source.name,
      size: source.size,
      close: () => source.close(),
      read: (begin, end) => {
        this.read.set(path, (this.read.get(path) ?? 0) + end - begin);
        return source.read(begin, end);
      },
    };
  }
}

describe("fromPretrained", () => {
  test("is typed by the class, and ready to use", async () => {
    const model: GPT2LMHeadModel = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
    expect(model).toBeInstanceOf(GPT2LMHeadModel);
    expect(model.training).toBe(false);
    expect(model.transformer.h.at(3).training).toBe(false);
    expect(model.config).toMatchObject({ nLayer: 4, nEmbd: 24, eosTokenId: null });
    expect(model.lm_head.weight).toBe(model.transformer.wte.weight);
  });

  test("holds every weight computed, those kept transposed too", async () => {
    const model = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
    const weight = model.transformer.h.at(1).mlp.c_fc.weight.value;
    expect(weight.shape).toEqual([96, 24]);
    for (const parameter of model.parameters()) expect(parameter.value.values).toBeDefined();
    const stored = await loadSafetensors(join(golden("gpt2"), "model.safetensors"));
    const file = stored.get("transformer.h.1.mlp.c_fc.weight");
    expect(await weight.t().toArray()).toEqual(await file?.toArray());
  });

  test("reads each byte of the weights once", async () => {
    const files = new CountingFiles(golden("gpt2"));
    await GPT2LMHeadModel.fromPretrained(files);
    expect(files.read.get("model.safetensors")).toBe(files.sizes.get("model.safetensors"));
  });

  test("takes names without the prefix and the masks of old checkpoints, as the Hub has them", async () => {
    const directory = await changedCopy("gpt2", {
      tensors: (all) => {
        const entries = [...all];
        all.clear();
        for (const [name, t] of entries) all.set(name.replace("transformer.", ""), t);
        for (let i = 0; i < 4; i++) {
          all.set(`h.${i}.attn.bias`, tensor([[[[1]]]]));
          all.set(`h.${i}.attn.masked_bias`, tensor(-1e4));
        }
      },
    });
    const plain = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
    const hub = await GPT2LMHeadModel.fromPretrained(directory);
    expect(await logitsOf(hub)).toEqual(await logitsOf(plain));
    const base = await GPT2Model.fromPretrained(directory);
    expect(await base.wpe.weight.value.toArray()).toEqual(
      await plain.transformer.wpe.weight.value.toArray(),
    );
  });

  test("reads a model without a head from the checkpoint of one that has a head", async () => {
    const classifier = await GPT2ForSequenceClassification.fromPretrained(
      golden("gpt2_classifier"),
    );
    const base = await GPT2Model.fromPretrained(golden("gpt2_classifier"));
    const { lastHiddenState } = base.forward({ inputIds: IDS });
    const { hiddenStates } = classifier.forward({ inputIds: IDS });
    expect(await lastHiddenState.toArray()).toEqual(await hiddenStates.at(-1)?.toArray());
  });

  test.each(["float16", "bfloat16"] as const)("keeps %s checkpoints as float32", async (dtype) => {
    const plain = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
    const directory = await temporaryDirectory();
    await plain.savePretrained(directory, { dtype });
    const stored = await loadSafetensors(join(directory, "model.safetensors"));
    expect(stored.get("transformer.wte.weight")?.dtype).toBe(dtype);
    const model = await GPT2LMHeadModel.fromPretrained(directory, { dtype: "float32" });
    const [a, b] = [plain, model].map((m) => m.transformer.h.at(0).attn.c_attn.weight.value);
    expect(b?.dtype).toBe("float32");
    const bits = dtype === "float16" ? 11 : 8;
    const exact = await a?.data();
    const rounded = await b?.data();
    exact?.forEach((value: number | bigint, i: number) => {
      const error = Math.abs(Number(value) - Number(rounded?.[i]));
      expect(error).toBeLessThanOrEqual(Math.abs(Number(value)) * 2 ** -bits + 2 ** -25);
    });
    expect(exact).not.toEqual(rounded);
  });

  test.each(["bert", "vit"])("reads %s without the part that was not trained", async (name) => {
    const model = await AutoModel.fromPretrained(golden(name));
    expect(Object.keys(model.stateDict()).filter((key) => key.includes("pooler"))).toEqual([]);
    const directory = await changedCopy(name, {
      tensors: (all) => {
        all.set(`${name}.pooler.dense.weight`, zeros([8, 8]));
      },
    });
    expect(await message(AutoModel.fromPretrained(directory))).toMatch(
      /\w+\.pooler\.dense\.weight has shape \[8, 8\], wanted/,
    );
  });

  test("reads shards", async () => {
    const directory = await changedCopy("gpt2", {});
    const all = [...(await loadSafetensors(join(directory, "model.safetensors")))];
    await rm(join(directory, "model.safetensors"));
    const shards = ["model-1-of-2.safetensors", "model-2-of-2.safetensors"];
    const halves = [all.slice(0, 20), all.slice(20)];
    for (const [i, half] of halves.entries()) {
      await saveSafetensors(join(directory, shards[i] ?? ""), new Map<string, Tensor>(half));
    }
    const weightMap = halves.flatMap((half, i) => half.map(([name]) => [name, shards[i]]));
    const index = { weight_map: Object.fromEntries(weightMap) as unknown };
    await writeFile(join(directory, "model.safetensors.index.json"), JSON.stringify(index));
    const model = await GPT2LMHeadModel.fromPretrained(directory);
    const whole = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
    expect(await logitsOf(model)).toEqual(await logitsOf(whole));
  });

  test("takes a shared weight under both names if it is one value", async () => {
    const both = (change: (t: Tensor) => Tensor) =>
      changedCopy("gpt2", {
        tensors: (all) => {
          const weight = all.get("transformer.wte.weight") as Tensor;
          all.set("lm_head.weight", change(weight));
        },
      });
    const model = await GPT2LMHeadModel.fromPretrained(await both((t) => t.add(0)));
    expect(model.lm_head.weight).toBe(model.transformer.wte.weight);
  });

  test("loads a head of its own where the weights are not tied", async () => {
    const directory = await changedCopy("gpt2", {
      config: { tie_word_embeddings: false },
      tensors: (all) => all.set("lm_head.weight", (all.get("transformer.wte.weight") as Tensor).mul(2)), // prettier-ignore
    });
    const model = await GPT2LMHeadModel.fromPretrained(directory);
    expect(model.lm_head.weight).not.toBe(model.transformer.wte.weight);
    const plain = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
    const doubled = plain.forward({ inputIds: IDS }).logits.mul(2);
    const difference = model.forward({ inputIds: IDS }).logits.sub(doubled).abs().amax();
    expect(await difference.item()).toBeLessThan(1e-5);
  });

  test("takes special tokens from generation_config.json", async () => {
    const directory = await changedCopy("gpt2", {});
    const path = join(directory, "generation_config.json");
    await writeFile(path, JSON.stringify({ eos_token_id: [4, 46], pad_token_id: 2 }));
    const model = await GPT2LMHeadModel.fromPretrained(directory);
    expect(model.generationConfig).toEqual({ eosTokenId: [4, 46], padTokenId: 2 });
    const copy = await temporaryDirectory();
    await model.savePretrained(copy);
    const again = await GPT2LMHeadModel.fromPretrained(copy);
    expect(again.generationConfig).toEqual(model.generationConfig);
  });
});

describe("auto classes", () => {
  test("pick the class by the model's type", async () => {
    expect(await AutoModel.fromPretrained(golden("gpt2"))).toBeInstanceOf(GPT2Model);
    expect(await AutoModelForCausalLM.fromPretrained(golden("gpt2"))).toBeInstanceOf(
      GPT2LMHeadModel,
    );
    const name = golden("gpt2_classifier");
    const classifier = await AutoModelForSequenceClassification.fromPretrained(name);
    expect(classifier).toBeInstanceOf(GPT2ForSequenceClassification);
    expect(classifier.config.numLabels).toBe(3);
    expect(await AutoConfig.fromPretrained(name)).toEqual(classifier.config);
  });

  test("name the known families for an unknown one", async () => {
    const directory = await changedCopy("gpt2", { config: { model_type: "gtp2" } });
    const wanted =
      /the model is of "gtp2", which is not a known family; known are .*\bgpt2, gpt_neo\b/;
    expect(await message(AutoModelForCausalLM.fromPretrained(directory))).toMatch(wanted);
    expect(await message(AutoConfig.fromPretrained(directory))).toMatch(wanted);
    expect(await message(GPT2Model.fromPretrained(directory))).toMatch(
      /holds a model of type "gtp2", wanted "gpt2"; AutoModel picks the class/,
    );
  });
});

describe("bad checkpoints", () => {
  test("all missing, unexpected and unfitting tensors are listed", async () => {
    const directory = await changedCopy("gpt2", {
      tensors: (all) => {
        all.delete("transformer.h.0.ln_1.bias");
        all.delete("transformer.h.3.attn.c_proj.weight");
        all.set("transformer.h.3.ln_9.bias", tensor([1]));
        all.set("surprise", tensor([1]));
        all.set("transformer.ln_f.weight", tensor([[1, 2]]));
        all.set("transformer.h.0.mlp.c_proj.weight", (all.get("transformer.h.0.mlp.c_proj.weight") as Tensor).t()); // prettier-ignore
        all.set("transformer.ln_f.bias", tensor([1], { dtype: "int64" }));
      },
    });
    const text = await message(AutoModelForCausalLM.fromPretrained(directory));
    expect(text).toContain("GPT2LMHeadModel.fromPretrained: the tensors of ");
    expect(text).toContain(
      "missing: transformer.h.0.ln_1.bias, transformer.h.3.attn.c_proj.weight",
    );
    expect(text).toMatch(/unexpected: (surprise, transformer.h.3.ln_9.bias|transformer.*surprise)/);
    expect(text).toContain("transformer.ln_f.weight has shape [1, 2], wanted [24]");
    expect(text).toContain("transformer.h.0.mlp.c_proj.weight has shape [24, 96], wanted [96, 24]");
    expect(text).toContain("transformer.ln_f.bias is int64, wanted float32");
  });

  test("a missing head says how to get one", async () => {
    const text = await message(GPT2ForSequenceClassification.fromPretrained(golden("gpt2")));
    expect(text).toContain("missing: score.weight");
    expect(text).toContain("model.transformer.loadStateDict(base.stateDict())");
    const model = new GPT2ForSequenceClassification({ vocabSize: 50, nPositions: 32, nEmbd: 24, nLayer: 4, nHead: 4 }); // prettier-ignore
    const base = await AutoModel.fromPretrained(golden("gpt2"));
    model.transformer.loadStateDict(base.stateDict());
    const { hiddenStates } = model.eval().forward({ inputIds: IDS });
    const expected = base.forward({ inputIds: IDS }).lastHiddenState;
    expect(await hiddenStates.at(-1)?.toArray()).toEqual(await expected.toArray());
  });

  test("element types that cannot be kept are named before anything is read", async () => {
    const eight: RawTensor = { dtype: "int16", shape: [24], data: new Int16Array(24) };
    const directory = await changedCopy("gpt2", {
      tensors: (all) => all.set("transformer.ln_f.bias", eight),
    });
    expect(await message(GPT2LMHeadModel.fromPretrained(directory))).toContain(
      "transformer.ln_f.bias is int16, wanted float32",
    );
  });

  test("a truncated file, no weights, no config", async () => {
    const cut = await changedCopy("gpt2", {});
    await truncate(join(cut, "model.safetensors"), 5000);
    expect(await message(GPT2LMHeadModel.fromPretrained(cut))).toMatch(/model\.safetensors/);
    await rm(join(cut, "model.safetensors"));
    expect(await message(GPT2LMHeadModel.fromPretrained(cut))).toMatch(/found no weights/);
    await rm(join(cut, "config.json"));
    expect(await message(GPT2LMHeadModel.fromPretrained(cut))).toMatch(/config\.json/);
    expect(await message(AutoModel.fromPretrained(cut))).toMatch(/config\.json/);
  });

  test.each([
    [{ n_embd: 25 }, /nEmbd \(25\) must be a multiple of nHead \(4\)/],
    [{ n_layer: 0 }, /n_layer must be a whole number of 1 or more .*, got 0/],
    [{ n_embd: "24" }, /config\.json: n_embd must be a whole number of 1 or more, got "24"/],
    [
      { activation_function: "gleu" },
      /activation_function must be the name of a known activation function \(gelu,.*got "gleu"/,
    ],
    [{ n_layer: 5 }, /n_layer is 5, but transformer\.h\.3\..* is of number 3, .*; wanted 4/],
    [
      { vocab_size: 51 },
      /vocab_size is 51, but transformer\.wte\.weight has shape \[50, 24\], wanted \[vocab_size, n_embd\], which is \[51, 24\]/,
    ],
  ])("settings that cannot be: %j", async (config, wanted) => {
    const directory = await changedCopy("gpt2", { config });
    expect(await message(GPT2LMHeadModel.fromPretrained(directory))).toMatch(wanted);
  });

  test("weights that are not finite, where that is asked for", async () => {
    const directory = await changedCopy("gpt2", {
      tensors: (all) => {
        const wpe = all.get("transformer.wpe.weight") as Tensor;
        all.set("transformer.wpe.weight", wpe.mul(0).add(1e5));
        const values = new Float32Array(24).fill(1);
        values.set([Number.NaN, -Infinity], 3);
        all.set("transformer.ln_f.weight", tensor(values));
      },
    });
    const load = (options: PretrainedOptions): Promise<string> =>
      message(GPT2LMHeadModel.fromPretrained(directory, options));
    expect(await load({})).toBe("nothing was thrown");
    const ln = "transformer.ln_f.weight: 2, of which the first, at [3], is NaN";
    expect(await load({ checkFinite: true })).toMatch(/not finite, as the model keeps them:\n {2}/);
    expect((await load({ checkFinite: true })).split("\n  ").slice(1)).toEqual([ln]);
    const half = await load({ checkFinite: true, dtype: "float16" });
    expect(half).toMatch(/transformer\.wpe\.weight holds 100000 .*, which float16 cannot hold/);
    const brain = await load({ checkFinite: true, dtype: "bfloat16" });
    expect(brain.split("\n  ").slice(1)).toEqual([ln]);
  });

  test("a device that is not there", async () => {
    const device = (name: string): Promise<string> =>
      message(AutoModel.fromPretrained(golden("gpt2"), { device: name as Device }));
    expect(await device("wasm")).toMatch(
      /^AutoModel\.fromPretrained: device "wasm" is not there; here are "cpu".*in Node write "cpu"$/,
    );
    expect(await device("webgl")).toBe(
      'AutoModel.fromPretrained: "webgl" is no device; there are cpu, wasm, webgpu, cuda, tensorrt; the nearest is "webgpu"',
    );
    if ((await availableDevices()).includes("cuda")) return;
    expect(await device("cuda")).toMatch(/device "cuda" is not there .*here are "cpu".*CUDA 12/);
  });

  test("options of other names, quantized weights, no place at all", async () => {
    const other = { torchDtype: "float16" } as PretrainedOptions;
    for (const load of [AutoConfig, AutoModel, GPT2Model, AutoTokenizer]) {
      expect(await message(load.fromPretrained(golden("gpt2"), other))).toMatch(
        /\.fromPretrained: there is no option torchDtype; did you mean /,
      );
    }
    const quantized = { config: { quantization_config: { quant_method: "aqlm" } } };
    expect(await message(GPT2Model.fromPretrained(await changedCopy("gpt2", quantized)))).toMatch(
      /the weights are quantized by "aqlm", which is not read; read are awq, bitsandbytes, /,
    );
    const nothing = undefined as unknown as string;
    expect(await message(AutoModel.fromPretrained(nothing))).toBe(
      "a directory or a model of the Hugging Face Hub was expected, got undefined",
    );
    const model = new GPT2Model({ nLayer: 1, nEmbd: 4, nHead: 1, vocabSize: 5 });
    expect(await message(model.savePretrained(""))).toBe(
      'GPT2Model.savePretrained: a directory was expected, got ""',
    );
  });

  test("arrays where tensors belong", async () => {
    const model = await GPT2Model.fromPretrained(golden("gpt2"));
    expect(() => model.forward({ inputIds: [[1]] as unknown as Tensor })).toThrow(
      "GPT2Model: inputIds must be a tensor, got a list of 1; write inputIds: tensor(values, { dtype })",
    );
    const vit = await AutoModelForImageClassification.fromPretrained(golden("vit"));
    expect(() => vit.forward({ pixelValues: [1] as unknown as Tensor })).toThrow(
      "ViTForImageClassification: pixelValues must be a tensor, got a list of 1",
    );
  });

  test("an unknown dtype", async () => {
    const options = { dtype: "int4" as unknown as "float32" };
    expect(await message(GPT2LMHeadModel.fromPretrained(golden("gpt2"), options))).toBe(
      'GPT2LMHeadModel.fromPretrained: dtype "int4" is not known; use float32, float16, bfloat16',
    );
  });
});

describe("savePretrained", () => {
  test.each(["gpt2", "gpt2_classifier"])("writes %s as it was read", async (name) => {
    const load = name === "gpt2" ? AutoModelForCausalLM : AutoModelForSequenceClassification;
    const [first, second] = [await temporaryDirectory(), await temporaryDirectory()];
    await (await load.fromPretrained(golden(name))).savePretrained(first);
    const original = await loadSafetensors(join(golden(name), "model.safetensors"));
    const written = await loadSafetensors(join(first, "model.safetensors"));
    expect([...written.keys()].sort()).toEqual([...original.keys()].sort());
    for (const [key, t] of original) {
      expect(await written.get(key)?.data(), key).toEqual(await t.data());
    }
    const config = async (directory: string): Promise<unknown> =>
      JSON.parse(await readFile(join(directory, "config.json"), "utf8"));
    expect(await config(first)).toEqual(await config(golden(name)));
    await (await load.fromPretrained(first)).savePretrained(second);
    for (const file of ["model.safetensors", "config.json"]) {
      expect(await readFile(join(second, file))).toEqual(await readFile(join(first, file)));
    }
  });

  test("writes a model that was built here, labels included", async () => {
    const small = { vocabSize: 11, nPositions: 8, nEmbd: 8, nLayer: 1, nHead: 2, padTokenId: 0 };
    const model = new GPT2ForSequenceClassification({ ...small, numLabels: 4 }).eval();
    const directory = await temporaryDirectory();
    await model.savePretrained(directory);
    const config = JSON.parse(await readFile(join(directory, "config.json"), "utf8")) as object;
    expect(config).toMatchObject({
      model_type: "gpt2",
      architectures: ["GPT2ForSequenceClassification"],
      dtype: "float32",
      id2label: { 0: "LABEL_0", 3: "LABEL_3" },
    });
    const again = await GPT2ForSequenceClassification.fromPretrained(directory);
    expect(again.config.numLabels).toBe(4);
    const inputs = { inputIds: tensor([[1, 2, 3]], { dtype: "int64" }) };
    expect(await again.forward(inputs).logits.toArray()).toEqual(
      await model.forward(inputs).logits.toArray(),
    );
  });

  test("says the element type once", async () => {
    const directory = await changedCopy("gpt2", { config: { torch_dtype: "float32" } });
    const model = await GPT2LMHeadModel.fromPretrained(directory);
    await model.savePretrained(directory, { dtype: "bfloat16" });
    const config = JSON.parse(await readFile(join(directory, "config.json"), "utf8")) as object;
    expect(config).toMatchObject({ dtype: "bfloat16" });
    expect(config).not.toHaveProperty("torch_dtype");
  });

  test("refuses an unknown dtype before anything is written", async () => {
    const model = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
    const options = { dtype: "int8" as unknown as "float16" };
    expect(await message(model.savePretrained("nowhere", options))).toMatch(/dtype "int8"/);
  });
});
