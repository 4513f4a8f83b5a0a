import { crc32 } from "../../files/crc32.ts";

/** A file that is to lie in a zip file, and what is known of its bytes. */
export interface MemberLayout {
  readonly name: string;
  readonly size: number;
  /** CRC-32 of its bytes. */
  readonly checksum: number;
}

/** What a zip file has between the bytes of its members. */
export interface ZipPlan {
  /** What comes before the bytes of each member. */
  readonly headers: readonly Uint8Array[];
  /** What comes after the last one. */
  readonly end: Uint8Array;
  /** Bytes of the whole file. */
  readonly size: number;
}

/** PyTorch maps files into memory, so that the bytes of a member begin at a multiple of this. */
export const ALIGNMENT = 64;

/** 1980-01-01, so that equal content gives equal files; and names are UTF-8. */
const [DATE, UTF8] = [0x21, 0x0800];
/** Versions of the format: with and without sizes of 64 bits. */
const [VERSION, VERSION64] = [20, 45];
/** Stands where a number is in an extra field instead. */
const ELSEWHERE = 0xffffffff;
/** Extra fields: sizes of 64 bits, and PyTorch's own padding. */
const [WIDE, PADDING] = [1, 0x4246];

/** Numbers of 2, 4 and 8 bytes, little-endian. */
function fields(...parts: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Uint8Array {
  const out = new DataView(new ArrayBuffer(parts.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of parts) {
    if (bytes === 2) out.setUint16(at, value, true);
    else if (bytes === 4) out.setUint32(at, value, true);
    else out.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return new Uint8Array(out.buffer);
}

/** Bytes of parts, one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function isWide(value: number): boolean {
  return value >= ELSEWHERE;
}

function short(value: number): number {
  return isWide(value) ? ELSEWHERE : value;
}

/** The extra field with the numbers that are too large for their places. */
function wideField(values: readonly number[]): Uint8Array {
  const wide = values.filter(isWide);
  if (wide.length === 0) return new Uint8Array();
  return fields([2, WIDE], [2, 8 * wide.length], ...wide.map((value): [8, number] => [8, value]));
}

/** What stands in both headers of a member, from the version on. */
function common({ size, checksum }: MemberLayout, name: Uint8Array, extra: number): Uint8Array {
  const version = isWide(size) ? VERSION64 : VERSION;
  return fields([2, version], [2, UTF8], [2, 0], [2, 0], [2, DATE], [4, checksum], [4, short(size)], [4, short(size)], [2, name.length], [2, extra]); // prettier-ignore
}

const LOCAL_BYTES = 30;

/** The header before a member that begins at byte `at`, padded so that its bytes are aligned. */
function localHeader(member: MemberLayout, at: number): Uint8Array {
  const name = new TextEncoder().encode(member.name);
  const wide = wideField([member.size, member.size]);
  const unpadded = at + LOCAL_BYTES + name.length + wide.length + 4;
  const padding = (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT;
  const extra = joined([wide, fields([2, PADDING], [2, padding]), new Uint8Array(padding)]);
  return joined([fields([4, 0x04034b50]), common(member, name, extra.length), name, extra]);
}

/** The entry of a member in the list of contents. */
function entry(member: MemberLayout, at: number): Uint8Array {
  const name = new TextEncoder().encode(member.name);
  const extra = wideField([member.size, member.size, at]);
  const head = joined([
    fields([4, 0x02014b50], [2, VERSION64]),
    common(member, name, extra.length),
  ]);
  return joined([head, fields([2, 0], [2, 0], [2, 0], [4, 0], [4, short(at)]), name, extra]);
}

/** The records after the list of contents, of which the first two are for large files. */
function endRecords(count: number, size: number, at: number): Uint8Array {
  const counts = [[8, count], [8, count], [8, size], [8, at]] as const; // prettier-ignore
  const end64 = fields([4, 0x06064b50], [8, 44], [2, VERSION64], [2, VERSION64], [4, 0], [4, 0], ...counts); // prettier-ignore
  const locator = fields([4, 0x07064b50], [4, 0], [8, at + size], [4, 1]);
  const few = Math.min(count, 0xffff);
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, few], [2, few], [4, short(size)], [4, short(at)], [2, 0]); // prettier-ignore
  return joined([end64, locator, end]);
}

/** Lays out a zip file of members that are not packed. */
export function planZip(members: readonly MemberLayout[]): ZipPlan {
  const headers: Uint8Array[] = [];
  const entries: Uint8Array[] = [];
  let at = 0;
  for (const member of members) {
    const header = localHeader(member, at);
    entries.push(entry(member, at));
    headers.push(header);
    at += header.length + member.size;
  }
  const list = joined(entries);
  const end = joined([list, endRecords(members.length, list.length, at)]);
  return { headers, end, size: at + end.length };
}

/** The parts of a zip file in their order. */
export function zipParts(members: ReadonlyMap<string, Uint8Array>): readonly Uint8Array[] {
  const layouts = [...members].map(([name, bytes]) => ({
    name,
    size: bytes.length,
    checksum: crc32(bytes),
  }));
  const { headers, end } = planZip(layouts);
  const contents = [...members.values()];
  return [...headers.flatMap((header, i) => [header, contents[i] ?? new Uint8Array()]), end];
}
