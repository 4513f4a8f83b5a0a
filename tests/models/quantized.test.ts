import { readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  AutoModelForCausalLM,
  type CausalLanguageModel,
  GPT2LMHeadModel,
  GptOssForCausalLM,
  LlamaForCausalLM,
  tensor,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "./checkpoints.ts";

const GOLDENS = fileURLToPath(new URL("../goldens/quantization/", import.meta.url));

interface RawEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The tensors of a safetensors file as they lie, of whatever element type. */
async function rawEntries(path: string): Promise<Map<string, RawEntry>> {
  const file = await readFile(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, start).toString()) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [from, to],
          },
        ]) => [name, { dtype, shape, bytes: file.subarray(start + from, start + to) }],
      ),
  );
}

async function writeEntries(path: string, entries: ReadonlyMap<string, RawEntry>): Promise<void> {
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of entries) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  const data = [...entries.values()].map(({ bytes }) => bytes);
  await writeFile(path, Buffer.concat([prefix, text, ...data]));
}

/** A matrix of a model that is put in the form of a golden. */
interface Place {
  readonly model: () => CausalLanguageModel;
  /** The name of the matrix, or what stands before the ends of the names of its parts. */
  readonly weight: string;
  /** Whether checkpoints of the model hold the matrix as [in, out]. */
  readonly transposed?: boolean;
}

const LLAMA: Place = {
  model: () =>
    new LlamaForCausalLM({
      vocabSize: 20,
      hiddenSize: 32,
      intermediateSize: 64,
      numHiddenLayers: 1,
      numAttentionHeads: 2,
    }),
  weight: "model.layers.0.mlp.down_proj",
};
const GPT2: Place = {
  model: () => new GPT2LMHeadModel({ vocabSize: 20, nEmbd: 32, nInner: 64, nLayer: 1, nHead: 2 }),
  weight: "transformer.h.0.mlp.c_proj",
  transposed: true,
};
const GPT_OSS: Place = {
  model: () =>
    new GptOssForCausalLM({
      vocabSize: 20,
      hiddenSize: 32,
      intermediateSize: 64,
      numHiddenLayers: 1,
      numAttentionHeads: 2,
      numKeyValueHeads: 1,
      headDim: 16,
      numLocalExperts: 2,
      numExpertsPerTok: 1,
    }),
  weight: "model.layers.0.mlp.experts.down_proj",
};

const INT4 = { group_0: { weights: { num_bits: 4 } } };
const compressed = (format: string): object => ({
  quant_method: "compressed-tensors",
  format,
  config_groups: INT4,
});

const CASES: Readonly<Record<string, { readonly settings: object; readonly place?: Place }>> = {
  awq: { settings: { quant_method: "awq", bits: 4, version: "gemm", zero_point: true } },
  "bnb-fp4": { settings: { quant_method: "bitsandbytes", load_in_4bit: true } },
  "bnb-int8": { settings: { load_in_8bit: true } },
  "bnb-nf4": { settings: { quant_method: "bitsandbytes", load_in_4bit: true }, place: GPT2 },
  "bnb-nf4-nested": { settings: { quant_method: "bitsandbytes", load_in_4bit: true } },
  "compressed-float": { settings: compressed("float-quantized") },
  "compressed-int4": { settings: compressed("pack-quantized") },
  "compressed-int4-zeros": { settings: compressed("pack-quantized") },
  "compressed-int8": { settings: compressed("int-quantized") },
  "compressed-nvfp4": { settings: compressed("nvfp4-pack-quantized") },
  "fbgemm-fp8": { settings: { quant_method: "fbgemm_fp8" } },
  "fp8-blocks": { settings: { quant_method: "fp8", weight_block_size: [16, 32] } },
  "fp8-one-scale": { settings: { quant_method: "fp8", weight_block_size: null } },
  "gptq-4": { settings: { quant_method: "gptq", bits: 4 } },
  "gptq-8": { settings: { quant_method: "gptq", bits: 8 } },
  mxfp4: { settings: { quant_method: "mxfp4" }, place: GPT_OSS },
};

