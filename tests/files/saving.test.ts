import { execFile, execFileSync, spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { full, GPT2LMHeadModel, loadSafetensors, saveSafetensors } from "tsvene";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeTogether } from "../../src/files/write-together.ts";
import { ROOT } from "../repository/repository.ts";
import { isSuperseded, savedFiles, savedIn, savedNames } from "./saving/saved-files.ts";

const run = promisify(execFile);

let parent = "";
let program = "";
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "tsvene-saving-"));
  await chmod(parent, 0o755);
  program = join(parent, "saver.js");
  await build({
    root: ROOT,
    configFile: false,
    logLevel: "silent",
    build: {
      ssr: "tests/files/saving/saver.ts",
      outDir: parent,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: "saver.js" } },
    },
  });
  await writeFile(join(parent, "package.json"), '{"type": "module"}');
}, 60_000);
afterAll(() => rm(parent, { recursive: true, force: true }));

async function save(directory: string, label: string): Promise<void> {
  await writeTogether(directory, { files: savedFiles(label), isSuperseded });
}

/** Saves in a process that is killed; false when it was not, as it had done all by then. */
async function saveKilled(directory: string, label: string, at: number): Promise<boolean> {
  try {
    await run(process.execPath, [program, directory, label, String(at)]);
    return false;
  } catch (error) {
    if ((error as { signal?: string }).signal !== "SIGKILL") throw error;
    return true;
  }
}

async function withOldSave(): Promise<string> {
  const directory = await mkdtemp(join(parent, "save-"));
  await writeFile(join(directory, "README.md"), "mine");
  await save(directory, "old");
  return directory;
}

/** The next save says nothing of the one that was killed, and leaves nothing of it. */
async function expectCleanSave(directory: string, others: readonly string[]): Promise<void> {
  await save(directory, "next");
  expect(await savedIn(directory)).toBe("next");
  expect((await readdir(directory)).sort()).toEqual([...savedNames("next"), ...others].sort());
}

/** Every seventh call; `scripts/stress-saves.ts` kills at random times, for as long as one likes. */
const STEP = 7;

/** Does something for 1, 8, 15, ... until it is false, two at a time. */
async function untilFalse(attempt: (n: number) => Promise<boolean>): Promise<number> {
  for (let n = 1; ; n += 2 * STEP) {
    const [first, second] = await Promise.all([attempt(n), attempt(n + STEP)]);
    if (!first || !second) return n;
  }
}

describe("files that are written together", () => {
  it("are old or new wherever the save is killed", { timeout: 60_000 }, async () => {
    const seen = new Set<string>();
    const calls = await untilFalse(async (n) => {
      const directory = await withOldSave();
      const killed = await saveKilled(directory, "new", n);
      const found = await savedIn(directory);
      expect(["old", "new"], `killed at ${n}`).toContain(found);
      seen.add(found);
      await expectCleanSave(directory, ["README.md"]);
      return killed;
    });
    expect(calls).toBeGreaterThan(50);
    expect(seen).toEqual(new Set(["old", "new"]));
  });

  it("are none or all in a new directory", { timeout: 60_000 }, async () => {
    await untilFalse(async (n) => {
      const directory = join(await mkdtemp(join(parent, "fresh-")), "a", "b");
      const killed = await saveKilled(directory, "new", n);
      expect(["nothing", "new"], `killed at ${n}`).toContain(await savedIn(directory));
      await expectCleanSave(directory, []);
      return killed;
    });
  });

  it("are old or new when one killed save follows another", { timeout: 60_000 }, async () => {
    // Each a step further into the first, and further into the second: where most is to be undone.
    for (const [first, second] of Array.from({ length: 8 }, (_, i) => [40 + 6 * i, 5 + 15 * i])) {
      const directory = await withOldSave();
      await saveKilled(directory, "first", first ?? 0);
      const before = await savedIn(directory);
      await saveKilled(directory, "second", second ?? 0);
      expect([before, "second"], `${first}, ${second}`).toContain(await savedIn(directory));
      await expectCleanSave(directory, ["README.md"]);
    }
  });

  it("are those of one of several processes that save at once", { timeout: 60_000 }, async () => {
    const directory = await withOldSave();
    for (let round = 0; round < 6; round++) {
      const labels = [0, 1, 2].map((i) => `save-${round}-${i}`);
      await Promise.all(labels.map((label) => run(process.execPath, [program, directory, label])));
      expect(labels).toContain(await savedIn(directory));
    }
    expect((await readdir(directory)).sort()).toEqual([...savedNames("x"), "README.md"].sort());
  });

  it("take the place of links to files elsewhere, which stay", async () => {
    const directory = await mkdtemp(join(parent, "links-"));
    const { symlink } = await import("node:fs/promises");
    await writeFile(join(parent, "elsewhere"), "mine");
    await symlink("../elsewhere", join(directory, "config.json"));
    await symlink("nowhere", join(directory, "model.safetensors"));
    await save(directory, "old");
    expect(await savedIn(directory)).toBe("old");
    expect(await readFile(join(parent, "elsewhere"), "utf8")).toBe("mine");
  });
});

