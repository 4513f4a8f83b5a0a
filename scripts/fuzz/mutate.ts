import { type Below, oneOf } from "./random.ts";

type Change = (bytes: Buffer, below: Below) => Buffer;

const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

function range(bytes: Buffer, below: Below): [begin: number, end: number] {
  const begin = below(bytes.length + 1);
  return [begin, Math.min(bytes.length, begin + 1 + below(16))];
}

const CHANGES: readonly Change[] = [
  (bytes, below) => {
    const out = Buffer.from(bytes);
    const at = below(out.length);
    out[at] = (out[at] ?? 0) ^ (1 << below(8));
    return out;
  },
  (bytes, below) => {
    const out = Buffer.from(bytes);
    out[below(out.length)] = below(256);
    return out;
  },
  (bytes, below) => {
    const out = Buffer.from(bytes);
    if (out.length >= 4) out.writeUInt32LE(oneOf(NUMBERS, below), below(out.length - 3));
    return out;
  },
  (bytes, below) => {
    const [begin, end] = range(bytes, below);
    return Buffer.concat([bytes.subarray(0, begin), bytes.subarray(end)]);
  },
  (bytes, below) => {
    const [begin, end] = range(bytes, below);
    const copies = Array<Buffer>(1 + below(20)).fill(bytes.subarray(begin, end));
    return Buffer.concat([bytes.subarray(0, end), ...copies, bytes.subarray(end)]);
  },
  (bytes, below) => {
    const [begin, end] = range(bytes, below);
    const at = below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(begin, end), bytes.subarray(at)]);
  },
  (bytes, below) => bytes.subarray(0, below(bytes.length + 1)),
  (bytes, below) => {
    const out = Buffer.from(bytes);
    const digit = [...out.keys()].filter((i) => (out[i] ?? 0) >= 0x30 && (out[i] ?? 0) <= 0x39);
    if (digit.length > 0) out[oneOf(digit, below)] = 0x30 + below(10);
    return out;
  },
];

/** Bytes with one to four changes. */
export function mutatedBytes(bytes: Buffer, below: Below): Buffer {
  let out = bytes;
  for (let changes = 1 + below(4); changes > 0 && out.length > 0; changes--) {
    out = oneOf(CHANGES, below)(out, below);
  }
  return out;
}

const VALUES: readonly unknown[] = [
  null, true, false, 0, 1, -1, 2, 2.5, 1e-9, 1e6, 1e9, 2 ** 53, 1e308, -1e308, "", "x", "__proto__",
  "gelu", "1e9", "\ud800", "(a+)+$", "x".repeat(1000), [], [[]], [null], [-1], [1e9], ["a", 1], {},
  { "": 0 }, { type: "x" }, { a: { b: {} } },
]; // prettier-ignore

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function places(value: unknown, found: Place[]): Place[] {
  if (typeof value !== "object" || value === null) return found;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    found.push({ holder, key });
    places(holder[key], found);
  }
  return found;
}

/** A JSON value with one to three values that are gone, others, or under others' keys. */
export function mutatedJson(value: unknown, below: Below): unknown {
  const copy = structuredClone(value);
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const all = places(copy, []);
    if (all.length === 0) return copy;
    const { holder, key } = oneOf(all, below);
    const other = oneOf(all, below);
    const how = below(4);
    if (how === 0) Reflect.deleteProperty(holder, key);
    else if (how === 1) holder[key] = structuredClone(other.holder[other.key]);
    else holder[key] = structuredClone(oneOf(VALUES, below));
  }
  return copy;
}
