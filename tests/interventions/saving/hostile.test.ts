import { cp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AutoModelForCausalLM,
  type CausalLanguageModel,
  encodeTorchFile,
  GPT2LMHeadModel,
  IntervenableModel,
  Intervention,
  LlamaForCausalLM,
  saveTorchFile,
  type Tensor,
  tensor,
  ZeroIntervention,
} from "tsvene";
import { beforeAll, describe, expect, test } from "vitest";
import { golden, temporaryDirectory } from "../../models/checkpoints.ts";

const SAVED = join(import.meta.dirname, "..", "..", "goldens", "pyvene_saved");
const KEY = "layer_2_comp_block_output_unit_pos_nunit_1#0";
const BIN = `intkey_${KEY}.bin`;

let gpt2: CausalLanguageModel;
let before: Buffer;
beforeAll(async () => {
  gpt2 = await AutoModelForCausalLM.fromPretrained(golden("gpt2"));
  before = await weights();
});

async function weights(): Promise<Buffer> {
  return Buffer.from(await encodeTorchFile(gpt2.stateDict()));
}

type Json = Record<string, unknown>;

/** A directory that pyvene wrote, or tsvene, with something changed. */
async function changed(
  change: (json: Json, directory: string) => Promise<void> | void,
  file = "config.json",
): Promise<string> {
  const directory = await temporaryDirectory();
  if (file === "config.json") await cp(join(SAVED, "lowrank"), directory, { recursive: true });
  else await (await IntervenableModel.load(join(SAVED, "lowrank"), gpt2)).save(directory);
  const path = join(directory, file);
  const json = JSON.parse(await readFile(path, "utf8")) as Json;
  await change(json, directory);
  await writeFile(path, JSON.stringify(json));
  return directory;
}

async function refuses(directory: string, message: string | RegExp): Promise<void> {
  await expect(IntervenableModel.load(directory, gpt2)).rejects.toThrow(message);
  expect((await weights()).equals(before)).toBe(true);
}

function firstRow(json: Json): unknown[] {
  return (json["representations"] as unknown[][])[0] ?? [];
}

describe("a directory of pyvene's is refused", () => {
  test.each<[string, (json: Json, directory: string) => Promise<void> | void, string | RegExp]>([
    ["a class of others", (json) => void (json["intervention_types"] = ["<class 'os.system'>"]), "a os.system of Python, of which nothing is run; write it as a class in TypeScript, and register it before loading: registerIntervention(system"],
    ["a class of the same name as one of the library", (json) => void (json["intervention_types"] = ["<class 'mine.ZeroIntervention'>"]), 'registerIntervention(ZeroIntervention, "mine.ZeroIntervention")'],
    ["a function", (json) => void (json["intervention_types"] = ["<class 'pyvene.models.interventions.LambdaIntervention'>"]), "is a function, which pyvene's files do not hold"],
    ["noise", (json) => void (json["intervention_types"] = ["<class 'pyvene.models.interventions.NoiseIntervention'>"]), "leave out the noise, which has other numbers there; give the NoiseIntervention"],
    ["a key that leads out", (json) => { json["sorted_keys"] = ["../../secret"]; }, /"intkey_..\/..\/secret.bin" is not a plain relative path/],
    ["a key with a directory", (json) => { json["sorted_keys"] = ["a/b"]; }, "leads into another directory"],
    ["too large a rank", (json) => void (firstRow(json)[4] = 1e9), `says lowRankDimension 1000000000, but ${BIN} has at most 24`],
    ["units without end", (json) => void (firstRow(json)[3] = 1e9), "its sizes ask for more memory than there can be"],
    ["another rank", (json) => void (firstRow(json)[4] = 3), "original has shape [24, 4], wanted [24, 3]"],
    ["a layer that is not there", (json) => { firstRow(json)[0] = 7; json["sorted_keys"] = [KEY]; }, "1 of 1 interventions have no place in this GPT2LMHeadModel"],
    ["a component that is not there", (json) => void (firstRow(json)[1] = "block_outptu"), "did you mean block_output"],
    ["too few types", (json) => void (json["intervention_types"] = []), "0 intervention_types for 1 representations"],
    ["no row", (json) => void (json["representations"] = [7]), "representation 0 is not a row"],
    ["no list", (json) => void (json["representations"] = {}), "representations is not a list"],
    ["dimensions that are none", (json) => void (json["intervention_dimensions"] = [-1]), "intervention_dimensions[0] is no number of dimensions"],
    ["a mode that is none", (json) => void (json["mode"] = "both"), 'mode must be'],
    ["missing parameters", (_, directory) => rm(join(directory, BIN)), `${BIN}, the parameters of`],
    ["a truncated file", (_, directory) => truncate(join(directory, BIN), 1000), "truncated or damaged"],
    ["a file of something else", (_, directory) => saveTorchFile(join(directory, BIN), [1, 2]), "holds no tensors by name"],
    ["a file with a program", (_, directory) => cp("tests/goldens/torch_files/reject_os_getcwd.bin", join(directory, BIN)), "posix.getcwd"],
    ["other parameters", (_, directory) => saveTorchFile(join(directory, BIN), { other: tensor([1]), large: tensor([[1, 2, 3, 4]]) }), "other is unexpected"],
  ])("%s", async (_, change, message) => refuses(await changed(change), message));
}); // prettier-ignore

