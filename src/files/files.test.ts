import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { DownloadProgress } from "./download.ts";
import { FileSourceError } from "./file-source-error.ts";
import { HttpFiles } from "./http-files.ts";
import { HubFiles } from "./hub-files.ts";
import type { HubOptions } from "./hub-options.ts";
import { LocalFiles } from "./local-files.ts";
import { MemoryFiles } from "./memory-files.ts";
import { openFiles } from "./open-files.ts";

const COMMIT_1 = "1".repeat(40);
const COMMIT_2 = "2".repeat(40);

/** A server that speaks as much of the Hub's protocol as its client uses. */
class TinyHub {
  readonly requests: string[] = [];
  readonly files = new Map<string, string>();
  /** Branch "main" of org/model is at this commit. */
  head = COMMIT_1;
  /** Breaks the connection after this many bytes of a file. */
  breakAfter: number | undefined;
  /** Sends this many bytes less than it says a file has, and ends the response properly. */
  withhold = 0;
  tokenWanted: string | undefined;
  readonly #server: Server = createServer((request, response) => {
    const url = decodeURIComponent(request.url?.split("?")[0] ?? "");
    this.requests.push(`${request.headers.range === "bytes=0-0" ? "INFO" : request.method} ${url}`);
    const authorized =
      this.tokenWanted === undefined ||
      request.headers.authorization === `Bearer ${this.tokenWanted}`;
    if (!authorized) return void response.writeHead(401).end("no");
    if (url.startsWith("/api/models/")) return this.#api(url, response);
    return this.#file(url, request.headers.range === "bytes=0-0", response);
  });

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<unknown>((done) => this.#server.close(done));
  }

  #api(url: string, response: ServerResponse): void {
    if (url !== "/api/models/org/model/revision/main") {
      return void response.writeHead(404).end("no");
    }
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ _id: "x", id: "org/model", sha: this.head }));
  }

  #file(url: string, infoOnly: boolean, response: ServerResponse): void {
    const match = /^\/org\/model\/resolve\/([^/]+)\/(.+)$/.exec(url);
    const text = this.files.get(match?.[2] ?? "");
    if (match === null || text === undefined) {
      response.setHeader("X-Error-Code", match === null ? "RepoNotFound" : "EntryNotFound");
      return void response.writeHead(404).end();
    }
    response.setHeader("ETag", `"${match[2]}"`);
    if (infoOnly) {
      response.setHeader("Content-Range", `bytes 0-0/${text.length}`);
      return void response.writeHead(206).end(text.slice(0, 1));
    }
    if (this.breakAfter === undefined) {
      return void response.end(text.slice(0, text.length - this.withhold));
    }
    response.setHeader("Content-Length", text.length);
    response.write(text.slice(0, this.breakAfter), () => response.destroy());
  }
}

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tsvene-files-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

