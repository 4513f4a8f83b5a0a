import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadSafetensors, loadTorchFile, MemoryFiles, openCheckpoint,
  openFiles, type Tensor } from "tsvene";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../models/checkpoints.ts";
import {
  bytes,
  dictPickle,
  tensorPickle,
  text,
  torchFile,
  uint32,
  zip,
} from "./torch-bytes.ts";

const TORCH = join(import.meta.dirname, "hostile", "torch");
const LIBRARY = ["TorchFileError", "SafetensorsError", "CheckpointError", "FileSourceError"];
/** Processor time, in ms for each MB: the wall clock shows what else the machine does. */
const TIME_A_MEGABYTE = 1000;

interface Outcome {
  readonly value?: unknown;
  readonly error?: Error;
}

/** What comes of it; fails for an error of another kind, and for one that takes long. */
async function outcome(size: number, read: () => Promise<unknown>): Promise<Outcome> {
  const before = process.cpuUsage();
  const result = await read().then(
    (value): Outcome => ({ value }),
    (error: unknown): Outcome => ({ error: error as Error }),
  );
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(TIME_A_MEGABYTE * Math.max(1, size / 1e6));
  if (result.error !== undefined) expect(LIBRARY).toContain(result.error.name);
  return result;
}

/** Reads a file both ways. */
async function both(file: Uint8Array): Promise<Outcome> {
  const files = new MemoryFiles({ "pytorch_model.bin": file });
  await outcome(file.length, async () => {
    const checkpoint = await openCheckpoint(files);
    for (const name of checkpoint.names) await checkpoint.read(name);
  });
  return outcome(file.length, () => loadTorchFile(file));
}

const ZEROS = new Uint8Array(8);
const one = tensorPickle({ length: 2, shape: [2] });

