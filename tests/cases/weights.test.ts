import { readdirSync, readFileSync } from "node:fs";
import { cp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AutoModel,
  AutoModelForCausalLM,
  cat,
  loadSafetensors,
  saveSafetensors,
  stack,
  type Tensor,
  tensor,
  zeros,
} from "tsvene";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { changedCopy, golden, temporaryDirectory } from "../models/checkpoints.ts";

interface Recorded {
  readonly x: number[][];
  readonly cases: Readonly<Record<string, { readonly logits?: number[][][]; readonly error?: string }>>;
}

const SHARDS = join(import.meta.dirname, "39-shards");
const recorded = JSON.parse(readFileSync(join(SHARDS, "case.json"), "utf8")) as Recorded;
const FIRST = "model-00001-of-00002.safetensors";
const SECOND = "model-00002-of-00002.safetensors";
const INDEX = "model.safetensors.index.json";
const IDS = tensor([[5, 9, 2]], { dtype: "int64" });

let said: MockInstance<(...data: unknown[]) => void>;
beforeEach(() => void (said = vi.spyOn(console, "warn").mockImplementation(() => undefined)));
afterEach(() => void vi.restoreAllMocks());

async function logitsOf(place: string, options = {}): Promise<Tensor> {
  return (await AutoModelForCausalLM.fromPretrained(place, options)).forward({ inputIds: IDS }).logits;
}

async function difference(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

function recordedLogits(name: string): Tensor {
  return tensor(recorded.cases[name]?.logits ?? []);
}

async function refusal(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => new Error("nothing was thrown"),
    (error: unknown) => error as Error,
  );
}

/** The recorded checkpoint of two shards with another index. */
async function shardsWith(change: (weights: Record<string, unknown>) => unknown): Promise<string> {
  const directory = await temporaryDirectory();
  await cp(join(SHARDS, "plain"), directory, { recursive: true });
  const index = JSON.parse(await readFile(join(directory, INDEX), "utf8")) as {
    weight_map: Record<string, unknown>;
  };
  await writeFile(join(directory, INDEX), JSON.stringify(change(index.weight_map)));
  return directory;
}

describe("an index of shards", () => {
  it.each(readdirSync(SHARDS).filter((name) => !name.endsWith(".json")))("%s", async (name) => {
    const logits = await logitsOf(join(SHARDS, name));
    expect(await difference(logits, recordedLogits(name))).toBeLessThan(1e-5);
    expect(said).not.toHaveBeenCalled();
  });

  it.each([
    ["without metadata", (w: object) => ({ weight_map: w })],
    ["with null as metadata", (w: object) => ({ metadata: null, weight_map: w })],
    ["with empty metadata", (w: object) => ({ metadata: {}, weight_map: w })],
    [
      "that names one tensor of each file",
      () => ({ weight_map: { "model.norm.weight": SECOND, "model.embed_tokens.weight": FIRST } }),
    ],
    [
      "that names nothing that is there",
      () => ({ weight_map: { "a.inv_freq": SECOND, "b.masked_bias": FIRST } }),
    ],
  ])("%s", async (_, change) => {
    const logits = await logitsOf(await shardsWith(change));
    expect(await difference(logits, recordedLogits("plain"))).toBeLessThan(1e-5);
  });

  it("takes a whole file before shards", async () => {
    const directory = await shardsWith((w) => ({ weight_map: w }));
    const whole = new Map([
      ...(await loadSafetensors(join(directory, FIRST))),
      ...(await loadSafetensors(join(directory, SECOND))),
    ]);
    whole.set("model.norm.weight", (whole.get("model.norm.weight") as Tensor).mul(2));
    await saveSafetensors(join(directory, "model.safetensors"), whole);
    const doubled = recordedLogits("plain").mul(2);
    expect(await difference(await logitsOf(directory), doubled)).toBeLessThan(1e-5);
  });

  it("says which file is missing", async () => {
    const directory = await shardsWith((w) => ({
      weight_map: { ...w, "x.weight": "model-00003-of-00003.safetensors" },
    }));
    expect((await refusal(logitsOf(directory))).message).toMatch(
      /1 of the 3 files that model\.safetensors\.index\.json lists are missing: "model-00003-of-00003/,
    );
  });

  it("says when a file lacks what the index lists in it", async () => {
    const directory = await shardsWith((w) => ({ weight_map: w }));
    const cut = await loadSafetensors(join(directory, SECOND));
    cut.delete("model.norm.weight");
    await saveSafetensors(join(directory, SECOND), cut);
    expect((await refusal(logitsOf(directory))).message).toMatch(
      /the index lists model\.norm\.weight in model-00002-of-00002\.safetensors, which lacks it/,
    );
  });

  it("names a variant's files in its own way", async () => {
    const directory = await shardsWith((w) => ({ weight_map: w }));
    await rename(join(directory, INDEX), join(directory, "model.safetensors.index.fp16.json"));
    const { message } = await refusal(logitsOf(directory));
    expect(message).toContain('model.safetensors.index.fp16.json is: pass { variant: "fp16" }');
    const logits = await logitsOf(directory, { variant: "fp16" });
    expect(await difference(logits, recordedLogits("plain"))).toBeLessThan(1e-5);
    expect((await refusal(logitsOf(directory, { variant: "../x" }))).message).toMatch(
      /variant "\.\.\/x" is no part of a file's name/,
    );
  });
});

