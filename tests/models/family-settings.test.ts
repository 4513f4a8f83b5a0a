import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type AutoClass,
  AutoConfig,
  evaluate,
  MemoryFiles,
  type PreTrainedModel,
  type PretrainedOptions,
  type Tensor,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { loaderOf, type Model, plainInputs, tensorsIn } from "../../scripts/parity/recorded-model.ts"; // prettier-ignore
import { golden } from "./checkpoints.ts";

// The settings of all families that are not Llama-like decoders: each name that transformers 4 or 5
// reads or writes acts, and what is not known or cannot be is refused by its name. The recorded
// checkpoints are transformers 5.18's.

type Fields = Readonly<Record<string, unknown>>;

/** A field of a `config.json`, or of an object of fields in it: "text_config.hidden_act". */
type Path = string;

const parsed = new Map<string, Fields>();

async function fieldsOf(name: string): Promise<Fields> {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const text = await readFile(join(golden(name), "config.json"), "utf8");
  const fields = JSON.parse(text) as Fields;
  parsed.set(name, fields);
  return fields;
}

function valueAt(fields: Fields, path: Path): unknown {
  return path.split(".").reduce<unknown>((at, key) => (at as Fields)[key], fields);
}

/** Fields with another value in one place; undefined takes it out. */
function changed(fields: Fields, path: Path, value: unknown): Fields {
  const [key = "", ...rest] = path.split(".");
  const inner = fields[key] as Fields | undefined;
  return { ...fields, [key]: rest.length === 0 ? value : changed(inner ?? {}, rest.join("."), value) }; // prettier-ignore
}

/** As JSON, but for numbers that Python writes and JSON has not. */
const textOf = (fields: Fields): string =>
  JSON.stringify(fields, (_, v: unknown) => (Number.isNaN(v) ? "@NaN@" : v)).replaceAll('"@NaN@"', "NaN"); // prettier-ignore

async function configOf(fields: Fields, options: PretrainedOptions = {}): Promise<object> {
  return AutoConfig.fromPretrained(new MemoryFiles({ "config.json": textOf(fields) }), options);
}