describe("the Hub", () => {
  let hub: TinyHub;
  let cacheDir = "";
  let open: (options?: HubOptions) => HubFiles;
  beforeEach(async () => {
    hub = new TinyHub();
    hub.files.set("config.json", '{"layers": 2}').set("big/weights.bin", "0123456789".repeat(5000));
    await hub.start();
    cacheDir = await mkdtemp(join(directory, "cache-"));
    open = (options = {}) => new HubFiles("org/model", { hubUrl: hub.url, cacheDir, ...options });
  });
  afterEach(() => hub.stop());

  it("downloads a file and keeps it where Python's client looks", async () => {
    expect(await open().readJson("config.json")).toEqual({ layers: 2 });
    const repository = join(cacheDir, "models--org--model");
    expect(await readFile(join(repository, "refs", "main"), "utf8")).toBe(COMMIT_1);
    const path = join(repository, "snapshots", COMMIT_1, "config.json");
    expect(await readFile(path, "utf8")).toBe('{"layers": 2}');
    expect((await filesBelow(cacheDir)).toSorted()).toEqual(["config.json", "main"]);
  });

  it("asks for the commit only, when the file is in the cache", async () => {
    await open().readText("config.json");
    hub.requests.length = 0;
    expect(await open().readText("config.json")).toBe('{"layers": 2}');
    expect(await open().exists("config.json")).toBe(true);
    expect(new Set(hub.requests)).toEqual(new Set(["GET /api/models/org/model/revision/main"]));
    hub.requests.length = 0;
    expect(await open({ revision: COMMIT_1 }).readText("config.json")).toBe('{"layers": 2}');
    expect(hub.requests).toEqual([]);
  });

  it("downloads anew when the branch has moved", async () => {
    await open().readText("config.json");
    hub.head = COMMIT_2;
    hub.files.set("config.json", "{}");
    expect(await open().readText("config.json")).toBe("{}");
    expect(await open({ revision: COMMIT_1 }).readText("config.json")).toBe('{"layers": 2}');
  });

  it("resolves a branch once, so that all files are of one commit", async () => {
    const files = open();
    await files.readText("config.json");
    hub.head = COMMIT_2;
    await files.readText("big/weights.bin");
    expect(hub.requests.at(-1)).toBe(`GET /org/model/resolve/${COMMIT_1}/big/weights.bin`);
  });

  it("downloads once for readers at the same time", async () => {
    const files = open();
    const texts = await Promise.all([1, 2, 3].map(() => files.readText("big/weights.bin")));
    expect(texts.every((text) => text.length === 50_000)).toBe(true);
    expect(hub.requests.filter((line) => line.endsWith("weights.bin")).toSorted()).toEqual([
      `GET /org/model/resolve/${COMMIT_1}/big/weights.bin`,
      `INFO /org/model/resolve/${COMMIT_1}/big/weights.bin`,
    ]);
  });

  it("reports progress up to the whole size", async () => {
    const seen: DownloadProgress[] = [];
    await open({ onProgress: (progress) => seen.push(progress) }).readBytes("big/weights.bin");
    expect(seen.at(-1)).toEqual({ file: "big/weights.bin", loaded: 50_000, total: 50_000 });
    expect(seen.every(({ loaded }, i) => loaded > (seen[i - 1]?.loaded ?? 0))).toBe(true);
  });

  it("works from the cache when the Hub is out of reach", async () => {
    await open().readText("config.json");
    const hubUrl = hub.url;
    await hub.stop();
    open = (options = {}) => new HubFiles("org/model", { hubUrl, cacheDir, ...options });
    expect(await open().readText("config.json")).toBe('{"layers": 2}');
    const weights = open().readText("big/weights.bin");
    await expect(weights).rejects.toMatchObject({ code: "network" });
    await expect(weights).rejects.toThrow(
      `cannot reach ${hubUrl} to download big/weights.bin of org/model (ECONNREFUSED`,
    );
    const empty = open({ cacheDir: join(cacheDir, "other") });
    await expect(empty.exists("config.json")).rejects.toMatchObject({ code: "network" });
    await hub.start();
  });

  it("uses no network with localFilesOnly", async () => {
    const closed = open({ localFilesOnly: true });
    await expect(closed.readText("config.json")).rejects.toThrow("is not in the cache");
    await open().readText("config.json");
    hub.requests.length = 0;
    expect(await open({ localFilesOnly: true }).readText("config.json")).toBe('{"layers": 2}');
    expect(await closed.exists("big/weights.bin")).toBe(false);
    await expect(closed.readText("big/weights.bin")).rejects.toThrow("localFilesOnly forbids");
    expect(hub.requests).toEqual([]);
  });

  it("names a file that the repository lacks", async () => {
    const files = open();
    expect(await files.exists("absent.json")).toBe(false);
    const reading = files.readText("absent.json");
    await expect(reading).rejects.toMatchObject({ name: "FileSourceError", code: "missing" });
    await expect(reading).rejects.toThrow(
      "Hugging Face Hub repository org/model (revision main) has no file absent.json",
    );
  });

  it("names a repository or revision that does not exist", async () => {
    const files = new HubFiles("org/other", { hubUrl: hub.url, cacheDir });
    await expect(files.exists("config.json")).rejects.toMatchObject({ code: "missing" });
    const branch = open({ revision: "nowhere" });
    await expect(branch.exists("config.json")).rejects.toThrow("(revision nowhere) was not found");
  });

  it("asks for a token where one is wanted, and uses it", async () => {
    hub.tokenWanted = "hf_secret";
    const refused = open({ token: "hf_wrong" }).readText("config.json");
    await expect(refused).rejects.toMatchObject({ code: "unauthorized" });
    await expect(refused).rejects.toThrow("pass a token");
    expect(await open({ token: "hf_secret" }).readText("config.json")).toBe('{"layers": 2}');
  });

  it.each([
    ["a broken connection", { breakAfter: 20_000 }],
    ["a response that is too short", { withhold: 1 }],
  ])("leaves no half file after %s, and can try again", async (_, fault) => {
    Object.assign(hub, fault);
    const files = open();
    const reading = files.readBytes("big/weights.bin");
    await expect(reading).rejects.toMatchObject({ code: "network" });
    await expect(reading).rejects.toThrow(
      /download of big\/weights\.bin broke off after \d+ of 50000/,
    );
    expect(await filesBelow(cacheDir)).toEqual(["main"]);
    Object.assign(hub, { breakAfter: undefined, withhold: 0 });
    expect((await files.readBytes("big/weights.bin")).length).toBe(50_000);
  });

  it("stops at the caller's signal and leaves no half file", async () => {
    const controller = new AbortController();
    const files = open({ signal: controller.signal, onProgress: () => controller.abort() });
    await expect(files.readBytes("big/weights.bin")).rejects.toMatchObject({ name: "AbortError" });
    expect(await filesBelow(cacheDir)).toEqual(["main"]);
  });

  it("keeps files in memory where there is no disk, as in a browser", async () => {
    vi.stubGlobal("process", { env: {} });
    try {
      const files = await openFiles("org/model", { hubUrl: hub.url });
      expect(await files.readJson("config.json")).toEqual({ layers: 2 });
      expect((await files.readBytes("big/weights.bin")).length).toBe(50_000);
      expect(() => new LocalFiles("models")).toThrow("needs a file system");
      await expect(openFiles("file:///models")).rejects.toThrow("which a browser cannot read");
    } finally {
      vi.unstubAllGlobals();
    }
    expect(await filesBelow(cacheDir)).toEqual([]);
  });

  it.each(["", "a/b/c", "../x", "a/..", "a b", "./model"])("refuses the id %j", (id) => {
    expect(() => new HubFiles(id)).toThrow("is not the id of a model");
  });
});

