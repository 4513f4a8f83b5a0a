import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { blobs, failure, hub, isInfo, open, sendWeights } from "./scripted-hub.ts";

/** More than is fetched at once, and no multiple of it. */
const BYTES = Buffer.from(Uint8Array.from({ length: 3_000_001 }, (_, i) => i % 251));

const ranges = (): unknown[] => hub.seen.map(({ range }) => range);

describe("a large file that is read in parts", () => {
  it("is asked for what is read, and not kept", async () => {
    hub.answer = (request, response) => sendWeights(request, response, "etag", BYTES);
    const source = await open({ inParts: true }).openRange("w");
    expect(source.size).toBe(BYTES.length);
    const [from, to] = [2_500_000, 2_900_000];
    expect(Buffer.from(await source.read(from, to)).equals(BYTES.subarray(from, to))).toBe(true);
    const into = new Uint8Array(10);
    expect(await source.read(BYTES.length - 10, BYTES.length, into)).toEqual(into);
    expect(Buffer.from(into).equals(BYTES.subarray(-10))).toBe(true);
    expect(await source.read(5, 5)).toEqual(new Uint8Array());
    expect(ranges()).toEqual([
      "bytes=0-0",
      "bytes=0-262143",
      "bytes=2359296-2621439",
      "bytes=2621440-2883583",
      "bytes=2883584-3000000",
    ]);
    expect(await readdir(blobs()).catch(() => [])).toEqual([]);
    await expect(source.read(0, BYTES.length + 1)).rejects.toThrow("outside of the file");
  });

  it("comes from the cache where it is there", async () => {
    hub.answer = (request, response) => sendWeights(request, response, "etag", BYTES);
    await open().readBytes("w");
    hub.seen.length = 0;
    const source = await open({ inParts: true }).openRange("w");
    expect((await source.read(250, 253)).join()).toBe("250,0,1");
    await source.close();
    expect(hub.seen).toEqual([]);
  });

  it("is asked for again after the connection broke", async () => {
    let left = 1;
    hub.answer = (request, response) => {
      if (isInfo(request) || left-- <= 0) return sendWeights(request, response, "etag", BYTES);
      response.writeHead(206, {
        "Content-Length": 262_144,
        "Content-Range": `bytes 0-262143/${BYTES.length}`,
      });
      response.write(BYTES.subarray(0, 1000), () => response.destroy());
    };
    const source = await open({ inParts: true }).openRange("w");
    expect(Buffer.from(await source.read(0, 2000)).equals(BYTES.subarray(0, 2000))).toBe(true);
  });

  it("is downloaded whole from a server that knows no parts", async () => {
    hub.answer = (request, response) => {
      if (isInfo(request)) sendWeights(request, response, "etag", BYTES);
      else response.setHeader("Content-Length", BYTES.length).end(BYTES);
    };
    const source = await open({ inParts: true }).openRange("w");
    expect(ranges()).toEqual(["bytes=0-0", "bytes=0-262143", "bytes=0-0", undefined]);
    expect(Buffer.from(await source.read(0, BYTES.length)).equals(BYTES)).toBe(true);
    await source.close();
    hub.seen.length = 0;
    await (await open().openRange("w")).close();
    expect(hub.seen).toEqual([]);
  });

  it("that the Hub refuses says why", async () => {
    hub.answer = (request, response) => {
      if (isInfo(request)) return sendWeights(request, response, "etag", BYTES);
      response.writeHead(403, { "x-error-code": "GatedRepo" }).end();
    };
    const error = await failure(open({ inParts: true }).openRange("w"));
    expect(error.message).toMatch(/gated/);
  });
});
