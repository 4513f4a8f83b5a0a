import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import { bytesInMemory, type ByteSource } from "../../files/byte-source.ts";
import "../../runtime/default-runtime.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { loadTorchFile, type TorchValue } from "./load-torch-file.ts";
import { encodeTorchFile, saveTorchFile } from "./save-torch-file.ts";
import type { TorchContent } from "./torch-content.ts";
import { TorchFileError } from "./torch-file-error.ts";
import { planZip } from "./zip-writer.ts";
import { ZipArchive } from "./zip.ts";

const floats = (...values: number[]): Tensor =>
  Tensor.fromData(Float32Array.from(values), [values.length]);

async function storagesOf(file: Uint8Array): Promise<string[]> {
  const zip = await ZipArchive.open(bytesInMemory(file, "file"));
  return [...zip.members.keys()].filter((name) => name.includes("/data/"));
}

function tensorAt(value: TorchValue | undefined, key: string): Tensor {
  const found = value instanceof Map ? (value as ReadonlyMap<string, TorchValue>).get(key) : value;
  if (found instanceof Tensor) return found;
  throw new Error("a tensor was wanted");
}

it("gives back plain values as they were", async () => {
  const value = [0, 255, 256, -1, -(2 ** 31), 2 ** 40, 2n ** 70n, -(2n ** 63n), 1.5, -0, Infinity, "é\n", "", true, null, [], [[1]]]; // prettier-ignore
  const file = await encodeTorchFile([...value, NaN, new Map(), { 7: "a", b: { c: [false] } }]);
  const read = await loadTorchFile(file);
  const dict = new Map<string, TorchValue>([["7", "a"], ["b", new Map([["c", [false]]])]]); // prettier-ignore
  expect(read).toStrictEqual([...value, NaN, new Map(), dict]);
});

it("writes tensors that share memory as one storage, and others by themselves", async () => {
  const all = Float32Array.from({ length: 12 }, (_, i) => i);
  const [whole, row, apart] = [all.subarray(2, 8), all.subarray(4, 6), all.subarray(8)];
  const bits = new Uint32Array(all.buffer, 8, 2);
  const file = await encodeTorchFile({
    row: Tensor.fromData(row, [2]),
    whole: Tensor.fromData(whole, [2, 3]),
    apart: Tensor.fromData(apart, [4]),
    ints: Tensor.fromData(new Int32Array(bits.buffer, 8, 2), [2], "int32"),
    empty: Tensor.fromData(new Float32Array(), [0, 3]),
  });
  expect(await storagesOf(file)).toHaveLength(4);
  const read = await loadTorchFile(file);
  expect(await tensorAt(read, "row").data()).toEqual(row);
  expect(await tensorAt(read, "whole").data()).toEqual(whole);
  expect(tensorAt(read, "row").values?.buffer).toBe(tensorAt(read, "whole").values?.buffer);
  expect(await tensorAt(read, "apart").data()).toEqual(apart);
  expect(tensorAt(read, "empty").shape).toEqual([0, 3]);
});

it("computes lazy tensors together, and refuses what becomes infinite", async () => {
  const x = floats(1, 2);
  const read = await loadTorchFile(await encodeTorchFile(new Map([["x", x.mul(3)]])));
  expect(await tensorAt(read, "x").data()).toEqual(Float32Array.of(3, 6));
  const large = encodeTorchFile([floats(1, 70000).mul(2).to("float16")]);
  await expect(large).rejects.toThrow("[0] holds 140000 (number 1 of it), which float16");
});

it("aligns the numbers, says the right checksums, and gives equal bytes", async () => {
  const make = (): Promise<Uint8Array> => encodeTorchFile({ a: floats(1), b: floats(2, 3, 4) });
  const file = Buffer.from(await make());
  expect(await make()).toEqual(new Uint8Array(file));
  const zip = await ZipArchive.open(bytesInMemory(file, "file"));
  for (const member of zip.members.values()) {
    const begin = member.header + 30 + member.name.length + file.readUInt16LE(member.header + 28);
    expect(begin % 64).toBe(0);
    expect(member.checksum).toBe(crc32(file.subarray(begin, begin + member.size)));
    expect(file.readUInt32LE(member.header + 14)).toBe(member.checksum);
  }
});

it("says sizes and places beyond 4 GiB, as the reader understands them", async () => {
  const sizes = [3, 5 * 2 ** 30, 7, 2 ** 32 - 1, 2];
  const layouts = sizes.map((size, i) => ({ name: `m/${i}`, size, checksum: 0 }));
  const { headers, end, size } = planZip(layouts);
  const places: [at: number, bytes: Uint8Array][] = [];
  let at = 0;
  for (const [i, header] of headers.entries()) {
    places.push([at, header]);
    at += header.length + (sizes[i] ?? 0);
  }
  places.push([at, end]);
  const source: ByteSource = {
    name: "large",
    size,
    read: async (from, to) => {
      const out = new Uint8Array(to - from);
      for (const [begin, bytes] of places) {
        const first = Math.max(from, begin);
        const part = bytes.subarray(first - begin, Math.max(0, to - begin));
        if (part.length > 0) out.set(part, first - from);
      }
      return out;
    },
    close: async () => undefined,
  };
  const zip = await ZipArchive.open(source);
  expect([...zip.members.values()].map(({ size }) => size)).toEqual(sizes);
  const last = zip.members.get("m/4");
  expect(last?.header).toBe(places[4]?.[0]);
  expect(last && (await zip.read(last))).toEqual(new Uint8Array(2));
});

it.each<[string, unknown, string]>([
  ["a function", { a: [() => 1] }, '["a"][0] is a function'],
  ["undefined", [undefined], "[0] is undefined"],
  ["a hole", [, 1], "[0] is undefined"], // oxlint-disable-line no-sparse-arrays
  ["a class", new Map([["m", new Date()]]), '["m"] is a Date'],
  ["an array of numbers", { w: new Float32Array(2) }, '["w"] is a Float32Array'],
  ["a key", new Map([[{}, 1]]), "a dict with a Object as a key"],
  ["half a character", "\ud800", "half of a surrogate pair"],
  ["a huge integer", 2n ** 600n, "an integer of more than 64 bytes"],
])("refuses %s before anything is written", async (_, value, message) => {
  const directory = await mkdtemp(join(tmpdir(), "tsvene-torch-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "x.bin");
  await writeFile(path, "old");
  const saving = saveTorchFile(path, value as TorchContent);
  await expect(saving).rejects.toThrow(message);
  await expect(saving).rejects.toBeInstanceOf(TorchFileError);
  expect(await readFile(path, "utf8")).toBe("old");
});

it("refuses a value that holds itself", async () => {
  const list: TorchContent[] = [];
  list.push(list);
  await expect(encodeTorchFile(list)).rejects.toThrow("more than 128 lists and dicts");
});

it("writes a file into a directory that is made for it", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tsvene-torch-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "new", "x.bin");
  await saveTorchFile(path, { x: floats(1, 2) });
  expect(new Uint8Array(await readFile(path))).toEqual(await encodeTorchFile({ x: floats(1, 2) }));
});
