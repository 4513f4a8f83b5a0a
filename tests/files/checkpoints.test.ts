import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  convertWeights,
  describeCheckpoint,
  encodeSafetensors,
  type FileSource,
  loadTorchFile,
  LocalFiles,
  openFiles,
  openPlace,
  type RawTensor,
  type Tensor,
  verifyCheckpoint,
} from "tsvene";

let root = "";
let mini: FileSource;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "tsvene-checkpoints-"));
  mini = await openFiles("tsvene-mini");
});

afterAll(() => rm(root, { recursive: true, force: true }));

const at = (...names: readonly string[]): string => path.join(root, ...names);

const RAW: ReadonlyMap<string, RawTensor> = new Map<string, RawTensor>([
  ["half", { dtype: "bfloat16", shape: [2], data: Uint16Array.of(0x3f80, 0xc000) }],
  ["ids", { dtype: "int64", shape: [1, 2], data: BigInt64Array.of(3n, -4n) }],
  ["one", { dtype: "float64", shape: [], data: Float64Array.of(1 / 3) }],
]);

async function safetensors(name: string, raw: ReadonlyMap<string, RawTensor>): Promise<string> {
  await writeFile(at(name), encodeSafetensors(raw, { format: "pt" }));
  return at(name);
}

/** A checkpoint of two shards, in a directory of its own. */
async function sharded(name: string): Promise<FileSource> {
  await mkdir(at(name));
  const entries = [...RAW];
  const names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  await safetensors(path.join(name, names[0] ?? ""), new Map(entries.slice(0, 1)));
  await safetensors(path.join(name, names[1] ?? ""), new Map(entries.slice(1)));
  const map = entries.map(([tensor], i) => [tensor, names[Math.min(i, 1)]]);
  const index = { weight_map: Object.fromEntries(map) as object };
  await writeFile(at(name, "model.safetensors.index.json"), JSON.stringify(index));
  return new LocalFiles(at(name));
}

describe("convertWeights", () => {
  test("brings a model to PyTorch's format and back, byte for byte, with what goes with it", async () => {
    const there = await convertWeights(mini, at("torch"));
    expect(there).toMatchObject({ format: "torch", tensors: 64, bytes: 3_874_752 });
    expect((await readdir(at("torch"))).sort()).toEqual(
      ["README.md", "config.json", "pytorch_model.bin", "tokenizer.json", "tokenizer_config.json"].sort(), // prettier-ignore
    );
    await convertWeights(new LocalFiles(at("torch")), at("back"));
    for (const name of ["model.safetensors", "config.json"]) {
      const back = await readFile(at("back", name));
      expect(back.equals(await mini.readBytes(name)), name).toBe(true);
    }
  });

  test("keeps element types, shapes and numbers of a file", async () => {
    const file = path.basename(await safetensors("raw.safetensors", RAW));
    await convertWeights(new LocalFiles(root), at("raw.pt"), { file });
    const torch = (await loadTorchFile(at("raw.pt"))) as Map<string, Tensor>;
    for (const [name, { dtype, shape, data }] of RAW) {
      const tensor = torch.get(name);
      expect([tensor?.dtype, tensor?.shape]).toEqual([dtype, shape]);
      expect(await tensor?.data()).toEqual(data);
    }
    await convertWeights(new LocalFiles(root), at("again.safetensors"), { file: "raw.pt" });
    expect(await readFile(at("again.safetensors"))).toEqual(await readFile(at(file)));
  });

  test("keeps shards, and writes their index", async () => {
    const files = await sharded("shards");
    const { files: written } = await convertWeights(files, at("shards-torch"));
    expect(written.map((file) => path.basename(file))).toEqual([
      "pytorch_model-00001-of-00002.bin",
      "pytorch_model-00002-of-00002.bin",
      "pytorch_model.bin.index.json",
    ]);
    const found = await describeCheckpoint(new LocalFiles(at("shards-torch")));
    expect(found.tensors.map(({ name }) => name).sort()).toEqual([...RAW.keys()].sort());
    expect(found.files).toHaveLength(2);
  });

  test("replaces nothing unless told to, and then the weights of the other format, too", async () => {
    await convertWeights(mini, at("taken"), { format: "torch" });
    const again = (options: object) => convertWeights(mini, at("taken"), options);
    await expect(again({})).rejects.toThrow(/pytorch_model.bin is there already.*--force/);
    await again({ format: "safetensors", overwrite: true });
    expect(await readdir(at("taken"))).not.toContain("pytorch_model.bin");
    const file = "raw.safetensors";
    await writeFile(at("taken.bin"), "mine");
    const over = convertWeights(new LocalFiles(root), at("taken.bin"), { file });
    await expect(over).rejects.toThrow(/there already/);
    expect(await readFile(at("taken.bin"), "utf8")).toBe("mine");
  });

  test("leaves nothing of what was stopped", async () => {
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();
    const { signal } = controller;
    const stopped = convertWeights(mini, at("stopped"), { onProgress, signal });
    await expect(stopped).rejects.toThrow(/abort/);
    await expect(readdir(at("stopped"))).rejects.toThrow(/ENOENT/);
  });

  test.each([
    ["raw.safetensors", "raw.foo", /says no format/],
    ["short.safetensors", "short.pt", /"i" is I16, which cannot be written as torch/],
  ])("refuses %s to %s", async (file, target, message) => {
    const short: RawTensor = { dtype: "int16", shape: [1], data: Int16Array.of(1) };
    await safetensors("short.safetensors", new Map([["i", short]]));
    await expect(convertWeights(new LocalFiles(root), at(target), { file })).rejects.toThrow(
      message,
    );
  });
});

