import { readdirSync } from "node:fs";
import {
  type BoundComponent,
  cardOf,
  CollectIntervention,
  EditScope,
  evaluate,
  IntervenableModel,
  type IntervenableOptions,
  type Module,
  type RepresentationConfig,
  type Tensor,
} from "tsvene";
import { describe, expect, test } from "vitest";
import {
  loadRecorded,
  type Model,
  plainInputs,
  tensorsIn,
} from "../../scripts/parity/recorded-model.ts";
import { golden } from "../models/checkpoints.ts";
import { HEADED } from "../models/headed.ts";

const RECORDED = readdirSync(golden(""), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const MODELS = [...RECORDED, ...Object.keys(HEADED)];

const load = (name: string): Promise<Model> => HEADED[name]?.load() ?? loadRecorded(golden(name));

const inputsOf = (name: string): Promise<Readonly<Record<string, Tensor>>> =>
  HEADED[name]?.inputs() ?? plainInputs(golden(name));

/** Every component in every layer that has it: a decoder may have fewer than its encoder. */
function everySite(model: Model): RepresentationConfig[] {
  const card = cardOf(model);
  const modules = new Set([...model.namedModules()].map(([path]) => path));
  return [...(card?.components ?? [])].flatMap(([component, spec]) => {
    const { path, heads, headsFirst, recurrent } = spec;
    const layers = Array.from({ length: card?.layers ?? 0 }, (_, layer) => layer).filter(
      (layer) =>
        (layer === 0 || path.includes("{layer}")) &&
        modules.has(path.replaceAll("{layer}", String(layer)).replaceAll("{expert}", "0")),
    );
    expect(layers, `layers with ${component}`).not.toHaveLength(0);
    return layers.map((layer) => ({
      layer,
      component,
      ...(path.includes("{expert}") ? { moeKey: 0 } : {}),
      ...(recurrent === true ? { unit: "t" } : {}),
      ...(heads !== undefined || headsFirst === true ? { unit: "h" } : {}),
    }));
  });
}

/** Every unit by itself, where all inputs have one batch; else whole tensors. */
function unitsOf(inputs: Readonly<Record<string, Tensor>>): {
  readonly unitLocations?: { readonly base: "all" };
} {
  const batches = new Set(Object.values(inputs).map((t) => t.size(0)));
  return batches.size === 1 ? { unitLocations: { base: "all" } } : {};
}

/**
 * Values of all outputs. They are computed together, because a program that needs some rows only, as
 * a classifier of the first token does, may round otherwise.
 */
async function valuesOf(output: unknown, also: readonly Tensor[] = []): Promise<unknown[]> {
  const all = tensorsIn(output);
  await evaluate(...all, ...also);
  return Promise.all(all.map((t) => t.data()));
}

/**
 * Names of components are pyvene's, and so is what they mean. Where the guide says that the outputs of
 * attention and MLP are what is added to the residual stream, they are; elsewhere they are not.
 */
const ADDED: ReadonlySet<string> = new Set([
  "bloom/",
  "clip/text.",
  "clip/vision.",
  "clip_images/vision.",
  "falcon/",
  "falcon_alibi/",
  "falcon_new/",
  "gemma/",
  "gpt2/",
  "gpt2_classifier/",
  "gpt_neo/",
  "gpt_neox/",
  "gpt_neox_serial/",
  "gpt_oss/",
  "gptj/",
  "llama/",
  "llama3_rope/",
  "llama_classifier/",
  "llava/",
  "llava_base/",
  "mistral/",
  "mixtral/",
  "mllama/language.",
  "mllama/vision.",
  "mllama_base/language.",
  "mllama_base/vision.",
  "olmo/",
  "opt/",
  "phi/",
  "phi_head_norms/",
  "phi3/",
  "qwen2/",
  "qwen3/",
  "qwen3_moe/",
  "vit/",
  "whisper/",
  "whisper/encoder.",
  "whisper/decoder.",
  "whisper_sound/",
  "whisper_sound/encoder.",
]);

/** Families of which a layer adds nothing to what goes in. */
const NO_STREAM: ReadonlySet<string> = new Set([
  "mlp_classifier",
  "mlp_classifier_emb",
  "mlp_test",
]);

/** Parts whose residual stream is normed after each addition, or at a layer's end. */
const NORMED_AFTER: ReadonlySet<string> = new Set([
  "bert/",
  "blip_base/",
  "blip_itm/",
  "blip_vqa/",
  "opt_post_norm/",
  "wav2vec2_bert/",
  "wav2vec2_bert_sound/",
]);

describe.each(MODELS)("%s", (name) => {
  test("outputs are what is added, in the families of which the guide says so", async () => {
    const [model, inputs] = [await load(name), await inputsOf(name)];
    const known = [...(cardOf(model)?.components.keys() ?? [])];
    for (const block of known.filter((component) => component.endsWith("block_output"))) {
      const part = block.slice(0, -"block_output".length);
      const names = ["block_input", "attention_output", "mlp_output"].map((own) => part + own);
      if (!names.every((component) => known.includes(component))) continue;
      const cross = known.filter((component) => component === `${part}cross_attention_output`);
      const [after, ...parts] = new IntervenableModel<Model>(
        [block, ...names, ...cross].map((component) => ({
          component,
          intervention: CollectIntervention,
        })),
        model,
      ).forward(inputs).collected;
      const gap = parts
        .reduce((left, added) => left.sub(added), after as Tensor)
        .abs()
        .amax();
      expect((await gap.item()) < 1e-4, part).toBe(ADDED.has(`${name}/${part}`));
    }
  });

  test("additions are what is added, in every family with a residual stream", async () => {
    const [model, inputs] = [await load(name), await inputsOf(name)];
    const known = [...(cardOf(model)?.components.keys() ?? [])];
    for (const block of known.filter((component) => component.endsWith("block_output"))) {
      const part = block.slice(0, -"block_output".length);
      const whole = known.filter((c) => c.startsWith(part) && !c.slice(part.length).includes("."));
      const added = whole.filter((component) => component.endsWith("_addition"));
      if (NO_STREAM.has(name)) continue;
      expect(added.length, part).toBeGreaterThan(0);
      if (NORMED_AFTER.has(`${name}/${part}`)) continue;
      const [after, ...parts] = new IntervenableModel<Model>(
        [block, `${part}block_input`, ...added].map((component) => ({
          layer: name === "rwkv" ? 1 : 0,
          component,
          intervention: CollectIntervention,
        })),
        model,
      ).forward(inputs).collected;
      const left = parts.reduce((rest, value) => rest.sub(value), after as Tensor);
      expect(await left.abs().amax().item(), part).toBeLessThan(1e-4);
    }
  });

  test("editing every site with what stands there changes not a bit", async () => {
    const [model, inputs] = [await load(name), await inputsOf(name)];
    const plain = await valuesOf(model.forward(inputs));
    const representations = everySite(model).map((site) => ({
      ...site,
      intervention: (b: Tensor): Tensor => b.mul(1),
    }));
    expect(representations.length).toBeGreaterThan(0);
    const intervenable = new IntervenableModel<Model>(representations, model);
    for (const options of [{}, unitsOf(inputs)]) {
      const { intervened } = intervenable.forward(inputs, options);
      expect(await valuesOf(intervened)).toStrictEqual(plain);
    }
  });

  test("collecting every site changes nothing, and gives all of it", async () => {
    const [model, inputs] = [await load(name), await inputsOf(name)];
    const plain = await valuesOf(model.forward(inputs));
    const representations: IntervenableOptions["representations"] = everySite(model).map(
      (site) => ({ ...site, intervention: CollectIntervention }),
    );
    const intervenable = new IntervenableModel<Model>(representations, model);
    const { intervened, collected } = intervenable.forward(inputs, unitsOf(inputs));
    expect(await valuesOf(intervened, collected)).toStrictEqual(plain);
    expect(collected).toHaveLength(intervenable.names.length);
    for (const tensor of collected) {
      const values = await tensor.data();
      expect(values.length).toBeGreaterThan(0);
      expect(Array.from(values, Number).every(Number.isFinite)).toBe(true);
    }
  });

  test("the card's widths are those of what passes", async () => {
    const [model, inputs] = [await load(name), await inputsOf(name)];
    const { components } = cardOf(model) ?? { components: new Map<string, BoundComponent>() };
    const modules = new Map(model.namedModules());
    const widths = new Map<string, number | undefined>();
    const scope = new EditScope();
    for (const [component, { path, side }] of components) {
      const at = (layer: number): Module | undefined =>
        modules.get(path.replaceAll("{layer}", String(layer)).replaceAll("{expert}", "0"));
      const module = at(0) ?? at(1) ?? model;
      expect(module, `${component} is at ${path}`).not.toBe(model);
      scope.on(module, side, (value) => {
        widths.set(component, value.shape.at(-1));
        return undefined;
      });
    }
    scope.run(() => model.forward(inputs));
    for (const [component, { dimension, heads = 1, part, headsFirst }] of components) {
      const wanted = dimension === undefined || headsFirst === true ? widths.get(component) : dimension * heads * (part?.of ?? 1); // prettier-ignore
      expect(widths.get(component), component).toBe(wanted);
      expect(wanted, component).toBeGreaterThan(0);
    }
  });
});