function model(value: number, layerNormEpsilon: number): GPT2LMHeadModel {
  const settings = { nLayer: 1, nEmbd: 16, nHead: 2, vocabSize: 50, nPositions: 8 };
  const made = new GPT2LMHeadModel({ ...settings, layerNormEpsilon }).eval();
  for (const parameter of made.parameters()) parameter.set(full([...parameter.shape], value));
  return made;
}

async function isOneModel(directory: string): Promise<boolean> {
  const read = await GPT2LMHeadModel.fromPretrained(directory);
  const value = await read.transformer.wte.weight.value.select(0, 0).select(0, 0).item();
  return (value === 1) === (read.config.layerNormEpsilon === 0.25);
}

describe("savePretrained", () => {
  it("at once with another, and with readers, is never a mixture", async () => {
    const directory = join(parent, "models");
    const [a, b] = [model(1, 0.25), model(2, 0.5)];
    await a.savePretrained(directory);
    for (let i = 0; i < 20; i++) {
      const saves = [a.savePretrained(directory), b.savePretrained(directory)];
      const reads = Promise.all([isOneModel(directory), isOneModel(directory)]);
      const [found] = await Promise.all([reads, ...saves]);
      expect([...found, await isOneModel(directory)]).toEqual([true, true, true]);
    }
    expect((await readdir(directory)).sort()).toEqual(["config.json", "model.safetensors"]);
  });

  it("takes the shards and settings of an old model away, and nothing else", async () => {
    const directory = await mkdtemp(join(parent, "shards-"));
    const old = ["model-00001-of-00001.safetensors", "model.safetensors.index.json"];
    const others = ["tokenizer.json", "model.onnx", "pytorch_model.bin", "notes"];
    for (const name of [...old, "generation_config.json", ...others]) {
      await writeFile(join(directory, name), "{}");
    }
    await model(1, 0.25).savePretrained(directory);
    const left = ["config.json", "model.safetensors", ...others];
    expect((await readdir(directory)).sort()).toEqual(left.sort());
  });
});

/** Runs something in a small file system of its own, if this user may mount one. */
async function inTinyDisk(work: (directory: string) => Promise<void>): Promise<boolean> {
  const directory = await mkdtemp(join(parent, "disk-"));
  const options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", directory];
  if (process.platform !== "linux" || spawnSync("mount", options).status !== 0) return false;
  try {
    await work(directory);
    return true;
  } finally {
    execFileSync("umount", ["-l", directory]);
  }
}