describe("files of PyTorch", () => {
  it.each(readdirSync(TORCH))("%s", async (name) => {
    const { error } = await both(readFileSync(join(TORCH, name)));
    expect(error).toBeDefined();
  });

  it.each<[string, Buffer, RegExp]>([
    ["an element that is repeated", torchFile(tensorPickle({ length: 2, shape: [1 << 14, 1 << 14], stride: [0, 0] }), [ZEROS]), /more elements of tensors than it has bytes for/], // prettier-ignore
    ["elements repeated in many tensors", torchFile(bytes("](", ...Array.from({ length: 300 }, () => tensorPickle({ length: 2, shape: [1 << 18], stride: [0] })), "e"), [ZEROS]), /more elements of tensors/], // prettier-ignore
    ["a shape that is used again", torchFile(bytes("](", ...Array.from({ length: 5000 }, (_, i) => bytes("ctorch\nSize\n", i === 0 ? bytes("(", "K\u0001".repeat(900), "tq\u0000") : "h\u0000", 0x85, "R")), "e")), /more values than it has bytes for/], // prettier-ignore
    ["a list of pairs that is used again", torchFile(bytes("](", ...Array.from({ length: 5000 }, (_, i) => bytes("ccollections\nOrderedDict\n", i === 0 ? bytes("](", Buffer.concat(Array.from({ length: 3000 }, (_, n) => bytes(text(String(n)), "N", 0x86))), "eq\u0000") : "h\u0000", 0x85, "R")), "e")), /more values than it has bytes for/], // prettier-ignore
    ["too many dimensions", torchFile(tensorPickle({ length: 1, shape: Array<number>(65).fill(1) }), [ZEROS]), /65 dimensions, at most 64/], // prettier-ignore
    ["dimensions whose product is infinite", torchFile(tensorPickle({ length: 1, shape: Array<number>(40).fill(2 ** 31 - 1), stride: Array<number>(40).fill(0) }), [ZEROS]), /reaches element|more elements/], // prettier-ignore
    ["a list within itself", torchFile(bytes("]q\u0000h\u0000a")), /one lies within itself/],
    ["a dict within itself", torchFile(bytes("}q\u0000", text("x"), "h\u0000s")), /one lies within itself/], // prettier-ignore
    ["lists nested deeply", torchFile(bytes("]".repeat(1e5), "a".repeat(99_999))), /more than 128 lists|more values/], // prettier-ignore
    ["lists nested by what was made before", torchFile(bytes("]q\u0000", "]h\u0000aq\u0000".repeat(2000))), /more than 128 lists/], // prettier-ignore
    ["a device of lists", torchFile(bytes("ctorch\ndevice\n(](", text("a").toString("latin1").repeat(9), "etR")), /a device is not as/], // prettier-ignore
    ["a device of a device", torchFile(bytes("ctorch\ndevice\n(", text("cuda"), text("0"), "tR")), /a device is not as/], // prettier-ignore
    ["an integer of many bytes", torchFile(bytes(0x8b, uint32(1e5), Buffer.alloc(1e5, 1))), /an integer of 100000 bytes/], // prettier-ignore
    ["many empty dicts", torchFile(bytes("](", "}".repeat(1e6), "e")), /more values than/],
    ["a pickle that unpacks to much", torchFile(Buffer.alloc(2e7, "N"), [], { deflate: true }), /its data\.pkl unpacks from/], // prettier-ignore
    ["members that unpack to much", zip([{ name: "g/data.pkl", data: bytes(0x80, 2, one, ".") }, ...[0, 1].map((i) => ({ name: `g/data/${i}`, data: Buffer.alloc(4e7), deflate: true }))]), /its members unpack to 80000000 bytes/], // prettier-ignore
    ["members in the same place", zip([{ name: "g/data.pkl", data: bytes(0x80, 2, one, ".") }, ...[0, 1].map((i) => ({ name: `g/data/${i}`, data: ZEROS, header: 0 }))]), /overlaps another member/], // prettier-ignore
    ["a member of a size that is none", zip([{ name: "g/data.pkl", data: bytes(0x80, 2, one, "."), size: 2 ** 32 - 2 }]), /two sizes|truncated/], // prettier-ignore
    ["a member that is there twice", zip([1, 2].map(() => ({ name: "g/data.pkl", data: bytes(0x80, 2, one, ".") }))), /is twice in it/], // prettier-ignore
    ["another checksum", zip([{ name: "g/data.pkl", data: bytes(0x80, 2, one, ".") }, { name: "g/data/0", data: ZEROS, checksum: 1 }]), /"g\/data\/0" has not the checksum/], // prettier-ignore
  ])("%s", async (_, file, message) => {
    expect(file.length).toBeLessThan(2e6);
    const { error } = await both(file);
    expect(error?.message).toMatch(message);
  });

  it("checks the sum of what is read part by part", async () => {
    const data = Buffer.alloc(4096, 1);
    const value = dictPickle([["w", tensorPickle({ length: 1024, shape: [1024] })]]);
    const pickle = { name: "g/data.pkl", data: bytes(0x80, 2, value, ".") };
    for (const checksum of [undefined, 7]) {
      const storage = { name: "g/data/0", data, ...(checksum === undefined ? {} : { checksum }) };
      const files = new MemoryFiles({ "pytorch_model.bin": zip([pickle, storage]) });
      const checkpoint = await openCheckpoint(files);
      const read = async (): Promise<number> => {
        let count = 0;
        for await (const part of checkpoint.parts("w", new Uint8Array(512))) count += part.length;
        return count;
      };
      if (checksum === undefined) expect(await read()).toBe(1024);
      else await expect(read()).rejects.toThrow("has not the checksum");
    }
  });

  it("of honest kinds are read as before", async () => {
    const floats = new Uint8Array(Float32Array.from({ length: 6 }, (_, i) => i).buffer);
    const transposed = torchFile(tensorPickle({ length: 6, shape: [3, 2], stride: [1, 3] }), [floats]);
    const read = (await loadTorchFile(transposed)) as Tensor;
    expect(await read.toArray()).toEqual([[0, 3], [1, 4], [2, 5]]); // prettier-ignore
    const expanded = torchFile(tensorPickle({ length: 6, shape: [2, 3, 2], stride: [0, 2, 0] }), [floats]); // prettier-ignore
    const rows = [[0, 0], [2, 2], [4, 4]]; // prettier-ignore
    expect(await ((await loadTorchFile(expanded)) as Tensor).toArray()).toEqual([rows, rows]);
    const long = BigInt64Array.from([1n, -(2n ** 62n), 3n, 0x7ff4000000000001n]);
    const wide = torchFile(tensorPickle({ kind: "LongStorage", length: 4, shape: [2, 2], stride: [1, 2] }), [new Uint8Array(long.buffer)]); // prettier-ignore
    expect(await ((await loadTorchFile(wide)) as Tensor).data()).toEqual(
      BigInt64Array.from([1n, 3n, -(2n ** 62n), 0x7ff4000000000001n]),
    );
    const empty = torchFile(tensorPickle({ length: 0, shape: [3, 0, 2] }), [new Uint8Array()]);
    expect(((await loadTorchFile(empty)) as Tensor).shape).toEqual([3, 0, 2]);
  });
});

