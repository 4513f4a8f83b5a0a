import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AutoConfig,
  AutoModelForCausalLM,
  AutoModelForSequenceClassification,
  type CausalLanguageModel,
  cat,
  CollectIntervention,
  type DecoderOutput,
  EditScope,
  evaluate,
  IntervenableConfig,
  IntervenableModel,
  type KeyValueCache,
  type Module,
  type SequenceClassifier,
  type Tensor,
  tensor,
  ZeroIntervention,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { cardOf } from "../../src/models/model/bound-card.ts";
import { changedCopy, golden, temporaryDirectory } from "./checkpoints.ts";

const int64 = (values: number[][]): Tensor => tensor(values, { dtype: "int64" });
const IDS = int64([[5, 7, 9, 11, 13, 2], [1, 2, 3, 4, 44, 9]]); // prettier-ignore

const LANGUAGE_MODELS =
  "llama llama3_rope mistral mixtral gemma gemma2 gemma3_text qwen2 qwen3 qwen3_moe olmo olmo2 phi phi_head_norms phi3 gpt_oss gpt_neo gpt_neox gpt_neox_serial gptj opt opt_post_norm bloom falcon falcon_new falcon_alibi".split(
    " ",
  );

/** Recorded checkpoints whose settings are there in the field names of transformers 4 too. */
const LEGACY = readdirSync(golden("")).filter((name) =>
  existsSync(join(golden(name), "config.legacy.json")),
);

type Loaded = CausalLanguageModel | SequenceClassifier;

async function load(directory: string): Promise<Loaded> {
  const { architectures } = await AutoConfig.fromPretrained(directory);
  return architectures?.[0]?.endsWith("SequenceClassification") === true
    ? AutoModelForSequenceClassification.fromPretrained(directory)
    : AutoModelForCausalLM.fromPretrained(directory);
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
}

