import {
  type GenerateOptions,
  Generator,
  GPT2LMHeadModel,
  randn,
  T5ForConditionalGeneration,
  type Tensor,
  tensor,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { referenceScores } from "./reference-scores.ts";

const VOCABULARY = 24;
const END = 23;
const int64 = (rows: number[][]): Tensor => tensor(rows, { dtype: "int64" });

function shaken<M extends GPT2LMHeadModel | T5ForConditionalGeneration>(model: M): M {
  const generator = new Generator(11);
  for (const parameter of model.parameters()) {
    parameter.set(randn(parameter.shape, { generator }).mul(0.4));
  }
  return model.eval() as M;
}

const gpt2 = shaken(
  new GPT2LMHeadModel({ nLayer: 1, nEmbd: 12, nHead: 2, vocabSize: VOCABULARY, nPositions: 32 }),
);
const t5 = shaken(
  new T5ForConditionalGeneration({
    vocabSize: VOCABULARY,
    dModel: 12,
    dKv: 4,
    dFf: 16,
    numHeads: 2,
    numLayers: 1,
    decoderStartTokenId: 0,
  }),
);
const PROMPT = [3, 7, 3, 9, 7];

/** One setting each, or several that meet. */
const LIKELIEST: readonly GenerateOptions[] = [
  { sequenceBias: [[[4], 3], [[3, 7], -50], [[7, 11], 9], [[5], -Infinity]] }, // prettier-ignore
  { sequenceBias: [[[1, 2, 3, 4, 5, 6], 50], [[6], 2]] }, // prettier-ignore
  { encoderRepetitionPenalty: 1.9 },
  { repetitionPenalty: 1.8 },
  { repetitionPenalty: 0.6 },
  { encoderRepetitionPenalty: 2.5, repetitionPenalty: 1.3 },
  { noRepeatNgramSize: 1 },
  { noRepeatNgramSize: 2 },
  { noRepeatNgramSize: 3 },
  { encoderNoRepeatNgramSize: 1 },
  { encoderNoRepeatNgramSize: 2 },
  { badWordsIds: [[4], [END], [3, 9], [7, 2]] },
  { minNewTokens: 5 },
  { minLength: 9 },
  { minLength: 30, minNewTokens: 2 },
  { forcedBosTokenId: 6 },
  { forcedEosTokenId: 9 },
  { forcedEosTokenId: [9, 4] },
  { forcedDecoderIds: [[1, 5], [2, null], [6, 8]] }, // prettier-ignore
  { exponentialDecayLengthPenalty: [1, 1.7] },
  { exponentialDecayLengthPenalty: [0, 3], minNewTokens: 3 },
  { suppressTokens: [1, 2, 3, 4, 5] },
  { beginSuppressTokens: [2, 7, 9, 11] },
  { beginSuppressTokens: [2, 7, 9, 11], forcedBosTokenId: 6 },
  { renormalizeLogits: true, repetitionPenalty: 1.2 },
];

const DRAWN: readonly GenerateOptions[] = [
  {},
  { temperature: 0.6 },
  { topK: 4 },
  { topK: 0, topP: 0.7 },
  { topP: 0 },
  { topK: 6, topP: 0.8 },
  { minP: 0.3 },
  { topH: 0.4 },
  { topH: 1, topK: 0 },
  { typicalP: 0.5 },
  { typicalP: 0.95, topK: 0 },
  { epsilonCutoff: 0.06 },
  { etaCutoff: 0.3 },
  { etaCutoff: 0.05, temperature: 2 },
  { temperature: 1.4, topH: 0.9, topK: 12, topP: 0.9, minP: 0.02, typicalP: 0.9, epsilonCutoff: 0.01, etaCutoff: 0.01, renormalizeLogits: true, repetitionPenalty: 1.3 }, // prettier-ignore
].map((options) => ({ ...options, doSample: true, seed: 5 }));

/** Greatest difference of the scores that were given, and those made of the logits that were given. */
async function check(
  options: GenerateOptions,
  written: { sequences: Tensor; logits?: readonly Tensor[]; scores?: readonly Tensor[] },
  { source, promptLength }: { readonly source: number[]; readonly promptLength: number },
): Promise<void> {
  const rows = (await written.sequences.toArray()) as number[][];
  expect(written.logits?.length).toBeGreaterThan(0);
  for (const [step, logits] of (written.logits ?? []).entries()) {
    const [raw, got] = await Promise.all([logits.toArray(), written.scores?.[step]?.toArray()]);
    for (const [row, ids] of rows.entries()) {
      const text = {
        ids: ids.slice(0, promptLength + step),
        promptLength,
        maxLength: promptLength + 8,
        source,
        eos: [END],
      };
      if (text.ids.slice(promptLength).includes(END)) continue;
      const wanted = referenceScores((raw as number[][])[row] ?? [], options, text);
      const own = (got as number[][])[row] ?? [];
      expect(own.map(Number.isFinite)).toEqual(wanted.map(Number.isFinite));
      own.forEach((score, id) => {
        if (Number.isFinite(score)) expect(score).toBeCloseTo(wanted[id] ?? NaN, 4);
      });
      if (options.doSample === true) {
        expect(own[ids[promptLength + step] ?? -1]).toBeGreaterThan(-Infinity);
      } else {
        expect(ids[promptLength + step]).toBe(own.indexOf(Math.max(...own)));
      }
    }
  }
}

const ALWAYS = { maxNewTokens: 8, eosTokenId: END, padTokenId: 0, outputLogits: true, outputScores: true }; // prettier-ignore

describe("scores are those of the formulas", () => {
  test.each([...LIKELIEST, ...DRAWN])("%j", async (options) => {
    const all = { ...ALWAYS, ...options };
    const written = await gpt2.generate({ inputIds: int64([PROMPT]) }, all);
    await check(options, written, { source: PROMPT, promptLength: 5 });
  });

  test.each(LIKELIEST)("of an encoder and a decoder: %j", async (options) => {
    const all = { ...ALWAYS, ...options };
    const written = await t5.generate({ inputIds: int64([PROMPT]) }, all);
    await check(options, written, { source: PROMPT, promptLength: 1 });
  });

  test("each row goes by its own text", async () => {
    const options = { noRepeatNgramSize: 2, repetitionPenalty: 1.5, encoderRepetitionPenalty: 1.4 };
    const rows = [PROMPT, [1, 2, 1, 2, 1]];
    const both = await gpt2.generate({ inputIds: int64(rows) }, { ...ALWAYS, ...options });
    for (const [i, row] of rows.entries()) {
      const alone = await gpt2.generate({ inputIds: int64([row]) }, { ...ALWAYS, ...options });
      const [ids = []] = await alone.sequences.toArray();
      const together = (await both.sequences.toArray())[i] ?? [];
      expect(together.slice(0, ids.length)).toEqual(ids);
    }
  });
});

/** Beam search by its definition, for texts that nothing ends: the scores are changed log-probabilities. */
async function slowBeams(options: GenerateOptions, beams: number): Promise<number[]> {
  let best = [{ ids: PROMPT, sum: 0 }];
  for (let step = 0; step < 6; step++) {
    const { logits } = gpt2.forward({ inputIds: int64(best.map(({ ids }) => ids)) });
    const next = (await logits.select(1, -1).logSoftmax(-1).toArray()) as number[][];
    best = best
      .flatMap(({ ids, sum }, i) => {
        const text = { ids, promptLength: 5, maxLength: 11, source: PROMPT, eos: [] };
        const scores = referenceScores(next[i] ?? [], options, text);
        return scores.map((score, token) => ({ ids: [...ids, token], sum: sum + score }));
      })
      .sort((a, b) => b.sum - a.sum)
      .slice(0, beams);
  }
  return best[0]?.ids ?? [];
}

describe("beams", () => {
  const settings = LIKELIEST.filter(
    (options) =>
      !("exponentialDecayLengthPenalty" in options) && options.forcedBosTokenId === undefined,
  );
  test.each(settings)("go by changed log-probabilities: %j", async (options) => {
    const all = { maxNewTokens: 6, numBeams: 3, eosTokenId: null, ...options };
    const { sequences } = await gpt2.generate({ inputIds: int64([PROMPT]) }, all);
    expect(await sequences.toArray()).toEqual([await slowBeams(options, 3)]);
  });

  test("are drawn where tokens are, the same again with a seed", async () => {
    const draw = async (seed: number): Promise<unknown> => {
      const options = { maxNewTokens: 6, numBeams: 3, eosTokenId: END, doSample: true, seed };
      return (await gpt2.generate({ inputIds: int64([PROMPT]) }, options)).sequences.toArray();
    };
    expect(await draw(1)).toEqual(await draw(1));
    const others = await Promise.all([1, 2, 3, 4, 5].map(draw));
    expect(new Set(others.map(String)).size).toBeGreaterThan(1);
  });

  test("that are drawn of one token are its beam search", async () => {
    // Three tokens are left to each beam, as of six candidates three may end.
    const options = { maxNewTokens: 5, numBeams: 2, eosTokenId: null, padTokenId: 0 } as const;
    const cold = { ...options, doSample: true, seed: 3, temperature: 1e-3, topK: 2 };
    const [a, b] = await Promise.all(
      [options, cold].map((all) => gpt2.generate({ inputIds: int64([PROMPT]) }, all)),
    );
    const greedy = await gpt2.generate({ inputIds: int64([PROMPT]) }, { ...options, numBeams: 1 });
    expect(await b?.sequences.toArray()).toEqual(await greedy.sequences.toArray());
    expect(a?.sequences.shape).toEqual(b?.sequences.shape);
  });
});
