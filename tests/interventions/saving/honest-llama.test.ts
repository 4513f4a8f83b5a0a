import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AdditionIntervention,
  IntervenableModel,
  LlamaForCausalLM,
  loadTorchFile,
  saveTorchFile,
  tensor,
  Tensor,
  withoutInit,
} from "tsvene";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../models/checkpoints.ts";

const FOLDER = "../shared/models/interventions";
const SHIFTS = `${FOLDER}/pyvene_honest_llama2_chat_7B_o_proj_add_activations.bin`;
const DIRECTION = `${FOLDER}/refusal_direction/gemma-2b-it/direction.pt`;
const TIMEOUT = 60_000;

/** As wide as Llama 2 of 7 billion parameters. */
function llama(layers: number): LlamaForCausalLM {
  const settings = {
    vocabSize: 32,
    hiddenSize: 4096,
    intermediateSize: 16,
    numHiddenLayers: layers,
    numAttentionHeads: 32,
    numKeyValueHeads: 1,
  };
  return withoutInit(() => new LlamaForCausalLM(settings)).eval();
}

describe.skipIf(!existsSync(SHIFTS))(
  "pyvene's honest Llama (skipped where it is not beside the project)",
  () => {
    let directory = "";
    let shifted: readonly number[] = [];
    const shifts = new Map<number, Tensor>();

    /** As pyvene's tutorial made the repository of the Hub in 2024, with the keys of that year. */
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "tsvene-honest-"));
      const file = await loadTorchFile(SHIFTS);
      for (const [layer, shift] of file as ReadonlyMap<number, Tensor>) shifts.set(layer, shift);
      const isUsed = async (shift: Tensor): Promise<boolean> => (await shift.to("float32").abs().amax().item()) > 0; // prettier-ignore
      const used = await Promise.all([...shifts].map(async ([layer, s]) => ((await isUsed(s)) ? layer : -1))); // prettier-ignore
      shifted = used.filter((layer) => layer >= 0);
      const places = shifted.map((layer) => `model.layers[${layer}].self_attn.o_proj.output`);
      const keys = places.map((place) => `comp.${place}.unit.pos.nunit.1#0`);
      const nothing = Array.from({ length: 10 }, () => null);
      for (const [i, layer] of shifted.entries()) {
        const state = new Map([["source_representation", shifts.get(layer) ?? tensor([0])]]);
        await saveTorchFile(join(directory, `intkey_${keys[i]}.bin`), state);
      }
      const config = {
        intervention_constant_sources: shifted.map(() => true),
        intervention_dimensions: shifted.map(() => null),
        intervention_types: shifted.map(
          () => "<class 'pyvene.models.interventions.AdditionIntervention'>",
        ),
        mode: "parallel",
        representations: places.map((place) => [0, place, "pos", 1, ...nothing]),
        sorted_keys: keys,
        transformers_version: "4.36.2",
      };
      await writeFile(join(directory, "config.json"), JSON.stringify(config));
    }, TIMEOUT);

    /** Layers of a model that has two of the places. */
    const few = (): number => (shifted[1] ?? 0) + 1;

    afterAll(() => rm(directory, { recursive: true }));

    test(
      "says which layers a smaller model lacks, and what to write",
      async () => {
        const small = llama(few());
        const loading = IntervenableModel.load(directory, small);
        const there = shifted.filter((layer) => layer < few());
        expect(there.length).toBeGreaterThan(0);
        await expect(loading).rejects.toThrow(
          `${shifted.length - there.length} of ${shifted.length} interventions have no place in this LlamaForCausalLM`,
        );
        await expect(loading).rejects.toThrow(`pass layers: [${there.join(", ")}]`);
      },
      TIMEOUT,
    );

    test(
      "adds its shifts at the layers that are asked for, and generates",
      async () => {
        const small = llama(few());
        const layers = shifted.filter((layer) => layer < few());
        const honest = await IntervenableModel.load(directory, small, { layers });
        expect(honest.names).toEqual(layers.map((layer) => `model.layers[${layer}].self_attn.o_proj.output`)); // prettier-ignore
        const inputs = { inputIds: tensor([[3, 1, 4]], { dtype: "int64" }) };
        const same = new IntervenableModel(
          layers.map((layer) => ({
            component: `model.layers[${layer}].self_attn.o_proj.output` as const,
            intervention: new AdditionIntervention({
              sourceRepresentation: shifts.get(layer) as Tensor,
            }),
          })),
          small,
        );
        const [logits, wanted] = [honest, same].map(
          (model) => model.forward(inputs).intervened.logits,
        );
        expect(await logits?.data()).toEqual(await wanted?.data());
        const { intervened } = await honest.generate(inputs, { maxNewTokens: 3, eosTokenId: null });
        expect(intervened.sequences.shape).toEqual([1, 6]);
      },
      TIMEOUT,
    );

    test(
      "does not go with a model of another width",
      async () => {
        const narrow = new LlamaForCausalLM({ vocabSize: 32, hiddenSize: 64, intermediateSize: 16, numHiddenLayers: 32, numAttentionHeads: 4 }); // prettier-ignore
        const loading = IntervenableModel.load(directory, narrow);
        await expect(loading).rejects.toThrow(
          "has a constant that is 4096 wide, and the model is 64 wide there",
        );
      },
      TIMEOUT,
    );
  },
);

test.skipIf(!existsSync(DIRECTION))(
  "a refusal direction, which is a view in a file of float64, survives",
  async () => {
    const direction = await loadTorchFile(DIRECTION);
    if (!(direction instanceof Tensor)) throw new Error("a tensor was wanted");
    const [width = 0] = direction.shape;
    const settings = { vocabSize: 8, hiddenSize: width, intermediateSize: 8, numHiddenLayers: 1, numAttentionHeads: 8 }; // prettier-ignore
    const model = withoutInit(() => new LlamaForCausalLM(settings));
    const intervention = new AdditionIntervention({ sourceRepresentation: direction });
    const saved = new IntervenableModel(
      { layer: 0, component: "block_input", intervention },
      model,
    );
    const directory = await temporaryDirectory();
    await saved.save(directory);
    const loaded = await IntervenableModel.load(directory, model);
    const [[, first] = []] = [...loaded.interventions];
    const constant = first?.sourceRepresentation?.value;
    expect(constant?.dtype).toBe("float64");
    expect(await constant?.data()).toEqual(await direction.data());
  },
  TIMEOUT,
);
