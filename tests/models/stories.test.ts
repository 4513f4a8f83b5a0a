import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  AdditionIntervention,
  IntervenableModel,
  LlamaForCausalLM,
  type Tensor,
  tensor,
} from "tsvene";
import { describe, expect, test } from "vitest";

/** A small Llama that was trained on TinyStories, in the file format of llama2.c. */
const PLACE = fileURLToPath(new URL("../../../shared/models/llama-stories260K", import.meta.url));

const BOS = 1;

/** Sizes and weights of a llama2.c file: 7 numbers, then matrices one after another. */
async function readStories(): Promise<LlamaForCausalLM> {
  const { buffer, byteOffset } = await readFile(`${PLACE}/stories260K.bin`);
  const bytes = buffer.slice(byteOffset);
  const [dim = 0, hidden = 0, layers = 0, heads = 0, kvHeads = 0, vocab = 0, length = 0] =
    new Int32Array(bytes, 0, 7);
  const values = new Float32Array(bytes, 28);
  let at = 0;
  const take = (...shape: number[]): Tensor => {
    const size = shape.reduce((a, b) => a * b, 1);
    at += size;
    return tensor(values.slice(at - size, at), { shape });
  };
  const perLayer = (...shape: number[]): Tensor[] =>
    Array.from({ length: layers }, () => take(...shape));
  // Rotation turns neighbours there, and the halves of a head here.
  const halves = (w: Tensor): Tensor =>
    w.reshape([-1, dim / heads / 2, 2, dim]).permute([0, 2, 1, 3]).reshape(w.shape); // prettier-ignore
  const keys = (dim / heads) * kvHeads;
  const embedding = take(vocab, dim);
  const [attentionNorm, q, k, v, o] = [
    perLayer(dim),
    perLayer(dim, dim).map(halves),
    perLayer(keys, dim).map(halves),
    perLayer(keys, dim),
    perLayer(dim, dim),
  ];
  const mlpNorm = perLayer(dim);
  const [gate, down, up] = [perLayer(hidden, dim), perLayer(dim, hidden), perLayer(hidden, dim)];
  const state: Record<string, Tensor> = {
    "model.embed_tokens.weight": embedding,
    "lm_head.weight": embedding,
    "model.norm.weight": take(dim),
  };
  const named = {
    input_layernorm: attentionNorm,
    "self_attn.q_proj": q,
    "self_attn.k_proj": k,
    "self_attn.v_proj": v,
    "self_attn.o_proj": o,
    post_attention_layernorm: mlpNorm,
    "mlp.gate_proj": gate,
    "mlp.down_proj": down,
    "mlp.up_proj": up,
  };
  for (const [name, weights] of Object.entries(named)) {
    weights.forEach((w, i) => (state[`model.layers.${i}.${name}.weight`] = w));
  }
  const model = new LlamaForCausalLM({
    vocabSize: vocab,
    hiddenSize: dim,
    intermediateSize: hidden,
    numHiddenLayers: layers,
    numAttentionHeads: heads,
    numKeyValueHeads: kvHeads,
    maxPositionEmbeddings: length,
    rmsNormEps: 1e-5,
    tieWordEmbeddings: true,
    eosTokenId: null,
  });
  model.loadStateDict(state);
  return model.eval();
}

/** The texts of the tokens: a length, then for each a score, its length and its bytes. */
async function readTokens(): Promise<string[]> {
  const file = await readFile(`${PLACE}/tok512.bin`);
  const texts: string[] = [];
  for (let at = 4; at < file.length;) {
    const length = file.readInt32LE(at + 4);
    texts.push(file.toString("utf8", at + 8, at + 8 + length));
    at += 8 + length;
  }
  return texts.map((text) =>
    text.replace(/^<0x([0-9A-F]{2})>$/, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
  );
}

async function textOf(sequences: Tensor): Promise<string> {
  const tokens = await readTokens();
  const [ids = []] = (await sequences.toArray()) as number[][];
  const end = ids.indexOf(BOS, 1);
  const words = ids.slice(1, end < 0 ? undefined : end).map((id) => tokens[id] ?? "");
  return words.join("").replace(/^ /, "");
}

const PROMPT = { inputIds: tensor([[BOS]], { dtype: "int64" }) };

describe.skipIf(!existsSync(PLACE))("stories260K", () => {
  test("tells the recorded story", async () => {
    const model = await readStories();
    const { sequences } = await model.generate(PROMPT, { maxNewTokens: 200, eosTokenId: null });
    const expected = await readFile(`${PLACE}/expected_greedy_from_bos_200steps.txt`, "utf8");
    const story = await textOf(sequences);
    expect(story.trimEnd()).toBe(expected.trimEnd());
    expect(story.trimEnd().length).toBeGreaterThan(400);
  });

  test("tells of Tim where it told of Lily, when it is steered from the one name to the other", async () => {
    const model = await readStories();
    const tokens = await readTokens();
    const rows = model.model.embed_tokens.weight.value;
    const row = (word: string): Tensor => rows.select(0, tokens.indexOf(word));
    const sourceRepresentation = row(" Tim").sub(row(" Lily"));
    const intervention = new AdditionIntervention({ sourceRepresentation });
    const representations = [{ layer: 1, component: "block_output", intervention }] as const;
    const intervenable = new IntervenableModel({ representations }, model);
    const options = { maxNewTokens: 60, eosTokenId: null };
    const plain = await textOf((await model.generate(PROMPT, options)).sequences);
    const { intervened } = await intervenable.generate(PROMPT, options);
    const steered = await textOf(intervened.sequences);
    expect(plain).toMatch(/Lily.*\bShe\b/);
    expect(steered).toMatch(/Tim.*\bhis\b/);
    expect(steered).not.toMatch(/Lily|\bShe\b|\bher\b/);
  });
});
