import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  type GenerateOptions,
  GPT2LMHeadModel,
  IntervenableModel,
  MemoryFiles,
  randn,
  type Tensor,
  tensor,
  WhisperForConditionalGeneration,
  ZeroIntervention,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { FIELD_ROLES, knownFields } from "../../src/models/generation/fields.ts";
import { golden, temporaryDirectory } from "./checkpoints.ts";

const int64 = (rows: number[][]): Tensor => tensor(rows, { dtype: "int64" });
const PROMPT = { inputIds: int64([[34, 33, 20, 18, 38]]) };

type Json = Readonly<Record<string, unknown>>;

/** GPT-2 with a `generation_config.json`, or with further fields in `config.json` and no such file. */
async function withFile(generation: Json | undefined, config: Json = {}): Promise<GPT2LMHeadModel> {
  const read = (name: string): Promise<Buffer> => readFile(join(golden("gpt2"), name));
  const fields = JSON.parse((await read("config.json")).toString()) as Json;
  const files = {
    "config.json": JSON.stringify({ ...fields, ...config }),
    "model.safetensors": new Uint8Array(await read("model.safetensors")),
  };
  const file =
    generation === undefined ? {} : { "generation_config.json": JSON.stringify(generation) };
  return GPT2LMHeadModel.fromPretrained(new MemoryFiles({ ...files, ...file }));
}

async function written(model: GPT2LMHeadModel, options: GenerateOptions = {}): Promise<number[]> {
  const { sequences } = await model.generate(PROMPT, options);
  return (await sequences.toArray())[0]?.slice(5) ?? [];
}

/** Of each field that is an option: a value, the option, and what it needs beside it. */
const ACTING: readonly (readonly [Json, GenerateOptions])[] = [
  [{ max_new_tokens: 3 }, { maxNewTokens: 3 }],
  [{ max_length: 9 }, { maxLength: 9 }],
  [
    { min_new_tokens: 7, eos_token_id: 46 },
    { minNewTokens: 7, eosTokenId: 46 },
  ],
  [
    { min_length: 12, eos_token_id: 46 },
    { minLength: 12, eosTokenId: 46 },
  ],
  [{ repetition_penalty: 1.7 }, { repetitionPenalty: 1.7 }],
  [{ encoder_repetition_penalty: 1.9 }, { encoderRepetitionPenalty: 1.9 }],
  [{ no_repeat_ngram_size: 1 }, { noRepeatNgramSize: 1 }],
  [
    { encoder_no_repeat_ngram_size: 1, sequence_bias: [[[34], 99]] },
    {
      encoderNoRepeatNgramSize: 1,
      sequenceBias: [
        [[34], 99],
        [[9], 0],
      ],
    },
  ],
  [{ bad_words_ids: [[46], [4, 9]] }, { badWordsIds: [[46], [4, 9]] }], // prettier-ignore
  [{ sequence_bias: [[[7], 30.5]] }, { sequenceBias: [[[7], 30.5]] }], // prettier-ignore
  [{ suppress_tokens: [46, 4] }, { suppressTokens: [46, 4] }],
  [{ begin_suppress_tokens: [27, 4] }, { beginSuppressTokens: [27, 4] }],
  [{ forced_eos_token_id: 3 }, { forcedEosTokenId: 3 }],
  [{ forced_decoder_ids: [[6, 11]] }, { forcedDecoderIds: [[6, 11]] }], // prettier-ignore
  [{ exponential_decay_length_penalty: [1, 2.5], eos_token_id: 7 }, { exponentialDecayLengthPenalty: [1, 2.5], eosTokenId: 7 }], // prettier-ignore
  [{ num_beams: 3, length_penalty: -2.0, early_stopping: true, eos_token_id: 46 }, { numBeams: 3, lengthPenalty: -2, earlyStopping: true, eosTokenId: 46 }], // prettier-ignore
  [{ do_sample: true, temperature: 0.7, top_k: 5, top_p: 0.9, min_p: 0.05, typical_p: 0.9, epsilon_cutoff: 0.01, eta_cutoff: 0.01, top_h: 0.9 }, { doSample: true, temperature: 0.7, topK: 5, topP: 0.9, minP: 0.05, typicalP: 0.9, epsilonCutoff: 0.01, etaCutoff: 0.01, topH: 0.9 }], // prettier-ignore
  [
    { eos_token_id: [46, 4], pad_token_id: 1 },
    { eosTokenId: [46, 4], padTokenId: 1 },
  ],
  [{ use_cache: false, renormalize_logits: true, remove_invalid_values: true }, { useCache: false, renormalizeLogits: true, removeInvalidValues: true }], // prettier-ignore
];