describe("tied weights", () => {
  const headed = (change: (t: Tensor) => Tensor): Promise<string> =>
    changedCopy("gpt2", {
      tensors: (all) =>
        all.set("lm_head.weight", change(all.get("transformer.wte.weight") as Tensor)),
    });

  it("that are one in the file are one in the model, without a word", async () => {
    const same = await logitsOf(await headed((t) => t.add(0)));
    expect(await difference(same, await logitsOf(golden("gpt2")))).toBe(0);
    expect(said).not.toHaveBeenCalled();
  });

  it("that differ are untied, which is said, and stay so when they are saved", async () => {
    const directory = await headed((t) => t.mul(2));
    const model = await AutoModelForCausalLM.fromPretrained(directory);
    expect(said.mock.calls.flat().join()).toMatch(
      /transformer\.wte\.weight and lm_head\.weight have different values .*"tie_word_embeddings"/,
    );
    const doubled = (await logitsOf(golden("gpt2"))).mul(2);
    expect(await difference(model.forward({ inputIds: IDS }).logits, doubled)).toBeLessThan(1e-5);
    const copy = await temporaryDirectory();
    await model.savePretrained(copy);
    expect(await difference(await logitsOf(copy), doubled)).toBeLessThan(1e-5);
    const half = await AutoModelForCausalLM.fromPretrained(directory, { dtype: "bfloat16" });
    const { logits } = half.forward({ inputIds: IDS });
    expect(await difference(logits, doubled)).toBeLessThan(0.1);
  });

  it("may be in the file under the head's name alone", async () => {
    const directory = await changedCopy("gpt2", {
      tensors: (all) => {
        all.set("lm_head.weight", all.get("transformer.wte.weight") as Tensor);
        all.delete("transformer.wte.weight");
      },
    });
    expect(await difference(await logitsOf(directory), await logitsOf(golden("gpt2")))).toBe(0);
  });
});

/** A checkpoint of GPT-2 with other names, and perhaps more in it. */
async function renamed(
  rename: (name: string) => string,
  more: Record<string, Tensor> = {},
  from = "gpt2",
): Promise<string> {
  return changedCopy(from, {
    tensors: (all) => {
      const entries = [...all];
      all.clear();
      for (const [name, value] of entries) all.set(rename(name), value);
      for (const [name, value] of Object.entries(more)) all.set(name, value);
    },
  });
}

