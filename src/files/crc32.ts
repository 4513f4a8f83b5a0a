/** Slices of 8 bytes are taken at once, each through a table of its own. */
const SLICES = 8;
const POLYNOMIAL = 0xedb88320;

function table(): Uint32Array {
  const all = new Uint32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    all[byte] = value;
  }
  for (let i = 256; i < all.length; i++) {
    const before = all[i - 256] ?? 0;
    all[i] = (before >>> 8) ^ (all[before & 0xff] ?? 0);
  }
  return all;
}

const TABLE = table();

function bytewise(bytes: Uint8Array, begin: number, inverted: number): number {
  let crc = inverted;
  for (let i = begin; i < bytes.length; i++) {
    crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  }
  return crc;
}

/** The same in JavaScript alone, eight bytes at a time. */
export function crc32InJavaScript(bytes: Uint8Array, before = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const t = TABLE;
  let crc = ~before;
  let i = 0;
  for (const last = bytes.length - SLICES; i <= last; i += SLICES) {
    const low = view.getInt32(i, true) ^ crc;
    const high = view.getInt32(i + 4, true);
    crc =
      (t[1792 + (low & 0xff)] as number) ^
      (t[1536 + ((low >>> 8) & 0xff)] as number) ^
      (t[1280 + ((low >>> 16) & 0xff)] as number) ^
      (t[1024 + (low >>> 24)] as number) ^
      (t[768 + (high & 0xff)] as number) ^
      (t[512 + ((high >>> 8) & 0xff)] as number) ^
      (t[256 + ((high >>> 16) & 0xff)] as number) ^
      (t[high >>> 24] as number);
  }
  return ~bytewise(bytes, i, crc) >>> 0;
}

type Crc32 = (bytes: Uint8Array, before?: number) => number;

/** Node's own, from 20.15 on, which is several times as fast. */
function nativeCrc32(): Crc32 | undefined {
  const node = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } })
    .process;
  const zlib = node?.getBuiltinModule?.("node:zlib") as { crc32?: Crc32 } | undefined;
  return zlib?.crc32;
}

/**
 * CRC-32 as zip files have it.
 *
 * @param before the checksum of the bytes before these. @default of none
 */
export const crc32: Crc32 = nativeCrc32() ?? crc32InJavaScript;