describe("describeCheckpoint", () => {
  test("says what a model is and holds", async () => {
    const found = await describeCheckpoint(mini);
    expect(found).toMatchObject({
      files: ["model.safetensors"],
      numbers: 968_688,
      modelType: "gpt2",
      architectures: ["GPT2LMHeadModel"],
      tied: true,
      unreadable: undefined,
      quantization: undefined,
    });
    expect(found.tensors).toHaveLength(64);
    expect(found.tensors).toContainEqual({
      name: "transformer.wpe.weight",
      shape: [96, 112],
      elementType: "F32",
      bytes: 43_008,
    });
  });

  test("says what is not known, and by which method weights are quantized", async () => {
    await mkdir(at("strange"));
    await safetensors("strange/model.safetensors", RAW);
    const config = { model_type: "gpt9", quantization_config: { quant_method: "gptq" } };
    await writeFile(at("strange", "config.json"), JSON.stringify(config));
    const found = await describeCheckpoint(new LocalFiles(at("strange")));
    expect(found.unreadable).toMatch(/"gpt9", which is not a known family/);
    expect(found).toMatchObject({ modelType: "gpt9", quantization: "gptq", tied: false });
  });

  test("takes one file of any name, and says nothing of what lies beside it", async () => {
    const { files, file } = await openPlace(at("strange", "model.safetensors"));
    expect(file).toBe("model.safetensors");
    const found = await describeCheckpoint(files, { file: file ?? "" });
    expect(found).toMatchObject({ modelType: undefined, unreadable: "there is no config.json" });
  });
});

describe("verifyCheckpoint", () => {
  const failures = async (files: FileSource, options: object = {}): Promise<string[]> => {
    const { ok, checks } = await verifyCheckpoint(files, options);
    const failed = checks.filter((check) => !check.ok);
    expect(ok).toBe(failed.length === 0);
    return failed.map(({ name, message }) => `${name}: ${message}`);
  };

  test("passes a whole model", async () => {
    const { ok, checks } = await verifyCheckpoint(mini);
    expect(ok).toBe(true);
    expect(checks.map(({ name }) => name)).toEqual(["headers", "numbers", "model", "tokenizer"]);
  });

  test("finds numbers that are none, and goes on", async () => {
    const data = Float32Array.of(1, NaN, Infinity);
    const raw = new Map<string, RawTensor>([["w", { dtype: "float32", shape: [3], data }]]);
    const file = path.basename(await safetensors("nan.safetensors", raw));
    expect(await failures(new LocalFiles(root), { file })).toEqual([
      "numbers: w has numbers that are not finite: 2, of which the first, at [1], is NaN",
    ]);
  });

  test("finds a file that is cut, a byte that changed, and a shard that is missing", async () => {
    const whole = await readFile(at("raw.pt"));
    await writeFile(at("cut.pt"), whole.subarray(0, -30));
    expect(await failures(new LocalFiles(root), { file: "cut.pt" })).toHaveLength(1);
    const changed = Buffer.from(whole);
    const place = changed.indexOf(Buffer.from(BigInt64Array.of(3n, -4n).buffer));
    changed[place] = 7;
    await writeFile(at("changed.pt"), changed);
    const [failure] = await failures(new LocalFiles(root), { file: "changed.pt" });
    expect(failure).toMatch(/^numbers: .*(?:checksum|CRC)/i);
    const files = await sharded("shards-2");
    await rm(at("shards-2", "model-00002-of-00002.safetensors"));
    expect((await failures(files, { load: false }))[0]).toMatch(/^headers: .*missing/);
  });

  test("compares files of the Hub's cache with the SHA-256 that they are named by", async () => {
    const bytes = encodeSafetensors(RAW);
    const hash = createHash("sha256").update(bytes).digest("hex");
    for (const [name, content] of [
      ["good", bytes],
      ["bad", encodeSafetensors(new Map())],
    ] as const) {
      // prettier-ignore
      await mkdir(at(name, "blobs"), { recursive: true });
      await writeFile(at(name, "blobs", hash), content);
      await symlink(at(name, "blobs", hash), at(name, "model.safetensors"));
    }
    expect(await failures(new LocalFiles(at("good")), { load: false })).toEqual([]);
    const [failure] = await failures(new LocalFiles(at("bad")), { load: false });
    expect(failure).toContain(`but the Hub says ${hash}`);
  });

  test("says why a model does not load", async () => {
    const [failure] = await failures(new LocalFiles(at("strange")));
    expect(failure).toMatch(/^model: .*"gpt9"/);
  });
});
