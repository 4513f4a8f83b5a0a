import { describe, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  EditScope,
  type GenerateOptions,
  Generator,
  GPT2LMHeadModel,
  IntervenableModel,
  randn,
  stack,
  type Tensor,
  tensor,
} from "tsvene";
import { golden } from "./checkpoints.ts";

const VOCABULARY = 5;
const END = 4;

function tiny(seed: number): GPT2LMHeadModel {
  const config = { nLayer: 2, nEmbd: 12, nHead: 2, vocabSize: VOCABULARY, nPositions: 16 };
  const model = new GPT2LMHeadModel(config).eval();
  const generator = new Generator(seed);
  for (const parameter of model.parameters()) {
    parameter.set(randn(parameter.shape, { generator }).mul(0.7));
  }
  return model;
}

const model = tiny(0);
const int64 = (rows: readonly (readonly number[])[]): Tensor =>
  tensor(
    rows.map((row) => [...row]),
    { dtype: "int64" },
  );
const PROMPTS = [[0, 1, 2], [3, 2, 0]] as const; // prettier-ignore

/** Log-probabilities of the token after each of some texts, from whole passes. */
async function nextOf(texts: readonly (readonly number[])[]): Promise<number[][]> {
  const { logits } = model.forward({ inputIds: int64(texts) });
  return (await logits.select(1, -1).logSoftmax(-1).toArray()) as number[][];
}

interface Text {
  readonly ids: readonly number[];
  readonly sum: number;
}

/** Every text of at most `length` new tokens, ended by END or by its length. */
async function everyText(prompt: readonly number[], length: number): Promise<Text[]> {
  const ended: Text[] = [];
  let open: Text[] = [{ ids: prompt, sum: 0 }];
  for (let step = 1; step <= length; step++) {
    const next = await nextOf(open.map(({ ids }) => ids));
    const longer = open.flatMap(({ ids, sum }, i) =>
      Array.from({ length: VOCABULARY }, (_, token) => ({
        ids: [...ids, token],
        sum: sum + (next[i]?.[token] ?? 0),
      })),
    );
    const ends = ({ ids }: Text): boolean => step === length || ids.at(-1) === END;
    ended.push(...longer.filter(ends));
    open = longer.filter((text) => !ends(text));
  }
  return ended;
}

async function rows(t: Tensor | undefined): Promise<number[][]> {
  return (await t?.toArray()) as number[][];
}

function padded(ids: readonly number[], length: number): number[] {
  return [...ids, ...Array.from({ length: length - ids.length }, () => END)];
}

describe("enough beams find the best texts of all", () => {
  test.each([0.5, 1, 2])("by length ** %f", async (lengthPenalty) => {
    const { sequences, sequencesScores } = await model.generate(
      { inputIds: int64(PROMPTS) },
      {
        maxNewTokens: 3,
        numBeams: 125,
        numReturnSequences: 3,
        lengthPenalty,
        earlyStopping: "never",
        eosTokenId: END,
      },
    );
    const found = await rows(sequences);
    const scores = await sequencesScores?.data();
    for (const [i, prompt] of PROMPTS.entries()) {
      const score = ({ ids, sum }: Text): number => sum / (ids.length - 3) ** lengthPenalty;
      const best = (await everyText(prompt, 3)).sort((a, b) => score(b) - score(a)).slice(0, 3);
      const length = found[0]?.length ?? 0;
      expect(found.slice(3 * i, 3 * i + 3)).toEqual(best.map(({ ids }) => padded(ids, length)));
      best.forEach((text, j) => expect(scores?.[3 * i + j]).toBeCloseTo(score(text), 4));
    }
  });
});

/** Beams that no text ends, kept one by one. */
async function slowBeams(prompt: readonly number[], beams: number, length: number): Promise<Text> {
  let best: Text[] = [{ ids: prompt, sum: 0 }];
  for (let step = 0; step < length; step++) {
    const next = await nextOf(best.map(({ ids }) => ids));
    best = best
      .flatMap(({ ids, sum }, i) =>
        (next[i] ?? []).map((logp, token) => ({ ids: [...ids, token], sum: sum + logp })),
      )
      .sort((a, b) => b.sum - a.sum)
      .slice(0, beams);
  }
  return best[0] ?? { ids: [], sum: NaN };
}

test.each([true, false])("few beams keep the likeliest (cache: %s)", async (useCache) => {
  const options = { maxNewTokens: 6, numBeams: 3, eosTokenId: null, useCache } as const;
  const { sequences, sequencesScores } = await model.generate(
    { inputIds: int64(PROMPTS) },
    options,
  );
  const found = await rows(sequences);
  for (const [i, prompt] of PROMPTS.entries()) {
    const { ids, sum } = await slowBeams(prompt, 3, 6);
    expect(found[i]).toEqual(ids);
    expect((await sequencesScores?.data())?.[i]).toBeCloseTo(sum / 6, 4);
  }
});

