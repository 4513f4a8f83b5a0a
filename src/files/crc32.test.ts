import { expect, it } from "vitest";
import { crc32, crc32InJavaScript } from "./crc32.ts";

it.each([crc32, crc32InJavaScript])(
  "is the checksum of zip files, in one go and in parts",
  (of) => {
    const text = new TextEncoder().encode("The quick brown fox jumps over the lazy dog");
    expect(of(text)).toBe(0x414fa339);
    expect(of(new Uint8Array())).toBe(0);
    for (let at = 0; at <= text.length; at++) {
      expect(of(text.subarray(at), of(text.subarray(0, at)))).toBe(0x414fa339);
    }
  },
);
