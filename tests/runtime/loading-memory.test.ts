import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  GPT2LMHeadModel,
  saveSafetensors,
  saveTorchFile,
  tensor,
  type Tensor,
  withoutInit,
} from "tsvene";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { golden } from "../models/checkpoints.ts";
import { ROOT } from "../repository/repository.ts";

/** 48 million numbers: large beside what a process takes for itself. */
const SETTINGS = { vocabSize: 10_000, nEmbd: 1024, nHead: 8, nLayer: 3, nPositions: 64 };

let parent = "";

async function writeSharded(
  directory: string,
  tensors: readonly [string, Tensor][],
): Promise<void> {
  const weightMap: Record<string, string> = {};
  for (const i of [0, 1, 2]) {
    const file = `model-0000${i + 1}-of-00003.safetensors`;
    const part = tensors.filter((_, k) => k % 3 === i);
    await saveSafetensors(join(directory, file), new Map(part));
    for (const [name] of part) weightMap[name] = file;
  }
  const index = JSON.stringify({ metadata: {}, weight_map: weightMap });
  await writeFile(join(directory, "model.safetensors.index.json"), index);
}

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "tsvene-memory-"));
  const model = withoutInit(() => new GPT2LMHeadModel(SETTINGS));
  const tensors = Object.entries(model.stateDict())
    .filter(([name]) => name !== "lm_head.weight")
    .map(([name, { shape, numel }]): [string, Tensor] => {
      return [name, tensor(new Float32Array(numel).fill(0.125), { shape })];
    });
  const config = { model_type: "gpt2", vocab_size: 10_000, n_embd: 1024, n_head: 8, n_layer: 3, n_positions: 64 }; // prettier-ignore
  const write = {
    single: (directory: string) =>
      saveSafetensors(join(directory, "model.safetensors"), new Map(tensors)),
    sharded: (directory: string) => writeSharded(directory, tensors),
    torch: (directory: string) =>
      saveTorchFile(join(directory, "pytorch_model.bin"), new Map(tensors)),
  };
  for (const [name, writeTo] of Object.entries(write)) {
    const directory = await mkdtemp(join(parent, `${name}-`));
    directories.set(name, directory);
    await writeTo(directory);
    await writeFile(join(directory, "config.json"), JSON.stringify(config));
  }
}, 60_000);

const directories = new Map<string, string>();

afterAll(() => rm(parent, { recursive: true, force: true }));

interface Memory {
  readonly weights: number;
  /** At most while loading. */
  readonly loading: number;
  /** At most in all. */
  readonly all: number;
}

async function measured(name: string, ...options: readonly string[]): Promise<Memory> {
  const script = [
    "--conditions=tsvene-source",
    "--import=tsx",
    "tests/runtime/memory/load-checkpoint.ts",
  ];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...script, golden("gpt2"), directories.get(name) ?? "", ...options],
    { cwd: ROOT },
  );
  return JSON.parse(stdout) as Memory;
}

describe.skipIf(!existsSync("/proc/self/status"))(
  "loading takes at most 1.2 times the weights",
  () => {
    test.each([
      ["single", "float32", 4],
      ["single", "bfloat16", 2],
      ["sharded", "float32", 4],
      ["sharded", "float16", 2],
      ["torch", "float32", 4],
      ["torch", "bfloat16", 2],
    ])("%s, kept in %s", async (name, dtype, itemsize) => {
      const { loading, weights } = await measured(name, dtype);
      const block = 12 * 1024 ** 2 + 13 * 1024;
      expect(weights).toBe(itemsize * (10_064 * 1024 + 3 * block + 2 * 1024));
      expect(loading).toBeLessThan(1.2 * weights);
      // What loading the small model before it left is used again: some 24 MB of it.
      expect(loading).toBeGreaterThan(weights - 30e6);
    });
  },
);

test.skipIf(!existsSync("/proc/self/status")).each([
  ["bfloat16", 1.3],
  ["float16", 1.2],
])("passes with weights in %s take at most %d times these", async (dtype, most) => {
  const { all, weights } = await measured("single", dtype, "computes");
  expect(all).toBeLessThan(most * weights);
});