describe("a local directory", () => {
  it("reads what is there and lists it when something is not", async () => {
    const path = await mkdtemp(join(directory, "local-"));
    await mkdir(join(path, "sub"));
    await writeFile(join(path, "sub", "a.txt"), "hello");
    await writeFile(join(path, "bad.json"), "{");
    await writeFile(join(path, "binary"), Uint8Array.of(0xff));
    const files = new LocalFiles(path);
    expect(await files.readText("sub/a.txt")).toBe("hello");
    expect(await files.exists("sub/a.txt")).toBe(true);
    expect(await files.exists("sub")).toBe(false);
    expect(await files.exists("nothing")).toBe(false);
    await expect(files.readText("nothing")).rejects.toMatchObject({ code: "missing" });
    await expect(files.readText("nothing")).rejects.toThrow("it has bad.json, binary, sub");
    await expect(files.readJson("bad.json")).rejects.toThrow("bad.json is not valid JSON");
    await expect(files.readText("binary")).rejects.toThrow("is not UTF-8 text");
    await expect(files.readText("sub")).rejects.toThrow("is a directory");
  });

  it.each(["../secret", "/etc/passwd", "a/../../b", "a//b", "a\\b", "C:x", "", ".", "a\u0000"])(
    "refuses the path %j",
    async (path) => {
      const files = new LocalFiles(directory);
      await expect(files.exists(path)).rejects.toThrow("is not a plain relative path");
      await expect(files.readText(path)).rejects.toBeInstanceOf(FileSourceError);
    },
  );
});

describe("files in memory", () => {
  it("takes text, bytes and blobs", async () => {
    const files = new MemoryFiles({
      "a.txt": "text",
      "b.bin": Uint8Array.of(1, 2),
      c: new Blob(["blob"]),
    });
    expect(await files.readText("a.txt")).toBe("text");
    expect([...(await files.readBytes("b.bin"))]).toEqual([1, 2]);
    expect(await files.readText("c")).toBe("blob");
    expect(await files.exists("d")).toBe(false);
    await expect(files.readText("d")).rejects.toThrow("there is no d among a.txt, b.bin, c");
  });
});

