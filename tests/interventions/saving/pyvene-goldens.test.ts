import { cp, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  AutoModelForCausalLM,
  type CausalLanguageModel,
  fromPyveneLocations,
  IntervenableModel,
  type LoadIntervenableOptions,
  loadSafetensors,
  PCARotatedSpaceIntervention,
  RotateLayer,
  type Tensor,
} from "tsvene";
import { beforeAll, describe, expect, test } from "vitest";
import { golden, temporaryDirectory } from "../../models/checkpoints.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "goldens", "pyvene_saved");
const SHARED = "../shared/goldens/pyvene_saved";

interface Case {
  readonly call: {
    readonly sources: readonly (string | null)[] | null;
    readonly unit_locations: never;
    readonly subspaces: readonly (readonly (readonly number[])[])[] | null;
  };
  readonly sorted_keys: readonly string[];
}

let gpt2: CausalLanguageModel;
beforeAll(async () => {
  gpt2 = await AutoModelForCausalLM.fromPretrained(golden("gpt2"));
});

interface Recorded {
  readonly made: Case;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

async function recorded(directory: string): Promise<Recorded> {
  const made = JSON.parse(await readFile(join(directory, "case.json"), "utf8")) as Case;
  return { made, tensors: await loadSafetensors(join(directory, "expected.safetensors")) };
}

function need(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const found = tensors.get(name);
  if (found === undefined) throw new Error(`no tensor ${name} was recorded`);
  return found;
}

/** The largest difference from what pyvene computed after it had loaded the directory. */
async function worst(
  model: IntervenableModel<CausalLanguageModel>,
  { made: { call }, tensors }: Recorded,
): Promise<number> {
  const { sources, unit_locations, subspaces } = call;
  const inputs = (name: string) => ({ inputIds: need(tensors, `${name}input_ids`) });
  const [, intervened] = model.forward(inputs("base."), {
    ...(sources === null
      ? {}
      : { sources: sources.map((s) => (s === null ? s : inputs(`${s}.`))) }),
    unitLocations: fromPyveneLocations(unit_locations),
    ...(subspaces === null ? {} : { subspaces: { each: subspaces } }),
  });
  const wanted = need(tensors, "counterfactual.logits");
  return intervened.logits.sub(wanted).abs().amax().item();
}

/** What the directory does not hold. */
async function optionsFor(
  name: string,
  { made, tensors }: Recorded,
): Promise<LoadIntervenableOptions> {
  if (name === "include_model") return { includeModel: true };
  if (name !== "pca") return {};
  const [components, mean, std] = ["components", "mean", "std"].map((part) => need(tensors, `param.pca_${part}`)) as [Tensor, Tensor, Tensor]; // prettier-ignore
  const [key = ""] = made.sorted_keys;
  return {
    interventions: { [key]: PCARotatedSpaceIntervention.with({ components, mean, std }) },
  };
}

async function reproduce(folder: string, name: string): Promise<void> {
  const directory = join(folder, name);
  const known = await recorded(directory);
  const options = await optionsFor(name, known);
  const on =
    name === "include_model" ? await AutoModelForCausalLM.fromPretrained(golden("gpt2")) : gpt2;
  const model = await IntervenableModel.load(directory, on, options);
  expect(await worst(model, known)).toBeLessThan(5e-5);
  for (const [i, key] of known.made.sorted_keys.entries()) {
    const weight = known.tensors.get(`weight.${key}`);
    const intervention = model.interventions.get(model.names[i] ?? "");
    const layer = [...intervention.namedChildren()].find(
      ([, child]) => child instanceof RotateLayer,
    );
    if (weight === undefined || !(layer?.[1] instanceof RotateLayer)) continue;
    expect(await layer[1].weight.sub(weight).abs().amax().item()).toBeLessThan(1e-5);
  }
}

const names = (await readdir(FOLDER)).filter((name) => !name.endsWith(".json"));

test.each(names)("%s loads and gives the recorded numbers", (name) => reproduce(FOLDER, name));

const shared = existsSync(SHARED) ? await readdir(SHARED) : [];
test.each(shared.filter((name) => !name.endsWith(".json") && !names.includes(name)))(
  "%s, which is beside the project, as well",
  (name) => reproduce(SHARED, name),
);

/** What pyvene itself writes: not what was renamed, and no weights of the model. */
const written = names.filter((name) => !/_old_|include_model|pca|_bf16/.test(name));

describe("saved again", () => {
  test.each(written)(
    "%s has the same config.json, byte for byte, and the same parameters",
    async (name) => {
      const directory = await temporaryDirectory();
      const model = await IntervenableModel.load(join(FOLDER, name), gpt2);
      await model.save(directory);
      const texts = [FOLDER + "/" + name, directory].map((d) =>
        readFile(join(d, "config.json"), "utf8"),
      );
      const [wanted, found] = await Promise.all(texts);
      expect(found).toBe(wanted);
      const bins = async (d: string): Promise<string[]> =>
        (await readdir(d)).filter((file) => file.endsWith(".bin")).sort();
      expect(await bins(directory)).toEqual(await bins(join(FOLDER, name)));
      const known = await recorded(join(FOLDER, name));
      expect(await worst(await IntervenableModel.load(directory, gpt2), known)).toBeLessThan(5e-5);
    },
  );
});

test.each([".comp.", ".repr."])("keys with %s are read", async (word) => {
  const directory = await temporaryDirectory();
  await cp(join(FOLDER, "rotated_x2"), directory, { recursive: true });
  const old = (text: string): string =>
    text.replaceAll(
      /layer_(\d+)_comp_(\w+)_unit_pos_nunit_1#/g,
      `layer.$1${word}$2.unit.pos.nunit.1#`,
    );
  for (const name of await readdir(directory)) {
    if (name.endsWith(".bin")) await rename(join(directory, name), join(directory, old(name)));
  }
  const config = join(directory, "config.json");
  await writeFile(config, old(await readFile(config, "utf8")));
  const model = await IntervenableModel.load(directory, gpt2);
  expect(await worst(model, await recorded(directory))).toBeLessThan(5e-5);
});
