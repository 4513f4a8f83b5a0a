import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Adam,
  AutoModelForCausalLM,
  type CausalLanguageModel,
  ConsreftIntervention,
  DireftIntervention,
  IntervenableModel,
  loadSafetensors,
  loadTorchFile,
  LobireftIntervention,
  LoreftIntervention,
  NodireftIntervention,
  NoreftIntervention,
  ones,
  type ReftIntervention,
  type Tensor,
} from "tsvene";
import { golden } from "../models/checkpoints.ts";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

const FOLDER = path.join(import.meta.dirname, "..", "goldens", "reft");
const BIN = "intkey_layer_1_comp_block_output_unit_pos_nunit_1#0.bin";
const scratch = mkdtempSync(path.join(os.tmpdir(), "tsvene-reft-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let gpt2: CausalLanguageModel;
beforeAll(async () => {
  gpt2 = await AutoModelForCausalLM.fromPretrained(golden("gpt2"));
});

async function distance(a: Tensor, b: Tensor | undefined): Promise<number> {
  if (b === undefined) throw new Error("nothing was recorded");
  return a.sub(b).abs().amax().item();
}

const all = [
  ["Loreft", LoreftIntervention],
  ["Noreft", NoreftIntervention],
  ["Consreft", ConsreftIntervention],
  ["Lobireft", LobireftIntervention],
  ["Direft", DireftIntervention],
  ["Nodireft", NodireftIntervention],
] as const;

describe.each(all)("%s", (name, kind) => {
  const options = { lowRankDimension: 3, ...(name === "Direft" ? { actFn: "relu" } : {}) };
  const at = { layer: 1, component: "block_output", intervention: kind.with(options) } as const;
  const call = { unitLocations: { base: [[2, 5], [1, 3]] } }; // prettier-ignore

  test("loads what pyvene saved of pyreft's, and gives its numbers", async () => {
    const recorded = await loadSafetensors(path.join(FOLDER, name, "expected.safetensors"));
    const model = new IntervenableModel(at, gpt2);
    await model.loadIntervention(path.join(FOLDER, name));
    const made = model.interventions.get("layer 1 block_output") as ReftIntervention;
    const h = recorded.get("h") as Tensor;
    expect(await distance(made.forward(h), recorded.get("changed"))).toBeLessThan(2e-6);
    const base = { inputIds: recorded.get("base.input_ids") as Tensor };
    const { intervened } = model.forward(base, call);
    expect(await distance(intervened.logits, recorded.get("logits"))).toBeLessThan(2e-5);
    // The file does not say the activation, as pyreft's own does not.
    if (name === "Direft") return;
    const loaded = await IntervenableModel.load(path.join(FOLDER, name), gpt2);
    expect(await distance(loaded.forward(base, call).intervened.logits, recorded.get("logits"))).toBeLessThan(2e-5); // prettier-ignore
  });

  test("is saved for pyreft with the names and shapes of its files, and loaded as it was", async () => {
    const model = new IntervenableModel(at, gpt2);
    const directory = path.join(scratch, name);
    await model.save(directory);
    const [own, theirs] = await Promise.all(
      [directory, path.join(FOLDER, name)].map(async (folder) => {
        const state = await loadTorchFile(await readFile(path.join(folder, BIN)));
        const entries = [...(state as ReadonlyMap<string, Tensor>)];
        return Object.fromEntries(entries.map(([key, { shape }]) => [key, shape]));
      }),
    );
    expect(own).toStrictEqual(theirs);
    const text = async (folder: string): Promise<string> =>
      readFile(path.join(folder, "config.json"), "utf8");
    expect(JSON.parse(await text(directory))).toStrictEqual(JSON.parse(await text(path.join(FOLDER, name)))); // prettier-ignore
    const base = ids([3, 1, 4, 1, 5, 9], [2, 7, 1, 8, 2, 8]);
    const loaded = await IntervenableModel.load(directory, gpt2);
    const [one, two] = [model, loaded].map((m) => m.forward(base, call).intervened.logits);
    expect(await distance(one as Tensor, two)).toBe(0);
  });

  test("learns, and leaves other positions as they are", async () => {
    const model = new IntervenableModel(at, tinyGpt2());
    const base = ids([3, 1, 4, 1]);
    const optimizer = new Adam(model.trainableParameters(), { lr: 0.05 });
    const loss = (): Tensor =>
      model.forward(base, { unitLocations: { base: -1 } }).intervened.logits.select(1, -1).logSoftmax(-1).select(-1, 7).neg().sum(); // prettier-ignore
    const first = await optimizer.step(loss());
    for (let step = 0; step < 10; step++) await optimizer.step(loss());
    expect(await loss().item()).toBeLessThan(first - 0.1);
    const { original, intervened } = model.forward(base, { unitLocations: { base: -1 } });
    const others = original.logits.sub(intervened.logits).slice(1, 0, 3);
    expect(await others.abs().amax().item()).toBe(0);
  });
});

test("of rank k LoReFT has (2 width + 1) k parameters, beside what keeps directions orthonormal", () => {
  const at = { layer: 1, intervention: LoreftIntervention.with({ lowRankDimension: 4 }) } as const;
  expect(new IntervenableModel(at, tinyGpt2()).countParameters()).toBe((2 * 24 + 1) * 4);
});

test("dropout works in training mode alone", async () => {
  const reft = new LoreftIntervention({ embedDim: 8, lowRankDimension: 2, dropout: 0.5 });
  const zeroed = async (): Promise<number> =>
    reft
      .forward(ones([64, 8]))
      .eq(0)
      .sum()
      .item();
  expect(await zeroed()).toBeGreaterThan(150);
  reft.eval();
  expect(await zeroed()).toBe(0);
});

describe("what cannot be", () => {
  const options = { embedDim: 8, lowRankDimension: 2 };
  test.each<readonly [string, () => unknown, RegExp]>([
    ["no rank", () => new LoreftIntervention({ embedDim: 8 } as never), /lowRankDimension must be a whole number from 1 to the width 8, got undefined/], // prettier-ignore
    ["a rank above the width", () => new NoreftIntervention({ embedDim: 8, lowRankDimension: 9 }), /NoreftIntervention: lowRankDimension .* got 9/], // prettier-ignore
    ["all dropped", () => new LoreftIntervention({ ...options, dropout: 1 }), /dropout must be a number from 0 to below 1, got 1/], // prettier-ignore
    ["no activation", () => new LoreftIntervention({ ...options, actFn: "relo" }), /activation function "relo" is not known/], // prettier-ignore
    ["subspaces", () => new LoreftIntervention(options).forward(ones([1, 8]), undefined, { subspaces: [0] }), /takes no subspaces; pass null/], // prettier-ignore
  ])("%s", (_name, build, message) => {
    expect(build).toThrow(message);
  });
});
