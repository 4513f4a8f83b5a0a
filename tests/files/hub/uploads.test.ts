import { mkdtemp, readdir, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { AutoTokenizer, full, GPT2LMHeadModel, type Pushed, type PushOptions } from "tsvene";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { bytesInMemory, type ByteSource } from "../../../src/files/byte-source.ts";
import { FileSourceError } from "../../../src/files/file-source-error.ts";
import { HubUpload, type UploadedFiles } from "../../../src/files/hub-upload.ts";
import { type Fault, HubServer, sha256 } from "./hub-server.ts";

const TOKEN = "hf_SECRETtokenSECRET";
const LARGE = new Uint8Array(300_000).map((_, i) => i % 251);

let parent = "";
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "tsvene-uploads-"));
});
afterAll(() => rm(parent, { recursive: true, force: true }));

let hub: HubServer;
let directory = "";
beforeEach(async () => {
  hub = new HubServer();
  hub.tokens.set(TOKEN, "write").set("hf_reader", "read");
  await hub.start();
  directory = join(await mkdtemp(join(parent, "save-")), "model");
  for (const name of ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "HF_ENDPOINT"]) {
    vi.stubEnv(name, "");
  }
  vi.stubEnv("HF_HOME", join(directory, "..", "home"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.stop();
});

function options(more: Partial<PushOptions> = {}): PushOptions {
  return { repo: "org/model", token: TOKEN, hubUrl: hub.url, ...more };
}

const sources = (files: Readonly<Record<string, string | Uint8Array>>): Map<string, ByteSource> =>
  new Map(
    Object.entries(files).map(([path, content]) => {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      return [path, bytesInMemory(bytes, path)];
    }),
  );

async function upload(
  files: Readonly<Record<string, string | Uint8Array>>,
  more: Partial<PushOptions> = {},
  rest: Omit<UploadedFiles, "files"> = {},
): Promise<Pushed> {
  const prepared = await HubUpload.prepare("save", options(more));
  return prepared.upload({ files: sources(files), ...rest });
}

async function failure(promise: Promise<unknown>): Promise<FileSourceError> {
  const error = await promise.then(
    () => new Error("nothing failed"),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(FileSourceError);
  expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/SECRET|secretsignature/);
  return error as FileSourceError;
}

describe("an upload", () => {
  it("makes the repository, and puts all files into it in one commit", async () => {
    const pushed = await upload({ "a.json": "{}", "deep/er/w.bin": LARGE }, { private: true });
    const head = hub.headOf("org/model");
    expect(pushed).toEqual({
      repo: "org/model",
      commit: head.oid,
      url: `${hub.url}/org/model/commit/${head.oid}`,
      pullRequestUrl: undefined,
    });
    expect(head.title).toBe("Upload with tsvene");
    expect(hub.repositories.get("org/model")?.isPrivate).toBe(true);
    expect([...head.files.keys()]).toEqual([".gitattributes", "a.json", "deep/er/w.bin"]);
    expect(head.files.get("deep/er/w.bin")).toEqual({ bytes: Buffer.from(LARGE), isLarge: true });
    expect(hub.askedFor("POST", /\/commit\//).length).toBe(1);
  });

  it("takes away what is superseded, and leaves what else there is", async () => {
    hub.create("org/model", false, { "a.json": "1", "a-1.json": "1", "notes.md": "mine" });
    const isSuperseded = (name: string): boolean => /^a.*\.json$/.test(name);
    await upload({ "a.json": "2" }, { message: "Better" }, { isSuperseded });
    expect(hub.textsOf("org/model")).toEqual({ ".gitattributes": "", "a.json": "2", "notes.md": "mine" }); // prettier-ignore
    expect(hub.headOf("org/model").title).toBe("Better");
  });

  it("sends nothing twice that is there already", async () => {
    await upload({ "w.bin": LARGE });
    await upload({ "v.bin": LARGE });
    expect(hub.storage.askedFor("PUT", /./).length).toBe(1);
    expect(hub.headOf("org/model").files.size).toBe(3);
  });

  it("reads large files part by part, and says how far it is", async () => {
    const size = 12_000_000;
    const reads: number[] = [];
    const source: ByteSource = {
      name: "w.bin",
      size,
      read: async (begin, end) => {
        reads.push(end - begin);
        return new Uint8Array(end - begin).map((_, i) => (begin + i) % 251);
      },
      close: async () => undefined,
    };
    hub.partBytes = 5_000_000;
    const said: number[] = [];
    const onProgress: PushOptions["onProgress"] = ({ file, loaded, total }) => {
      expect([file, total]).toEqual(["w.bin", size]);
      said.push(loaded);
    };
    const prepared = await HubUpload.prepare("save", options({ onProgress }));
    await prepared.upload({ files: new Map([["w.bin", source]]) });
    expect(hub.storage.askedFor("PUT", /part=[123]$/).length).toBe(3);
    expect(Math.max(...reads)).toBeLessThanOrEqual(1 << 18);
    expect(said.length).toBeGreaterThan(20);
    expect(said.every((loaded, i) => loaded > 0 && loaded >= (said[i - 1] ?? 0))).toBe(true);
    expect(said.at(-1)).toBe(size);
    expect(hub.headOf("org/model").files.get("w.bin")?.bytes.length).toBe(size);
  });

  it("goes to a branch, which is made, or becomes a pull request", async () => {
    await upload({ a: "1" }, { revision: "new/one" });
    expect(hub.textsOf("org/model")).toEqual({ ".gitattributes": "" });
    expect(hub.textsOf("org/model", "new/one")["a"]).toBe("1");
    const { pullRequestUrl } = await upload({ a: "2" }, { createPr: true });
    expect(pullRequestUrl).toBe(`${hub.url}/org/model/discussions/1`);
    expect(hub.textsOf("org/model")).toEqual({ ".gitattributes": "" });
    const nowhere = await failure(upload({ a: "2" }, { createPr: true, repo: "org/none" }));
    expect(nowhere).toMatchObject({ code: "missing" });
    expect(hub.repositories.has("org/none")).toBe(false);
  });

  it("stops at the caller's signal, and changes nothing", async () => {
    hub.create("org/model");
    const controller = new AbortController();
    hub.storage.fault = () => {
      controller.abort(new Error("enough"));
      return true;
    };
    const stopped = upload({ a: "1", w: LARGE }, { signal: controller.signal });
    await expect(stopped).rejects.toThrow("enough");
    await expect(upload({ a: "1" }, { signal: controller.signal })).rejects.toThrow("enough");
    expect(hub.textsOf("org/model")).toEqual({ ".gitattributes": "" });
  });
});

describe("what cannot be uploaded", () => {
  it.each<[string, object, string]>([
    ["a repository without owner", { repo: "model" }, 'repo must be "organisation/name" or "user/name"; got "model"'], // prettier-ignore
    ["a repository elsewhere", { repo: "../x" }, 'got "../x"'],
    ["no repository", { repo: undefined }, "got undefined"],
    ["an option that is not there", { privat: true }, "there is no option privat; did you mean private"], // prettier-ignore
    ["private that is no truth value", { private: "yes" }, "private must be true or false; got a string"], // prettier-ignore
    ["an empty message", { message: " " }, "message must be the title of a commit"],
    ["a revision elsewhere", { revision: "../x" }, '"../x" is not a plain relative path'],
    ["a parent that is no commit", { parentCommit: "main" }, 'parentCommit must be the 40 digits of a commit; got "main"'], // prettier-ignore
    ["a base model of a disk", { card: { baseModel: "./llama" } }, 'card.baseModel must be a model of the Hub, "organisation/name"; got "./llama"'], // prettier-ignore
    ["tags that are a text", { card: { tags: "a" } }, 'card.tags must be a list of words; got "a"'],
    ["a licence that is none", { card: { license: 2 } }, "card.license must be a text; got 2"],
    ["an option of the card", { card: { licence: "mit" } }, "card: there is no option licence; did you mean license"], // prettier-ignore
  ])("is said before anything is written: %s", async (_, wrong, message) => {
    const model = tiny();
    const pushToHub = { ...options(), ...wrong } as PushOptions;
    const error = await failure(model.savePretrained(directory, { pushToHub }));
    expect(error).toMatchObject({ code: "name" });
    expect(error.message).toContain("GPT2LMHeadModel.savePretrained: pushToHub: ");
    expect(error.message).toContain(message);
    await expect(readdir(directory)).rejects.toThrow("ENOENT");
    expect(hub.asked).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string>>, Partial<PushOptions>, string]>([
    [
      "without a token",
      {},
      { token: false },
      "an upload needs a token: make one that may write at",
    ],
    ["with a token that cannot be", {}, { token: "a b" }, "characters that none has"],
    ["offline", { HF_HUB_OFFLINE: "1" }, {}, "HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids"],
  ])("%s, is said as well", async (_, env, more, message) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const pushToHub = options(more);
    expect((await failure(tiny().savePretrained(directory, { pushToHub }))).message).toContain(message); // prettier-ignore
    await expect(readdir(directory)).rejects.toThrow("ENOENT");
  });

  it.each(["../x", "/etc/x", "a/../../x", "a\\x", ""])("is a file called %j", async (path) => {
    const error = await failure(upload({ [path]: "1" }));
    expect(error).toMatchObject({ code: "name" });
    expect(hub.asked).toEqual([]);
  });

  it.each([
    [true, false, "is there and is public, where a private one was asked for"],
    [false, true, "is there and is private, where a public one was asked for"],
  ])("goes to no repository of the other kind: private %j", async (wanted, is, message) => {
    hub.create("org/model", is);
    const error = await failure(upload({ a: "1" }, { private: wanted }));
    expect(error).toMatchObject({ code: "conflict" });
    expect(error.message).toContain(message);
    expect(hub.askedFor("POST", /./)).toEqual([]);
    await upload({ a: "1" });
    expect(hub.repositories.get("org/model")?.isPrivate).toBe(is);
  });

  it.each<[string, Partial<PushOptions>, Readonly<Record<string, string>>, string, string]>([
    [
      "unknown",
      { token: "hf_wrong" },
      {},
      "status 401",
      "the token of the option `token` was refused",
    ],
    ["of a variable", {}, { HF_TOKEN: "hf_wrong" }, "status 401", "the token of the environment variable HF_TOKEN was refused"], // prettier-ignore
    ["for reading", { token: "hf_reader" }, {}, "status 403", "the token of the option `token` may not do that; give it the right to write to org/model at"], // prettier-ignore
  ])("says whose token it is, and what to do: one %s", async (_, more, env, status, message) => {
    hub.create("org/model");
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const given = "HF_TOKEN" in env ? { token: true } : more;
    const pushToHub = options(given);
    const error = await failure(tiny().savePretrained(directory, { pushToHub }));
    expect(error).toMatchObject({ code: "unauthorized" });
    for (const text of [status, message, "log in with `hf auth login`"]) {
      expect(error.message).toContain(text);
    }
    expect(error.message).toContain(`; the directory ${directory} was written`);
    expect(error.message).not.toMatch(/hf_wrong|hf_reader/);
    expect(hub.headOf("org/model").files.size).toBe(1);
    expect((await readdir(directory)).length).toBe(2);
  });

  it("is a repository of others, which nobody may make", async () => {
    const error = await failure(upload({ a: "1" }, { token: "hf_reader" }));
    expect(error.message).toContain("the Hub, asked to create org/model, answered with status 403");
  });

  it("is told by the Hub's own words, but for secrets", async () => {
    hub.create("org/model");
    hub.fault = ({ path }, response) => {
      if (!path.includes("/commit/")) return false;
      response.writeHead(400, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ error: `"license" must be one of ...; ${TOKEN}` }));
      return true;
    };
    const error = await failure(upload({ a: "1" }));
    expect(error.message).toContain('"license" must be one of ...; [secret]');
  });
});

describe("a server that fails", () => {
  /** Fails some requests in a way, as often as is said. */
  const failing =
    (times: number, what: RegExp, fail: (response: ServerResponse) => void): Fault =>
    ({ method, path }, response) => {
      if (!what.test(`${method} ${path}`) || times-- <= 0) return false;
      fail(response);
      return true;
    };
  const status =
    (code: number, headers: Readonly<Record<string, string>> = {}) =>
    (response: ServerResponse): void =>
      void response.writeHead(code, headers).end();
  const cut = (response: ServerResponse): void => void response.destroy();

  const steps = ["GET .*revision", "POST .*create", "POST .*preupload", "POST .*batch", "POST .*commit"]; // prettier-ignore
  it.each(
    steps.flatMap(
      (step) =>
        [
          [step, "500"],
          [step, "cut"],
        ] as const,
    ),
  )("is asked again: %s, %s", async (step, how) => {
    hub.fault = failing(2, new RegExp(step), how === "cut" ? cut : status(500));
    await upload({ a: "1", w: LARGE });
    expect(hub.headOf("org/model").files.get("w")?.bytes.length).toBe(LARGE.length);
  });

  it.each([
    ["500", status(500)],
    ["503", status(503)],
    ["a connection cut in the middle", cut],
  ] as const)("is sent a large file again: %s", async (_, fail) => {
    hub.storage.fault = failing(2, /^PUT/, fail);
    await upload({ w: LARGE });
    expect(sha256(hub.headOf("org/model").files.get("w")?.bytes ?? LARGE.subarray(1))).toBe(
      sha256(LARGE),
    );
  });

  it("is left alone for as long as it asks", async () => {
    hub.fault = failing(1, /commit/, status(429, { "Retry-After": "1" }));
    const began = Date.now();
    await upload({ a: "1" });
    expect(Date.now() - began).toBeGreaterThanOrEqual(900);
    hub.fault = failing(9, /commit/, status(429, { "Retry-After": "3600" }));
    const error = await failure(upload({ a: "1" }));
    expect(error.message).toContain("it asks to be left alone for 3600 s");
  });

  it("is not asked twice for a pull request whose answer was lost", async () => {
    hub.create("org/model");
    hub.fault = failing(1, /commit/, cut);
    expect(await failure(upload({ a: "1" }, { createPr: true }))).toMatchObject({
      code: "network",
    });
    expect(hub.askedFor("POST", /commit/).length).toBe(1);
  });

  it("is given up when nothing comes", async () => {
    hub.create("org/model");
    hub.fault = ({ path }) => path.includes("preupload");
    const error = await failure(upload({ a: "1" }, { timeout: 0.2, retries: 0 }));
    expect(error).toMatchObject({ code: "network" });
    expect(error.message).toContain("nothing came for 0.2 s");
  });

  it("ends the upload with its first failure, however many files are on the way", async () => {
    hub.create("org/model");
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`w${i}`, LARGE.map((byte) => (byte + i) % 256)]),
    );
    let count = 0;
    hub.storage.fault = (_, response) => {
      if (count++ % 3 === 0) return false;
      response.writeHead(count % 2 === 0 ? 403 : 400).end();
      return true;
    };
    for (let i = 0; i < 5; i++) {
      const error = await failure(upload(files, { retries: 0 }));
      expect(error.message).toMatch(/where the Hub keeps large files, asked to take w\d+, was/);
    }
    await new Promise((done) => setTimeout(done, 50));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(hub.textsOf("org/model")).toEqual({ ".gitattributes": "" });
  });

  it.each<[string, (object: object) => object, string]>([
    ["refuses one", () => ({ error: { code: 422, message: "too large" } }), "was refused by the Hub: too large"], // prettier-ignore
    ["wants other parts", (object) => ({ ...object, actions: { upload: { href: "http://x.test", header: { chunk_size: "7", "00001": "http://x.test" } } } }), "the Hub wants it in 1 parts of 7 bytes"], // prettier-ignore
    ["leads to a disk", (object) => ({ ...object, actions: { upload: { href: "file:///etc/x" } } }), "which is not encrypted"], // prettier-ignore
  ])("%s of several large files", async (_, change, message) => {
    hub.create("org/model");
    hub.fault = ({ path, body }, response) => {
      if (!path.endsWith("/batch")) return false;
      const { objects } = JSON.parse(body.toString()) as { objects: object[] };
      const href = `${hub.storage.url}/x?X-Signature=secretsignature`;
      const first = { ...objects[0], actions: { upload: { href } } };
      const answer = [first, { ...objects[1], ...change(objects[1] ?? {}) }];
      response.end(JSON.stringify({ transfer: "basic", objects: answer }));
      return true;
    };
    expect((await failure(upload({ v: LARGE, w: LARGE.slice(1) }))).message).toContain(message);
  });

  it("does not say what parts are called", async () => {
    hub.partBytes = 100_000;
    hub.storage.isNameless = true;
    const error = await failure(upload({ w: LARGE }));
    expect(error.message).toContain("does not say what it calls the part of w that it was sent");
  });

  it("finds a wrong checksum", async () => {
    hub.create("org/model");
    let reads = 0;
    const changing: ByteSource = {
      ...bytesInMemory(LARGE, "w"),
      // Somebody writes to the file after it was hashed.
      read: async (begin, end) => LARGE.slice(begin, end).fill(end > 600 && reads++ > 0 ? 0 : 1),
    };
    const prepared = await HubUpload.prepare("save", options());
    const error = await failure(prepared.upload({ files: new Map([["w", changing]]) }));
    expect(error.message).toContain("The content of w is not what its SHA-256 says");
    expect(hub.textsOf("org/model")).toEqual({ ".gitattributes": "" });
  });

  it("is not told of a file that cannot be read", async () => {
    hub.create("org/model");
    const read = async (): Promise<never> => {
      throw Object.assign(new Error("the disk failed"), { code: "EIO" });
    };
    const broken: ByteSource = { ...bytesInMemory(LARGE, "w.bin"), read };
    const prepared = await HubUpload.prepare("save", options());
    const error = await failure(prepared.upload({ files: new Map([["w.bin", broken]]) }));
    expect(error.message).toBe("cannot read w.bin: EIO: the disk failed; nothing was uploaded");
  });
});

