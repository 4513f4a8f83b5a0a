import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  AdditionIntervention,
  full,
  GPT2LMHeadModel,
  IntervenableModel,
  RotatedSpaceIntervention,
} from "tsvene";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../repository/repository.ts";

const run = promisify(execFile);
/** Of each of the two that are saved; two processes at once are killed in each round. */
const ROUNDS = 50;

let parent = "";
let program = "";
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "tsvene-kills-"));
  program = join(parent, "saver.js");
  await build({
    root: ROOT,
    configFile: false,
    logLevel: "silent",
    build: {
      ssr: "tests/files/saving/endless-saver.ts",
      outDir: parent,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: "saver.js" } },
    },
  });
  await writeFile(join(parent, "package.json"), '{"type": "module"}');
  await saveModels();
  await saveInterventions();
}, 60_000);
afterAll(() => rm(parent, { recursive: true, force: true }));

function tiny(value: number): GPT2LMHeadModel {
  const settings = { nLayer: 1, nEmbd: 16, nHead: 2, vocabSize: 50, nPositions: 8 };
  const model = new GPT2LMHeadModel({ ...settings, layerNormEpsilon: value / 4 }).eval();
  for (const parameter of model.parameters()) parameter.set(full([...parameter.shape], value));
  return model;
}

async function saveModels(): Promise<void> {
  await tiny(1).savePretrained(join(parent, "model-one"));
  const other = tiny(2);
  other.generationConfig = { maxNewTokens: 3 };
  await other.savePretrained(join(parent, "model-other"));
}

/** The second has other files than the first: one intervention more. */
async function saveInterventions(): Promise<void> {
  const one = new IntervenableModel(
    { layer: 0, component: "mlp_output", intervention: RotatedSpaceIntervention },
    tiny(1),
  );
  await one.save(join(parent, "interventions-one"));
  const other = new IntervenableModel(
    [
      { layer: 0, component: "block_output", intervention: RotatedSpaceIntervention },
      { layer: 0, component: "attention_output", intervention: AdditionIntervention },
    ],
    tiny(1),
  );
  await other.save(join(parent, "interventions-other"));
}

/** Contents by name, as whoever opens files finds them; without what saves make for themselves. */
async function contentsOf(directory: string): Promise<string> {
  const found: string[][] = [];
  for (const name of (await readdir(directory)).sort()) {
    if (name.startsWith(".tsvene-")) continue;
    // Of a file that the other save has there may be a link to nothing, until the next save.
    const text = await readFile(join(directory, name), "base64").catch(() => undefined);
    if (text !== undefined) found.push([name, text]);
  }
  return JSON.stringify(found);
}

async function startSaver(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((ready) => child.stdout.once("data", ready));
  return child;
}

async function killAfter(child: ChildProcess, milliseconds: number): Promise<void> {
  await new Promise((done) => setTimeout(done, milliseconds));
  const closed = new Promise((done) => child.once("close", done));
  expect(child.exitCode).toBeNull();
  child.kill("SIGKILL");
  await closed;
}

describe.concurrent.each(["model", "interventions"])("a directory of a %s", (what) => {
  const sources = (): [string, string] => [
    join(parent, `${what}-one`),
    join(parent, `${what}-other`),
  ];

  it(
    "has one save or another whenever those that save are killed, 100 times",
    { timeout: 240_000 },
    async () => {
      const directory = join(parent, `${what}-killed`);
      const whole = await Promise.all(sources().map(contentsOf));
      expect(new Set(whole).size).toBe(2);
      await run(process.execPath, [program, directory, ...sources(), "1"]);
      const seen = new Set<string>();
      for (let round = 0; round < ROUNDS; round++) {
        const args = [directory, ...sources()];
        const savers = await Promise.all([startSaver(args), startSaver(args)]);
        await Promise.all(savers.map((saver) => killAfter(saver, 25 * Math.random())));
        const found = await contentsOf(directory);
        expect(whole, `round ${round}`).toContain(found);
        seen.add(found);
      }
      expect(seen.size).toBe(2);
      await run(process.execPath, [program, directory, ...sources(), "1"]);
      expect(whole).toContain(await contentsOf(directory));
      expect((await readdir(directory)).filter((name) => name.startsWith("."))).toEqual([]);
      await (what === "model"
        ? GPT2LMHeadModel.fromPretrained(directory)
        : IntervenableModel.load(directory, tiny(1)));
    },
  );

  it("is as it was when a file becomes larger than may be", async (context) => {
    if (spawnSync("prlimit", ["--version"]).status !== 0) return context.skip("no prlimit here");
    const directory = join(parent, `${what}-limited`);
    const [one, other] = sources();
    await run(process.execPath, [program, directory, one, one, "1"]);
    const before = await contentsOf(directory);
    const args = ["--fsize=600", process.execPath, program, directory, other, other, "1"];
    await expect(run("prlimit", args)).rejects.toMatchObject({
      stderr: expect.stringContaining(
        `cannot write ${directory}: the file is larger than the file system allows (EFBIG`,
      ),
    });
    expect(await contentsOf(directory)).toBe(before);
    expect((await readdir(directory)).filter((name) => name.startsWith("."))).toEqual([]);
    const fresh = join(parent, "fresh", what);
    await mkdir(join(parent, "fresh"), { recursive: true });
    await expect(run("prlimit", ["--fsize=600", process.execPath, program, fresh, other, other, "1"])).rejects.toThrow("EFBIG"); // prettier-ignore
    await expect(readdir(fresh)).rejects.toThrow("ENOENT");
  });
});
