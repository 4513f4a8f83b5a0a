import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Tensor } from "../../tensor/tensor.ts";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { loadSafetensors } from "./load-safetensors.ts";
import type { RawTensor } from "../raw-tensor.ts";
import { saveSafetensors } from "./save-safetensors.ts";
import { encodeSafetensors } from "./safetensors-writer.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tsvene-save-"));
});
afterAll(() => rm(directory, { recursive: true }));

describe("saveSafetensors", () => {
  const raw: RawTensor = { dtype: "int16", shape: [3], data: Int16Array.of(-1, 2, 300) };

  it("writes tensors that loadSafetensors returns", async () => {
    const path = join(directory, "new", "place", "t.safetensors");
    const weight = Tensor.fromData(Float32Array.of(1, 2, 3, 4), [2, 2], "float32");
    const mask = Tensor.fromData(Uint8Array.of(0, 1), [2], "bool");
    await saveSafetensors(path, { weight, mask, raw });
    const tensors = await loadSafetensors(path);
    expect(tensors.size).toBe(3);
    expect(tensors.get("weight")).toMatchObject({ dtype: "float32", shape: [2, 2] });
    expect(await tensors.get("weight")?.data()).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(tensors.get("mask")?.dtype).toBe("bool");
    expect(await tensors.get("mask")?.data()).toEqual(Uint8Array.of(0, 1));
    expect(tensors.get("raw")?.dtype).toBe("int32");
    expect(await tensors.get("raw")?.data()).toEqual(Int32Array.of(-1, 2, 300));
  });

  it("writes what encodeSafetensors makes, and says that it is PyTorch's", async () => {
    const path = join(directory, "t.safetensors");
    await saveSafetensors(path, new Map([["raw", raw]]));
    const bytes = new Uint8Array(await readFile(path));
    expect(bytes).toEqual(encodeSafetensors(new Map([["raw", raw]]), { format: "pt" }));
  });

  it("keeps the old file when the new one cannot be written", async () => {
    const path = join(directory, "kept.safetensors");
    await saveSafetensors(path, { raw });
    const before = await readFile(path);
    const wrong: RawTensor = { ...raw, shape: [4] };
    await expect(saveSafetensors(path, { raw, wrong })).rejects.toThrow('tensor "wrong"');
    expect(await readFile(path)).toEqual(before);
  });
});

describe("loadSafetensors", () => {
  it("takes bytes and blobs, and closes a file that is malformed", async () => {
    const tensor: RawTensor = { dtype: "float32", shape: [1], data: Float32Array.of(7) };
    const bytes = encodeSafetensors(new Map([["a", tensor]]));
    for (const file of [bytes, bytes.buffer, new Blob([bytes])]) {
      expect(await (await loadSafetensors(file)).get("a")?.data()).toEqual(Float32Array.of(7));
    }
    const path = join(directory, "bad.safetensors");
    await writeFile(path, bytes.subarray(0, 20));
    await expect(loadSafetensors(path)).rejects.toThrow(`${path}: the header says`);
  });
});

describe("writeFileAtomic", () => {
  it("leaves neither half a file nor a changed one when writing fails", async () => {
    const place = await mkdtemp(join(directory, "atomic-"));
    const path = join(place, "file");
    await writeFile(path, "old");
    const writing = writeFileAtomic(path, async (write) => {
      await write(new Uint8Array(1000));
      throw new Error("disk on fire");
    });
    await expect(writing).rejects.toThrow("disk on fire");
    expect(await readdir(place)).toEqual(["file"]);
    expect(await readFile(path, "utf8")).toBe("old");
    await writeFileAtomic(path, (write) => write(new TextEncoder().encode("new")));
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await readdir(place)).toEqual(["file"]);
  });
});