async function loaded(name: string, fields: Fields): Promise<Model> {
  const weights = await readFile(join(golden(name), "model.safetensors"));
  const files = new MemoryFiles({ "config.json": textOf(fields), "model.safetensors": weights });
  const loader = (await loaderOf(golden(name))) as unknown as AutoClass<PreTrainedModel>;
  return (await loader.fromPretrained(files)) as Model;
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "nothing was refused",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

const beside = (path: Path, name: string): Path =>
  [...path.split(".").slice(0, -1), name].join(".");
const lastOf = (path: Path): string => path.split(".").at(-1) ?? path;

const FAMILIES = [
  "bert", "esm", "t5", "blip_vqa", "blip_itm", "clip", "vit", "convnext", "resnet", "whisper",
  "wav2vec2_bert", "llava", "mllama", "mamba", "mamba2", "rwkv", "gru_lm", "mlp_classifier",
  "opt", "opt_post_norm", "gptj", "bloom", "falcon", "falcon_new", "falcon_alibi",
]; // prettier-ignore

/** Other names of settings: attribute maps of transformers 4 and 5, and what older files have. */
const OTHER_NAMES: readonly (readonly [golden: string, path: Path, other: string])[] = [
  ["t5", "d_model", "hidden_size"],
  ["t5", "d_kv", "head_dim"],
  ["t5", "num_heads", "num_attention_heads"],
  ["t5", "num_layers", "num_hidden_layers"],
  ["whisper", "d_model", "hidden_size"],
  ["whisper", "encoder_layers", "num_hidden_layers"],
  ["whisper", "encoder_attention_heads", "num_attention_heads"],
  ["whisper", "encoder_attention_heads", "num_key_value_heads"],
  ["rwkv", "context_length", "max_position_embeddings"],
  ["llava", "image_token_index", "image_token_id"],
  ["mllama", "vision_config.attention_heads", "num_attention_heads"],
];

describe("other names", () => {
  test.each(OTHER_NAMES)("%s: %s is %s too", async (name, path, other) => {
    const fields = await fieldsOf(name);
    const value = valueAt(fields, path);
    const renamed = changed(changed(fields, path, undefined), beside(path, other), value);
    expect(await configOf(renamed)).toEqual(await configOf(fields));
    const twice = changed(fields, beside(path, other), value);
    expect(await configOf(twice)).toEqual(await configOf(fields));
    const two = await refusal(configOf(changed(fields, beside(path, other), 7)));
    expect(two).toContain(lastOf(path));
    expect(two).toContain(`${other}, which is another name for it, is 7`);
  });

  test("Mamba's first names act where those of today are not there", async () => {
    const { hidden_size, num_hidden_layers, intermediate_size, ...rest } = await fieldsOf("mamba");
    const { state_size, conv_kernel, expand, time_step_rank, ...bare } = rest;
    const first = { d_model: hidden_size, n_layer: num_hidden_layers, d_inner: intermediate_size };
    const ssm_cfg = { d_state: state_size, d_conv: conv_kernel, expand, dt_rank: time_step_rank };
    const wanted = await configOf(await fieldsOf("mamba"));
    expect(await configOf({ ...rest, ...first })).toEqual(wanted);
    expect(await configOf({ ...bare, ...first, ssm_cfg })).toEqual(wanted);
    // Published files have both, of which transformers reads today's only.
    const both = { ...(await fieldsOf("mamba")), d_model: 1, n_layer: 1, d_inner: 1, ssm_cfg: {} };
    expect(await configOf(both)).toEqual(wanted);
    expect(await refusal(configOf({ ...bare, ssm_cfg: { headdim: 4 } }))).toMatch(
      /ssm_cfg must be/,
    );
  });

  test("a part of a CLIP that is given twice is what its dictionary says", async () => {
    const fields = await fieldsOf("clip");
    const text = fields["text_config"] as Fields;
    const dict = { ...text, hidden_act: "relu" };
    const config = await configOf({ ...fields, text_config_dict: dict, vision_config_dict: null });
    expect(config).toEqual(await configOf(changed(fields, "text_config.hidden_act", "relu")));
    // What the dictionary leaves out is the default, whatever text_config says of it.
    const { hidden_act: _, ...without } = text;
    const other = {
      ...changed(fields, "text_config.hidden_act", "relu"),
      text_config_dict: without,
    };
    expect(await configOf(other)).toEqual(await configOf(fields));
  });

  test("sizes of images may be lists of two equal ones, and lists may be null", async () => {
    for (const [name, part] of [
      ["vit", ""],
      ["clip", "vision_config."],
      ["blip_vqa", "vision_config."],
      ["mllama", "vision_config."],
    ] as const) {
      const fields = await fieldsOf(name);
      const size = valueAt(fields, `${part}image_size`) as number;
      const listed = changed(fields, `${part}image_size`, [size, size]);
      expect(await configOf(listed)).toEqual(await configOf(fields));
      expect(
        await refusal(configOf(changed(fields, `${part}image_size`, [size, 2 * size]))),
      ).toMatch(/image_size must be a whole number/);
    }
    const { hidden_sizes, depths, ...convnext } = await fieldsOf("convnext");
    const nulls = { ...convnext, hidden_sizes: null, depths: null, num_stages: 4 };
    expect([hidden_sizes, depths]).toHaveLength(2);
    expect(await configOf(nulls)).toMatchObject({ depths: [3, 3, 9, 3] });
  });

  test("parts that are null have all their defaults", async () => {
    const { text_config, vision_config, ...llava } = await fieldsOf("llava");
    expect([text_config, vision_config]).toHaveLength(2);
    const wanted = { textConfig: { hiddenSize: 4096 }, visionConfig: { imageSize: 336 } };
    expect(await configOf({ ...llava, text_config: null, vision_config: null })).toMatchObject(
      wanted,
    );
    expect(
      await configOf({ ...llava, vision_config: { image_size: 28, patch_size: 14 } }),
    ).toMatchObject({
      visionConfig: { imageSize: 28, hiddenSize: 768 },
    });
  });
});

/** Another value for a setting, with which the recorded weights still fit, changes numbers. */
const ACTING: readonly (readonly [golden: string, path: Path, value: unknown])[] = [
  ["bert", "hidden_act", "relu"],
  ["bert", "layer_norm_eps", 0.1],
  ["bert", "num_attention_heads", 2],
  ["esm", "layer_norm_eps", 0.1],
  ["esm", "rope_theta", 10],
  ["esm", "token_dropout", false],
  ["esm", "mask_token_id", 5],
  ["t5", "dense_act_fn", "gelu"],
  ["t5", "layer_norm_epsilon", 0.1],
  ["t5", "relative_attention_max_distance", 5],
  ["t5", "scale_decoder_outputs", false],
  ["t5_gated", "dense_act_fn", "relu"],
  ["t5_gated", "scale_decoder_outputs", true],
  ["blip_vqa", "text_config.hidden_act", "relu"],
  ["blip_vqa", "text_config.layer_norm_eps", 0.1],
  ["blip_vqa", "text_config.num_attention_heads", 2],
  ["blip_vqa", "vision_config.hidden_act", "relu"],
  ["blip_vqa", "vision_config.layer_norm_eps", 0.1],
  ["blip_vqa", "vision_config.num_attention_heads", 2],
  ["clip", "text_config.hidden_act", "gelu"],
  ["clip", "text_config.layer_norm_eps", 0.1],
  ["clip", "text_config.num_attention_heads", 2],
  ["clip", "text_config.eos_token_id", 48],
  ["clip", "vision_config.hidden_act", "gelu"],
  ["clip", "vision_config.layer_norm_eps", 0.1],
  ["clip", "vision_config.num_attention_heads", 2],
  ["vit", "hidden_act", "relu"],
  ["vit", "layer_norm_eps", 0.1],
  ["vit", "num_attention_heads", 2],
  ["convnext", "hidden_act", "relu"],
  ["convnext", "layer_norm_eps", 0.1],
  ["resnet", "hidden_act", "gelu"],
  ["resnet_bottleneck", "hidden_act", "gelu"],
  ["resnet_bottleneck", "downsample_in_bottleneck", true],
  ["whisper", "activation_function", "relu"],
  ["whisper", "encoder_attention_heads", 3],
  ["whisper", "decoder_attention_heads", 4],
  ["wav2vec2_bert", "hidden_act", "gelu"],
  ["wav2vec2_bert", "layer_norm_eps", 0.1],
  ["wav2vec2_bert", "layer_norm_eps", 0.01],
  ["llava", "projector_hidden_act", "relu"],
  ["llava", "vision_feature_layer", -1],
  ["llava", "vision_config.hidden_act", "gelu"],
  ["llava", "text_config.hidden_act", "gelu"],
  ["mllama", "vision_config.norm_eps", 0.1],
  ["mllama", "vision_config.hidden_act", "relu"],
  ["mllama", "vision_config.attention_heads", 2],
  ["mllama", "vision_config.intermediate_layers_indices", [1]],
  ["mllama", "text_config.rms_norm_eps", 0.1],
  ["mllama", "text_config.hidden_act", "gelu"],
  ["mamba", "hidden_act", "gelu"],
  ["mamba", "layer_norm_epsilon", 0.1],
  ["mamba2", "hidden_act", "gelu"],
  ["mamba2", "layer_norm_epsilon", 0.1],
  ["mamba2", "time_step_limit", [0.5, 0.6]],
  ["rwkv", "layer_norm_epsilon", 0.1],
  ["rwkv", "rescale_every", 2],
  ["mlp_classifier", "activation_function", "relu"],
  ["opt", "activation_function", "gelu"],
  ["opt", "num_attention_heads", 2],
  ["gptj", "activation_function", "relu"],
  ["gptj", "layer_norm_epsilon", 0.1],
  ["gptj", "rotary_dim", 2],
  ["gptj", "n_head", 4],
  ["bloom", "layer_norm_epsilon", 0.1],
  ["bloom", "n_head", 3],
  ["bloom", "apply_residual_connection_post_layernorm", true],
  ["falcon", "activation", "relu"],
  ["falcon", "layer_norm_epsilon", 0.1],
  ["falcon_new", "activation", "relu"],
  ["falcon_alibi", "alibi", false],
];

async function numbersOf(model: Model, inputs: object): Promise<string[]> {
  const tensors: Tensor[] = tensorsIn(model.forward(inputs));
  await evaluate(...tensors);
  return Promise.all(tensors.map(async (t) => JSON.stringify(await t.toArray())));
}

describe("settings that act", () => {
  const recorded = new Map<string, Promise<string[]>>();
  const numbers = async (name: string): Promise<string[]> =>
    numbersOf(await loaded(name, await fieldsOf(name)), await plainInputs(golden(name)));

  test.each(ACTING)("%s: %s as %j", async (name, path, value) => {
    const fields = await fieldsOf(name);
    expect(valueAt(fields, path)).not.toEqual(value);
    const model = await loaded(name, changed(fields, path, value));
    const known = recorded.get(name) ?? numbers(name);
    recorded.set(name, known);
    const found = await numbersOf(model, await plainInputs(golden(name)));
    expect(found).not.toEqual(await known);
  });

  test("T5's layers are as dense_act_fn and is_gated_act say, or else as feed_forward_proj", async () => {
    const { dense_act_fn, is_gated_act, ...fields } = await fieldsOf("t5_gated");
    expect([dense_act_fn, is_gated_act]).toEqual(["gelu_new", true]);
    const inputs = await plainInputs(golden("t5_gated"));
    const wanted = await numbers("t5_gated");
    expect(await numbersOf(await loaded("t5_gated", fields), inputs)).toEqual(wanted);
    const other = { ...fields, feed_forward_proj: "relu", dense_act_fn, is_gated_act };
    expect(await numbersOf(await loaded("t5_gated", other), inputs)).toEqual(wanted);
    const plain = { ...fields, feed_forward_proj: "relu" };
    expect(await refusal(loaded("t5_gated", plain))).toMatch(/DenseReluDense\.wi/);
  });

  test("LLaVA reads several layers side by side", async () => {
    const fields = { ...(await fieldsOf("llava")), vision_feature_layer: [-2] };
    const inputs = await plainInputs(golden("llava"));
    expect(await numbersOf(await loaded("llava", fields), inputs)).toEqual(await numbers("llava"));
    const two = await refusal(loaded("llava", { ...fields, vision_feature_layer: [-2, 0] }));
    expect(two).toMatch(/linear_1\.weight has shape \[24, 28\], wanted \[24, 56\]/);
  });
});

/** Settings that can be one value only, or a few, with others that are refused. */
const NEUTRAL: readonly (readonly [
  golden: string,
  path: Path,
  fine: readonly unknown[],
  wrong: unknown,
])[] = [
  ["bert", "position_embedding_type", ["absolute", null], "relative_key"],
  ["bert", "position_embedding_type", [], "relative_key_query"],
  ["bert", "is_decoder", [false], true],
  ["bert", "add_cross_attention", [false], true],
  ["bert", "pruned_heads", [{}, null], { 0: [1] }],
  ["bert", "is_encoder_decoder", [false], true],
  ["bert", "tie_encoder_decoder", [false], true],
  ["esm", "is_folding_model", [false, null], true],
  ["esm", "esmfold_config", [null], {}],
  ["esm", "position_embedding_type", [], "relative_key"],
  ["t5", "is_encoder_decoder", [true], false],
  ["blip_vqa", "text_config.is_decoder", [true], false],
  ["blip_vqa", "text_config.position_embedding_type", ["absolute"], "relative_key"],
  ["blip_vqa", "text_config.tie_word_embeddings", [true], false],
  ["blip_vqa", "text_config_dict", [null], {}],
  ["blip_vqa", "vision_config_dict", [null], {}],
  ["whisper", "is_encoder_decoder", [true], false],
  ["wav2vec2_bert", "add_adapter", [false], true],
  ["wav2vec2_bert", "position_embeddings_type", ["relative_key"], "rotary"],
  ["wav2vec2_bert", "position_embeddings_type", [], "relative"],
  ["llava", "text_config.model_type", ["llama"], "mistral"],
  ["llava", "vision_config.model_type", ["clip_vision_model"], "siglip_vision_model"],
  ["mllama", "text_config.tie_word_embeddings", [false], true],
  ["mllama", "tie_word_embeddings", [false], true],
  ["mamba", "rms_norm", [true], false],
  ["mamba2", "rms_norm", [true], false],
  ["opt", "scale_embeddings", [false], true],
  ["opt", "learned_embeddings", [true], false],
  ["gptj", "rotary", [true], false],
  ["gptj", "scale_attn_weights", [true], false],
  ["bloom", "n_inner", [null], 48],
  ["falcon", "apply_residual_connection_post_layernorm", [false, null], true],
];

/** Fields that published files have and that change nothing. */
const INERT: readonly (readonly [golden: string, ...names: string[]])[] = [
  ["bert", "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type", "gradient_checkpointing", "chunk_size_feed_forward"],
  ["esm", "hidden_act", "classifier_dropout", "vocab_list"],
  ["t5", "n_positions", "output_past", "task_specific_params", "use_cache"],
  ["blip_vqa", "initializer_range", "initializer_factor", "label_smoothing", "text_config.projection_dim", "text_config.initializer_factor", "text_config.dropout", "text_config.attention_dropout", "vision_config.projection_dim", "vision_config.dropout", "vision_config.initializer_factor"],
  ["clip", "text_config.projection_dim", "text_config.dropout", "vision_config.projection_dim", "vision_config.dropout", "vision_config.vocab_size"],
  ["vit", "encoder_stride", "out_features", "out_indices", "stage_names"],
  ["convnext", "image_size", "out_features", "out_indices", "stage_names"],
  ["resnet", "image_size", "out_features", "out_indices", "stage_names"],
  ["whisper", "scale_embedding", "encoder_layerdrop", "decoder_layerdrop", "apply_spec_augment", "mask_time_prob", "mask_time_length", "mask_time_min_masks", "mask_feature_prob", "mask_feature_length", "mask_feature_min_masks", "median_filter_width", "forced_decoder_ids", "suppress_tokens", "begin_suppress_tokens", "max_length"],
  ["wav2vec2_bert", "vocab_size", "final_dropout", "layerdrop", "apply_spec_augment", "mask_time_length", "mask_time_min_masks", "mask_feature_length", "mask_feature_min_masks", "ctc_loss_reduction", "ctc_zero_infinity", "tdnn_dim", "tdnn_kernel", "tdnn_dilation", "xvector_output_dim", "adapter_kernel_size", "adapter_stride", "num_adapter_layers", "adapter_act", "output_hidden_size", "rotary_embedding_base", "max_source_positions"],
  ["llava", "image_seq_length", "ignore_index", "vision_config.vocab_size", "vision_config.projection_dim"],
  ["mllama", "image_token_index", "image_token_id"],
  ["mamba", "residual_in_fp32", "fused_add_norm", "pad_vocab_size_multiple", "use_mambapy", "use_associative_scan"],
  ["opt", "layerdrop", "activation_dropout", "prefix"],
  ["opt_post_norm", "layerdrop"],
  ["gptj", "n_ctx", "summary_type", "summary_use_proj", "summary_activation", "summary_proj_to_labels", "summary_first_dropout"],
  ["bloom", "slow_but_exact", "pretraining_tp", "offset_alibi", "attention_softmax_in_fp32", "bias_dropout_fusion", "masked_softmax_fusion", "skip_bias_add", "skip_bias_add_qkv", "seq_length"],
  ["mamba2", "chunk_size", "residual_in_fp32", "norm_before_gate", "intermediate_size", "time_step_rank", "time_step_scale", "time_step_init_scheme"],
]; // prettier-ignore

const inCode = (name: string): string =>
  name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());