describe("a directory of tsvene's is refused", () => {
  type Places = { fields: Json; kind?: Json; intervention: number }[];
  const places = (json: Json): Places => json["representations"] as Places;
  test.each<[string, (json: Json, directory: string) => Promise<void> | void, string | RegExp]>([
    ["a later format", (json) => void (json["format"] = 2), "which a later version of tsvene wrote; update it"],
    ["a broken manifest", (json) => void (json["files"] = 3), "tsvene.json: files is not as tsvene writes it"],
    ["a class that is not registered", (json) => void ((places(json)[0] ?? { kind: {} }).kind = { class: "Mine", options: {} }), 'there is no intervention "Mine"'],
    ["an option that the class has not", (json) => void ((places(json)[0] ?? { kind: {} }).kind = { class: "ZeroIntervention", options: { run: 1 } }), "there is no option run"],
    ["an intervention that is not there", (json) => void ((places(json)[0] ?? { intervention: 0 }).intervention = 9), "has intervention 9, which is not there"],
    ["a field that is not there", (json) => void ((places(json)[0]?.fields ?? {})["run"] = 1), "has no field run"],
    ["a model of another family", (json) => void (json["model"] = { class: "LlamaForCausalLM", family: "llama", width: 24 }), "made for a LlamaForCausalLM (family llama, width 24), and this is a GPT2LMHeadModel (family gpt2"],
    ["a name that leads out", (json) => void ((json["files"] as Json)["../x"] = { bytes: 1, sha256: "" }), "is not a plain relative path"],
    ["a changed file", (_, directory) => writeFile(join(directory, "interventions.safetensors"), "x"), "interventions.safetensors is not the file that tsvene.json was written with"],
    ["a missing file", (_, directory) => rm(join(directory, "interventions.safetensors")), "has no file interventions.safetensors"],
    ["a file of pyvene's that was written since", async (_, directory) => writeFile(join(directory, BIN), "x"), `${BIN} is not the file that tsvene.json was written with`],
  ])("%s", async (_, change, message) => refuses(await changed(change, "tsvene.json"), message));
}); // prettier-ignore

test("a link out of the directory is not followed, and one within it is", async () => {
  const directory = await changed(() => undefined);
  const elsewhere = join(await temporaryDirectory(), "secret.bin");
  await cp(join(directory, BIN), elsewhere);
  await cp(elsewhere, join(directory, "kept.bin"));
  await rm(join(directory, BIN));
  await symlink("kept.bin", join(directory, BIN));
  await IntervenableModel.load(directory, gpt2);
  await rm(join(directory, BIN));
  await symlink(elsewhere, join(directory, BIN));
  await refuses(directory, "which is outside of the directory");
});

test("another width is an error that says both", async () => {
  const other = new GPT2LMHeadModel({ nLayer: 4, nEmbd: 32, nHead: 4, vocabSize: 50 }).eval();
  for (const name of ["lowrank", "addition_constant"]) {
    const loading = IntervenableModel.load(join(SAVED, name), other);
    await expect(loading).rejects.toThrow(/24.*32/s);
  }
  const directory = await changed(() => undefined, "tsvene.json");
  await expect(IntervenableModel.load(directory, other)).rejects.toThrow("width 24), and this is");
});

test("a model of another family is an error for files of tsvene", async () => {
  const llama = new LlamaForCausalLM({ vocabSize: 50, hiddenSize: 24, intermediateSize: 32, numHiddenLayers: 4, numAttentionHeads: 4 }); // prettier-ignore
  const directory = await changed(() => undefined, "tsvene.json");
  const loading = IntervenableModel.load(directory, llama);
  await expect(loading).rejects.toThrow(
    "the interventions were made for a GPT2LMHeadModel (family gpt2",
  );
});

test("what is not of interventions is said", async () => {
  await refuses(golden("gpt2"), "has a config.json that is not of interventions");
  const nothing = IntervenableModel.load(join(SAVED, "lowrank"), undefined as never);
  await expect(nothing).rejects.toThrow("the second argument must be a model");
  const promised = IntervenableModel.load(join(SAVED, "lowrank"), Promise.resolve(gpt2) as never);
  await expect(promised).rejects.toThrow("await");
  const option = IntervenableModel.load(join(SAVED, "lowrank"), gpt2, { layer: [1] } as never);
  await expect(option).rejects.toThrow("there is no option layer");
});

describe("what cannot be stored is refused before anything is written", () => {
  class Unknown extends Intervention {
    override readonly sourceUse = "none";
    override forward(base: Tensor): Tensor {
      return base;
    }
  }
  const at = { layer: 1, component: "mlp_output" } as const;

  test.each([
    ["a function", { ...at, intervention: function halve(base: Tensor) { return base.mul(0.5); } }, "the function halve cannot be stored"],
    ["a class that is not registered", { ...at, intervention: Unknown }, "call registerIntervention(Unknown)"],
  ])("%s", async (_, config, message) => {
    const directory = await temporaryDirectory();
    const known = { ...at, intervention: ZeroIntervention };
    await new IntervenableModel(known, gpt2).save(directory);
    const names = await readdir(directory);
    const saving = new IntervenableModel([known, config] as never, gpt2).save(directory);
    await expect(saving).rejects.toThrow(message);
    expect(await readdir(directory)).toEqual(names);
  }); // prettier-ignore

  test("the directory of a model keeps its config.json", async () => {
    const directory = await temporaryDirectory();
    await gpt2.savePretrained(directory);
    const text = await readFile(join(directory, "config.json"), "utf8");
    const saving = new IntervenableModel({ ...at, intervention: ZeroIntervention }, gpt2).save(
      directory,
    );
    await expect(saving).rejects.toThrow(
      "that is not of interventions, such as a model's, which would be lost",
    );
    expect(await readFile(join(directory, "config.json"), "utf8")).toBe(text);
  });
});
