import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { HttpFiles } from "../../../src/files/http-files.ts";
import {
  type Answer,
  blobs,
  cacheDir,
  COMMIT,
  directory,
  expectWeights,
  failure,
  hub,
  hubUrl,
  isInfo,
  open,
  openMain,
  Scripted,
  sendCommit,
  sendWeights,
  SHA256,
  WEIGHTS,
} from "./scripted-hub.ts";

const run = promisify(execFile);

describe("an overloaded or absent server", () => {
  it.each([408, 429, 500, 502, 503, 504])("is asked again after status %i", async (status) => {
    let left = 2;
    hub.answer = (request, response) => {
      if (left-- > 0) response.writeHead(status).end();
      else sendWeights(request, response);
    };
    expect(await open().exists("w")).toBe(true);
    expect(hub.seen.length).toBe(3);
  });

  it("is asked again after the connection broke", async () => {
    let left = 2;
    hub.answer = (request, response) => {
      if (left-- > 0) response.destroy();
      else sendWeights(request, response);
    };
    expect(await open().exists("w")).toBe(true);
  });

  it("is asked again after the connection broke within an answer", async () => {
    let left = 2;
    hub.answer = (request, response) => {
      if (!request.url?.startsWith("/api/")) return sendWeights(request, response);
      if (left-- <= 0) return sendCommit(response);
      response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 500 });
      response.write('{"sha": ', () => response.destroy());
    };
    expect(await openMain().exists("w")).toBe(true);
    left = 9;
    const error = await failure(
      openMain({ retries: 0, cacheDir: join(cacheDir, "x") }).exists("w"),
    );
    expect(error).toMatchObject({ code: "network" });
    expect(error.message).toContain("asked to look up org/model, broke off in its answer");
  });

  it.each([400, 401, 403, 404, 410, 422])("is not asked again after status %i", async (status) => {
    hub.answer = (_, response) => void response.writeHead(status).end();
    await failure(open().exists("w"));
    expect(hub.seen.length).toBe(1);
  });

  it.each([
    ["seconds", () => "1"],
    ["a date", () => new Date(Date.now() + 2000).toUTCString()],
  ])("is left alone for as long as it asks, in %s", async (_, after) => {
    let first = 0;
    hub.answer = (request, response) => {
      if (first > 0) return sendWeights(request, response);
      first = Date.now();
      response.writeHead(429, { "Retry-After": after() }).end();
    };
    expect(await open().exists("w")).toBe(true);
    expect(Date.now() - first).toBeGreaterThanOrEqual(900);
  });

  it("is not waited for when it asks for too long", async () => {
    hub.answer = (_, response) => void response.writeHead(503, { "Retry-After": "3600" }).end();
    const error = await failure(open().exists("w"));
    expect(error.message).toContain("was answered with status 503");
    expect(error.message).toContain("it asks to be left alone for 3600 s");
    expect(hub.seen.length).toBe(1);
  });

  it("is given up when nothing comes, before and within an answer", async () => {
    hub.answer = () => undefined;
    const error = await failure(open({ timeout: 0.1, retries: 1 }).exists("w"));
    expect(error).toMatchObject({ code: "network" });
    expect(error.message).toContain("nothing came for 0.1 s");
    expect(hub.seen.length).toBe(2);
    hub.answer = (request, response) => {
      if (isInfo(request)) return sendWeights(request, response);
      response.writeHead(200, { "Content-Length": WEIGHTS.length });
      response.write(WEIGHTS.subarray(0, 1000));
    };
    const broken = await failure(open({ timeout: 0.1, retries: 1 }).readBytes("w"));
    expect(broken.message).toMatch(/broke off after 1000 of 300000 bytes \(nothing came for 0.1 s/);
    vi.stubEnv("HF_HUB_DOWNLOAD_TIMEOUT", "0.2");
    hub.answer = () => undefined;
    expect((await failure(open({ retries: 0 }).exists("w"))).message).toContain("for 0.2 s");
    await expect(open({ timeout: -1 }).exists("w")).rejects.toThrow("seconds above 0");
  });

  it("stops to wait at the caller's signal", async () => {
    hub.answer = (_, response) => void response.writeHead(503, { "Retry-After": "30" }).end();
    const began = Date.now();
    const reading = open({ signal: AbortSignal.timeout(100) }).exists("w");
    await expect(reading).rejects.toMatchObject({ name: "TimeoutError" });
    expect(Date.now() - began).toBeLessThan(5000);
  });
});

