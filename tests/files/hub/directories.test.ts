import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  FileSourceError,
  GPT2LMHeadModel,
  IntervenableModel,
  pullFromHub,
  type PullOptions,
  type Pushed,
  pushToHub,
  type PushOptions,
  ZeroIntervention,
} from "tsvene";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { HubServer } from "./hub-server.ts";

const TOKEN = "hf_token";
const SETTINGS = { nLayer: 1, nEmbd: 16, nHead: 2, vocabSize: 50, nPositions: 8 };

let parent = "";
let saved = "";
let hub: HubServer;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "tsvene-directories-"));
  saved = join(parent, "saved");
  const model = new GPT2LMHeadModel(SETTINGS).eval();
  await model.savePretrained(join(saved, "model"));
  const zero = new IntervenableModel({ layer: 0, intervention: ZeroIntervention }, model);
  await zero.save(join(saved, "interventions"), { includeModel: true });
});
afterAll(() => rm(parent, { recursive: true, force: true }));

let directory = "";
beforeEach(async () => {
  hub = new HubServer();
  hub.tokens.set(TOKEN, "write");
  await hub.start();
  directory = await mkdtemp(join(parent, "pushed-"));
  vi.stubEnv("HF_HUB_OFFLINE", "");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.stop();
});

const push = (more: Partial<PushOptions> = {}, from = directory): Promise<Pushed> =>
  pushToHub(from, { repo: "org/model", token: TOKEN, hubUrl: hub.url, ...more });

const names = (): string[] => Object.keys(hub.textsOf("org/model")).toSorted();
const readme = (): string => hub.textsOf("org/model")["README.md"] ?? "";

