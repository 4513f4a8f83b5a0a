import { cat, onesLike, type Tensor, tensor } from "tsvene";
import { describe, expect, test } from "vitest";
import { loadRecorded, type Model, plainInputs } from "../../scripts/parity/recorded-model.ts";
import { golden } from "../models/checkpoints.ts";
import { HEADED } from "../models/headed.ts";

/** Where the padding of a batch stands. */
type Side = "left" | "right" | "both" | "holes";

type Inputs = Readonly<Record<string, Tensor>>;
type Output = Readonly<Record<string, unknown>>;

interface Family {
  /** Tokens that each text ends with. */
  readonly end?: number;
  /** Tokens that each text begins with. */
  readonly begin?: number;
  /** Ids that mean something else than text. */
  readonly least?: number;
  /** Name of the mask. @default "attentionMask" */
  readonly decoder?: boolean;
  /** Padding that cannot be: refused. */
  readonly refused?: readonly Side[];
  /** Outputs that are one for each row, not one for each token. */
  readonly rows?: readonly string[];
  /** Whether it reads vectors, and no ids. @default false */
  readonly embeds?: boolean;
  /** Whether it is given images, where it takes some. @default true */
  readonly images?: boolean;
  /** Outputs that are compared. @default all known */
  readonly only?: readonly string[];
}

const LM: Family = {};
const RECURRENT: Family = { refused: ["holes"] };

const FAMILIES: Readonly<Record<string, Family>> = {
  backpack_gpt2: LM,
  bert: LM,
  blip_base: { rows: ["textEmbeds"] },
  blip_itm: { rows: ["itmScore"] },
  blip_vqa: { decoder: true },
  bloom: LM,
  clip: { end: 49, rows: ["textEmbeds"] },
  esm: { least: 4 },
  falcon: LM,
  falcon_alibi: LM,
  falcon_new: LM,
  gemma: LM,
  gemma2: LM,
  gemma3_text: LM,
  gpt2: LM,
  gpt2_classifier: { rows: ["logits"] },
  gpt_neo: LM,
  gpt_neox: LM,
  gpt_neox_serial: LM,
  gpt_oss: LM,
  gptj: LM,
  // As in pyvene, its last state is after the padding.
  gru_classifier: { rows: ["logits"], only: ["logits"], embeds: true },
  gru_lm: LM,
  llama: LM,
  llama3_rope: LM,
  llama_classifier: { rows: ["logits"] },
  llava: { images: false },
  mamba: RECURRENT,
  mamba2: RECURRENT,
  mistral: LM,
  mixtral: LM,
  mllama: LM,
  olmo: LM,
  olmo2: LM,
  opt: LM,
  opt_post_norm: LM,
  phi: LM,
  phi_head_norms: LM,
  phi3: LM,
  qwen2: LM,
  qwen3: LM,
  qwen3_moe: LM,
  rwkv: RECURRENT,
  t5: { decoder: true },
  t5_gated: { decoder: true },
  t5_sequences: { rows: ["logits"], end: 1, only: ["logits"], refused: ["holes"] },
  whisper: { decoder: true },
};

const int64 = (values: readonly (readonly number[])[]): Tensor =>
  tensor(values as number[][], { dtype: "int64" });

/** Slots of a batch of 8: which token of a text stands there, or -1. */
const SLOTS: Readonly<Record<Side, readonly (readonly number[])[]>> = {
  left: [[-1, -1, -1, -1, 0, 1, 2, 3], [-1, 0, 1, 2, 3, 4, 5, 6]], // prettier-ignore
  right: [[0, 1, 2, 3, -1, -1, -1, -1], [0, 1, 2, 3, 4, 5, 6, -1]], // prettier-ignore
  both: [[-1, -1, 0, 1, 2, 3, -1, -1], [0, 1, 2, 3, 4, 5, 6, -1]], // prettier-ignore
  holes: [[-1, 0, -1, 1, 2, -1, 3, -1], [0, 1, 2, 3, -1, 4, 5, 6]], // prettier-ignore
};

function textsOf({ begin, end, least = 3 }: Family): number[][] {
  const words = [[0, 7, 3, 11], [5, 2, 9, 14, 1, 8, 6]]; // prettier-ignore
  return words.map((row) => {
    const ids = row.map((id) => id + least);
    if (begin !== undefined) ids[0] = begin;
    if (end !== undefined) ids[ids.length - 1] = end;
    return ids;
  });
}

function padded(texts: readonly number[][], side: Side): { ids: Tensor; mask: Tensor } {
  const slots = SLOTS[side];
  const at = (row: number, slot: number): number => (slot < 0 ? 2 : (texts[row]?.[slot] ?? NaN));
  return {
    ids: int64(slots.map((row, b) => row.map((slot) => at(b, slot)))),
    mask: int64(slots.map((row) => row.map((slot) => (slot < 0 ? 0 : 1)))),
  };
}

/** The rest of a recorded model's inputs, the first row of each for all rows. */
function others(inputs: Inputs, rows: number): Inputs {
  const own = Object.entries(inputs).filter(
    ([name]) => !/ids$|mask$|labels|embeds/i.test(name) || name.startsWith("aspectRatio"),
  );
  return Object.fromEntries(
    own.map(([name, t]) => {
      const first = t.slice(0, 0, 1);
      return [name, first.expand([rows, ...t.shape.slice(1)])];
    }),
  );
}

