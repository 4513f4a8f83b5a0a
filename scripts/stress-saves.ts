/**
 * Kills saves of models and starts them beside one another for as long as is said, and counts what
 * whoever reads the directory finds: `tsx --conditions=tsvene-source scripts/stress-saves.ts
 * [SECONDS] [DIRECTORY]`. Fails when one directory holds parts of two models.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { full, GPT2LMHeadModel, loadSafetensors } from "../src/index.ts";

const [, script, seconds = "60", place = tmpdir(), role] = process.argv;
const SETTINGS = { nLayer: 2, nEmbd: 64, nHead: 2, vocabSize: 2000, nPositions: 32 };

/** A model whose weights and settings both say `value`. */
function model(value: number): GPT2LMHeadModel {
  const made = new GPT2LMHeadModel({ ...SETTINGS, layerNormEpsilon: value });
  for (const parameter of made.parameters()) parameter.set(full([...parameter.shape], value));
  return made;
}

async function saveForEver(directory: string): Promise<never> {
  const models = [0.25, 0.5, 0.75].map(model);
  console.log("ready");
  for (let i = process.pid; ; i++) await models[i % 3]?.savePretrained(directory);
}

async function isOneModel(directory: string): Promise<boolean> {
  const config = JSON.parse(await readFile(join(directory, "config.json"), "utf8")) as {
    layer_norm_epsilon: number;
  };
  const tensors = await loadSafetensors(join(directory, "model.safetensors"));
  const values = await Promise.all([...tensors.values()].map((tensor) => tensor.mean().item()));
  return values.every((value) => Math.abs(value - config.layer_norm_epsilon) < 1e-6);
}

async function startSaver(directory: string): Promise<ChildProcess> {
  const node = ["--import=tsx", "--conditions=tsvene-source", fileURLToPath(import.meta.url)];
  const child = spawn(process.execPath, [...node, "0", directory, "saver"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((ready) => child.stdout?.once("data", ready));
  return child;
}

async function stress(): Promise<void> {
  const directory = await mkdtemp(join(place, "stress-saves-"));
  await model(0.5).savePretrained(directory);
  const end = Date.now() + 1000 * Number(seconds);
  let [kills, mixed] = [0, 0];
  while (Date.now() < end) {
    const savers = await Promise.all([startSaver(directory), startSaver(directory)]);
    for (const saver of savers) {
      await new Promise((done) => setTimeout(done, 300 * Math.random()));
      const closed = new Promise((done) => saver.once("close", done));
      saver.kill("SIGKILL");
      await closed;
      kills++;
    }
    if (!(await isOneModel(directory))) mixed++;
  }
  await rm(directory, { recursive: true });
  console.log(`${kills} saves killed, two at once: ${mixed} directories with parts of two models`);
  if (mixed > 0) process.exitCode = 1;
}

if (script !== undefined && role === "saver") await saveForEver(place);
else await stress();
