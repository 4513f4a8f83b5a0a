import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ByteSource, bytesInMemory, bytesOfBlob, openFile } from "../../files/byte-source.ts";
import { bytesOf, rawDTypes, rawItemsize, type RawTensor, viewAs } from "../raw-tensor.ts";
import { SafetensorsError } from "./safetensors-error.ts";
import { encodeSafetensors } from "./safetensors-writer.ts";
import { SafetensorsFile } from "./safetensors.ts";

async function readAll(bytes: Uint8Array): Promise<Map<string, RawTensor>> {
  const file = await SafetensorsFile.open(bytesInMemory(bytes, "test.safetensors"));
  const tensors = new Map<string, RawTensor>();
  for (const name of file.names) tensors.set(name, await file.read(name));
  return tensors;
}

/** A file with the header as given, so that it can be wrong in any way. */
function fileWith(header: unknown, dataSize: number): Uint8Array {
  const json = typeof header === "string" ? header : JSON.stringify(header);
  const text = new TextEncoder().encode(json);
  const file = new Uint8Array(8 + text.length + dataSize);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

function entry(dtype: string, shape: readonly number[], begin: number, end: number): unknown {
  return { dtype, shape, data_offsets: [begin, end] };
}

const rawTensor: fc.Arbitrary<RawTensor> = fc
  .record({
    dtype: fc.constantFrom(...rawDTypes),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
  })
  .chain(({ dtype, shape }) => {
    const bytes = shape.reduce((a, b) => a * b, rawItemsize(dtype));
    const max = dtype === "bool" ? 1 : 255;
    return fc
      .uint8Array({ minLength: bytes, maxLength: bytes, max })
      .map((data) => ({ dtype, shape, data: viewAs(data, dtype) }));
  });

const tensorName = fc
  .oneof(fc.string({ unit: "binary" }), fc.string(), fc.constantFrom("1", "0", "__proto__"))
  .filter((name) => name !== "__metadata__");

const tensorMap = fc
  .array(fc.tuple(tensorName, rawTensor), { maxLength: 5 })
  .map((entries) => new Map(entries));

const someMetadata = fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 });

function plain(tensor: RawTensor): unknown {
  return { dtype: tensor.dtype, shape: [...tensor.shape], bytes: [...bytesOf(tensor.data)] };
}

describe("round trip", () => {
  it("returns the tensors and metadata that were written", async () => {
    await fc.assert(
      fc.asyncProperty(tensorMap, someMetadata, async (tensors, metadata) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const file = await SafetensorsFile.open(bytesInMemory(bytes, "t"));
        expect(file.names.toSorted()).toEqual([...tensors.keys()].toSorted());
        expect(Object.entries(file.metadata)).toEqual(Object.entries(metadata));
        for (const [name, tensor] of tensors) {
          expect(plain(await file.read(name))).toEqual(plain(tensor));
        }
      }),
    );
  });

  it.each(["where", "direct_noise"])(
    "writes %s byte for byte as the reference does",
    async (name) => {
      const path = new URL(`../../../tests/goldens/io/${name}.safetensors`, import.meta.url);
      const reference = new Uint8Array(await readFile(path));
      const tensors = await readAll(reference);
      expect(tensors.size).toBeGreaterThan(0);
      const written = encodeSafetensors(tensors);
      expect(Buffer.compare(written, reference)).toBe(0);
    },
  );

  it("holds no second copy of an aligned file in memory", async () => {
    const tensor: RawTensor = { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) };
    const bytes = encodeSafetensors(new Map([["a", tensor]]));
    const read = (await readAll(bytes)).get("a");
    expect(read?.data.buffer).toBe(bytes.buffer);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect((await readAll(shifted.subarray(1))).get("a")?.data).toEqual(tensor.data);
  });
});

describe("reading from disk", () => {
  let directory = "";
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "tsvene-safetensors-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it("reads every byte once, each tensor into a buffer of its own", async () => {
    const tensors = new Map<string, RawTensor>([
      ["weight", { dtype: "float32", shape: [64, 64], data: new Float32Array(4096).fill(0.5) }],
      ["ids", { dtype: "int64", shape: [3], data: BigInt64Array.of(1n, -2n, 3n) }],
      ["half", { dtype: "bfloat16", shape: [2, 1], data: Uint16Array.of(0x3f80, 0xc000) }],
      ["none", { dtype: "float32", shape: [0, 7], data: new Float32Array() }],
    ]);
    const path = join(directory, "model.safetensors");
    const bytes = encodeSafetensors(tensors);
    await writeFile(path, bytes);
    const onDisk = await openFile(path);
    let bytesRead = 0;
    const counted: ByteSource = {
      ...onDisk,
      read: (begin, end) => {
        bytesRead += end - begin;
        return onDisk.read(begin, end);
      },
    };
    const file = await SafetensorsFile.open(counted);
    for (const name of file.names) {
      const tensor = await file.read(name);
      expect(tensor).toEqual(tensors.get(name));
      expect(tensor.data.buffer.byteLength).toBe(tensor.data.byteLength);
    }
    await file.close();
    expect(bytesRead).toBe(bytes.length);
  });

  it("reads from a blob", async () => {
    const data = Float64Array.of(1, 2);
    const bytes = encodeSafetensors(new Map([["a", { dtype: "float64", shape: [2], data }]]));
    const file = await SafetensorsFile.open(bytesOfBlob(new Blob([bytes]), "dropped"));
    expect((await file.read("a")).data).toEqual(data);
  });

  it("says that a directory is not a file", async () => {
    await expect(openFile(directory)).rejects.toThrow("is a directory");
  });
});