describe("names", () => {
  it.each([
    ["DataParallel", (name: string) => `module.${name}`],
    ["torch.compile", (name: string) => `_orig_mod.${name}`],
    ["both", (name: string) => `module._orig_mod.${name}`],
    ["torch.compile of each layer", (name: string) => name.replace(/(h\.\d\.)/, "$1_orig_mod.")],
    ["FSDP", (name: string) => `_fsdp_wrapped_module.${name}`],
    ["Lightning", (name: string) => `model.${name}`],
    ["two wrappers", (name: string) => `network.model.${name}`],
    ["a wrapper and no prefix", (name: string) => `module.${name.replace("transformer.", "")}`],
    ["gamma and beta", (name: string) => name.replace(/(ln_\w+)\.weight/, "$1.gamma").replace(/(ln_\w+)\.bias/, "$1.beta")], // prettier-ignore
  ])("of %s", async (_, rename) => {
    const directory = await renamed(rename);
    expect(await difference(await logitsOf(directory), await logitsOf(golden("gpt2")))).toBe(0);
    const base = await AutoModel.fromPretrained(directory);
    const plain = await AutoModel.fromPretrained(golden("gpt2"));
    const [a, b] = [base, plain].map((m) => m.forward({ inputIds: IDS }).lastHiddenState);
    expect(await difference(a as Tensor, b as Tensor)).toBe(0);
    expect(said).not.toHaveBeenCalled();
  });

  it.each([
    ["gpt2", { "transformer.h.0.attn.bias": zeros([1, 1, 4, 4]), "transformer.h.1.attn.masked_bias": tensor(-1e4) }], // prettier-ignore
    ["llama", { "model.layers.0.self_attn.rotary_emb.inv_freq": zeros([4]), "model.rotary_emb.inv_freq": zeros([4]) }], // prettier-ignore
    ["gpt_neox", { "gpt_neox.layers.0.attention.bias": zeros([1, 1, 4, 4]), "gpt_neox.layers.0.attention.rotary_emb.inv_freq": zeros([2]) }], // prettier-ignore
    ["gptj", { "transformer.h.0.attn.bias": zeros([1, 1, 4, 4]), "transformer.h.1.attn.masked_bias": tensor(-1e9) }], // prettier-ignore
    ["mistral", { "model.layers.0.self_attn.rotary_emb.cos_cached": zeros([4, 4]) }],
    ["bert", { "bert.embeddings.token_type_ids": zeros([1, 4]), "bert.embeddings.position_ids": zeros([1, 4]) }], // prettier-ignore
  ])("leaves out the stale buffers of %s", async (name, buffers) => {
    const directory = await renamed((name) => name, buffers, name);
    await AutoModel.fromPretrained(directory);
    expect(said).not.toHaveBeenCalled();
  });

  // As they are published: facebook/opt-350m, bigscience/bloom and tiiuae/falcon-7b.
  it.each([
    ["opt", (name: string) => name.replace(/^model\./, "")],
    ["opt_post_norm", (name: string) => name.replace(/^model\./, "")],
    ["bloom", (name: string) => name.replace(/^transformer\./, "")],
    ["falcon", (name: string) => name],
  ])("of %s, with a head and without one", async (name, rename) => {
    const published = await renamed(rename, {}, name);
    expect(await difference(await logitsOf(published), await logitsOf(golden(name)))).toBe(0);
    const [a, b] = await Promise.all(
      [published, golden(name)].map(async (directory) => {
        const base = await AutoModel.fromPretrained(directory);
        return base.forward({ inputIds: IDS }).lastHiddenState;
      }),
    );
    expect(await difference(a as Tensor, b as Tensor)).toBe(0);
    expect(said).not.toHaveBeenCalled();
  });

  it.each(["float32", "float16"] as const)(
    "of experts in stacks, as transformers 5 keeps them, in %s",
    async (dtype) => {
      const directory = await changedCopy("qwen3_moe", {
        tensors: (all) => {
          const taken = (part: string): Tensor[] =>
            [0, 1, 2, 3].map((expert) => {
              const name = `model.layers.1.mlp.experts.${expert}.${part}.weight`;
              const t = all.get(name) as Tensor;
              all.delete(name);
              return t;
            });
          const [gate, up, down] = ["gate_proj", "up_proj", "down_proj"].map(taken);
          const fused = gate?.map((t, i) => cat([t, up?.[i] ?? t], 0)) ?? [];
          all.set("model.layers.1.mlp.experts.gate_up_proj", stack(fused));
          all.set("model.layers.1.mlp.experts.down_proj", stack(down ?? []));
        },
      });
      const [a, b] = await Promise.all(
        [directory, golden("qwen3_moe")].map(async (place) => {
          const model = await AutoModelForCausalLM.fromPretrained(place, { dtype });
          return model.forward({ inputIds: IDS }).logits;
        }),
      );
      expect(await difference(a as Tensor, b as Tensor)).toBe(0);
      expect(said).not.toHaveBeenCalled();
    },
  );

  it("says what of other parts it leaves out", async () => {
    const directory = await renamed((name) => name, { "v_head.summary.weight": zeros([1, 24]) });
    expect(await difference(await logitsOf(directory), await logitsOf(golden("gpt2")))).toBe(0);
    expect(said.mock.calls.flat().join()).toMatch(
      /parts that a GPT2LMHeadModel has not; they are left out: v_head\.summary\.weight/,
    );
  });
});

