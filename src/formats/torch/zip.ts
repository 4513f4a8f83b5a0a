import type { ByteSource } from "../../files/byte-source.ts";
import { crc32 } from "../../files/crc32.ts";
import { TorchFileError } from "./torch-file-error.ts";

/** A file within a zip file. */
export interface ZipMember {
  readonly name: string;
  /** Bytes as they lie in the file, and unpacked. */
  readonly packed: number;
  readonly size: number;
  /** Where its own header begins. */
  readonly header: number;
  readonly isDeflated: boolean;
  /** CRC-32 of the unpacked bytes; 0 where PyTorch was told to leave it out. */
  readonly checksum: number;
}

/** Bytes that all packed members may have together, for each byte of the file and in any case. */
const UNPACKED_A_BYTE = 16;
const LEAST_UNPACKED = 64 << 20;

const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const LONGEST_COMMENT = 0xffff;
const IN_EXTRA = 0xffffffff;

function damaged(source: ByteSource, what: string): never {
  throw new TorchFileError(
    `${source.name}: ${what}: the zip file is truncated or damaged, or is not one`,
  );
}

async function viewOf(source: ByteSource, begin: number, length: number): Promise<DataView> {
  if (begin < 0 || begin + length > source.size) damaged(source, "its parts lie past its end");
  const bytes = await source.read(begin, begin + length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Directory {
  readonly begin: number;
  readonly size: number;
}

async function findDirectory(source: ByteSource): Promise<Directory> {
  const begin = Math.max(0, source.size - END_BYTES - LONGEST_COMMENT);
  const tail = await viewOf(source, begin, source.size - begin);
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) damaged(source, "its list of contents is missing");
  const place = { size: tail.getUint32(at + 12, true), begin: tail.getUint32(at + 16, true) };
  const locator = at - LOCATOR_BYTES;
  if (locator < 0 || tail.getUint32(locator, true) !== 0x07064b50) return place;
  const end64 = Number(tail.getBigUint64(locator + 8, true));
  const view = await viewOf(source, end64, END64_BYTES);
  if (view.getUint32(0, true) !== 0x06064b50) damaged(source, "its list of contents is missing");
  return {
    size: Number(view.getBigUint64(40, true)),
    begin: Number(view.getBigUint64(48, true)),
  };
}

/** Sizes and place that do not fit into 32 bits stand in an extra field, in this order. */
function wide(view: DataView, values: readonly number[], extra: Directory): number[] {
  let at = extra.begin;
  const end = at + extra.size;
  while (at + 4 <= end && view.getUint16(at, true) !== 1) at += 4 + view.getUint16(at + 2, true);
  at += 4;
  return values.map((value) => {
    if (value !== IN_EXTRA || at + 8 > end) return value;
    at += 8;
    return Number(view.getBigUint64(at - 8, true));
  });
}

function readEntry(source: ByteSource, view: DataView, at: number): [ZipMember, number] {
  const fits = at + ENTRY_BYTES <= view.byteLength && view.getUint32(at, true) === 0x02014b50;
  if (!fits) damaged(source, "its list of contents is broken");
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((o) =>
    view.getUint16(at + o, true),
  ) as [number, number, number];
  const next = at + ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
  if (next > view.byteLength) damaged(source, "its list of contents is broken");
  const begin = view.byteOffset + at + ENTRY_BYTES;
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, begin, nameBytes));
  const [isEncrypted, method] = [view.getUint16(at + 8, true) & 1, view.getUint16(at + 10, true)];
  if (isEncrypted === 1 || (method !== 0 && method !== 8)) {
    throw new TorchFileError(
      `${source.name}: ${quoted(name)} is encrypted or packed in a way that is not known`,
    );
  }
  const extra = { begin: at + ENTRY_BYTES + nameBytes, size: extraBytes };
  const short = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
  const [size = 0, packed = 0, header = 0] = wide(view, short, extra);
  const checksum = view.getUint32(at + 16, true);
  return [{ name, packed, size, header, isDeflated: method === 8, checksum }, next];
}