describe("a field acts as the option of its name", () => {
  test.each(ACTING)("%j", async (fields, options) => {
    const plain = await withFile({});
    const acted = await written(await withFile(fields), { seed: 4 });
    expect(acted).toEqual(await written(plain, { seed: 4, ...options }));
    // Nothing of the prompt is likely here, so that nothing of it need be kept away.
    const acts = !("use_cache" in fields || "encoder_no_repeat_ngram_size" in fields);
    if (acts) expect(acted).not.toEqual(await written(plain));
  });

  test("and inherited from a config.json where there is no such file", async () => {
    const model = await withFile(undefined, { repetition_penalty: 1.7, max_length: 9 });
    const wanted = await written(await withFile({}), { repetitionPenalty: 1.7, maxLength: 9, eosTokenId: null }); // prettier-ignore
    expect(await written(model, { eosTokenId: null })).toEqual(wanted);
    expect((await withFile(undefined, { top_k: 50, temperature: 1 })).generationConfig).toEqual({});
    const told = await withFile({ max_new_tokens: 2 }, { repetition_penalty: 1.7 });
    expect(await written(told)).toHaveLength(2);
  });

  test("tokens that a file does not name are none, whatever config.json says", async () => {
    const [first = 0] = await written(await withFile({}));
    const stopped = await withFile(undefined, { eos_token_id: first });
    expect(await written(stopped)).toEqual([first]);
    expect(await written(await withFile({}, { eos_token_id: first }))).toHaveLength(20);
    expect(await written(await withFile({ eos_token_id: -1, pad_token_id: -1 }))).toHaveLength(20);
  });

  test("and a call goes before it; null takes it back", async () => {
    const model = await withFile({ repetition_penalty: 1.7, max_new_tokens: 4, do_sample: true });
    const plain = await withFile({});
    const options = { repetitionPenalty: 1.2, maxNewTokens: 6, doSample: false };
    expect(await written(model, options)).toEqual(await written(plain, options));
    const none = { repetitionPenalty: null, maxNewTokens: null, doSample: null };
    expect(await written(model, none)).toEqual(await written(plain));
    const { topK: _, ...unset } = { topK: undefined, ...options };
    expect(await written(model, unset)).toEqual(await written(plain, options));
  });

  test("sampling settings change nothing where the likeliest token is taken", async () => {
    const model = await withFile({ temperature: 0.2, top_k: 3, top_p: 0.5, min_p: 0.4 });
    expect(await written(model)).toEqual(await written(await withFile({})));
    expect(await written(await withFile({ temperature: 0 }))).toHaveLength(20);
  });

  test("numbers of new tokens go before lengths", async () => {
    expect(await written(await withFile({ max_length: 9, max_new_tokens: 2 }))).toHaveLength(2);
    const model = await withFile({ max_new_tokens: 2 });
    await expect(written(model, { maxLength: 9 })).rejects.toThrow(/maxLength 9 has no effect/);
    expect(await written(model, { maxLength: 9, maxNewTokens: null })).toHaveLength(4);
    // A file speaks of all prompts; what the model's 32 positions leave is less.
    expect(await written(await withFile({ max_length: 1000 }))).toHaveLength(28);
  });

  test("with interventions too", async () => {
    const model = await withFile({ suppress_tokens: [46, 4], max_new_tokens: 4, num_beams: 2 });
    const steered = new IntervenableModel(
      { layer: 0, component: "mlp_output", intervention: ZeroIntervention },
      model,
    );
    const { intervened } = await steered.generate(PROMPT, { steps: "all" });
    const [row = []] = await intervened.sequences.toArray();
    expect(row).toHaveLength(9);
    expect(row.slice(5).some((id) => id === 46 || id === 4)).toBe(false);
  });
});