describe("state dicts within others", () => {
  const w = tensorPickle({ length: 2, shape: [2] });
  const state = dictPickle([["a.weight", w], ["a.bias", w]]); // prettier-ignore
  const optimizer = dictPickle([["state", dictPickle([["exp_avg", w]])], ["lr", bytes("G", Buffer.alloc(8))]]); // prettier-ignore

  it.each<[string, Buffer, string[]]>([
    ["state_dict", dictPickle([["state_dict", state], ["optimizer", optimizer], ["epoch", bytes("K\u0003")]]), ["a.weight", "a.bias"]], // prettier-ignore
    ["model", dictPickle([["optimizer", optimizer], ["model", state]]), ["a.weight", "a.bias"]],
    ["module", dictPickle([["module", state], ["lr_scheduler", optimizer]]), ["a.weight", "a.bias"]], // prettier-ignore
    ["model_state_dict", dictPickle([["model_state_dict", state]]), ["a.weight", "a.bias"]],
    ["two", dictPickle([["model", dictPickle([["state_dict", state]])]]), ["a.weight", "a.bias"]],
    ["dicts of modules", dictPickle([["a", dictPickle([["weight", w], ["bias", w]])]]), ["a.weight", "a.bias"]], // prettier-ignore
    ["plain values beside", dictPickle([["a.weight", w], ["version", bytes("K\u0003")], ["a.bias", w]]), ["a.weight", "a.bias"]], // prettier-ignore
  ])("%s", async (_, value, names) => {
    const file = torchFile(value, [ZEROS]);
    const checkpoint = await openCheckpoint(new MemoryFiles({ "pytorch_model.bin": file }));
    expect(checkpoint.names).toEqual(names);
    expect((await checkpoint.read("a.bias")).shape).toEqual([2]);
  });

  it("that lie in each other many times are an error", async () => {
    let file = bytes("}", text("w"), w, "sq\u0000");
    for (let i = 0; i < 40; i++) {
      file = bytes(file, "}(", text("a"), "h\u0000", text("b"), "h\u0000", "uq\u0000");
    }
    const { error } = await both(torchFile(file, [ZEROS]));
    expect(error).toBeUndefined();
    const files = new MemoryFiles({ "pytorch_model.bin": torchFile(file, [ZEROS]) });
    await expect(openCheckpoint(files)).rejects.toThrow("more than 200000 entries");
  });
});