describe("what does not fit says why", () => {
  it.each<[string, string, RegExp]>([
    ["another number of layers", "n_layer", /n_layer is \d+, but transformer\.h\.3\..* is of number 3, counted from 0; wanted 4/],
  ])("%s", async (_, key, cause) => {
    for (const value of [2, 40]) {
      const directory = await changedCopy("gpt2", { config: { [key]: value } });
      const { message, name } = await refusal(logitsOf(directory));
      expect(name).toBe("CheckpointError");
      expect(message).toMatch(cause);
      expect(message.length).toBeLessThan(3000);
    }
  });

  it.each<[string, Record<string, Tensor>, RegExp]>([
    ["GPTQ", { "transformer.h.0.attn.c_attn.qweight": zeros([3]) }, /quantized, but config\.json does not say how/],
    ["LoRA", { "transformer.h.0.attn.c_attn.lora_A.weight": zeros([3]) }, /an adapter of PEFT/],
    ["Flax", { "transformer.h.0.attn.c_attn.kernel": zeros([3]) }, /the names of Flax/],
    ["TensorFlow", { "transformer/h/attn/kernel:0": zeros([3]) }, /the names of TensorFlow/],
    ["Meta", { "layers.0.attention.wq.weight": zeros([3]) }, /the names of its authors' own code/],
  ])("names of %s", async (_, more, cause) => {
    const directory = await renamed((name) => name.replace("attn", "gone"), more);
    const { message } = await refusal(logitsOf(directory));
    expect(message).toMatch(cause);
    expect(message.length).toBeLessThan(3000);
  });

  it("the weights of another family", async () => {
    const directory = await changedCopy("gpt2", {});
    await cp(join(golden("llama"), "model.safetensors"), join(directory, "model.safetensors"));
    const { message } = await refusal(logitsOf(directory));
    expect(message).toMatch(/of another class or family \(config\.json names GPT2LMHeadModel\)/);
    expect(message.length).toBeLessThan(3000);
  });

  it.each([
    ["model.gguf", /llama\.cpp/],
    ["tf_model.h5", /TensorFlow/],
    ["flax_model.msgpack", /Flax/],
    ["model.onnx", /ONNX/],
    ["adapter_model.safetensors", /PEFT/],
    ["pytorch_model.pth", /loadTorchFile/],
    ["consolidated.00.pth", /convert it first/],
    ["model.fp16.safetensors", /variant: "fp16"/],
  ])("only %s", async (name, cause) => {
    const directory = await changedCopy("gpt2", {});
    await rename(join(directory, "model.safetensors"), join(directory, name));
    const { message } = await refusal(logitsOf(directory));
    expect(message).toContain("found no weights");
    expect(message).toMatch(cause);
  });

  it.each([
    ["GGUF\u0003\0\0\0", /a GGUF file of llama\.cpp/],
    ["version https://git-lfs.github.com/spec/v1\n", /a pointer of Git LFS/],
    ["<!DOCTYPE html><html>", /a web page/],
    ["\x89HDF\r\n\x1a\n", /an HDF5 file/],
  ])("a file that begins with %j", async (text, cause) => {
    for (const file of ["model.safetensors", "pytorch_model.bin"]) {
      const directory = await changedCopy("gpt2", {});
      await rm(join(directory, "model.safetensors"));
      await writeFile(join(directory, file), Buffer.from(text, "latin1"));
      const error = await refusal(logitsOf(directory));
      expect(error.message).toMatch(cause);
      expect(error.name).toMatch(/SafetensorsError|TorchFileError/);
    }
  });
});
