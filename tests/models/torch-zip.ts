import { writeFile } from "node:fs/promises";
import type { Tensor } from "tsvene";

const text = new TextEncoder();

function bytes(...parts: (string | number[] | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((p) => (typeof p === "string" ? text.encode(p) : Uint8Array.from(p))),
  );
}

function int32(value: number): Uint8Array {
  const out = Buffer.alloc(4);
  out.writeInt32LE(value);
  return out;
}

const pickledString = (value: string): Buffer =>
  bytes("X", int32(text.encode(value).length), value);
const pickledInts = (values: readonly number[]): Buffer =>
  bytes("(", ...values.flatMap((v) => ["J", int32(v)]), "t");

/** What torch.save writes of a float32 tensor whose numbers are in storage `key`. */
function pickledTensor(shape: readonly number[], key: string): Buffer {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const length = shape.reduce((a, b) => a * b, 1);
  return bytes(
    "ctorch._utils\n_rebuild_tensor_v2\n((",
    pickledString("storage"),
    "ctorch\nFloatStorage\n",
    pickledString(key),
    pickledString("cpu"),
    "J",
    int32(length),
    "tQJ",
    int32(0),
    pickledInts(shape),
    pickledInts(strides),
    [0x89],
    "ccollections\nOrderedDict\n)RtR",
  );
}

interface Member {
  readonly name: string;
  readonly data: Uint8Array;
}

/** An unpacked zip file; checksums, which nothing here reads, are zero. */
function zip(members: readonly Member[]): Uint8Array[] {
  const [parts, directory]: [Uint8Array[], Buffer[]] = [[], []];
  let at = 0;
  for (const { name, data } of members) {
    const sizes = bytes(int32(0), int32(data.length), int32(data.length));
    const fields = bytes([20, 0, 0, 0, 0, 0, 0, 0, 0, 0], sizes, [name.length, 0, 0, 0]);
    const local = bytes("PK\u0003\u0004", fields, name);
    directory.push(bytes("PK\u0001\u0002", [20, 0], fields, new Uint8Array(10), int32(at), name));
    parts.push(local, data);
    at += local.length + data.length;
  }
  const list = Buffer.concat(directory);
  const count = [members.length & 255, members.length >> 8];
  const end = bytes("PK\u0005\u0006", [0, 0, 0, 0], count, count, int32(list.length), int32(at), [0, 0]); // prettier-ignore
  return [...parts, list, end];
}

/** Writes float32 tensors as `torch.save(state_dict, path)` does. */
export async function saveTorchFile(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<void> {
  const entries = [...tensors];
  const items = entries.map(([name, { shape }], i) =>
    bytes(pickledString(name), pickledTensor(shape, String(i))),
  );
  const pickle = bytes([0x80, 2], "ccollections\nOrderedDict\n)R(", ...items, "u.");
  const storages = await Promise.all(
    entries.map(async ([, t], i): Promise<Member> => {
      const { buffer, byteOffset, byteLength } = await t.data();
      return { name: `archive/data/${i}`, data: new Uint8Array(buffer, byteOffset, byteLength) };
    }),
  );
  const members = [{ name: "archive/data.pkl", data: pickle }, ...storages];
  await writeFile(path, zip(members));
}
