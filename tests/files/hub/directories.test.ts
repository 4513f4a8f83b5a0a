import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  FileSourceError,
  GPT2LMHeadModel,
  IntervenableModel,
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
