import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "./checkpoint.ts";
import { type FileContent, MemoryFiles } from "../files/memory-files.ts";
import type { RawTensor } from "./raw-tensor.ts";
import { encodeSafetensors } from "./safetensors/safetensors-writer.ts";

function vector(...values: number[]): RawTensor {
  return { dtype: "float32", shape: [values.length], data: Float32Array.from(values) };
}

function file(tensors: Record<string, RawTensor>): Uint8Array {
  return encodeSafetensors(new Map(Object.entries(tensors)));
}

function index(weights: unknown): string {
  return JSON.stringify({ metadata: { total_size: 1 }, weight_map: weights });
}

const SHARD_1 = "model-00001-of-00002.safetensors";
const SHARD_2 = "model-00002-of-00002.safetensors";
const shards = {
  [SHARD_1]: file({ a: vector(1, 2) }),
  [SHARD_2]: file({ b: vector(3), c: vector() }),
};
const goodIndex = index({ a: SHARD_1, b: SHARD_2, c: SHARD_2 });

async function open(files: Record<string, FileContent>): ReturnType<typeof openCheckpoint> {
  return openCheckpoint(new MemoryFiles(files, "the files"));
}

describe("openCheckpoint", () => {
  it("reads a single file", async () => {
    const checkpoint = await open({ "model.safetensors": file({ x: vector(5), y: vector(6, 7) }) });
    expect(checkpoint.names).toEqual(["x", "y"]);
    expect(checkpoint.has("x")).toBe(true);
    expect(checkpoint.has("z")).toBe(false);
    expect(checkpoint.info("y")).toMatchObject({ dtype: "float32", shape: [2] });
    expect(await checkpoint.read("y")).toEqual(vector(6, 7));
    await expect(checkpoint.read("z")).rejects.toThrow('has no tensor "z" among its 2');
    await checkpoint.close();
  });

  it("reads shards", async () => {
    const checkpoint = await open({ ...shards, "model.safetensors.index.json": goodIndex });
    expect(checkpoint.names.toSorted()).toEqual(["a", "b", "c"]);
    expect(await checkpoint.read("a")).toEqual(vector(1, 2));
    expect(await checkpoint.read("b")).toEqual(vector(3));
    expect(await checkpoint.read("c")).toEqual(vector());
  });

  it("takes of two tensors the one that the index names, and what it does not name as well", async () => {
    const checkpoint = await open({
      [SHARD_1]: file({ a: vector(1), b: vector(2) }),
      [SHARD_2]: file({ b: vector(3), extra: vector(4) }),
      "model.safetensors.index.json": index({ a: SHARD_1, b: SHARD_2 }),
    });
    expect(checkpoint.names).toEqual(["a", "b", "extra"]);
    expect(await checkpoint.read("b")).toEqual(vector(3));
  });

  it("lists the shards that are missing", async () => {
    const opening = open({
      [SHARD_1]: shards[SHARD_1] ?? "",
      "model.safetensors.index.json": goodIndex,
    });
    await expect(opening).rejects.toMatchObject({ name: "CheckpointError" });
    await expect(opening).rejects.toThrow(`1 of the 2 files`);
    await expect(opening).rejects.toThrow(SHARD_2);
  });

  it("finds tensors where the index does not say, and knows those that are nowhere", async () => {
    const checkpoint = await open({
      ...shards,
      "model.safetensors.index.json": index({ a: SHARD_1, b: SHARD_1, d: SHARD_2 }),
    });
    expect(await checkpoint.read("b")).toEqual(vector(3));
    expect([...checkpoint.absent]).toEqual([["d", SHARD_2]]);
  });

  it.each([
    ["../other.safetensors", "is not a plain relative path"],
    ["/etc/x.safetensors", "is not a plain relative path"],
    ["sub/../../x.safetensors", "is not a plain relative path"],
    ["..\\x.safetensors", "is not a plain relative path"],
    ["weights.bin", "1 of the 1 files that model.safetensors.index.json lists are missing"],
    [3, 'is said to be in "3"; the name of a file was expected'],
  ])("refuses an index that leads to %j", async (shard, message) => {
    const opening = open({ ...shards, "model.safetensors.index.json": index({ a: shard }) });
    await expect(opening).rejects.toThrow(message);
  });

  it.each([
    ["no object", "[]", '"weight_map" is missing'],
    ["without weights", "{}", '"weight_map" is missing'],
    ["with an empty map", index({}), "at least one"],
    ["with a list", index(["a"]), "an object of tensor names"],
    ["not JSON", "{", "is not valid JSON"],
  ])("refuses an index that is %s", async (_, text, message) => {
    const opening = open({ ...shards, "model.safetensors.index.json": text });
    await expect(opening).rejects.toThrow(message);
  });

  it("says which shard is damaged", async () => {
    const damaged = { ...shards, [SHARD_2]: (shards[SHARD_2] ?? new Uint8Array()).slice(0, 50) };
    const opening = open({ ...damaged, "model.safetensors.index.json": goodIndex });
    await expect(opening).rejects.toThrow(`the files: ${SHARD_2}: the header says`);
  });

  it("says what it looked for", async () => {
    await expect(open({ "config.json": "{}" })).rejects.toThrow(
      "the files: found no weights: none of model.safetensors, model.safetensors.index.json, " +
        "pytorch_model.bin, pytorch_model.bin.index.json is there",
    );
  });

  it("reads files of PyTorch where there are no safetensors", async () => {
    const legacy = await readFile("tests/goldens/torch_files/strided_legacy.bin");
    const zip = await readFile("tests/goldens/torch_files/many_tensors.bin");
    const single = await open({ "pytorch_model.bin": legacy });
    expect(single.info("column")).toMatchObject({ dtype: "float32", shape: [5] });
    expect(await single.read("column")).toEqual(vector(5, 17, 29, 41, 53));
    const both = { "pytorch_model.bin": legacy, "model.safetensors": file({ x: vector(5) }) };
    expect((await open(both)).names).toEqual(["x"]);
    const sharded = await open({
      "a.bin": legacy,
      "b.bin": zip,
      "pytorch_model.bin.index.json": index({ column: "a.bin", "layer.3.weight": "b.bin" }),
    });
    expect(sharded.names).toEqual(expect.arrayContaining(["column", "layer.3.weight"]));
    expect(sharded.info("layer.3.weight").shape).toEqual([3, 3]);
  });

  it("says that a file of PyTorch is damaged, or no state dict", async () => {
    await expect(open({ "pytorch_model.bin": "" })).rejects.toThrow("the file is empty");
    const values = await readFile("tests/goldens/torch_files/single_tensor.bin");
    await expect(open({ "pytorch_model.bin": values })).rejects.toThrow("is not a state dict");
  });
});