const NONSENSE: readonly (readonly [Json, RegExp])[] = [
  [{ temperature: "hot" }, /generation_config.json: temperature must be a number above 0, got "hot"/], // prettier-ignore
  [{ temperature: 0, do_sample: true }, /temperature must be a number above 0, got 0/],
  [{ top_k: -1 }, /top_k must be a whole number of 0 or more, got -1/],
  [{ top_p: 7 }, /top_p must be/],
  [{ max_new_tokens: 0 }, /max_new_tokens must be a whole number of 1 or more, got 0/],
  [{ max_length: 3 }, /maxLength 3 leaves no room .* pass maxNewTokens/],
  [{ max_length: 1e300 }, /max_length must be a whole number/],
  [{ num_beams: 1e9 }, /num_beams must be .* at most 1000/],
  [{ num_return_sequences: 1e9, do_sample: true }, /num_return_sequences must be .* at most 10000/],
  [{ num_return_sequences: 2 }, /numReturnSequences change nothing/],
  [{ suppress_tokens: [1e9] }, /suppress_tokens 1000000000 is not a token; .* size 50/],
  [{ suppress_tokens: 5 }, /suppress_tokens must be a list of tokens/],
  [{ bad_words_ids: [5] }, /bad_words_ids must be a list of lists/],
  [{ bad_words_ids: [[]] }, /none of them empty/],
  [{ bad_words_ids: [[50]] }, /bad_words_ids 50 is not a token/],
  [{ sequence_bias: { "5": 1 } }, /sequence_bias must be a list of tokens and what is added/],
  [{ eos_token_id: "</s>" }, /eos_token_id must be a token or a list/],
  [{ eos_token_id: 1e9 }, /eos_token_id 1000000000 is not a token/],
  [{ pad_token_id: 50 }, /pad_token_id 50 is not a token/],
  [{ forced_eos_token_id: 4, suppress_tokens: [4] }, /forcedEosTokenId 4 is among suppressTokens/],
  [{ exponential_decay_length_penalty: [1, 2] }, /there are none; pass eosTokenId/],
  [{ exponential_decay_length_penalty: 2 }, /must be \[start, factor\]/],
  [{ stop_strings: ["."] }, /need the model's tokenizer/],
  [{ max_time: -1 }, /max_time must be/],
  [{ early_stopping: "soon" }, /early_stopping must be true, false or "never"/],
  [{ repetition_penality: 2 }, /field repetition_penality, which is not known; did you mean repetition_penalty/], // prettier-ignore
  [{ return_timestamps: true }, /returnTimestamps is for a Whisper/],
];

describe("is refused by its name", () => {
  test.each(NONSENSE)("%j", async (fields, message) => {
    await expect(written(await withFile(fields))).rejects.toThrow(message);
  });

  const refused = Object.entries(FIELD_ROLES).filter(([, { kind }]) => kind === "refused");
  test.each(refused)("%s unless neutral", async (name, role) => {
    await expect(written(await withFile({ [name]: ["x"] }))).rejects.toThrow(
      new RegExp(`generation_config.json: ${name} is \\["x"\\], which is not done`),
    );
    for (const value of role.kind === "refused" ? role.neutral : []) {
      expect(await written(await withFile({ [name]: value, max_new_tokens: 1 }))).toHaveLength(1);
    }
  });

  const ignored = Object.entries(FIELD_ROLES).filter(([, { kind }]) => kind === "ignored");
  test("but what changes no text is not", async () => {
    const model = await withFile(Object.fromEntries(ignored.map(([name]) => [name, ["x"]])));
    expect(await written(model)).toEqual(await written(await withFile({})));
  });

  test("a file that is no object, as it is loaded", async () => {
    await expect(withFile([] as unknown as Json)).rejects.toThrow(/expected an object of settings/);
  });
});

test("a file is written back as it was", async () => {
  const fields = {
    _from_model_config: true,
    eos_token_id: 4,
    transformers_version: "5.18.0",
    lang_to_id: { "<|zh_TW|>": 5 },
    sequence_bias: [[[7, 8], 2]], // prettier-ignore
    temperature: 1,
    top_k: 3,
    unknown_to_us: { keep_It: [1, null] },
  };
  const model = await withFile(fields);
  const directory = await temporaryDirectory();
  await model.savePretrained(directory);
  const text = await readFile(join(directory, "generation_config.json"), "utf8");
  expect(JSON.parse(text)).toEqual(fields);
  // Python tells fractions by their point.
  expect(text).toContain('"temperature": 1.0');
  expect(text.replaceAll(/\s/g, "")).toContain('"sequence_bias":[[[7,8],2.0]]');
  await writeFile(join(directory, "generation_config.json"), JSON.stringify({ max_new_tokens: 2 }));
  const again = await GPT2LMHeadModel.fromPretrained(directory);
  expect(await written(again)).toHaveLength(2);
});

test("every field is in the table of the docs once, with what it does", async () => {
  const page = await readFile("docs/guide/files.md", "utf8");
  const [, section = ""] = page.split("## generation_config.json");
  const rows = [...(section.split("\n## ")[0] ?? "").matchAll(/^\| `(\w+)` +\| (.*?) *\|$/gm)];
  const names = knownFields();
  expect(rows.map(([, name]) => name)).toEqual(names);
  for (const [, name = "", text = ""] of rows) {
    const role = FIELD_ROLES[name];
    if (role?.kind === "ignored") expect(text).toBe(`ignored: ${role.why}`);
    else if (role?.kind === "refused") expect(text).toMatch(/^refused unless `null`/);
    else expect(text).toMatch(/^acts (as `\w+`|for a Whisper)/);
  }
});

describe("a caller's own functions", () => {
  test("change scores, for each row by itself", async () => {
    const model = await withFile({});
    const seen: number[] = [];
    const { sequences } = await model.generate(
      { inputIds: int64([[1, 2], [3, 4]]) }, // prettier-ignore
      {
        maxNewTokens: 2,
        logitsProcessors: [
          (ids, scores, { row, promptLength }) => {
            seen.push(promptLength);
            return scores.map((_, id) => (id === row + ids.length ? 1 : 0));
          },
        ],
      },
    );
    expect(await sequences.toArray()).toEqual([[1, 2, 2, 3], [3, 4, 3, 4]]); // prettier-ignore
    expect(seen).toEqual([2, 2, 2, 2]);
    const wrong = { logitsProcessors: () => undefined as unknown as number[] };
    await expect(model.generate(PROMPT, wrong)).rejects.toThrow(/must return the 50 scores .* nothing; return scores/); // prettier-ignore
    const none = { logitsProcessors: (_: readonly number[], scores: Float32Array) => scores.fill(-Infinity) }; // prettier-ignore
    await expect(model.generate(PROMPT, none)).rejects.toThrow(/no token is left to choose: logitsProcessors leave none/); // prettier-ignore
  });

  test.each([1, 3])("end rows (beams: %d)", async (numBeams) => {
    const model = await withFile({});
    const stoppingCriteria = (ids: readonly number[], scores: Float32Array): boolean => {
      expect(scores).toHaveLength(50);
      return ids.length === 8;
    };
    const { sequences } = await model.generate(PROMPT, { numBeams, stoppingCriteria });
    expect(sequences.shape).toEqual([1, 8]);
  });

  test("time ends all rows", async () => {
    const model = await withFile({ max_time: 1e-9 });
    expect(await written(model)).toHaveLength(1);
    expect(await written(model, { numBeams: 2 })).toHaveLength(1);
  });
});

describe("stop strings", () => {
  test("end a text where they occur, also inside of a token", async () => {
    const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
    const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
    const prompt = tokenizer.tokenize("The capital of Spain is");
    const textOf = async (options: GenerateOptions): Promise<string> => {
      const { sequences } = await model.generate(prompt, { maxNewTokens: 12, ...options });
      const [row = []] = await sequences.toArray();
      return tokenizer.decode(row.slice(prompt.inputIds.size(1)));
    };
    const free = await textOf({ eosTokenId: null });
    const stop = free.slice(4, 7);
    const cut = await textOf({ eosTokenId: null, stopStrings: [stop], tokenizer });
    expect(free.startsWith(cut)).toBe(true);
    expect(cut).toContain(stop);
    expect(cut.length).toBeLessThan(free.length);
    // The prompt itself does not count.
    const again = { eosTokenId: null, stopStrings: "Spain", tokenizer };
    expect((await textOf(again)).length).toBeGreaterThan(1);
  });
});

describe("a Whisper", () => {
  const sizes = { dModel: 16, encoderLayers: 1, encoderAttentionHeads: 2, encoderFfnDim: 16, decoderLayers: 1, decoderAttentionHeads: 2, decoderFfnDim: 16 }; // prettier-ignore
  const whisper = new WhisperForConditionalGeneration({
    ...sizes,
    vocabSize: 60,
    numMelBins: 8,
    maxSourcePositions: 10,
    maxTargetPositions: 24,
    decoderStartTokenId: 40,
    padTokenId: 1,
    bosTokenId: 1,
    eosTokenId: 1,
  }).eval();
  const FIELDS = {
    langToId: { "<|en|>": 41, "<|de|>": 42, "<|jw|>": 43 },
    taskToId: { transcribe: 45, translate: 46 },
    noTimestampsTokenId: 49,
    isMultilingual: true,
    maxInitialTimestampIndex: 3,
    suppressTokens: [5, 6],
    beginSuppressTokens: [7, 1],
  };
  const inputFeatures = randn([2, 8, 20]);

  async function heard(options: GenerateOptions, fields: object = {}): Promise<number[][]> {
    whisper.generationConfig = { ...FIELDS, ...fields };
    const all = { maxNewTokens: 6, ...options };
    return (await whisper.generate({ inputFeatures }, all)).sequences.toArray(); // prettier-ignore
  }
  const starts = async (
    options: GenerateOptions,
    fields: object,
    length: number,
  ): Promise<number[]> =>
    // prettier-ignore
    (await heard(options, fields))[0]?.slice(0, length) ?? [];

  test("begins with the language, the task and no times", async () => {
    expect(await starts({ language: "German" }, {}, 4)).toEqual([40, 42, 45, 49]);
    expect(await starts({ language: "<|en|>", task: "translate" }, {}, 4)).toEqual([
      40, 41, 46, 49,
    ]);
    expect(await starts({}, { language: "javanese" }, 4)).toEqual([40, 43, 45, 49]);
    const forced = { forcedDecoderIds: [[1, 42], [2, 46]] }; // prettier-ignore
    expect(await starts({}, forced, 4)).toEqual([40, 42, 46, 49]);
  });

  test("hears the language where none is given", async () => {
    const rows = await heard({});
    const start = int64([[40], [40]]); // prettier-ignore
    const { logits } = whisper.forward({ inputFeatures, decoderInputIds: start });
    const best = await logits.select(1, 0).slice(1, 41, 44).argmax(-1).toArray(1);
    expect(rows.map((row) => row.slice(0, 3))).toEqual(best.map((i) => [40, 41 + i, 49]));
  });

  test("writes times in pairs that do not go back", async () => {
    for (const row of await heard({ language: "en", returnTimestamps: true, maxNewTokens: 12 })) {
      const text = row.slice(3);
      expect(row.slice(0, 3)).toEqual([40, 41, 45]);
      expect(text[0]).toBeGreaterThanOrEqual(50);
      expect(text[0]).toBeLessThanOrEqual(53);
      const times = text.filter((id) => id >= 50);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(text).not.toContain(49);
      expect(text.some((id) => id === 5 || id === 6)).toBe(false);
    }
  });

  test("says what it has not", async () => {
    await expect(heard({ language: "klingon" })).rejects.toThrow(/language "klingon" is not among the 3/); // prettier-ignore
    await expect(heard({ language: "en" }, { isMultilingual: false })).rejects.toThrow(/English only/); // prettier-ignore
    await expect(heard({ task: "translate" }, { taskToId: { transcribe: 45 } })).rejects.toThrow(/no task translate/); // prettier-ignore
    await expect(heard({ encoderRepetitionPenalty: 2 })).rejects.toThrow(/give inputIds too/);
    whisper.generationConfig = {};
    await expect(whisper.generate({ inputFeatures }, { language: "en" })).rejects.toThrow(/are for a Whisper whose/); // prettier-ignore
  });
});
