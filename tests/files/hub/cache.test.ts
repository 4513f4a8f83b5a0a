import { execFileSync } from "node:child_process";
import { lstat, mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { openFile } from "../../../src/files/byte-source.ts";
import { HubFiles } from "../../../src/files/hub-files.ts";
import { isHubId } from "../../../src/files/hub-options.ts";
import { LocalFiles } from "../../../src/files/local-files.ts";
import {
  cacheDir,
  COMMIT,
  directory,
  expectWeights,
  failure,
  hub,
  hubUrl,
  open,
  openMain,
  sendCommit,
  sendWeights,
  WEIGHTS,
} from "./scripted-hub.ts";

describe("the cache", () => {
  it("holds content by its hash, and links to it, as Python's client reads it", async () => {
    hub.answer = (request, response) => sendWeights(request, response);
    await open().readBytes("deep/er/w");
    const path = join(cacheDir, "models--org--model", "snapshots", COMMIT, "deep/er/w");
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expectWeights(await readFile(path));
    hub.seen.length = 0;
    // Another commit with the same content is not downloaded.
    await open({ revision: "f".repeat(40) }).readBytes("w");
    expect(hub.seen.map(({ range }) => range)).toEqual(["bytes=0-0"]);
  });

  it.each(["../../../../x", "a/b", "..", "", "C:x", "x".repeat(300)])(
    "is not led elsewhere by the etag %j",
    async (etag) => {
      hub.answer = (request, response) => sendWeights(request, response, etag);
      await open().readBytes("w");
      expect((await readdir(cacheDir)).sort()).toEqual([".locks", "models--org--model"]);
      const path = join(cacheDir, "models--org--model", "snapshots", COMMIT, "w");
      expectWeights(await readFile(path));
    },
  );

  it("remembers that a commit lacks a file", async () => {
    hub.answer = (_, response) => {
      response.writeHead(404, { "X-Error-Code": "EntryNotFound" }).end();
    };
    expect(await open().exists("w")).toBe(false);
    expect(await open().exists("w")).toBe(false);
    expect(hub.seen.length).toBe(1);
  });

  it.each(["../../elsewhere", "main", "", "g".repeat(40), `${COMMIT}/..`])(
    "with the commit %j is refused",
    async (commit) => {
      const refs = join(cacheDir, "models--org--model", "refs");
      await mkdir(refs, { recursive: true });
      await writeFile(join(refs, "main"), commit);
      const error = await failure(openMain({ localFilesOnly: true }).exists("w"));
      expect(error.message).toContain("40 digits of a commit were expected");
      // With the Hub it is mended.
      hub.answer = (_, response) => sendCommit(response);
      await openMain()
        .exists("w")
        .catch(() => undefined);
      expect(await readFile(join(refs, "main"), "utf8")).toBe(COMMIT);
    },
  );

  it.each(["../x", "..", "nonsense", 7, null])("takes no %j for a commit", async (sha) => {
    hub.answer = (_, response) => sendCommit(response, sha as string);
    expect((await failure(openMain().exists("w"))).message).toContain("a commit was expected");
  });

  it("knows revisions with slashes", async () => {
    hub.answer = (request, response) => {
      if (request.url?.startsWith("/api/")) sendCommit(response);
      else sendWeights(request, response);
    };
    await open({ revision: "refs/pr/1" }).readBytes("w");
    expect(hub.seen[0]?.url).toContain("/api/models/org/model/revision/refs%2Fpr%2F1");
    const path = join(cacheDir, "models--org--model", "refs", "refs", "pr", "1");
    expect(await readFile(path, "utf8")).toBe(COMMIT);
  });

  it("asks for names as they are", async () => {
    hub.answer = (request, response) => sendWeights(request, response);
    await open().readBytes("50% of #1?.bin");
    const wanted = `/org/model/resolve/${COMMIT}/50%25%20of%20%231%3F.bin`;
    expect(hub.seen.map(({ url }) => url)).toEqual([wanted, wanted]);
  });

  it.each([
    ["answers 500", (_: unknown, response: ServerResponse) => void response.writeHead(500).end()],
    ["answers 503", (_: unknown, response: ServerResponse) => void response.writeHead(503).end()],
    ["breaks off", (_: unknown, response: ServerResponse) => void response.destroy()],
    ["is silent", () => undefined],
  ])("is used when the Hub %s, which is said once", async (_, answer) => {
    hub.answer = (request, response) => {
      if (request.url?.startsWith("/api/")) sendCommit(response);
      else sendWeights(request, response);
    };
    await openMain().readBytes("w");
    hub.answer = answer;
    const said = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const files = openMain({ retries: 0, timeout: 0.2 });
    expectWeights(await files.readBytes("w"));
    expect(await files.exists("other")).toBe(false);
    expect(files.location).toContain("as the cache has it without the Hub");
    expect(said.mock.calls.length).toBe(1);
    expect(String(said.mock.calls[0]?.[0])).toContain("at commit 012345678901");
    const atCommit = open({ retries: 0, timeout: 0.2 });
    expect(await atCommit.exists("other")).toBe(false);
    await failure(open({ retries: 0, timeout: 0.2, cacheDir: join(cacheDir, "x") }).exists("w"));
  });

  it.each(["1", "on", "YES", "True"])("alone is used with HF_HUB_OFFLINE=%s", async (value) => {
    hub.answer = (request, response) => sendWeights(request, response);
    await open().readBytes("w");
    hub.seen.length = 0;
    for (const name of ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]) {
      vi.stubEnv(name, value);
      expect((await open().readBytes("w")).length).toBe(WEIGHTS.length);
      expect(await open().exists("other")).toBe(false);
      const error = await failure(open().readBytes("other"));
      expect(error.message).toContain("HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids");
      vi.stubEnv(name, "0");
    }
    expect(hub.seen).toEqual([]);
    expect(await open().exists("more")).toBe(true);
  });

  it.each<[string, (home: string) => Readonly<Record<string, string>>, string]>([
    ["HF_HUB_CACHE", (home) => ({ HF_HUB_CACHE: join(home, "a") }), "a"],
    ["the older name", (home) => ({ HUGGINGFACE_HUB_CACHE: join(home, "b") }), "b"],
    ["HF_HOME", (home) => ({ HF_HOME: join(home, "c") }), "c/hub"],
    ["XDG_CACHE_HOME", (home) => ({ HF_HOME: "", XDG_CACHE_HOME: home }), "huggingface/hub"],
    ["the home", (home) => ({ HF_HOME: "", XDG_CACHE_HOME: "", HOME: home }), ".cache/huggingface/hub"], // prettier-ignore
    ["a tilde", (home) => ({ HOME: home, HF_HUB_CACHE: "~/d" }), "d"],
  ])("lies where %s says", async (_, env, wanted) => {
    for (const name of ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"]) vi.stubEnv(name, "");
    for (const [name, value] of Object.entries(env(cacheDir))) vi.stubEnv(name, value);
    hub.answer = (request, response) => sendWeights(request, response);
    await new HubFiles("org/model", { hubUrl, revision: COMMIT }).readBytes("w");
    expect(await readdir(join(cacheDir, wanted))).toContain("models--org--model");
  });
});

describe("the Hub's address", () => {
  it("is that of HF_ENDPOINT, or of the Hub where it is blank", async () => {
    hub.answer = (request, response) => sendWeights(request, response);
    vi.stubEnv("HF_ENDPOINT", `${hubUrl}/mirror/`);
    await new HubFiles("org/model", { cacheDir, revision: COMMIT }).readBytes("w");
    expect(hub.seen[0]?.url).toBe(`/mirror/org/model/resolve/${COMMIT}/w`);
    for (const wrong of ["huggingface.co", "ftp://x", "http://x/?a=b"]) {
      vi.stubEnv("HF_ENDPOINT", wrong);
      expect(() => new HubFiles("org/model")).toThrow("HF_ENDPOINT is not an http or https URL");
    }
  });

  it("is not left for one that is not encrypted", async () => {
    const answer = new Response(null, { status: 302, headers: { Location: "http://x.test/f" } });
    const files = open({ hubUrl: "https://hub.test", fetch: async () => answer, retries: 0 });
    expect((await failure(files.exists("w"))).message).toContain(
      "https://hub.test, asked to download w of org/model, redirects to http://x.test, which is not",
    );
  });

  it("says what to do about a repository that is gated", async () => {
    hub.answer = (_, response) => {
      response.writeHead(403, { "X-Error-Code": "GatedRepo", "X-Error-Message": "not yet" }).end();
    };
    const error = await failure(open().exists("w"));
    expect(error).toMatchObject({ code: "unauthorized" });
    expect(error.message).toContain(`is gated; ask for access at ${hubUrl}/org/model, and pass a`);
    expect(error.message).toContain("(not yet)");
  });

  it.each(["a--b/c", "a/b--c", "-a/b", "a/b.git", "a/b..c", ".a/b", "a./b", `a/${"b".repeat(97)}`])(
    "has no model %s, which would share another's place in the cache or has no name",
    (id) => {
      expect(isHubId(id)).toBe(false);
    },
  );
});

describe.skipIf(process.platform === "win32")("special files", () => {
  it("are refused at once", async () => {
    const place = await mkdtemp(join(directory, "special-"));
    execFileSync("mkfifo", [join(place, "config.json")]);
    const files = new LocalFiles(place);
    const message = `${join(place, "config.json")} is a pipe; a file was wanted`;
    expect((await failure(files.readJson("config.json"))).message).toContain(message);
    expect((await failure(files.exists("config.json"))).message).toContain(message);
    await expect(openFile("/dev/zero")).rejects.toThrow("is a device; a file was wanted");
    await expect(openFile(place)).rejects.toThrow("is a directory; a file was wanted");
    const server = createServer().listen(join(place, "socket"));
    await new Promise((done) => server.once("listening", done));
    await expect(openFile(join(place, "socket"))).rejects.toThrow("is a socket; a file was wanted");
    server.close();
  });
});