/** A configuration without one setting. */
function without(config: object, path: Path): object {
  const [key = "", ...rest] = path.split(".").map(inCode);
  const { [key]: value, ...others } = config as Fields;
  if (rest.length === 0) return others;
  return { ...others, [key]: without(value as object, rest.join(".")) };
}

describe("settings that do not act", () => {
  test.each(NEUTRAL)("%s: %s may be %j, not %j", async (name, path, fine, wrong) => {
    const fields = await fieldsOf(name);
    for (const value of fine) {
      const config = await configOf(changed(fields, path, value));
      expect(without(config, path)).toEqual(without(await configOf(fields), path));
    }
    const message = await refusal(configOf(changed(fields, path, wrong)));
    expect(message.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)).toContain(lastOf(path));
  });

  const inert = INERT.flatMap(([name, ...paths]) => paths.map((path) => [name, path] as const));
  test.each(inert)("%s: %s", async (name, path) => {
    const fields = await fieldsOf(name);
    for (const value of [7, 0.5, true, null, "text", [1], {}]) {
      const config = await configOf(changed(fields, path, value));
      expect(without(config, path)).toEqual(without(await configOf(fields), path));
    }
  });
});

/** Objects of settings in the files of families that have some. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  blip_vqa: ["text_config.", "vision_config."],
  blip_itm: ["text_config.", "vision_config."],
  clip: ["text_config.", "vision_config."],
  llava: ["text_config.", "vision_config."],
  mllama: ["text_config.", "vision_config."],
};

describe("what is not known", () => {
  const places = FAMILIES.flatMap((name) => ["", ...(PARTS[name] ?? [])].map((part) => [name, part] as const)); // prettier-ignore

  test.each(places)("%s: %sno_such_setting", async (name, part) => {
    const fields = changed(await fieldsOf(name), `${part}no_such_setting`, 1);
    expect(await refusal(configOf(fields))).toMatch(/there is no setting no_such_setting/);
    const config = await configOf(fields, { ignoreSettings: [`${part}no_such_setting`] });
    expect(config).toEqual(await configOf(await fieldsOf(name)));
  });
});

/** Every setting of every file, but for those that are free. */
async function settingsOf(name: string): Promise<Path[]> {
  const fields = await fieldsOf(name);
  const own = Object.keys(fields);
  const inner = (PARTS[name] ?? []).flatMap((part) => {
    const names = Object.keys(valueAt(fields, part.slice(0, -1)) as Fields);
    return names.map((key) => `${part}${key}`);
  });
  return [...own, ...inner].filter((path) => !path.endsWith("_config"));
}