/** Saves a model twice: with the golden's numbers, and with its parts in their place. */
async function save(
  name: string,
  { weight, model, transposed = false }: Place,
  settings: object,
): Promise<{ dense: string; quantized: string }> {
  const [dense, quantized] = [join(await temporaryDirectory(), "dense"), join(await temporaryDirectory(), "q")]; // prettier-ignore
  const golden = `${GOLDENS}${name}.safetensors`;
  const parts = await rawEntries(golden);
  const { bytes, shape } = parts.get("expected") ?? { bytes: new Uint8Array(), shape: [] };
  const expected = tensor(Array.from(new Float32Array(Uint8Array.from(bytes).buffer))).reshape(
    shape,
  );
  const original = model();
  const full = parts.has("w_blocks") ? weight : `${weight}.weight`;
  const put = { [full]: transposed ? expected.t() : expected };
  original.loadStateDict({ ...original.stateDict(), ...put });
  await original.savePretrained(dense);
  await mkdir(quantized);
  const config = JSON.parse(await readFile(join(dense, "config.json"), "utf8")) as object;
  const text = JSON.stringify({ ...config, quantization_config: settings });
  await writeFile(join(quantized, "config.json"), text);
  const entries = await rawEntries(join(dense, "model.safetensors"));
  entries.delete(full);
  for (const [part, entry] of parts) {
    if (part !== "expected") entries.set(part.replace(/^w/, weight), entry);
  }
  await writeEntries(join(quantized, "model.safetensors"), entries);
  return { dense, quantized };
}

const inputIds = tensor([[3, 1, 4, 1, 5]], { dtype: "int64" });

async function logits(directory: string): Promise<unknown> {
  const model = await AutoModelForCausalLM.fromPretrained(directory);
  return model.forward({ inputIds }).logits.toArray();
}

test("every golden is tried", () => {
  const files = readdirSync(GOLDENS).map((file) => file.replace(".safetensors", ""));
  expect(Object.keys(CASES).sort()).toEqual(files.sort());
});

describe("weights that are kept quantized are read as the numbers that they stand for", () => {
  test.each(Object.entries(CASES))("%s", async (name, { settings, place = LLAMA }) => {
    const { dense, quantized } = await save(name, place, settings);
    expect(await logits(quantized)).toEqual(await logits(dense));
  });
});

test("a model that was read from quantized weights is saved as what it is now", async () => {
  const { dense, quantized } = await save("gptq-4", LLAMA, { quant_method: "gptq", bits: 4 });
  const model = await AutoModelForCausalLM.fromPretrained(quantized, { dtype: "float16" });
  const again = join(await temporaryDirectory(), "again");
  await model.savePretrained(again);
  expect(await readFile(join(again, "config.json"), "utf8")).not.toContain("quant");
  expect(await logits(again)).toEqual(
    await AutoModelForCausalLM.fromPretrained(dense, { dtype: "float16" }).then((m) =>
      m.forward({ inputIds }).logits.toArray(),
    ),
  );
});

describe("what is not read is refused by its name", () => {
  const refused: readonly [settings: object, message: RegExp][] = [
    [{ quant_method: "aqlm" }, /quantized by "aqlm", which is not read; read are awq, bits/],
    [{ quant_method: "hqq" }, /quantized by "hqq"/],
    [{ quant_method: "gptq", bits: 3 }, /weights have 3 bits; read are those of 2, 4, 8/],
    [{ quant_method: "awq", bits: 4, version: "marlin" }, /by AWQ for "marlin" kernels/],
    [compressed("marlin-24"), /compressed-tensors of format "marlin-24"/],
    [{ ...compressed("dense"), sparsity_config: { format: "sparse-24" } }, /format "sparse-24"/],
  ];
  test.each(refused)("%j", async (settings, message) => {
    const { quantized } = await save("gptq-4", LLAMA, settings);
    await expect(AutoModelForCausalLM.fromPretrained(quantized)).rejects.toThrow(message);
  });

  test("parts that do not go together", async () => {
    const broken: readonly [name: string, part: string, message: RegExp][] = [
      ["fp8-blocks", ".weight", /down_proj\.weight is quantized, but it is not there/],
      ["bnb-nf4", ".weight.absmax", /is quantized, but absmax of it are not there/],
      ["gptq-4", ".scales", /is quantized, but .*scales is not there/],
      ["compressed-int4", ".weight_shape", /is quantized, but .*weight_shape is not there/],
    ];
    for (const [name, part, message] of broken) {
      const { quantized } = await save(name, LLAMA, CASES[name]?.settings ?? {});
      const file = join(quantized, "model.safetensors");
      const entries = await rawEntries(file);
      entries.delete(LLAMA.weight + part);
      await writeEntries(file, entries);
      await expect(AutoModelForCausalLM.fromPretrained(quantized)).rejects.toThrow(message);
    }
    const blocks = { quant_method: "fp8", weight_block_size: [10, 32] };
    const { quantized } = await save("fp8-blocks", LLAMA, blocks);
    await expect(AutoModelForCausalLM.fromPretrained(quantized)).rejects.toThrow(
      /its shape \[32, 64\] does not go with scales .* of \[2, 2\] in blocks of \[10, 32\]/,
    );
  });
});