const NAMES = [
  "logits", "lastHiddenState", "hiddenStates", "decoderHiddenStates", "encoderHiddenStates",
  "poolerOutput", "textEmbeds", "itmScore", "questionEmbeds",
]; // prettier-ignore

function tensorsOf(output: Output): [name: string, t: Tensor][] {
  return NAMES.flatMap((name): [string, Tensor][] => {
    const value = output[name];
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((t: Tensor, i) => [`${name}.${i}`, t]);
    return [[name, value as Tensor]];
  });
}

const load = (name: string): Promise<Model> => HEADED[name]?.load() ?? loadRecorded(golden(name));
const recordedInputs = (name: string): Promise<Inputs> =>
  HEADED[name]?.inputs() ?? plainInputs(golden(name));

/** Vectors that stand for ids, as wide as the recorded models that read vectors only. */
function vectorsOf(ids: Tensor): Tensor {
  const widths = tensor(Array.from({ length: 16 }, (_, i) => i + 1));
  return ids.to("float32").unsqueeze(-1).mul(widths).sin();
}

/** Inputs of a family with these ids. */
function inputsOf(family: Family, rest: Inputs, ids: Tensor, mask: Tensor | undefined): Inputs {
  const tokens = family.embeds === true ? { inputsEmbeds: vectorsOf(ids) } : { inputIds: ids };
  const text = { ...tokens, ...(mask && { attentionMask: mask }) };
  if (family.images === false) return text;
  if (family.decoder !== true) return { ...text, ...rest };
  const read = "inputFeatures" in rest ? {} : text;
  return { ...read, ...rest, decoderInputIds: ids, ...(mask && { decoderAttentionMask: mask }) };
}

async function check(name: string, side: Side): Promise<void> {
  const family = FAMILIES[name] ?? LM;
  const [model, recorded] = [await load(name), await recordedInputs(name)];
  const texts = textsOf(family);
  const { ids, mask } = padded(texts, side);
  const run = (i: Inputs): Output => model.forward(i) as Output;
  if (family.refused?.includes(side) === true) {
    expect(() => run(inputsOf(family, others(recorded, 2), ids, mask))).toThrow(/padding/);
    return;
  }
  const together = run(inputsOf(family, others(recorded, 2), ids, mask));
  for (const [b, text] of texts.entries()) {
    const alone = tensorsOf(run(inputsOf(family, others(recorded, 1), int64([text]), undefined)));
    const all = new Map(tensorsOf(together));
    expect(alone.length).toBeGreaterThan(0);
    const slots = (SLOTS[side][b] ?? []).flatMap((slot, i) => (slot < 0 ? [] : [i]));
    for (const [output, own] of alone) {
      if (family.only?.includes(output) === false) continue;
      const batch = all.get(output);
      if (batch === undefined) continue;
      const row = batch.select(0, b);
      const perToken =
        own.ndim === 3 && own.size(1) === text.length && family.rows?.includes(output) !== true;
      if (!perToken && own.ndim === 3) continue; // Of an image.
      const wanted = own.select(0, 0);
      const got = perToken ? row.indexSelect(0, slots) : row;
      const most = await got.sub(wanted).abs().amax().item();
      expect(most, `${output} of row ${b}`).toBeLessThan(1e-5);
    }
  }
}

describe.each(Object.keys(FAMILIES))("%s", (name) => {
  test.each(Object.keys(SLOTS) as Side[])("a row is what it is alone, padded %s", async (side) =>
    check(name, side),
  );
});

/** Language models whose cache is gone on from, and their kind of padding. */
const CACHED = Object.keys(FAMILIES).filter((name) => {
  const { decoder, rows, least } = FAMILIES[name] ?? LM;
  return decoder !== true && rows === undefined && least === undefined && !["bert", "gru_lm"].includes(name); // prettier-ignore
});

describe.each(CACHED)("%s with a cache", (name) => {
  const family = FAMILIES[name] ?? LM;
  const texts = textsOf(family);
  const next = [[4, 9], [12, 5]]; // prettier-ignore

  async function going(side: Side, withMask: boolean): Promise<void> {
    const model = await load(name);
    const run = (i: Inputs): Output => model.forward(i) as Output;
    const { ids, mask } = padded(texts, side);
    const { pastKeyValues } = run({ inputIds: ids, attentionMask: mask });
    const inputIds = int64(next);
    const read = run({
      inputIds,
      pastKeyValues: pastKeyValues as Tensor,
      ...(withMask ? { attentionMask: cat([mask, onesLike(inputIds)], 1) } : {}),
    });
    for (const [b, text] of texts.entries()) {
      const whole = run({ inputIds: int64([[...text, ...(next[b] ?? [])]]) });
      const wanted = (whole["logits"] as Tensor).select(0, 0).slice(0, text.length);
      const got = (read["logits"] as Tensor).select(0, b);
      expect(await got.sub(wanted).abs().amax().item()).toBeLessThan(1e-5);
    }
  }

  test.each([true, false])("goes on from left-padded rows (mask given: %s)", async (withMask) =>
    going("left", withMask),
  );

  test("goes on from right-padded rows, or refuses to", async () => {
    if (family.refused === undefined) return going("right", false);
    return expect(going("right", false)).rejects.toThrow(/there is padding between/);
  });
});