describe("a download", () => {
  /** Breaks each connection after some bytes. */
  const breaking =
    (after: number, times: number): Answer =>
    (request, response) => {
      if (isInfo(request) || times-- <= 0) return sendWeights(request, response);
      const from = Number(/^bytes=(\d+)/.exec(request.headers.range ?? "")?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, {
        "Content-Length": WEIGHTS.length - from,
        "Content-Range": `bytes ${from}-${WEIGHTS.length - 1}/${WEIGHTS.length}`,
      });
      response.write(WEIGHTS.subarray(from, from + after), () => response.destroy());
    };

  it("goes on from where it broke off", async () => {
    hub.answer = breaking(100_000, 2);
    const loaded: number[] = [];
    const files = open({ onProgress: (progress) => loaded.push(progress.loaded) });
    expectWeights(await files.readBytes("w"));
    const ranges = hub.seen.map(({ range }) => range);
    // The last bytes before a break can be lost on the way.
    const begun = expect.stringMatching(/^bytes=[1-9]\d{4,5}-$/) as unknown;
    expect(ranges).toEqual(["bytes=0-0", undefined, begun, begun]);
    expect(loaded.every((n, i) => n > (loaded[i - 1] ?? 0))).toBe(true);
    expect(await readdir(blobs())).toEqual([SHA256]);
  });

  it("goes on in another process from what one left", async () => {
    hub.answer = breaking(100_000, 1);
    await failure(open({ retries: 0 }).readBytes("w"));
    expect((await readdir(blobs()))[0]).toMatch(/\.incomplete$/);
    hub.seen.length = 0;
    expectWeights(await open().readBytes("w"));
    const begun = expect.stringMatching(/^bytes=[1-9]\d{4}/) as unknown;
    expect(hub.seen.map(({ range }) => range)).toEqual(["bytes=0-0", begun]);
  });

  it.each(["other bytes", "too many bytes"])(
    "begins anew after %s that were left",
    async (what) => {
      await mkdir(blobs(), { recursive: true });
      const left = what === "other bytes" ? Buffer.alloc(1000, "x") : Buffer.alloc(400_000);
      await writeFile(join(blobs(), `${SHA256}.tsvene.incomplete`), left);
      hub.answer = (request, response) => sendWeights(request, response);
      expectWeights(await open().readBytes("w"));
    },
  );

  it.each<[string, Answer]>([
    ["ignores ranges", (_, response) => void response.end(WEIGHTS)],
    [
      "refuses ranges",
      (request, response) => {
        if (request.headers.range === undefined) response.end(WEIGHTS);
        else response.writeHead(416).end();
      },
    ],
    [
      "sends another part",
      (request, response) => {
        if (request.headers.range === undefined) return void response.end(WEIGHTS);
        response.setHeader("Content-Range", `bytes 0-9/${WEIGHTS.length}`);
        response.writeHead(206).end(WEIGHTS.subarray(0, 10));
      },
    ],
  ])("is right from a server that %s", async (_, rest) => {
    const first = breaking(100_000, 1);
    let count = 0;
    hub.answer = (request, response) => (count++ < 2 ? first : rest)(request, response);
    expectWeights(await open().readBytes("w"));
  });

  it("whose SHA-256 is not what the Hub says is refused, and not kept", async () => {
    const wrong = Buffer.from(WEIGHTS);
    wrong[200_000] = 0;
    hub.answer = (request, response) => sendWeights(request, response, SHA256, wrong);
    const error = await failure(open().readBytes("w"));
    expect(error).toMatchObject({ code: "content" });
    expect(error.message).toContain(`the Hub says ${SHA256}`);
    expect(error.message).toContain("w: the SHA-256 of what came is");
    expect(await readdir(blobs())).toEqual([]);
    expect(await open({ localFilesOnly: true }).exists("w")).toBe(false);
  });

  it("of a small file is checked by the hash that Git has of it", async () => {
    const text = Buffer.from('{"layers": 2}');
    const hash = createHash("sha1").update(`blob ${text.length}\0`).update(text).digest("hex");
    const wrong = Buffer.from('{"layers": 3}');
    hub.answer = (request, response) => sendWeights(request, response, hash, wrong);
    const error = await failure(open().readBytes("w"));
    expect(error).toMatchObject({ code: "content" });
    expect(error.message).toContain("w: the Git hash of what came is");
    expect(error.message).toContain(`the Hub says ${hash}`);
    vi.stubGlobal("process", { env: {} });
    try {
      expect((await failure(open().readBytes("w"))).message).toContain("the Git hash of what came");
      hub.answer = (request, response) => sendWeights(request, response, hash, text);
      expect(await open().readText("w")).toBe('{"layers": 2}');
    } finally {
      vi.unstubAllGlobals();
    }
    expect(await open().readText("w")).toBe('{"layers": 2}');
    expect(await readdir(blobs())).toEqual([hash]);
  });

  it("is checked by what the Hub says where another server sends it", async () => {
    const other = new Scripted();
    const otherUrl = await other.start();
    const wrong = Buffer.from(WEIGHTS).fill(0, 0, 4);
    other.answer = (request, response) => sendWeights(request, response, "of-the-other", wrong);
    hub.answer = (_, response) => {
      const linked = { "X-Linked-ETag": `"${SHA256}"`, "X-Linked-Size": WEIGHTS.length };
      response.writeHead(302, { Location: `${otherUrl}/f`, ...linked }).end();
    };
    expect((await failure(open().readBytes("w"))).message).toContain("SHA-256");
    // And what it is was not asked for there.
    expect(other.seen.map(({ range }) => range)).toEqual([undefined]);
    await other.stop();
  });

  it("from a URL goes on as well", async () => {
    let times = 1;
    hub.answer = (request, response) => {
      if (times-- <= 0) return sendWeights(request, response);
      response.writeHead(200, { ETag: `"${SHA256}"`, "Content-Length": WEIGHTS.length });
      response.write(WEIGHTS.subarray(0, 5000), () => response.destroy());
    };
    expectWeights(await new HttpFiles(hubUrl).readBytes("w"));
    expect(hub.seen.map(({ range }) => range)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=[1-9]\d*-$/),
    ]);
  });

  it("is made by one of two processes", { timeout: 30_000 }, async () => {
    hub.answer = (request, response) => {
      if (isInfo(request)) return sendWeights(request, response);
      setTimeout(() => sendWeights(request, response), 300);
    };
    const program = join(directory, "read.mts");
    const source = new URL("../../../src/files/hub-files.ts", import.meta.url).href;
    await writeFile(
      program,
      `import { HubFiles } from ${JSON.stringify(source)};
       const files = new HubFiles("org/model", ${JSON.stringify({ hubUrl, cacheDir, revision: COMMIT })});
       console.log((await files.readBytes("w")).length);`,
    );
    const root = new URL("../../..", import.meta.url);
    const read = async (): Promise<string> =>
      (await run(process.execPath, ["--import=tsx", program], { cwd: root })).stdout.trim();
    expect(await Promise.all([read(), read(), open().readBytes("w")])).toMatchObject([
      "300000",
      "300000",
      { length: 300_000 },
    ]);
    expect(await readdir(blobs())).toEqual([SHA256]);
    expect(hub.seen.filter(({ range }) => range === undefined).length).toBe(1);
  });
});