describe("a URL", () => {
  const pages = new Map([["/models/mini/config.json", '{"a": 1}']]);
  const server = createServer((request, response) => {
    const text = pages.get(request.url ?? "");
    if (request.url?.endsWith("forbidden")) return void response.writeHead(403).end();
    if (request.url?.startsWith("/app/")) {
      return void response.setHeader("Content-Type", "text/html; charset=utf-8").end("<html>");
    }
    if (text === undefined) return void response.writeHead(404).end();
    return void response.setHeader("Content-Length", text.length).end(text);
  });
  let base = "";
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  it("reads files below it", async () => {
    const files = await openFiles(`${base}/models/mini`);
    expect(files).toBeInstanceOf(HttpFiles);
    expect(await files.exists("config.json")).toBe(true);
    expect(await files.readJson("config.json")).toEqual({ a: 1 });
    expect(await files.exists("none.json")).toBe(false);
    await expect(files.readJson("none.json")).rejects.toMatchObject({ code: "missing" });
    await expect(files.readText("forbidden")).rejects.toMatchObject({ code: "unauthorized" });
  });

  it("does not take an application's page for a file", async () => {
    const files = new HttpFiles(new URL(`${base}/app/models/`));
    expect(await files.exists("config.json")).toBe(false);
    await expect(files.readText("config.json")).rejects.toMatchObject({ code: "missing" });
  });
});

describe("openFiles", () => {
  it("prefers a local directory to a repository of the same name", async () => {
    const before = process.cwd();
    process.chdir(directory);
    try {
      expect(await openFiles("org/model")).toBeInstanceOf(HubFiles);
      await mkdir("org/model", { recursive: true });
      expect((await openFiles("org/model")).location).toBe("directory org/model");
    } finally {
      process.chdir(before);
    }
  });

  it("takes file URLs, and places as they are", async () => {
    const files = await openFiles(pathToFileURL(directory));
    expect(files).toBeInstanceOf(LocalFiles);
    expect(await openFiles(files)).toBe(files);
  });

  it("finds the model that comes with the package from anywhere, after a directory", async () => {
    const before = process.cwd();
    const there = await mkdtemp(join(directory, "elsewhere-"));
    process.chdir(there);
    try {
      const files = await openFiles("tsvene-mini");
      expect(files).toBeInstanceOf(LocalFiles);
      expect(await files.exists("model.safetensors")).toBe(true);
      await mkdir("tsvene-mini");
      expect((await openFiles("tsvene-mini")).location).toBe("directory tsvene-mini");
    } finally {
      process.chdir(before);
    }
  });

  it("says what a name could have been", async () => {
    await expect(openFiles("")).rejects.toThrow('"organisation/name"');
    await expect(openFiles("a b")).rejects.toThrow('"organisation/name"');
    await expect(openFiles("~/models")).rejects.toThrow(`your home is ${homedir()}`);
    const path = join(directory, "plain-file");
    await writeFile(path, "x");
    await expect(openFiles(path)).rejects.toThrow("is a file; a directory was expected");
  });

  it("says where the path of a directory ends", async () => {
    const parent = await mkdtemp(join(directory, "models-"));
    await mkdir(join(parent, "gpt2"));
    await mkdir(join(parent, "mini"));
    await mkdir(join(parent, "mini", "sub"));
    for (const name of ["gpt3", "gpt3/deeper/still"]) {
      await expect(openFiles(join(parent, name))).rejects.toMatchObject({
        code: "missing",
        message: `there is no directory ${JSON.stringify(join(parent, name))}: ${parent} has no directory gpt3, but gpt2, mini`,
      });
    }
    await expect(openFiles(pathToFileURL(join(parent, "gpt2", "x")))).rejects.toThrow(
      `${join(parent, "gpt2")} has no directory x, nor any other`,
    );
    await expect(openFiles("./no/such/place")).rejects.toThrow("has no directory no, but");
  });

  it("takes a name that begins with a directory for a path, and not for one of the Hub", async () => {
    await expect(openFiles("models/tsvene-mimi")).rejects.toThrow(
      'has no directory tsvene-mimi, but tsvene-mini; for the model of that name on the Hugging Face Hub, pass new HubFiles("models/tsvene-mimi")',
    );
  });

  it("says of a model that cannot be had from the Hub that it is no directory either", async () => {
    const options = { hubUrl: "http://127.0.0.1:9", cacheDir: join(directory, "none") };
    for (const more of [{ retries: 0 }, { localFilesOnly: true }]) {
      const files = await openFiles("nobody/nothing", { ...options, ...more });
      await expect(files.exists("config.json")).rejects.toThrow(
        `; there is no directory ${resolve("nobody/nothing")} either`,
      );
    }
  });
});