describe("pushToHub", () => {
  it("uploads a checkpoint in one commit, with its card and its subdirectories", async () => {
    await cp(join(saved, "model"), directory, { recursive: true });
    await mkdir(join(directory, "plots", "deep"), { recursive: true });
    await writeFile(join(directory, "plots", "deep", "a.svg"), "<svg/>");
    for (const aside of [".git", ".cache", "plots/.git"]) {
      await mkdir(join(directory, aside));
      await writeFile(join(directory, aside, "config"), "secret");
    }
    for (const aside of ["a.lock", "b.tmp", ".tsvene-new", "c.incomplete"]) {
      await writeFile(join(directory, aside), "");
    }
    hub.create("org/model", false, { "model-00001-of-00002.safetensors": "", "notes.md": "kept" });
    const seen = new Set<string>();
    const pushed = await push({ message: "All", onProgress: ({ file }) => seen.add(file) });
    expect(pushed).toMatchObject({ repo: "org/model", commit: hub.headOf("org/model").oid });
    expect(hub.headOf("org/model").title).toBe("All");
    expect(names()).toEqual([
      ".gitattributes",
      "README.md",
      "config.json",
      "model.safetensors",
      "notes.md",
      "plots/deep/a.svg",
    ]);
    expect(readme()).toContain('GPT2LMHeadModel.fromPretrained("org/model")');
    expect(seen).toContain("model.safetensors");
    expect(hub.askedFor("POST", /\/commit\//).length).toBe(1);
  });

  it("says of saved interventions the same as saving them to the Hub does", async () => {
    const model = new GPT2LMHeadModel(SETTINGS).eval();
    const zero = new IntervenableModel({ layer: 0, intervention: ZeroIntervention }, model);
    const pushed = { repo: "org/model", token: TOKEN, hubUrl: hub.url };
    await zero.save(directory, { includeModel: true, pushToHub: pushed });
    const [card, all] = [readme(), names()];
    hub.repositories.delete("org/model");
    await push({}, join(saved, "interventions"));
    expect([readme(), names()]).toEqual([card, all]);
    expect(card).toContain("ZeroIntervention");
  });

  it("keeps a README.md, and weights where the directory has none", async () => {
    hub.create("org/model", false, { "model.safetensors": "w", "README.md": "of others" });
    await cp(join(saved, "model", "config.json"), join(directory, "config.json"));
    await push();
    expect(hub.textsOf("org/model")).toMatchObject({
      "model.safetensors": "w",
      "README.md": "of others",
    });
    await writeFile(join(directory, "README.md"), "my own");
    await push();
    expect(readme()).toBe("my own");
  });

  it("gives what it does not know no card, and says so where one is asked for", async () => {
    await writeFile(join(directory, "config.json"), '{"model_type":"unheard-of"}');
    await push();
    expect(names()).toEqual([".gitattributes", "config.json"]);
    await expect(push({ card: { license: "mit" } })).rejects.toThrow(/pushToHub: card: .*README/);
  });

  it("takes links within the directory, and none that lead out of it", async () => {
    await writeFile(join(parent, "private.txt"), "secret");
    await writeFile(join(directory, "a.txt"), "a");
    await symlink("a.txt", join(directory, "b.txt"));
    await push();
    expect(hub.textsOf("org/model")["b.txt"]).toBe("a");
    const head = hub.headOf("org/model").oid;
    for (const [target, message] of [
      ["../private.txt", /link.txt is a link to .*private.txt, which is outside/],
      ["..", /link.txt is a link to a directory/],
      ["nowhere", /link.txt is a link to nothing/],
    ] as const) {
      await symlink(target, join(directory, "link.txt"));
      await expect(push()).rejects.toThrow(message);
      await rm(join(directory, "link.txt"));
    }
    expect(hub.headOf("org/model").oid).toBe(head);
  });

  it.each([
    [(): string => join(directory, "nowhere"), /pushToHub: there is no directory ".*nowhere"/],
    [(): string => directory, /pushToHub: the directory .*pushed-.* has no files/],
    [(): string => "", /pushToHub: there is no directory ""/],
  ])("refuses a directory that is none (%#)", async (from, message) => {
    const error: unknown = await push({}, from()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FileSourceError);
    expect(error).toHaveProperty("message", expect.stringMatching(message));
    expect(hub.asked).toEqual([]);
  });

  it("names a wrong option", async () => {
    await expect(push({ repo: "model" })).rejects.toThrow(/^pushToHub: repo must be/);
  });
});

describe("pullFromHub", () => {
  const pull = (more: Partial<PullOptions> = {}, to = directory): ReturnType<typeof pullFromHub> =>
    pullFromHub("org/model", to, {
      token: TOKEN,
      hubUrl: hub.url,
      cacheDir: join(directory, "..", `cache-${hub.url.slice(-5)}`),
      ...more,
    });

  it("writes what was pushed, and once", async () => {
    const { commit } = await push({ revision: "trial" }, join(saved, "model"));
    const to = join(directory, "new");
    const pulled = await pull({ revision: "trial" }, to);
    const files = [".gitattributes", "README.md", "config.json", "model.safetensors"];
    expect(pulled).toEqual({ repo: "org/model", commit, directory: to, files });
    const [sent, got] = await Promise.all(
      [join(saved, "model"), to].map((at) => readFile(join(at, "model.safetensors"))),
    );
    expect(got).toEqual(sent);
    const asked = hub.asked.length;
    await pull({ revision: commit }, to);
    // The list of files, and none of them.
    expect(hub.asked.length).toBe(asked + 1);
  });

  it("replaces no file of other content, unless it is told to", async () => {
    hub.create("org/model", false, { "a.txt": "theirs", "b.txt": "b" });
    await writeFile(join(directory, "a.txt"), "my own");
    await expect(pull()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(
        /has files of other content: a.txt;.*overwrite: true/,
      ) as string,
    });
    expect(await readdir(directory)).toEqual(["a.txt"]);
    expect(await readFile(join(directory, "a.txt"), "utf8")).toBe("my own");
    await pull({ overwrite: true });
    expect(await readFile(join(directory, "a.txt"), "utf8")).toBe("theirs");
  });

  it.each(["../a.txt", "/a.txt", "b/../../a.txt", ".git/hooks/pre-commit", "linked/a.txt"])(
    "writes nothing where there is a file %s",
    async (path) => {
      hub.create("org/model", false, { "1.txt": "1", [path]: "a" });
      await symlink("..", join(directory, "linked"));
      await expect(pull()).rejects.toMatchObject({ code: "name" });
      expect(await readdir(directory)).toEqual(["linked"]);
    },
  );

  it("says that the list of files is at the Hub alone", async () => {
    hub.create("org/model", false, { "a.txt": "a" });
    const { commit } = await pull();
    const offline = pull({ localFilesOnly: true, revision: commit });
    await expect(offline).rejects.toThrow(/only the Hub has the list of files/);
  });
});