test("rows of a padded batch are as alone", async () => {
  const options = { maxNewTokens: 5, numBeams: 3, eosTokenId: null, padTokenId: 0 } as const;
  const batch = await model.generate(
    {
      inputIds: int64([[0, 0, 1], [3, 2, 0]]), // prettier-ignore
      attentionMask: int64([[0, 0, 1], [1, 1, 1]]), // prettier-ignore
    },
    options,
  );
  const alone = await model.generate({ inputIds: int64([[1]]) }, options);
  expect((await rows(batch.sequences))[0]?.slice(2)).toEqual((await rows(alone.sequences))[0]);
});

test.each(["gpt2", "llama", "gru_lm", "mamba", "rwkv", "backpack_gpt2"])(
  "%s writes the same with and without its cache",
  async (name) => {
    const family = await AutoModelForCausalLM.fromPretrained(golden(name));
    const write = async (useCache: boolean): Promise<number[][]> => {
      const options = { maxNewTokens: 5, numBeams: 4, eosTokenId: null, padTokenId: 0, useCache };
      return rows((await family.generate({ inputIds: int64([[5, 7, 9], [1, 2, 3]]) }, options)).sequences); // prettier-ignore
    };
    expect(await write(true)).toEqual(await write(false));
  },
);

test("a search that stops early gives texts that are no better", async () => {
  const score = async (earlyStopping: boolean | "never"): Promise<number> => {
    const options = { maxNewTokens: 8, numBeams: 3, eosTokenId: END, earlyStopping };
    const { sequencesScores } = await model.generate({ inputIds: int64([[0, 1, 2]]) }, options);
    return (await sequencesScores?.data())?.[0] as number;
  };
  const [first, likely, never] = [await score(true), await score(false), await score("never")];
  expect(first).toBeLessThanOrEqual(likely);
  expect(likely).toBeLessThanOrEqual(never);
});

test("beams are steered row by row, in every step", async () => {
  const directions = randn([2, 1, 12], { generator: new Generator(3) }).mul(2);
  const intervenable = new IntervenableModel<GPT2LMHeadModel>(
    {
      layer: 0,
      component: "mlp_output",
      intervention: (b: Tensor, source?: Tensor) => b.add(source ?? 0),
    },
    model,
  );
  const { intervened } = await intervenable.generate(
    { inputIds: int64(PROMPTS) },
    {
      maxNewTokens: 5,
      numBeams: 3,
      numReturnSequences: 2,
      eosTokenId: null,
      steps: "all",
      sourceRepresentations: directions,
    },
  );
  const scores = await intervened.sequencesScores?.data();
  const found = await rows(intervened.sequences);
  expect(found).toHaveLength(4);
  for (const [i, ids] of found.entries()) {
    const { mlp } = model.transformer.h.at(0);
    const scope = new EditScope().on(mlp, "output", (y) => y.add(directions.select(0, i >> 1)));
    const { logits } = scope.run(() => model.forward({ inputIds: int64([ids]) }));
    const logps = (await logits.select(0, 0).logSoftmax(-1).toArray()) as number[][];
    const sum = ids.slice(3).reduce((total, id, at) => total + (logps[at + 2]?.[id] ?? 0), 0);
    expect(scores?.[i]).toBeCloseTo(sum / 5, 4);
  }
});

test("gives logits of each beam", async () => {
  const options = { maxNewTokens: 3, numBeams: 3, eosTokenId: null, outputLogits: true, outputScores: true }; // prettier-ignore
  const { logits = [], scores = [] } = await model.generate({ inputIds: int64(PROMPTS) }, options);
  expect(stack([...logits], 0).shape).toEqual([3, 6, VOCABULARY]);
  expect(await scores[0]?.exp().sum({ dim: 1 }).sub(1).abs().amax().item()).toBeLessThan(1e-5);
});

const wrong: readonly (readonly [name: string, options: GenerateOptions, message: RegExp])[] = [
  ["no beams", { numBeams: 0 }, /numBeams must be a whole number of 1 or more/],
  ["more texts than beams", { numBeams: 2, numReturnSequences: 3 }, /2 beams cannot give 3/],
  ["a penalty without beams", { lengthPenalty: 2 }, /are for beams; pass numBeams as well/],
  ["a penalty that is none", { numBeams: 2, lengthPenalty: NaN }, /lengthPenalty must be a number/],
  [
    "another stop",
    { numBeams: 2, earlyStopping: "soon" as never },
    /earlyStopping must be true, false or "never", got "soon"/,
  ],
];

test.each(wrong)("refuses %s", async (_, options, message) => {
  await expect(model.generate({ inputIds: int64(PROMPTS) }, options)).rejects.toThrow(message);
});

test("a stream has no beams", async () => {
  const stream = model.stream({ inputIds: int64(PROMPTS) }, { numBeams: 2, eosTokenId: null });
  await expect(stream.next()).rejects.toThrow(/numBeams is for generate\(\)/);
});