async function largestDifference(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

/** The last layer that has a component: some layers have experts, others none. */
function lastWith(model: Module, component: string): number {
  const card = cardOf(model);
  const path = card?.components.get(component)?.path ?? "";
  const paths = new Set([...model.namedModules()].map(([own]) => own));
  const layers = Array.from({ length: card?.layers ?? 0 }, (_, layer) => layer);
  return layers.findLast((layer) => paths.has(path.replaceAll("{layer}", String(layer)))) ?? -1;
}

function modulesIn(model: Module): Module[] {
  return [...model.namedModules()].map(([, module]) => module);
}

test("all rotary families are recorded under both names of their settings", () => {
  expect(LEGACY.length).toBeGreaterThanOrEqual(16);
});

describe.each(LEGACY)("%s in the field names of transformers 4", (name) => {
  test("is the same model", async () => {
    const directory = await changedCopy(name, {});
    const legacy = await readJson(join(directory, "config.legacy.json"));
    const gone = Object.keys(await readJson(join(directory, "config.json")));
    const absent = Object.fromEntries(gone.map((key) => [key, undefined]));
    const old = await load(await changedCopy(name, { config: { ...absent, ...legacy } }));
    const now = await load(directory);
    const settings = ({ config }: Loaded): object => {
      const { torchDtype: _a, dtype: _b, transformersVersion: _c, ...rest } = config as unknown as Record<string, unknown>; // prettier-ignore
      return rest;
    };
    expect(settings(old)).toEqual(settings(now));
    const [a, b] = [old, now].map((model) => model.forward({ inputIds: IDS }).logits);
    expect(await a?.toArray()).toEqual(await b?.toArray());
  });
});

describe.each(LANGUAGE_MODELS)("%s", (name) => {
  test("an edit that changes nothing, at every site, gives the same bits", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const plain = await model.forward({ inputIds: IDS }).logits.data();
    const scope = new EditScope();
    const passed = new Set<Module>();
    for (const module of modulesIn(model)) {
      for (const side of ["input", "output"] as const) {
        scope.on(module, side, (value) => {
          passed.add(module);
          return value;
        });
      }
    }
    expect(await scope.run(() => model.forward({ inputIds: IDS }).logits).data()).toEqual(plain);
    const missed = modulesIn(model).filter((module) => !passed.has(module));
    expect(missed.map((module) => module.constructor.name)).toEqual(missed.map(() => "ModuleList"));
  });

  test("reading every site changes nothing", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const plain = model.forward({ inputIds: IDS }).logits;
    const values: Tensor[] = [];
    const scope = new EditScope();
    for (const module of modulesIn(model)) {
      for (const side of ["input", "output"] as const) {
        scope.on(module, side, (value) => {
          values.push(value);
          return undefined;
        });
      }
    }
    const { logits } = scope.run(() => model.forward({ inputIds: IDS }));
    await evaluate(plain, logits, ...values);
    expect(await largestDifference(logits, plain)).toBeLessThan(5e-6);
  });

  test("every component of the card is as wide as it says, and can be zeroed", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const card = cardOf(model);
    const plain = model.forward({ inputIds: IDS }).logits;
    for (const [component, { heads, headsFirst, dimension }] of card?.components ?? []) {
      const perToken = /^(?:router|expert)_/.test(component);
      const unit = heads === undefined && headsFirst !== true ? "pos" : "h";
      const intervention = new ZeroIntervention();
      const layer = lastWith(model, component);
      const config = new IntervenableConfig({ layer, component, unit, intervention });
      const intervenable = new IntervenableModel(config, model);
      const place = unit === "pos" ? 5 : 0;
      const places = perToken ? null : place;
      const result = intervenable.forward(
        { inputIds: IDS },
        places === null ? {} : { unitLocations: { base: places } },
      );
      const { logits } = result.intervened as { readonly logits: Tensor };
      expect(await largestDifference(logits, plain), component).toBeGreaterThan(1e-5);
      if (headsFirst === true) continue;
      const spec = card?.components.get(component);
      const path = spec?.path.replaceAll("{layer}", String(layer));
      const module = [...model.namedModules()].find(([other]) => other === path)?.[1];
      let width = 0;
      const scope = new EditScope().on(module ?? model, spec?.side ?? "output", (value) => {
        width = value.size(-1);
        return undefined;
      });
      scope.run(() => model.forward({ inputIds: IDS }));
      expect((dimension ?? NaN) * (heads ?? 1), component).toBe(width);
    }
  });

  test("is written as it was read", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const directory = await temporaryDirectory();
    await model.savePretrained(directory);
    const original = await readJson(join(golden(name), "config.json"));
    expect(await readJson(join(directory, "config.json"))).toMatchObject(original);
    const again = await AutoModelForCausalLM.fromPretrained(directory);
    expect(await again.forward({ inputIds: IDS }).logits.toArray()).toEqual(
      await model.forward({ inputIds: IDS }).logits.toArray(),
    );
  });

  test("starts anew with finite numbers", async () => {
    const { config, constructor } = await AutoModelForCausalLM.fromPretrained(golden(name));
    const model = new (constructor as new (config: unknown) => CausalLanguageModel)(config);
    const { logits, loss } = model.eval().forward({ inputIds: IDS, labels: IDS });
    expect(logits.shape).toEqual([2, 6, 50]);
    const spread = (loss?.sub(Math.log(50)).abs() ?? logits).item();
    expect(await spread).toBeLessThan(0.5);
  });
});

interface Variant {
  readonly model: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly position_ids?: number[][];
  readonly later?: number;
  readonly logits: number[][][];
}

const recorded = JSON.parse(
  await readFile(join(golden(""), "..", "decoder_variants.json"), "utf8"),
) as { readonly input_ids: number[][]; readonly variants: readonly Variant[] };

/**
 * Rotated by frequencies that depend on the length: in transformers, tokens in a cache stay rotated as
 * they were read, while here a cache changes nothing.
 */
const GROWING = "dynamic, growing";

describe("other settings give the numbers of transformers", () => {
  const same = recorded.variants.filter(({ name }) => name !== GROWING);
  test.each(same.map((v) => [`${v.model}: ${v.name}`, v] as const))(
    "%s",
    async (_, { model: name, config, position_ids: positions, later = 0, logits }) => {
      const model = await AutoModelForCausalLM.fromPretrained(await changedCopy(name, { config }));
      const ids = int64(recorded.input_ids);
      const first = ids.size(1) - later;
      const given = positions === undefined ? {} : { positionIds: int64(positions) };
      let output = model.forward({ inputIds: ids.slice(1, 0, first), ...given });
      const parts = [output.logits];
      for (let i = first; i < ids.size(1); i++) {
        const { pastKeyValues } = output;
        output = model.forward({ inputIds: ids.slice(1, i, i + 1), pastKeyValues });
        parts.push(output.logits);
      }
      expect(await largestDifference(cat(parts, 1), tensor(logits))).toBeLessThan(5e-5);
    },
  );
});