describe("malformed files", () => {
  it.each<[string, Uint8Array, string]>([
    ["is empty", new Uint8Array(0), "the file has 0 bytes"],
    ["is shorter than the prefix", new Uint8Array(7), "the file has 7 bytes"],
    [
      "has a header over the cap",
      Uint8Array.of(1, 0xe1, 0xf5, 5, 0, 0, 0, 0, 123),
      "100000001 bytes; at most 100000000",
    ],
    ["has a huge header length", new Uint8Array(16).fill(255), "18446744073709551615 bytes"],
    ["has a header past its end", Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 123, 125), "only 2 follow"],
    ["has an empty header", new Uint8Array(8), 'begins with ""'],
    ["is not UTF-8", Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff), "not valid UTF-8"],
    ["does not begin with {", fileWith(" 1", 0), 'begins with " "'],
    ["has an array", fileWith("[]", 0), 'begins with "["'],
    ["has broken JSON", fileWith("{]", 0), "not valid JSON"],
    ["has text after the object", fileWith("{} x", 0), "not valid JSON"],
    [
      "has a tensor twice",
      fileWith('{"a":{"dtype":"U8"},"b":{},"\\u0061":{}}', 0),
      'the key "a" twice',
    ],
    ["has a key twice in a tensor", fileWith('{"a":{"shape":[],"shape":[]}}', 0), '"shape" twice'],
    ["has metadata that is no object", fileWith({ __metadata__: ["x"] }, 0), "__metadata__ is"],
    ["has metadata that is no string", fileWith({ __metadata__: { n: 1 } }, 0), '["n"] is 1'],
    ["has a tensor that is no object", fileWith({ a: 3 }, 0), 'tensor "a": described by 3'],
    ["has an unknown dtype", fileWith({ a: entry("F31", [], 0, 4) }, 4), 'dtype is "F31"'],
    ["has an inherited name as dtype", fileWith({ a: entry("toString", [], 0, 1) }, 1), "dtype is"],
    ["has a negative dimension", fileWith({ a: entry("U8", [-1], 0, 1) }, 1), "shape is [-1]"],
    ["has a fractional dimension", fileWith({ a: entry("U8", [1.5], 0, 1) }, 1), "shape is [1.5]"],
    ["has an unsafe dimension", fileWith({ a: entry("U8", [2 ** 53], 0, 1) }, 1), "shape is"],
    [
      "has no shape",
      fileWith({ a: { dtype: "U8", data_offsets: [0, 1] } }, 1),
      "shape is undefined",
    ],
    [
      "has one offset",
      fileWith({ a: { dtype: "U8", shape: [], data_offsets: [0] } }, 1),
      "is [0];",
    ],
    ["has backward offsets", fileWith({ a: entry("U8", [1], 1, 0) }, 1), "end before they begin"],
    ["is truncated", fileWith({ a: entry("U8", [9], 0, 9) }, 8), "past the file's 8 bytes"],
    [
      "has a size that differs from shape and dtype",
      fileWith({ a: entry("F32", [2], 0, 4) }, 4),
      "hold 4 bytes, but shape [2] of F32 takes 8",
    ],
    [
      "has a shape whose product overflows",
      fileWith({ a: entry("F32", [2 ** 40, 2 ** 40], 0, 4) }, 4),
      "more than any file has",
    ],
    [
      "has overlapping tensors",
      fileWith({ a: entry("U8", [3], 0, 3), b: entry("U8", [2], 2, 4) }, 4),
      'tensor "b" begins at byte 2 of the data, inside of tensor "a"',
    ],
    [
      "has two tensors in one place",
      fileWith({ a: entry("U8", [3], 0, 3), b: entry("U8", [3], 0, 3) }, 3),
      "must not overlap",
    ],
    [
      "has a hole",
      fileWith({ b: entry("U8", [1], 3, 4), a: entry("U8", [2], 0, 2) }, 4),
      'bytes 2 to 3 of the data, before tensor "b"',
    ],
    ["has a hole at the end", fileWith({ a: entry("U8", [2], 0, 2) }, 5), "the last 3 bytes"],
  ])("refuses one that %s", async (_, bytes, message) => {
    const opening = SafetensorsFile.open(bytesInMemory(bytes, "bad.safetensors"));
    await expect(opening).rejects.toThrow(SafetensorsError);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toThrow(/^bad\.safetensors: /);
  });

  it.each(["U16", "U32", "U64", "C64", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ"])(
    "opens a file with %s, and refuses that tensor by name",
    async (dtype) => {
      const size = { U16: 2, U32: 4, U64: 8, C64: 8 }[dtype] ?? 1;
      const header = { a: entry(dtype, [], 0, size), b: entry("U8", [], size, size + 1) };
      const file = await SafetensorsFile.open(bytesInMemory(fileWith(header, size + 1), "f"));
      await expect(file.read("a")).rejects.toThrow(
        `f: tensor "a" is ${dtype}, which cannot be read`,
      );
      expect((await file.read("b")).shape).toEqual([]);
    },
  );

  it("refuses a BOOL that is neither 0 nor 1", async () => {
    const bytes = fileWith({ a: entry("BOOL", [2], 0, 2) }, 2);
    bytes.set([1, 2], bytes.length - 2);
    await expect(readAll(bytes)).rejects.toThrow('tensor "a" is BOOL, but element 1 is 2');
  });

  it("refuses a tensor that it lacks", async () => {
    const file = await SafetensorsFile.open(bytesInMemory(fileWith({}, 0), "empty"));
    expect(() => file.info("x")).toThrow('empty: there is no tensor "x" among its 0');
    await expect(file.read("toString")).rejects.toThrow(SafetensorsError);
  });

  const sample = encodeSafetensors(
    new Map<string, RawTensor>([
      ["a.weight", { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
      ["b", { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }],
      ["c", { dtype: "int64", shape: [], data: BigInt64Array.of(7n) }],
    ]),
    { format: "pt" },
  );
  const headerEnd = 8 + Number(new DataView(sample.buffer).getBigUint64(0, true));

  it("refuses the file truncated at any length", async () => {
    for (let length = 0; length < sample.length; length++) {
      await expect(readAll(sample.slice(0, length))).rejects.toThrow(SafetensorsError);
    }
    expect((await readAll(sample)).size).toBe(3);
  });

  it("answers any one changed byte with an error of its own, or with whole tensors", async () => {
    for (let at = 0; at < headerEnd; at++) {
      for (const byte of [0, 0x22, 0x2c, 0x30, 0x39, 0x5c, 0x7d, 0xff, (sample[at] ?? 0) ^ 1]) {
        const damaged = sample.slice();
        damaged[at] = byte;
        await expectSound(damaged);
      }
    }
  });

  it("answers arbitrary damage with an error of its own, or with whole tensors", async () => {
    const change = fc.tuple(fc.nat(headerEnd - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const damaged = sample.slice();
        for (const [at, byte] of changes) damaged[at] = byte;
        await expectSound(damaged);
      }),
      { numRuns: 1000 },
    );
  });

  async function expectSound(bytes: Uint8Array): Promise<void> {
    let tensors: Map<string, RawTensor>;
    try {
      tensors = await readAll(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(SafetensorsError);
      return;
    }
    let total = 0;
    for (const { shape, dtype, data } of tensors.values()) {
      expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
      expect(data.byteLength).toBe(data.length * rawItemsize(dtype));
      total += data.byteLength;
    }
    expect(total).toBe(sample.length - headerEnd);
  }
});

describe("writing", () => {
  const one = Float32Array.of(1);
  it.each<[string, string, RawTensor, Record<string, string>, string]>([
    [
      "a length that differs from the shape",
      "w",
      { dtype: "float32", shape: [2], data: one },
      {},
      'tensor "w": float32 of shape [2] has 2 elements, but its data is a Float32Array of 1',
    ],
    [
      "an array of another type",
      "w",
      { dtype: "int32", shape: [1], data: one },
      {},
      "int32 of shape [1] has 1 elements, but its data is a Float32Array of 1",
    ],
    [
      "a fractional dimension",
      "w",
      { dtype: "float32", shape: [0.5], data: one },
      {},
      "dimension 0.5",
    ],
    [
      "the reserved name",
      "__metadata__",
      { dtype: "float32", shape: [1], data: one },
      {},
      "the format reserves it",
    ],
  ])("refuses %s", (_, name, tensor, metadata, message) => {
    const write = (): unknown => encodeSafetensors(new Map([[name, tensor]]), metadata);
    expect(write).toThrow(SafetensorsError);
    expect(write).toThrow(message);
  });

  it("refuses metadata that is not a string, and unknown element types", () => {
    const metadata = JSON.parse('{"epoch": 3}') as Record<string, string>;
    expect(() => encodeSafetensors(new Map(), metadata)).toThrow('metadata["epoch"] is a number');
    const tensor = JSON.parse('{"dtype": "complex64", "shape": [], "data": []}') as RawTensor;
    expect(() => encodeSafetensors(new Map([["a", tensor]]))).toThrow('dtype is "complex64"');
  });
});