describe("the token of an upload", () => {
  it("goes to the Hub, and not to where large files are kept", async () => {
    await upload({ a: "1", w: LARGE });
    expect(new Set(hub.asked.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${TOKEN}`]),
    );
    expect(hub.storage.asked.length).toBe(1);
    expect(hub.storage.asked[0]?.headers.authorization).toBeUndefined();
  });

  it.each([301, 302, 303, 307, 308])("goes to no other server after status %i", async (code) => {
    hub.create("org/model");
    const other = new HubServer();
    await other.start();
    hub.fault = ({ path, method }, response) => {
      if (method !== "POST") return false;
      response.writeHead(code, { Location: `${other.url}${path}` }).end();
      return true;
    };
    const error = await failure(upload({ a: "1" }));
    expect(error.message).toContain(`redirects to ${other.url}`);
    expect(other.asked).toEqual([]);
    await other.stop();
  });

  it("follows a repository that was renamed", async () => {
    hub.create("org/new");
    hub.fault = ({ path }, response) => {
      if (!path.includes("org/model")) return false;
      response.writeHead(307, { Location: path.replace("org/model", "org/new") }).end();
      return true;
    };
    await upload({ a: "1", w: LARGE });
    expect(hub.headOf("org/new").files.size).toBe(3);
  });
});

describe("a commit of others meanwhile", () => {
  it("comes first, and the upload after it", async () => {
    hub.create("org/model", false, { "old.json": "1" });
    let left = 2;
    hub.fault = ({ path }) => {
      if (path.includes("/commit/") && left-- > 0) {
        hub.commitBeside("org/model", `theirs-${left}.json`, "2");
      }
      return false;
    };
    const isSuperseded = (name: string): boolean => name.endsWith(".json");
    await upload({ "a.json": "3" }, {}, { isSuperseded });
    // What came meanwhile is superseded as well: one model or the other, and no mixture.
    expect(hub.textsOf("org/model")).toEqual({ ".gitattributes": "", "a.json": "3" });
    expect(hub.askedFor("POST", /commit/).length).toBe(3);
  });

  it("is a conflict where the parent was named", async () => {
    hub.create("org/model");
    const parentCommit = hub.headOf("org/model").oid;
    hub.commitBeside("org/model", "theirs", "2");
    const error = await failure(upload({ a: "3" }, { parentCommit }));
    expect(error).toMatchObject({ code: "conflict" });
    expect(error.message).toContain(
      "answered with status 412: org/model (revision main) is no longer at",
    );
    expect(error.message).toContain("(A commit has happened since. Please refresh and try again.)");
    expect(hub.askedFor("POST", /commit/).length).toBe(1);
    await upload({ a: "3" }, { parentCommit: hub.headOf("org/model").oid });
    expect(hub.textsOf("org/model")["a"]).toBe("3");
  });

  it("is one of several uploads at once, which all end well", async () => {
    const labels = ["1", "2", "3", "4"];
    const isSuperseded = (name: string): boolean => name.startsWith("own-");
    await Promise.all(
      labels.map((label) => upload({ a: label, [`own-${label}`]: label }, {}, { isSuperseded })),
    );
    const { a = "", ...files } = hub.textsOf("org/model");
    expect(labels).toContain(a);
    expect(files).toEqual({ ".gitattributes": "", [`own-${a}`]: a });
  });
});

function tiny(value = 1): GPT2LMHeadModel {
  const settings = { nLayer: 1, nEmbd: 16, nHead: 2, vocabSize: 50, nPositions: 8 };
  const model = new GPT2LMHeadModel(settings).eval();
  for (const parameter of model.parameters()) parameter.set(full([...parameter.shape], value));
  return model;
}

describe("savePretrained", () => {
  it("puts a model on the Hub, from where it loads", async () => {
    const pushToHub = options({ private: true });
    const pushed = await tiny(3).savePretrained(directory, { pushToHub });
    expect(pushed?.commit).toBe(hub.headOf("org/model").oid);
    const names = [".gitattributes", "README.md", "config.json", "model.safetensors"];
    expect([...hub.headOf("org/model").files.keys()].sort()).toEqual(names);
    expect((await readdir(directory)).sort()).toEqual(["config.json", "model.safetensors"]);
    const cacheDir = join(directory, "..", "cache");
    const read = await GPT2LMHeadModel.fromPretrained("org/model", {
      hubUrl: hub.url,
      token: TOKEN,
      cacheDir,
    });
    expect(await read.transformer.wte.weight.value.mean().item()).toBeCloseTo(3);
  });

  it("says which options there are", async () => {
    const wrong = { pushToHUB: options() } as object;
    await expect(tiny().savePretrained(directory, wrong)).rejects.toThrow("did you mean pushToHub");
    await expect(tiny().savePretrained(directory, { pushToHub: null } as object)).rejects.toThrow(
      "pushToHub: options are one object by name",
    );
  });
});

describe("savePretrained of a tokenizer", () => {
  it("puts it beside the model", async () => {
    const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
    hub.create("org/model", false, { "config.json": "{}", "chat_template.jinja": "old" });
    await tokenizer.savePretrained(directory, { pushToHub: options() });
    const names = [".gitattributes", "config.json", "tokenizer.json", "tokenizer_config.json"];
    expect([...hub.headOf("org/model").files.keys()].sort()).toEqual(names);
    const read = await AutoTokenizer.fromPretrained("org/model", {
      hubUrl: hub.url,
      cacheDir: join(directory, "..", "cache"),
    });
    expect(read.encode("the king")).toEqual(tokenizer.encode("the king"));
    await expect(tokenizer.savePretrained(directory, { push: 1 } as object)).rejects.toThrow(
      "there is no option push",
    );
  });
});