describe("what cannot be written", () => {
  it("is said with its path and reason on a full disk", async (context) => {
    const large = full([64, 1024], 1);
    const done = await inTinyDisk(async (disk) => {
      const directory = join(disk, "model");
      await save(directory, "old");
      const failing = model(1, 0.5);
      failing.transformer.wte.weight.set(full([50, 16], 1));
      const before = await readdir(directory);
      const filled = join(disk, "filler");
      await writeFile(filled, new Uint8Array(40_000));
      await expect(model(1, 0.5).savePretrained(directory)).rejects.toMatchObject({
        name: "FileSourceError",
        code: "system",
        message: expect.stringMatching(
          `^cannot write ${directory}: the disk is full \\(ENOSPC: .*; what was there is as it was$`,
        ),
        cause: expect.objectContaining({ code: "ENOSPC" }),
      });
      expect(await readdir(directory)).toEqual(before);
      expect(await savedIn(directory)).toBe("old");
      const file = join(disk, "new", "large.safetensors");
      await expect(saveSafetensors(file, { large })).rejects.toThrow("the disk is full");
      expect(await readdir(join(disk, "new"))).toEqual([]);
      await expect(save(join(disk, "x", "y"), "a".repeat(40_000))).rejects.toThrow("disk is full");
      expect((await readdir(disk)).sort()).toEqual(["filler", "model", "new"]);
    });
    if (!done) context.skip();
  });

  it("is said on a read-only disk", async (context) => {
    const done = await inTinyDisk(async (disk) => {
      await save(join(disk, "model"), "old");
      execFileSync("mount", ["-o", "remount,ro", disk]);
      for (const directory of [join(disk, "model"), join(disk, "new")]) {
        await expect(save(directory, "new")).rejects.toThrow(
          `cannot write ${directory}: the file system is read-only (EROFS`,
        );
      }
      const file = join(disk, "a.safetensors");
      await expect(saveSafetensors(file, {})).rejects.toThrow(`${file}: the file system is read`);
      expect(await savedIn(join(disk, "model"))).toBe("old");
    });
    if (!done) context.skip();
  });

  it("is said where permission is missing", async (context) => {
    const directory = await withOldSave();
    await chmod(directory, 0o555);
    if (process.getuid === undefined) return context.skip();
    const user = process.getuid() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const failing = run(process.execPath, [program, directory, "new"], user);
    await expect(failing).rejects.toMatchObject({
      stderr: expect.stringContaining(
        `cannot write ${directory}: the permission to write there is missing (EACCES`,
      ),
    });
    expect(await savedIn(directory)).toBe("old");
    expect((await readdir(directory)).length).toBe(4);
  });

  it("is said where a file or a directory is in the way", async () => {
    const file = join(parent, "plain");
    await writeFile(file, "mine");
    await expect(model(1, 1).savePretrained(file)).rejects.toThrow(
      `cannot write ${file}: it is a file, where a directory was expected (EEXIST`,
    );
    const below = join(file, "below");
    await expect(save(below, "new")).rejects.toThrow("a part of the path is a file");
    await expect(saveSafetensors(below, {})).rejects.toThrow(`cannot write ${below}: `);
    expect(await readFile(file, "utf8")).toBe("mine");
    const directory = await mkdtemp(join(parent, "blocked-"));
    await mkdir(join(directory, "config.json"));
    await expect(save(directory, "new")).rejects.toThrow("it is there, and it is not a file");
    expect(await readdir(directory)).toEqual(["config.json"]);
  });

  it.runIf(process.platform !== "win32")("is said of special files, which stay", async () => {
    const pipe = join(parent, "pipe");
    execFileSync("mkfifo", [pipe]);
    await expect(saveSafetensors(pipe, {})).rejects.toThrow("it is a pipe; a file was expected");
    await expect(saveSafetensors(parent, {})).rejects.toThrow("it is a directory; a file was");
    expect((await stat(pipe)).isFIFO()).toBe(true);
  });

  it("is said before the disk when it is the tensors", async () => {
    const directory = await withOldSave();
    const path = join(directory, "model.safetensors");
    await expect(saveSafetensors(path, { __metadata__: full([1], 1) })).rejects.toThrow("reserve");
    expect(await savedIn(directory)).toBe("old");
    expect((await loadSafetensors(await savedBytes())).size).toBe(1);
  });
});

async function savedBytes(): Promise<Uint8Array> {
  const path = join(parent, "one.safetensors");
  await saveSafetensors(path, { one: full([1], 1) });
  return new Uint8Array(await readFile(path));
}