test("frequencies that grow with the text are those of the whole text, with a cache too", async () => {
  const [growing, whole] = [GROWING, "dynamic, long"].map((name) =>
    recorded.variants.find((variant) => variant.name === name),
  );
  if (growing === undefined || whole === undefined) throw new Error("they are not recorded");
  expect(growing.config).toEqual(whole.config);
  const model = await AutoModelForCausalLM.fromPretrained(await changedCopy("llama", growing));
  const ids = int64(recorded.input_ids);
  const [length, first] = [ids.size(1), ids.size(1) - (growing.later ?? 0)];
  let output = model.forward({ inputIds: ids.slice(1, 0, first) });
  const start = tensor(growing.logits).slice(1, 0, first);
  expect(await largestDifference(output.logits, start)).toBeLessThan(5e-5);
  for (let i = first; i < length; i++) {
    const { pastKeyValues } = output;
    output = model.forward({ inputIds: ids.slice(1, i, i + 1), pastKeyValues });
  }
  const end = tensor(whole.logits).slice(1, length - 1, length);
  expect(await largestDifference(output.logits, end)).toBeLessThan(5e-5);
});

describe("parts of fused projections", () => {
  test.each([
    ["gpt_neox", "gpt_neox.layers.1.attention.query_key_value.output"],
    ["phi3", "model.layers.1.self_attn.qkv_proj.output"],
  ])("queries, keys and values of %s are apart", async (name, fused) => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const read = async (component: string): Promise<number[][][]> => {
      const intervention = new CollectIntervention();
      const config = new IntervenableConfig({ layer: 1, component, intervention });
      const intervenable = new IntervenableModel(config, model);
      const all = [0, 1, 2, 3, 4, 5];
      const { collected } = intervenable.forward(
        { inputIds: IDS },
        { unitLocations: { base: all } },
      );
      return (await collected[0]?.toArray()) as number[][][];
    };
    const whole = await read(fused);
    const parts = await Promise.all(["query_output", "key_output", "value_output"].map(read));
    const expected = whole.map((row) =>
      row.map((values) => {
        if (name === "phi3") return [values.slice(0, 32), values.slice(32, 48), values.slice(48)];
        const of = (part: number): number[] =>
          [0, 1, 2, 3].flatMap((head) => values.slice(24 * head + 8 * part, 24 * head + 8 * part + 8)); // prettier-ignore
        return [of(0), of(1), of(2)];
      }),
    );
    parts.forEach((part, p) =>
      expect(part).toEqual(expected.map((row) => row.map((values) => values[p]))),
    );
  });
});

describe("attention weights", () => {
  test("can be edited where they are made, whatever the heads share", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden("llama"));
    const intervenable = new IntervenableModel(
      { layer: 1, component: "attention_weight", unit: "h", intervention: ZeroIntervention },
      model,
    );
    const { intervened } = intervenable.forward(
      { inputIds: IDS },
      {
        unitLocations: { base: [1, 2] },
      },
    );
    const { attentions } = intervened as unknown as DecoderOutput;
    const sums = (await attentions[1]?.sum({ dim: [2, 3] }).toArray()) as number[][];
    for (const row of sums) {
      expect(row.map(Math.round)).toEqual([6, 0, 0, 6]);
    }
  });

  test("of gpt-oss leave out what looks nowhere", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden("gpt_oss"));
    const { attentions } = model.forward({ inputIds: IDS });
    const sums = (await attentions[0]?.sum({ dim: -1 }).toArray()) as number[][][];
    const all = sums.flat(2);
    expect(Math.max(...all)).toBeLessThan(0.999);
    expect(Math.min(...all)).toBeGreaterThan(0);
  });
});

test("the cache holds rotated keys of the heads that there are", async () => {
  const model = await AutoModelForCausalLM.fromPretrained(golden("mistral"));
  const cache = model.forward({ inputIds: IDS }).pastKeyValues as KeyValueCache;
  expect(cache.map(({ key, value }) => [key.shape, value.shape])).toEqual(
    cache.map(() => [[2, 2, 6, 8], [2, 2, 6, 8]]), // prettier-ignore
  );
});