describe("special files", () => {
  it("are refused before they are opened, as a pipe would wait for ever", async () => {
    const directory = await temporaryDirectory();
    const pipe = join(directory, "model.safetensors");
    execFileSync("mkfifo", [pipe]);
    const refused = /is a (?:pipe|device|socket); a file was wanted/;
    await expect(loadSafetensors(pipe)).rejects.toThrow(refused);
    await expect(loadTorchFile("/dev/zero")).rejects.toThrow(refused);
    const files = await openFiles(directory);
    await expect(files.readText("model.safetensors")).rejects.toThrow(refused);
    await expect(openCheckpoint(files)).rejects.toThrow(refused);
    await expect(loadTorchFile(directory)).rejects.toThrow("is a directory; a file was wanted");
  });
});

/** A safetensors file of a header and as many zeros. */
function safetensors(header: string, data = 0): Buffer {
  const length = uint32(Buffer.byteLength(header));
  return bytes(length, uint32(0), Buffer.from(header), Buffer.alloc(data));
}

describe("safetensors files", () => {
  const entry = (shape: readonly number[], end: number, dtype = "F32"): string =>
    JSON.stringify({ w: { dtype, shape, data_offsets: [0, end] } });

  it.each<[string, Buffer, RegExp]>([
    ["a header nested deeply", safetensors(`{"w":${"[".repeat(5e5)}`), /more than 128 arrays/],
    ["metadata nested deeply", safetensors(`{"__metadata__":${'{"a":'.repeat(2e5)}`), /more than 128/], // prettier-ignore
    ["too many dimensions", safetensors(entry(Array<number>(65).fill(1), 4), 4), /65 dimensions, at most 64/], // prettier-ignore
    ["many dimensions", safetensors(entry(Array<number>(4e5).fill(1), 4), 4), /400000 dimensions/],
    ["a product past 2^53", safetensors(entry([2 ** 30, 2 ** 30, 2 ** 30], 4), 4), /more than any file has/], // prettier-ignore
    ["a dimension past 2^53", safetensors(`{"w":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}`, 4), /non-negative integers/], // prettier-ignore
    ["one place for two", safetensors('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), /must not overlap/], // prettier-ignore
    ["a key that is there twice", safetensors('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), /the key "a" twice/], // prettier-ignore
    ["a header longer than the file", bytes(uint32(90_000_000), uint32(0), "{}"), /but only 2 follow/],
    ["a header of 2^64 bytes", bytes(Buffer.alloc(8, 255), "{}"), /at most 100000000 are allowed/],
  ])("%s", async (_, file, message) => {
    const { error } = await outcome(file.length, () => loadSafetensors(file));
    expect(error?.message).toMatch(message);
    expect(error?.message.length).toBeLessThan(1000);
  });

  it.each([
    ["null as metadata", '{"__metadata__":null,"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'],
    ["null in metadata", '{"__metadata__":{"format":"pt","by":null},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'],
    ["empty metadata", '{"__metadata__":{},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'],
    ["spaces around", '  {"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   \n'],
    ["other fields", '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"note":null}}'],
    ["a number alone and empty ones", '{"w":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"e":{"dtype":"F32","shape":[4,0],"data_offsets":[8,8]},"b":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'],
    ["types without numbers here", '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"f":{"dtype":"F4","shape":[8],"data_offsets":[4,8]}}'],
  ])("with %s are read", async (_, header) => { // prettier-ignore
    const files = new MemoryFiles({ "model.safetensors": safetensors(header, 8) });
    const checkpoint = await openCheckpoint(files);
    expect((await checkpoint.read("w")).data.every((x) => Number(x) === 0)).toBe(true);
  });

  it("as many names as fit into a megabyte", async () => {
    const names = Array.from({ length: 14_000 }, (_, i) => `"${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`); // prettier-ignore
    const file = safetensors(`{${names.join()}}`);
    const { value } = await outcome(file.length, () => loadSafetensors(file));
    expect((value as Map<string, Tensor>).size).toBe(14_000);
  });
});