/** Members lie side by side: the same bytes must not be read again and again. */
function checkMembers(source: ByteSource, members: readonly ZipMember[]): void {
  let end = 0;
  let unpacked = 0;
  for (const { name, header, packed, size, isDeflated } of members.toSorted(
    (a, b) => a.header - b.header,
  )) {
    if (header < end) damaged(source, `${quoted(name)} overlaps another member`);
    // What stands between them beyond that, such as padding, is for the member itself to say.
    end = header + LOCAL_BYTES + packed;
    if (isDeflated) unpacked += size;
  }
  if (end > source.size) damaged(source, "its parts lie past its end");
  if (unpacked <= LEAST_UNPACKED + UNPACKED_A_BYTE * source.size) return;
  throw new TorchFileError(
    `${source.name}: its members unpack to ${unpacked} bytes, far more than the ${source.size} of ` +
      "the file: it is damaged, or made to exhaust whoever reads it",
  );
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}

async function inflated(bytes: Uint8Array, size: number): Promise<Uint8Array | undefined> {
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = packed.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const out = new Uint8Array(size);
  let filled = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (filled + part.value.length > size) return undefined;
      out.set(part.value, filled);
      filled += part.value.length;
    }
  } catch {
    return undefined;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  return filled === size ? out : undefined;
}

/** The checksum of a member's bytes up to `next`. */
interface RunningChecksum {
  readonly next: number;
  readonly checksum: number;
}

/** A zip file whose list of contents has been read; its members are read when asked for. */
export class ZipArchive {
  readonly members: ReadonlyMap<string, ZipMember>;
  readonly #source: ByteSource;
  readonly #checks = new Map<ZipMember, RunningChecksum>();

  private constructor(source: ByteSource, members: ReadonlyMap<string, ZipMember>) {
    this.#source = source;
    this.members = members;
  }

  /** @throws TorchFileError when the file is not a well-formed zip file. */
  static async open(source: ByteSource): Promise<ZipArchive> {
    const { begin, size } = await findDirectory(source);
    const view = await viewOf(source, begin, size);
    const members = new Map<string, ZipMember>();
    for (let at = 0; at < size;) {
      const [member, next] = readEntry(source, view, at);
      if (members.has(member.name)) damaged(source, `${quoted(member.name)} is twice in it`);
      members.set(member.name, member);
      at = next;
    }
    checkMembers(source, [...members.values()]);
    return new ZipArchive(source, members);
  }

  /**
   * Bytes `begin` to `end` of a member, in a buffer if one is given; of a packed one, all of it is
   * unpacked for that. The checksum of a member is looked at when all of it has been read in order.
   */
  async read(
    member: ZipMember,
    { begin = 0, end = member.size }: { readonly begin?: number; readonly end?: number } = {},
    into?: Uint8Array,
  ): Promise<Uint8Array> {
    const local = await viewOf(this.#source, member.header, LOCAL_BYTES);
    if (local.getUint32(0, true) !== 0x04034b50) damaged(this.#source, "a member has no header");
    const data =
      member.header + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
    if (data + member.packed > this.#source.size || end > member.size) {
      damaged(this.#source, `${quoted(member.name)} is cut off`);
    }
    if (!member.isDeflated) {
      if (member.packed !== member.size) damaged(this.#source, "a member has two sizes");
      const bytes = await this.#source.read(data + begin, data + end, into);
      this.#check(member, begin, bytes);
      return bytes;
    }
    const packed = await this.#source.read(data, data + member.packed);
    // Deflate packs at most 1032 times: a member that says more would only take memory.
    const isPossible = member.size <= 1032 * member.packed + 64;
    const bytes = isPossible ? await inflated(packed, member.size) : undefined;
    if (bytes === undefined) damaged(this.#source, `${quoted(member.name)} does not unpack`);
    this.#check(member, 0, bytes);
    return bytes.subarray(begin, end);
  }

  #check(member: ZipMember, begin: number, bytes: Uint8Array): void {
    if (member.checksum === 0 || member.size === 0) return;
    const known = begin === 0 ? { next: 0, checksum: 0 } : this.#checks.get(member);
    if (known?.next !== begin) return;
    const checksum = crc32(bytes, known.checksum);
    const next = begin + bytes.length;
    this.#checks.set(member, { next, checksum });
    if (next < member.size || checksum === member.checksum) return;
    throw new TorchFileError(
      `${this.#source.name}: ${quoted(member.name)} has not the checksum that the file says: ` +
        "the file was damaged after it was written; download or copy it again",
    );
  }
}