describe("settings that cannot be", () => {
  const rope = (given: object): object => ({ rope_parameters: given });
  test.each([
    ["llama", { num_key_value_heads: 3 }, /numAttentionHeads \(4\) must be a multiple of numKeyValueHeads \(3\)/], // prettier-ignore
    [
      "llama",
      { hidden_size: "32" },
      /config\.json: hidden_size must be a whole number of 1 or more, got "32"/,
    ],
    ["qwen2", { hidden_size: 30 }, /hiddenSize \(30\) must be a multiple of numAttentionHeads \(4\) unless headDim/], // prettier-ignore
    ["llama", { head_dim: 0 }, /head_dim must be a whole number of 1 or more, or null, got 0/],
    ["llama", { head_dim: 7 }, /num_attention_heads \* head_dim is 28, but .*q_proj/],
    [
      "llama",
      { hidden_act: "selu6" },
      /hidden_act must be the name of a known activation function \(.*silu.*got "selu6"/,
    ],
    ["llama", rope({ rope_type: "spiral" }), /type "spiral" are not known; known are default, linear, dynamic/], // prettier-ignore
    ["llama", rope({ rope_type: "linear" }), /LlamaConfig: ropeParameters of type "linear" need factor/], // prettier-ignore
    ["llama", rope({ rope_type: "linear", factor: "2" }), /ropeParameters\.factor must be a number above 0, got "2"/], // prettier-ignore
    ["llama", rope({ rope_theta: -1 }), /ropeParameters\.ropeTheta must be a number above 0, got -1/], // prettier-ignore
    ["llama", { rope_scaling: { type: "llama3", factor: 8 } }, /need lowFreqFactor/],
    ["llama", rope({ rope_type: "longrope", short_factor: [1], long_factor: [1] }), /shortFactor has 1 numbers, but 4 frequencies rotate/], // prettier-ignore
    ["gemma2", { layer_types: ["full_attention"] }, /layerTypes must say full_attention or sliding_attention for 4 layers, got \["full_attention"\]/], // prettier-ignore
    ["gpt_oss", { layer_types: ["full_attention", "half", "full_attention"] }, /layer_types must be a list of full_attention or sliding_attention, got .*half/], // prettier-ignore
    ["gemma3_text", { use_bidirectional_attention: true }, /useBidirectionalAttention is not known here/], // prettier-ignore
    ["mixtral", { num_experts_per_tok: 5 }, /numExpertsPerTok \(5\) is more than the 4 experts/],
    ["gpt_neo", { attention_types: [[["global", "far"], 2]] }, /attention_types must be .* each of them global or local, got .*far/], // prettier-ignore
    [
      "gpt_neo",
      { attention_types: [[["global"], 3]] },
      /attentionTypes .* are not attentionLayers/,
    ],
  ])("%s: %j", async (name, config, wanted) => {
    const directory = await changedCopy(name, { config: config as Record<string, unknown> });
    await expect(AutoModelForCausalLM.fromPretrained(directory)).rejects.toThrow(wanted);
  });

  test("a text longer than learned positions, but not than rotary ones", async () => {
    const inputIds = int64([Array.from({ length: 80 }, () => 1)]);
    const neo = await AutoModelForCausalLM.fromPretrained(golden("gpt_neo"));
    expect(() => neo.forward({ inputIds })).toThrow(
      /GPTNeoModel: a sequence of 80 tokens is longer than the model's 32 positions/,
    );
    const llama = await AutoModelForCausalLM.fromPretrained(golden("llama"));
    expect(llama.forward({ inputIds }).logits.shape).toEqual([1, 80, 50]);
    expect(() => llama.forward({ inputIds: tensor([1], { dtype: "int64" }) })).toThrow(
      /LlamaModel: inputIds must be \[batch, sequence\], got \[1\]/,
    );
  });
});

describe("old checkpoints", () => {
  test.each([
    ["llama", "model.layers.0.self_attn.rotary_emb.inv_freq"],
    ["gpt_neox", "gpt_neox.layers.0.attention.rotary_emb.inv_freq"],
    ["gpt_neox", "gpt_neox.layers.2.attention.bias"],
    ["gpt_neox", "gpt_neox.layers.2.attention.masked_bias"],
    ["gpt_neo", "transformer.h.1.attn.attention.bias"],
  ])("%s: %s is no weight", async (name, extra) => {
    const directory = await changedCopy(name, { tensors: (all) => all.set(extra, tensor([1])) });
    const model = await AutoModelForCausalLM.fromPretrained(directory);
    const other = await AutoModelForCausalLM.fromPretrained(golden(name));
    expect(await model.forward({ inputIds: IDS }).logits.toArray()).toEqual(
      await other.forward({ inputIds: IDS }).logits.toArray(),
    );
  });
});
