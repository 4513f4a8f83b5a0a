import { crc32, deflateRawSync } from "node:zlib";

/** Bytes of a file: text is Latin-1, numbers are single bytes. */
export function bytes(...parts: readonly (string | number | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((p) => {
      if (typeof p === "string") return Buffer.from(p, "latin1");
      return typeof p === "number" ? Buffer.from([p]) : p;
    }),
  );
}

export function uint16(value: number): Buffer {
  const out = Buffer.alloc(2);
  out.writeUInt16LE(value);
  return out;
}

export function uint32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

/** A member of a zip file, and how it may lie about itself. */
export interface Member {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflate?: boolean;
  /** What the list of contents says instead of what is so. */
  readonly size?: number;
  readonly header?: number;
  readonly checksum?: number;
}

/** A zip file. */
export function zip(members: readonly Member[]): Buffer {
  const [parts, list]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  for (const { name, data, deflate = false, ...lies } of members) {
    const packed = deflate ? deflateRawSync(data) : data;
    const { size = data.length, checksum = crc32(data), header = at } = lies;
    const fields = bytes(
      uint16(20), uint16(0), uint16(deflate ? 8 : 0), uint32(0), uint32(checksum),
      uint32(packed.length), uint32(size), uint16(name.length), uint16(0),
    ); // prettier-ignore
    const local = bytes("PK\u0003\u0004", fields, name, packed);
    list.push(bytes("PK\u0001\u0002", uint16(20), fields, Buffer.alloc(10), uint32(header), name));
    parts.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(list);
  const count = uint16(members.length);
  return bytes(
    ...parts, directory, "PK\u0005\u0006", uint32(0), count, count, uint32(directory.length),
    uint32(at), uint16(0),
  ); // prettier-ignore
}

export function text(value: string): Buffer {
  return bytes("X", uint32(value.length), value);
}

function ints(values: readonly number[]): Buffer {
  return bytes("(", ...values.map((v) => bytes("J", uint32(v))), "t");
}

/** What a tensor is in a pickle. */
export interface PickledTensor {
  readonly kind?: string;
  readonly key?: string;
  readonly length: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly stride?: readonly number[];
}

/** A tensor as `torch.save` writes it. */
export function tensorPickle(of: PickledTensor): Buffer {
  const { kind = "FloatStorage", key = "0", length, offset = 0, shape } = of;
  const { stride = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1)) } = of;
  return bytes(
    "ctorch._utils\n_rebuild_tensor_v2\n((", text("storage"), `ctorch\n${kind}\n`, text(key),
    text("cpu"), "J", uint32(length), "tQJ", uint32(offset), ints(shape), ints(stride), 0x89,
    "ccollections\nOrderedDict\n)RtR",
  ); // prettier-ignore
}

export function dictPickle(entries: readonly (readonly [name: string, value: Uint8Array])[]): Buffer {
  return bytes("}(", ...entries.flatMap(([name, value]) => [text(name), value]), "u");
}

/** A file of `torch.save`. */
export function torchFile(
  value: Uint8Array,
  storages: readonly Uint8Array[] = [],
  how: Partial<Member> = {},
): Buffer {
  const pickle = { name: "g/data.pkl", data: bytes(0x80, 2, value, "."), ...how };
  return zip([pickle, ...storages.map((data, i) => ({ name: `g/data/${i}`, data }))]);
}
