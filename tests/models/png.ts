import { inflateSync } from "node:zlib";

/** Pixels of an image, row by row, channels last. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3 };

/** Reads a PNG of 8-bit gray or RGB that is not interlaced; checksums are not looked at. */
export function readPng(file: Buffer): Pixels {
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  const [depth, color = -1, , , interlaced] = file.subarray(24, 29);
  const channels = CHANNELS[color];
  if (depth !== 8 || channels === undefined || interlaced !== 0) {
    throw new Error(`readPng: depth ${depth}, colour type ${color}, interlacing ${interlaced}`);
  }
  const chunks: Buffer[] = [];
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at);
    const type = file.toString("latin1", at + 4, at + 8);
    if (type === "IDAT") chunks.push(file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const data = unfilter(inflateSync(Buffer.concat(chunks)), width * channels, channels);
  return { width, height, channels, data };
}

/** Undoes the filter that each row names in its first byte. */
function unfilter(raw: Uint8Array, rowLength: number, channels: number): Uint8Array {
  const rows = raw.length / (rowLength + 1);
  const data = new Uint8Array(rows * rowLength);
  for (let row = 0; row < rows; row++) {
    const filter = raw[row * (rowLength + 1)] ?? -1;
    for (let i = 0; i < rowLength; i++) {
      const at = row * rowLength + i;
      const left = i < channels ? 0 : (data[at - channels] ?? 0);
      const up = row === 0 ? 0 : (data[at - rowLength] ?? 0);
      const corner = i < channels || row === 0 ? 0 : (data[at - rowLength - channels] ?? 0);
      data[at] = (raw[at + row + 1] ?? 0) + predicted(filter, left, up, corner);
    }
  }
  return data;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter === 4) return paeth(left, up, corner);
  throw new Error(`readPng: no filter ${filter}`);
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((v) => Math.abs(guess - v)) as [number, number, number];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