const FREE =
  /^(architectures|dtype|transformers_version|_name_or_path|use_cache|return_dict|output_\w+|chunk_size_feed_forward|pretraining_tp|model_type|suppress_tokens|begin_suppress_tokens|ignore_index)$/;

describe("nonsense", () => {
  const free = new Set(INERT.flatMap(([name, ...paths]) => paths.map((path) => `${name} ${path}`)));

  test.each(FAMILIES)("%s refuses it in each setting, by its name", async (name) => {
    const fields = await fieldsOf(name);
    const paths = (await settingsOf(name)).filter(
      (path) => !FREE.test(lastOf(path)) && !free.has(`${name.replace("itm", "vqa")} ${path}`),
    );
    expect(paths.length).toBeGreaterThan(6);
    const accepted: string[] = [];
    for (const path of paths) {
      const usual = valueAt(fields, path);
      const bad: unknown[] = ["no such word", NaN, [[]]];
      if (typeof usual === "number") bad.push("8", true, {}, [[usual]]);
      if (typeof usual === "number" && !/_id$|index$|layer$|rescale_every|logit_scale/.test(path)) bad.push(-1); // prettier-ignore
      const isSize = Number.isInteger(usual) && /size|_dim$|heads|layers?$|width|bins|positions|tiles|dim$|kernel$|n_groups|vocab|embeddings$/.test(path); // prettier-ignore
      if (isSize && !/layer$|size_init/.test(path)) bad.push(2.5);
      if (typeof usual === "boolean") bad.push(1, "true");
      for (const value of bad) {
        const message = await refusal(configOf(changed(fields, path, value)));
        const snake = message.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
        const named = snake.includes(lastOf(path).replace(/^_/, ""));
        if (!named) accepted.push(`${path} as ${String(value)}: ${message}`);
      }
    }
    expect(accepted).toEqual([]);
  });

  test.each([
    ["t5", "relative_attention_max_distance", 4, /must be more than half of relativeAttention/],
    ["t5", "relative_attention_max_distance", 1e9, /a whole number from 3 to 65536/],
    ["t5", "feed_forward_proj", "gated-gated-gelu", /feed_forward_proj must be/],
    ["convnext", "num_stages", 3, /numStages is 3, but hiddenSizes and depths have 4 stages/],
    ["convnext", "depths", [1, 2], /hiddenSizes has 4 stages, depths has 2/],
    ["resnet", "hidden_sizes", [8, 12, 16, 2.5], /hidden_sizes must be a list/],
    ["mamba2", "time_step_limit", [1, 0], /time_step_limit must be a list/],
    ["mamba2", "expand", 3, /hiddenSize \* expand \(72\) must be numHeads \* headDim \(48\)/],
    ["mllama", "text_config.cross_attention_layers", [0], /must leave out the first/],
    ["mllama", "text_config.cross_attention_layers", [9], /numbers below numHiddenLayers \(4\)/],
    ["mllama", "vision_config.intermediate_layers_indices", [2], /names layer 2 of 2/],
    [
      "mllama",
      "vision_config.supported_aspect_ratios",
      [[2, 2]],
      /2 x 2 tiles, but maxNumTiles is 2/,
    ],
    ["mllama", "vision_config.vision_output_dim", 48, /visionOutputDim is 48, but .* is 32/],
    ["llava", "vision_feature_layer", 9, /visionFeatureLayer 9 is not one of .* 4 hidden states/],
    ["llava", "vision_feature_layer", [-2, -9], /visionFeatureLayer -9 is not one of/],
    ["opt", "num_attention_heads", 3, /hiddenSize \(16\) must be a multiple of numAttentionHeads/],
    ["gptj", "rotary_dim", 3, /rotaryDim \(3\) values of each head's 8 cannot be rotated in pairs/],
    ["gptj", "rotary_dim", 10, /rotaryDim \(10\) values of each head's 8 cannot/],
    ["gptj", "n_head", 3, /nEmbd \(16\) must be a multiple of nHead \(3\)/],
    ["bloom", "n_head", 5, /hiddenSize \(12\) must be a multiple of nHead \(5\)/],
    [
      "falcon",
      "num_attention_heads",
      3,
      /hiddenSize \(16\) must be a multiple of numAttentionHeads/,
    ],
    ["falcon", "num_ln_in_parallel_attn", 2, /can be 2 where newDecoderArchitecture is true only/],
    ["falcon", "num_ln_in_parallel_attn", 3, /num_ln_in_parallel_attn must be one of 1, 2, null/],
    ["falcon", "rope_parameters.partial_rotary_factor", 0.5, /but heads are rotated as a whole/],
    ["falcon_new", "parallel_attn", false, /newDecoderArchitecture needs parallelAttn to be true/],
    ["falcon_new", "num_kv_heads", 3, /must be a multiple of numKvHeads \(3\)/],
    ["falcon_alibi", "num_kv_heads", 2, /numKvHeads is 2, but must be numAttentionHeads \(6\)/],
    ["vit", "patch_size", 32, /patchSize \(32\) must not be more than imageSize \(16\)/],
  ] as const)("%s: %s cannot be %j", async (name, path, value, wanted) => {
    expect(await refusal(configOf(changed(await fieldsOf(name), path, value)))).toMatch(wanted);
  });
});

/** Sizes of which no weight of the recorded models speaks. */
const UNSEEN =
  /heads$|_id$|_index$|feature_layer$|n_labels|num_classes|_distance$|context_length|rescale_every|projection_dim$|image_text|classifier_proj|encoder_hidden_size|expand$|n_groups|(esm|llava text_config.|mllama text_config.|mlp_classifier ?).*max_position|mlp_classifier vocab|seq_length|n_head$|rotary_dim|num_ln_in|gptj n_positions|falcon\w* max_position|rope_theta|factor$|_scale$|pooler_output_size/;

describe("sizes that the weights contradict", () => {
  const free = new Set(INERT.flatMap(([name, ...paths]) => paths.map((path) => `${name} ${path}`)));

  /** Whole numbers of a file, but for those that change nothing. */
  const sizesOf = async (name: string): Promise<Path[]> => {
    const fields = await fieldsOf(name);
    const inert = (path: Path): boolean =>
      FREE.test(lastOf(path)) || free.has(`${name.replace("itm", "vqa")} ${path}`);
    const whole = (path: Path): boolean =>
      Number.isInteger(valueAt(fields, path)) && (valueAt(fields, path) as number) > 0;
    return (await settingsOf(name)).filter((path) => whole(path) && !inert(path));
  };

  test.each(FAMILIES)("%s names each of them", async (name) => {
    const fields = await fieldsOf(name);
    const silent: string[] = [];
    for (const path of (await sizesOf(name)).filter((path) => !UNSEEN.test(`${name} ${path}`))) {
      const message = await refusal(loaded(name, changed(fields, path, (valueAt(fields, path) as number) * 2))); // prettier-ignore
      const snake = message.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
      if (!snake.includes(lastOf(path))) silent.push(`${path}: ${message}`);
    }
    expect(silent).toEqual([]);
  });

  test.each(FAMILIES)("%s answers a billion and a million at once", async (name) => {
    const fields = await fieldsOf(name);
    for (const path of await sizesOf(name)) {
      for (const value of [1e9, 1e6]) {
        const start = performance.now();
        const message = await refusal(loaded(name, changed(fields, path, value)));
        const seconds = (performance.now() - start) / 1000;
        // A test machine that is busy with others is slower than the second that is promised.
        expect(seconds, `${path} as ${value}: ${message}`).toBeLessThan(3);
        expect(message, path).toMatch(
          UNSEEN.test(`${name} ${path}`) ? /./ : /Config|contradict|do not fit/,
        );
      }
    }
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(300e6);
  });

  test.each([
    ["convnext", "depths", 1e5],
    ["convnext", "hidden_sizes", 1e9],
    ["resnet", "depths", 1e5],
    ["resnet", "hidden_sizes", 1e9],
  ])("%s: %s, each %d", async (name, path, value) => {
    const lists = {
      hidden_sizes: [8, 12, 16, 20],
      depths: [1, 1, 1, 1],
      [path]: Array(4).fill(value),
    };
    const start = performance.now();
    const message = await refusal(loaded(name, { ...(await fieldsOf(name)), ...lists }));
    expect(message).toContain(`${path} adds up to ${4 * value}`);
    expect(performance.now() - start).toBeLessThan(3000);
  });

  test("settings of a million are many, and refused at once", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 40_000 }, (_, i) => [`unknown_name_${i}`, 1]),
    );
    const long = { ["x".repeat(500_000)]: 1 };
    for (const more of [many, long]) {
      const start = performance.now();
      const message = await refusal(configOf({ ...(await fieldsOf("bert")), ...more }));
      expect(message).toMatch(/there is no setting|settings are more than any model has/);
      expect(message.length).toBeLessThan(5000);
      expect(performance.now() - start).toBeLessThan(3000);
    }
  });
});
