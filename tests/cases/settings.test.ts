import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AutoModelForCausalLM, type Tensor, tensor } from "tsvene";
import { describe, expect, test } from "vitest";
import { changedCopy, golden, temporaryDirectory } from "../models/checkpoints.ts";

const FOLDER = fileURLToPath(new URL("16-legacy-rope", import.meta.url));
const int64 = (values: number[][]): Tensor => tensor(values, { dtype: "int64" });

type Config = Readonly<Record<string, unknown>>;

/** Loads a language model of a directory whose config.json is changed. */
async function logitsOf(directory: string, ids: Tensor): Promise<Tensor> {
  const model = await AutoModelForCausalLM.fromPretrained(directory);
  return model.forward({ inputIds: ids }).logits;
}

async function difference(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

interface Recorded {
  readonly ids: number[][];
  readonly cases: Readonly<Record<string, { readonly logits: number[][] }>>;
}

const recorded = JSON.parse(await readFile(join(FOLDER, "case.json"), "utf8")) as Recorded;

/** Case, whose weights it has, and the settings that are added to those. */
const LEGACY: readonly (readonly [name: string, weights: string, config: Config])[] = [
  ["llama-theta", "llama-theta", {}],
  ["llama-theta-null-scaling", "llama-theta", { rope_scaling: null }],
  ["llama-theta-linear", "llama-theta", { rope_scaling: { type: "linear", factor: 2 } }],
  ["mistral-theta", "llama-theta", { model_type: "mistral", head_dim: 16, rope_theta: 1e6 }],
  ["gemma-theta", "gemma-theta", {}],
  ["neox-pct", "neox-pct", {}],
  ["neox-base", "neox-pct", { rotary_pct: undefined, rotary_emb_base: 500 }],
];

describe("rotary settings as transformers 4 writes them, as transformers computes", () => {
  test.each(LEGACY)("%s", async (name, weights, config) => {
    const directory = await temporaryDirectory();
    await cp(join(FOLDER, weights), directory, { recursive: true });
    const path = join(directory, "config.json");
    const fields = JSON.parse(await readFile(path, "utf8")) as Config;
    await writeFile(path, JSON.stringify({ ...fields, ...config }));
    const logits = await logitsOf(directory, int64(recorded.ids));
    const wanted = tensor(recorded.cases[name]?.logits ?? []);
    expect(await difference(logits.select(1, -1), wanted)).toBeLessThan(2e-5);
  });
});

const IDS = int64([[5, 7, 9, 11, 13, 2, 8, 1]]);
const ROTARY = "llama mistral mixtral gemma gemma2 qwen2 qwen3 qwen3_moe olmo olmo2 phi phi3 gpt_oss gpt_neox falcon falcon_new".split(" "); // prettier-ignore
const absent = { rope_parameters: undefined };
const plain = { rope_type: "default" };

/** The same settings in the names of transformers 4 and in those of 5. */
const SPELLINGS: readonly (readonly [what: string, older: Config, newer: Config])[] = [
  ["rope_theta", { rope_theta: 300 }, { ...plain, rope_theta: 300 }],
  ["rope_theta beside null", { rope_theta: 300, rope_scaling: null }, { ...plain, rope_theta: 300 }], // prettier-ignore
  [
    "rope_scaling with type",
    { rope_theta: 300, rope_scaling: { type: "linear", factor: 4 } },
    { rope_type: "linear", factor: 4, rope_theta: 300 },
  ],
  [
    "rope_scaling with rope_type",
    { rope_theta: 300, rope_scaling: { rope_type: "dynamic", factor: 4 } },
    { rope_type: "dynamic", factor: 4, rope_theta: 300 },
  ],
  [
    "partial_rotary_factor",
    { rope_theta: 300, partial_rotary_factor: 0.5 },
    { ...plain, rope_theta: 300, partial_rotary_factor: 0.5 },
  ],
];

/** Spellings that mean another thing beside a family's defaults, or nothing in heads as small as these. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  gpt_oss: ["rope_theta", "rope_theta beside null", "partial_rotary_factor"],
  gpt_neox: ["rope_theta", "rope_theta beside null", "rope_scaling with rope_type"],
  mixtral: ["partial_rotary_factor"],
  // Half of six values are no pairs; all values of a Falcon's heads are rotated.
  qwen3_moe: ["partial_rotary_factor"],
  falcon: ["partial_rotary_factor"],
  falcon_new: ["partial_rotary_factor"],
};

describe.each(ROTARY)("%s", (name) => {
  const spelled = SPELLINGS.filter(([what]) => LEFT_OUT[name]?.includes(what) !== true);
  test.each(spelled)("%s acts as in rope_parameters", async (_, older, newer) => {
    const old = await changedCopy(name, { config: { ...absent, ...older } });
    const now = await changedCopy(name, { config: { rope_parameters: newer } });
    const [a, b, c] = await Promise.all([old, now, golden(name)].map((d) => logitsOf(d, IDS)));
    expect(await a?.toArray()).toEqual(await b?.toArray());
    expect(await difference(a as Tensor, c as Tensor)).toBeGreaterThan(1e-4);
  });
});

/** Settings under names of other families: `attribute_map` and older versions. */
const NAMES: readonly (readonly [name: string, Readonly<Record<string, string>>])[] = [
  [
    "gpt2",
    {
      n_embd: "hidden_size",
      n_head: "num_attention_heads",
      n_layer: "num_hidden_layers",
      n_positions: "max_position_embeddings",
    },
  ],
  [
    "backpack_gpt2",
    {
      n_embd: "hidden_size",
      n_head: "num_attention_heads",
      n_layer: "num_hidden_layers",
      n_positions: "max_position_embeddings",
    },
  ],
  ["gpt_neo", { num_layers: "num_hidden_layers", num_heads: "num_attention_heads" }],
  ["mixtral", { num_local_experts: "num_experts" }],
  ["qwen3_moe", { num_local_experts: "num_experts" }],
  [
    "gptj",
    {
      n_embd: "hidden_size",
      n_head: "num_attention_heads",
      n_layer: "num_hidden_layers",
      n_positions: "max_position_embeddings",
    },
  ],
  [
    "bloom",
    { hidden_size: "n_embed", n_layer: "num_hidden_layers", n_head: "num_attention_heads" },
  ],
  ["falcon", { hidden_size: "n_embed" }],
  ["gpt_oss", { num_local_experts: "num_experts", num_experts_per_tok: "experts_per_token" }],
];

describe.each(NAMES)("%s", (name, others) => {
  test.each(Object.entries(others))("%s is called %s too", async (own, other) => {
    const fields = JSON.parse(await readFile(join(golden(name), "config.json"), "utf8")) as Config;
    const value = fields[own];
    const renamed = await changedCopy(name, { config: { [own]: undefined, [other]: value } });
    const [a, b] = await Promise.all([renamed, golden(name)].map((d) => logitsOf(d, IDS)));
    expect(await a?.toArray()).toEqual(await b?.toArray());
    const twice = await changedCopy(name, { config: { [other]: Number(value) + 1 } });
    await expect(logitsOf(twice, IDS)).rejects.toThrow(`${other}, which is another name for it`);
  });
});

test("gemma3_text: rotary settings of each type of layer under older names", async () => {
  const config = {
    ...absent,
    rope_theta: 700,
    rope_local_base_freq: 90,
    rope_scaling: { rope_type: "linear", factor: 3 },
  };
  const newer = {
    full_attention: { rope_type: "linear", factor: 3, rope_theta: 700 },
    sliding_attention: { rope_type: "default", rope_theta: 90 },
  };
  const old = await changedCopy("gemma3_text", { config });
  const now = await changedCopy("gemma3_text", { config: { rope_parameters: newer } });
  const [a, b] = await Promise.all([old, now].map((d) => logitsOf(d, IDS)));
  expect(await a?.toArray()).toEqual(await b?.toArray());
});

test("gemma3_text and gpt_neo: which layers see all, said otherwise", async () => {
  const pattern = { layer_types: undefined, sliding_window_pattern: 2 };
  const types = ["sliding_attention", "full_attention"];
  const spelled = { layer_types: [...types, ...types] };
  const layers = { attention_types: undefined, attention_layers: ["local", "local", "global", "local"] }; // prettier-ignore
  const typed = {
    attention_types: [[["local"], 2], [["global", "local"], 1]], // prettier-ignore
    attention_layers: undefined,
  };
  for (const [name, one, other] of [
    ["gemma3_text", pattern, spelled],
    ["gpt_neo", layers, typed],
  ] as const) {
    const copies = [one, other].map((config) => changedCopy(name, { config }));
    const [a, b] = await Promise.all(copies.map(async (d) => logitsOf(await d, IDS)));
    expect(await a?.toArray()).toEqual(await b?.toArray());
  }
});

/** What no model with such weights can have, and what the message names. */
const CONTRADICTED: readonly (readonly [name: string, config: Config, wanted: RegExp])[] = [
  ["gpt2", { n_layer: 50_000 }, /n_layer is 50000, more than the weights can be of/],
  ["gpt2", { n_layer: 1e6 }, /n_layer must be a whole number of 1 or more \(100,000 at most\)/],
  ["gpt2", { n_layer: 1 }, /n_layer is 1, but transformer\.h\.3\..* is of number 3, .*wanted 4/],
  ["gpt2", { n_inner: 1e9 }, /n_inner is 1000000000, more than the weights can be of/],
  ["llama", { head_dim: 1e9 }, /head_dim is 1000000000, more than the weights can be of/],
  ["llama", { vocab_size: 64 }, /vocab_size is 64, but model\.embed_tokens\.weight has shape \[50, 32\]/], // prettier-ignore
  ["llama", { hidden_size: 64 }, /hidden_size is 64, but model\.embed_tokens\.weight has shape/],
  ["llama", { intermediate_size: 45 }, /intermediate_size is 45, but model\.layers\.0\.mlp\.gate/],
  ["llama", { num_key_value_heads: 4 }, /num_key_value_heads \* head_dim is 32, but .*k_proj/],
  ["qwen3", { num_attention_heads: 8 }, /num_attention_heads \* head_dim is 64, but .*q_proj/],
  ["phi3", { num_key_value_heads: 1 }, /\(num_attention_heads \+ 2 \* num_key_value_heads\) \* head_dim is/], // prettier-ignore
  ["mixtral", { num_local_experts: 3 }, /num_local_experts is 3, but .*gate\.weight/],
  ["gpt_neox", { intermediate_size: 40 }, /intermediate_size is 40, but .*dense_h_to_4h/],
  ["gpt_neo", { max_position_embeddings: 9 }, /max_position_embeddings is 9, but .*wpe/],
  ["gpt_oss", { num_local_experts: 5 }, /num_local_experts is 5, but .*router/],
  ["qwen3_moe", { num_local_experts: 5 }, /num_local_experts is 5, but .*layers\.1\.mlp\.gate\.weight/], // prettier-ignore
  ["qwen3_moe", { moe_intermediate_size: 9 }, /moe_intermediate_size is 9, but .*experts\.0\.gate_proj/],
  ["qwen3_moe", { intermediate_size: 9 }, /intermediate_size is 9, but .*layers\.0\.mlp\.gate_proj/],
  ["opt", { max_position_embeddings: 9 }, /max_position_embeddings \+ 2 is 11, but .*embed_positions/], // prettier-ignore
  ["opt", { word_embed_proj_dim: 9 }, /word_embed_proj_dim is 9, but .*embed_tokens/],
  ["falcon_new", { num_kv_heads: 4 }, /\(num_attention_heads \+ 2 \* num_kv_heads\) \* hidden_size .* is 48, but .*query_key_value/], // prettier-ignore
  ["gptj", { n_inner: null }, /4 \* n_embd is 64, but .*fc_in/],
];

test.each(CONTRADICTED)("%s: weights contradict %j", async (name, config, wanted) => {
  const begun = performance.now();
  await expect(logitsOf(await changedCopy(name, { config }), IDS)).rejects.toThrow(wanted);
  expect(performance.now() - begun).toBeLessThan(1000);
});

test("sizes that no weight has cost nothing", async () => {
  const config = {
    max_position_embeddings: 2 ** 40,
    sliding_window: 2 ** 40,
    eos_token_id: 1e9,
    pad_token_id: -1,
  };
  const logits = await logitsOf(await changedCopy("mistral", { config }), IDS);
  expect(logits.shape).toEqual([1, 8, 50]);
});

test("a setting of one's own is refused, unless it is said that it may be ignored", async () => {
  const directory = await changedCopy("llama", { config: { rope_tetha: 300 } });
  await expect(AutoModelForCausalLM.fromPretrained(directory)).rejects.toThrow(
    /LlamaConfig: config\.json: there is no setting rope_tetha; did you mean rope_theta.*ignoreSettings: \["rope_tetha"\]/, // prettier-ignore
  );
  const model = await AutoModelForCausalLM.fromPretrained(directory, {
    ignoreSettings: ["rope_tetha"],
  });
  const logits = model.forward({ inputIds: IDS }).logits;
  expect(await logits.toArray()).toEqual(await (await logitsOf(golden("llama"), IDS)).toArray());
});
