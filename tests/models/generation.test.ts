import {
  type CausalLMOutput,
  type GenerateInputs,
  type GenerateOptions,
  GPT2LMHeadModel,
  manualSeed,
  type Tensor,
  tensor,
  type TraceStep,
} from "tsvene";
import { beforeAll, describe, expect, test } from "vitest";
import { golden } from "./checkpoints.ts";

let model: GPT2LMHeadModel;

beforeAll(async () => {
  model = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
});

const int64 = (values: number[][]): Tensor => tensor(values, { dtype: "int64" });
const PROMPT = { inputIds: int64([[34, 33, 20, 18, 38]]) };
const PADDED = {
  inputIds: int64([
    [0, 0, 34, 33, 20],
    [22, 22, 16, 28, 46],
  ]),
  attentionMask: int64([
    [0, 0, 1, 1, 1],
    [1, 1, 1, 1, 1],
  ]),
};

async function rows(inputs: GenerateInputs, options: GenerateOptions = {}): Promise<number[][]> {
  return (await model.generate(inputs, options)).sequences.toArray();
}

/** The likeliest next token of a whole text, without cache or generation code. */
async function next(ids: number[]): Promise<number> {
  return model
    .forward({ inputIds: int64([ids]) })
    .logits.select(1, -1)
    .argmax(-1)
    .item();
}

describe("the likeliest token", () => {
  test("is what a plain forward pass gives, token after token", async () => {
    const ids = [34, 33, 20, 18, 38];
    for (let i = 0; i < 8; i++) ids.push(await next(ids));
    expect(await rows(PROMPT, { maxNewTokens: 8 })).toEqual([ids]);
    expect(await rows(PROMPT, { maxNewTokens: 8, useCache: false })).toEqual([ids]);
  });

  test.each([true, false])("rows of a padded batch are as alone (cache: %s)", async (useCache) => {
    const batch = await rows(PADDED, { maxNewTokens: 6, useCache });
    const [first] = await rows({ inputIds: int64([[34, 33, 20]]) }, { maxNewTokens: 6 });
    const [second] = await rows({ inputIds: int64([[22, 22, 16, 28, 46]]) }, { maxNewTokens: 6 });
    expect(batch).toEqual([[0, 0, ...(first ?? [])], second]);
  });

  test("padding is found by the padding token, as long as it is no stop token", async () => {
    const { inputIds } = PADDED;
    const masked = await rows(PADDED, { maxNewTokens: 6 });
    expect(await rows({ inputIds }, { maxNewTokens: 6, padTokenId: 0 })).toEqual(masked);
    const unmasked = await rows({ inputIds }, { maxNewTokens: 6 });
    expect(unmasked).not.toEqual(masked);
    const stop = { maxNewTokens: 6, padTokenId: 0, eosTokenId: 0 };
    expect(await rows({ inputIds }, stop)).toEqual(unmasked);
  });

  test("a prompt of one token", async () => {
    const ids = [7];
    for (let i = 0; i < 3; i++) ids.push(await next(ids));
    expect(await rows({ inputIds: int64([[7]]) }, { maxNewTokens: 3 })).toEqual([ids]);
  });
});

describe("length", () => {
  test("20 new tokens unless said otherwise, or what the positions leave", async () => {
    expect((await rows(PROMPT))[0]).toHaveLength(25);
    const long = { inputIds: int64([Array.from({ length: 30 }, (_, i) => i)]) };
    // As in Python, up to the model's 32 positions; the last token needs none, so that 33 can be had.
    expect((await rows(long))[0]).toHaveLength(32);
    expect((await rows(long, { maxNewTokens: 3 }))[0]).toHaveLength(33);
  });

  test("maxLength counts the prompt", async () => {
    expect((await rows(PROMPT, { maxLength: 7 }))[0]).toHaveLength(7);
  });
});

describe("stop tokens", () => {
  test("end a row, which is then filled up; the batch ends with its last row", async () => {
    const free = await rows(PADDED, { maxNewTokens: 6 });
    const [a = [], b = []] = free.map((row) => row.slice(5));
    const stop = b[1] ?? -1;
    const first = b.indexOf(stop);
    const length = a.includes(stop) ? Math.max(a.indexOf(stop), first) + 1 : 6;
    const stopped = await rows(PADDED, { maxNewTokens: 6, eosTokenId: stop, padTokenId: 9 });
    const fill = (row: number[]): number[] =>
      row.slice(0, length).map((id, i) => (row.slice(0, i).includes(stop) ? 9 : id));
    expect(stopped.map((row) => row.slice(5))).toEqual([fill(a), fill(b)]);
    expect(first).toBeLessThan(5);
  });

  test("a batch whose rows have all ended is not continued", async () => {
    const [free = []] = await rows(PROMPT, { maxNewTokens: 6 });
    const stop = free[7] ?? -1;
    const [stopped] = await rows(PROMPT, { maxNewTokens: 6, eosTokenId: [49, stop] });
    expect(stopped).toEqual(free.slice(0, free.indexOf(stop, 5) + 1));
  });

  test("fill with the stop token where there is no padding token", async () => {
    const free = await rows(PADDED, { maxNewTokens: 6 });
    const stop = free[1]?.[5] ?? -1;
    const stopped = await rows(PADDED, { maxNewTokens: 6, eosTokenId: stop });
    expect(new Set(stopped[1]?.slice(5))).toEqual(new Set([stop]));
  });

  test("minNewTokens keeps them away", async () => {
    const [free = []] = await rows(PROMPT, { maxNewTokens: 6 });
    const stop = free[5] ?? -1;
    expect(await rows(PROMPT, { maxNewTokens: 6, eosTokenId: stop })).toEqual([free.slice(0, 6)]);
    const options = { maxNewTokens: 6, eosTokenId: stop, minNewTokens: 3 };
    const [kept = []] = await rows(PROMPT, options);
    expect(kept.slice(5, 8)).not.toContain(stop);
    expect(kept.length).toBeGreaterThanOrEqual(8);
  });

  test("come from generation_config.json before config.json", async () => {
    const other = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
    const [free = []] = await rows(PROMPT, { maxNewTokens: 6 });
    other.generationConfig = { eosTokenId: free[5] ?? -1 };
    const { sequences } = await other.generate(PROMPT, { maxNewTokens: 6 });
    expect(await sequences.toArray()).toEqual([free.slice(0, 6)]);
    const all = await other.generate(PROMPT, { maxNewTokens: 6, eosTokenId: null });
    expect(await all.sequences.toArray()).toEqual([free]);
  });
});

describe("sampling", () => {
  test("repeats with the seed, and only with it", async () => {
    const draw = (seed: number): Promise<number[][]> =>
      rows(PROMPT, { maxNewTokens: 12, doSample: true, seed });
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(1)).not.toEqual(await draw(2));
    const unseeded = (): Promise<number[][]> => rows(PROMPT, { maxNewTokens: 12, doSample: true });
    manualSeed(3);
    const first = await unseeded();
    expect(await unseeded()).not.toEqual(first);
    manualSeed(3);
    expect(await unseeded()).toEqual(first);
  });

  test("a row is drawn the same whatever stands beside it", async () => {
    const options = { maxNewTokens: 6, doSample: true, seed: 4 };
    const [first] = await rows({ inputIds: int64([[34, 33, 20]]) }, options);
    expect((await rows(PADDED, options))[0]).toEqual([0, 0, ...(first ?? [])]);
  });

  test("among one token is the likeliest token", async () => {
    const likeliest = await rows(PROMPT, { maxNewTokens: 8 });
    const options = { maxNewTokens: 8, doSample: true, seed: 0 };
    expect(await rows(PROMPT, { ...options, topK: 1 })).toEqual(likeliest);
    expect(await rows(PROMPT, { ...options, topP: 1e-6 })).toEqual(likeliest);
    expect(await rows(PROMPT, { ...options, temperature: 1e-4 })).toEqual(likeliest);
  });

  test("draws as often as the scores say", async () => {
    const numReturnSequences = 4000;
    const options = { maxNewTokens: 1, doSample: true, seed: 8, numReturnSequences };
    const { sequences } = await model.generate(PROMPT, { ...options, temperature: 0.7, topK: 6 });
    const drawn = (await sequences.toArray()).map((row) => row[5] ?? -1);
    const logits = model.forward(PROMPT).logits.select(1, -1).select(0, 0);
    const { values, indices } = logits.topk(6);
    const shares = (await values.div(0.7).softmax(-1).toArray()) as number[];
    const ids = (await indices.toArray()) as number[];
    expect(drawn.every((id) => ids.includes(id))).toBe(true);
    ids.forEach((id, i) => {
      const share = drawn.filter((other) => other === id).length / numReturnSequences;
      expect(Math.abs(share - (shares[i] ?? 0))).toBeLessThan(0.03);
    });
  });

  test("several continuations of each prompt stand together", async () => {
    const options = { maxNewTokens: 4, doSample: true, seed: 1, numReturnSequences: 3 };
    const all = await rows(PADDED, options);
    expect(all.map((row) => row.slice(0, 5))).toEqual([
      ...Array.from({ length: 3 }, () => [0, 0, 34, 33, 20]),
      ...Array.from({ length: 3 }, () => [22, 22, 16, 28, 46]),
    ]);
    expect(new Set(all.slice(0, 3).map((row) => row.join())).size).toBeGreaterThan(1);
  });
});

describe("repetition penalty", () => {
  test("acts on every token that occurred, prompt included", async () => {
    const penalty = 1.7;
    const ids = [34, 33, 20, 18, 38];
    for (let i = 0; i < 6; i++) {
      const logits = model
        .forward({ inputIds: int64([ids]) })
        .logits.select(1, -1)
        .select(0, 0);
      const values = (await logits.toArray()) as number[];
      const scores = values.map((v, id) => {
        if (!ids.includes(id)) return v;
        return v < 0 ? v * penalty : v / penalty;
      });
      ids.push(scores.indexOf(Math.max(...scores)));
    }
    const generated = await rows(PROMPT, { maxNewTokens: 6, repetitionPenalty: penalty });
    expect(generated).toEqual([ids]);
    expect(generated).not.toEqual(await rows(PROMPT, { maxNewTokens: 6 }));
  });
});

describe("logits and scores", () => {
  test("are given when asked for, one tensor a token", async () => {
    const options = { maxNewTokens: 3, outputLogits: true, outputScores: true };
    const { sequences, logits, scores } = await model.generate(PADDED, options);
    expect(logits?.map(({ shape }) => shape)).toEqual([[2, 50], [2, 50], [2, 50]]); // prettier-ignore
    const ids = await sequences.toArray();
    for (const [i, step] of (logits ?? []).entries()) {
      expect(await step.argmax(-1).toArray()).toEqual(ids.map((row) => row[5 + i]));
      expect(await scores?.[i]?.toArray()).toEqual(await step.toArray());
    }
    const plain = await model.generate(PROMPT, { maxNewTokens: 1 });
    expect(plain.logits).toBeUndefined();
    expect(plain.scores).toBeUndefined();
  });

  test("scores are what is left to draw from", async () => {
    const options = { maxNewTokens: 1, doSample: true, topK: 3, temperature: 2, seed: 1 };
    const outputs = { outputLogits: true, outputScores: true };
    const { logits, scores } = await model.generate(PROMPT, { ...options, ...outputs });
    const raw = (await logits?.[0]?.toArray()) as number[][];
    const left = (await scores?.[0]?.toArray()) as number[][];
    const kept = (left[0] ?? []).flatMap((v, i) => (Number.isFinite(v) ? [i] : []));
    expect(kept).toHaveLength(3);
    for (const i of kept) expect(left[0]?.[i]).toBeCloseTo((raw[0]?.[i] ?? 0) / 2, 6);
  });
});

describe("stream", () => {
  test("gives what generate gives, token by token", async () => {
    const steps = [];
    for await (const step of model.stream(PADDED, { maxNewTokens: 5 })) steps.push(step);
    const whole = await rows(PADDED, { maxNewTokens: 5 });
    expect(steps.map(({ tokens }) => tokens)).toEqual(
      [5, 6, 7, 8, 9].map((i) => whole.map((row) => row[i])),
    );
    expect(steps.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(steps[0]?.ended).toEqual([false, false]);
  });

  test("says which rows have ended", async () => {
    const free = await rows(PADDED, { maxNewTokens: 6 });
    const stop = free[1]?.[5] ?? -1;
    const ended = [];
    const options = { maxNewTokens: 2, eosTokenId: stop };
    for await (const step of model.stream(PADDED, options)) ended.push(step.ended);
    expect(ended[0]).toEqual([free[0]?.[5] === stop, true]);
  });

  test("computes nothing before the first token is asked for, nor after leaving", async () => {
    const indices: number[] = [];
    const trace = (step: TraceStep, run: () => CausalLMOutput<unknown>) => {
      indices.push(step.index);
      return run();
    };
    const stream = model.stream(PROMPT, { maxNewTokens: 5, trace });
    expect(indices).toEqual([]);
    for await (const { index } of stream) if (index === 1) break;
    expect(indices).toEqual([0, 1]);
  });

  test("two streams side by side do not disturb each other", async () => {
    const collect = async (inputs: GenerateInputs): Promise<number[]> => {
      const tokens: number[] = [];
      for await (const step of model.stream(inputs, { maxNewTokens: 6 })) {
        tokens.push(step.tokens[0] ?? -1);
      }
      return tokens;
    };
    const other = { inputIds: int64([[22, 22, 16]]) };
    const together = await Promise.all([collect(PROMPT), collect(other)]);
    expect(together).toEqual([await collect(PROMPT), await collect(other)]);
  });
});

describe("AbortSignal", () => {
  test("stops a generation with its reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const trace = (step: TraceStep, run: () => CausalLMOutput<unknown>) => {
      if (step.index === 2) controller.abort(reason);
      return run();
    };
    const { signal } = controller;
    await expect(model.generate(PROMPT, { signal, trace })).rejects.toBe(reason);
    await expect(model.generate(PROMPT, { signal })).rejects.toBe(reason);
  });
});

describe("trace", () => {
  test("runs every forward pass and can change it", async () => {
    const steps: TraceStep[] = [];
    const trace = (step: TraceStep, run: () => CausalLMOutput<unknown>) => {
      steps.push(step);
      const output = run();
      return { ...output, logits: output.logits.mul(-1) };
    };
    const [changed = []] = await rows(PROMPT, { maxNewTokens: 3, trace });
    const { logits } = model.forward(PROMPT);
    expect(changed[5]).toBe(await logits.select(1, -1).argmin(-1).item());
    expect(steps).toEqual([
      { index: 0, isPrompt: true, pastLength: 0, promptLength: 5 },
      { index: 1, isPrompt: false, pastLength: 5, promptLength: 5 },
      { index: 2, isPrompt: false, pastLength: 6, promptLength: 5 },
    ]);
    steps.length = 0;
    await rows(PROMPT, { maxNewTokens: 2, useCache: false, trace });
    expect(steps.map(({ isPrompt, pastLength }) => [isPrompt, pastLength])).toEqual([
      [true, 0],
      [true, 0],
    ]);
  });

  test("what it asks for is computed with the step", async () => {
    const seen: Tensor[] = [];
    const trace = (_: TraceStep, run: () => CausalLMOutput<unknown>) => {
      const output = run();
      const also = [output.hiddenStates[2] ?? output.logits];
      seen.push(...also);
      return { ...output, also };
    };
    await rows(PROMPT, { maxNewTokens: 2, trace });
    expect(seen.map(({ shape }) => shape)).toEqual([[1, 5, 24], [1, 1, 24]]); // prettier-ignore
    for (const t of seen) expect(t.values).toBeDefined();
  });
});

describe("bad input", () => {
  const ids = (values: number[][]): GenerateInputs => ({ inputIds: int64(values) });
  const cases: [string, GenerateInputs, GenerateOptions, RegExp][] = [
    ["id too large", ids([[1, 50]]), {}, /inputIds\[0\]\[1\] is 50, .* vocabulary of 50/],
    ["negative id", ids([[1], [-1]]), {}, /inputIds\[1\]\[0\] is -1/],
    ["empty prompt", { inputIds: tensor(new BigInt64Array(0), { shape: [1, 0] }) }, {}, /prompt is empty: inputIds is \[1, 0\]/], // prettier-ignore
    ["no batch", { inputIds: tensor([1, 2], { dtype: "int64" }) }, {}, /\[batch, sequence\], got \[2\]/], // prettier-ignore
    ["floats", { inputIds: tensor([[1, 2]]) }, {}, /inputIds must be int64, got float32/],
    ["mask of another shape", { ...ids([[1, 2]]), attentionMask: int64([[1]]) }, {}, /attentionMask \[1, 1\] must have the shape of inputIds, \[1, 2\]/], // prettier-ignore
    ["mask of other numbers", { ...ids([[1, 2]]), attentionMask: int64([[2, 1]]) }, {}, /must hold 0 and 1, got 2, 1/], // prettier-ignore
    ["right padding", { ...ids([[1, 0]]), attentionMask: int64([[1, 0]]) }, {}, /row 0 is padded on the right.*paddingSide: "left"/], // prettier-ignore
    ["nothing but padding", { ...ids([[1, 0]]), attentionMask: int64([[0, 0]]) }, {}, /row 0 is empty/], // prettier-ignore
    ["too long", PROMPT, { maxNewTokens: 29 }, /prompt of 5 tokens and 29 new ones are more than the model's 32 positions; shorten the prompt, or generate at most 28/], // prettier-ignore
    ["prompt too long", ids([Array.from({ length: 33 }, () => 1)]), {}, /33 tokens .*32 positions; shorten/], // prettier-ignore
    ["no room", PROMPT, { maxLength: 5 }, /maxLength 5 leaves no room after a prompt of 5 tokens/],
    ["two lengths", PROMPT, { maxLength: 9, maxNewTokens: 2 }, /give maxNewTokens or maxLength/],
    ["maxNewTokens", PROMPT, { maxNewTokens: 0 }, /maxNewTokens must be a whole number of 1 or more, got 0/], // prettier-ignore
    ["maxNewTokens", PROMPT, { maxNewTokens: 2.5 }, /maxNewTokens must be a whole number/],
    ["temperature", PROMPT, { doSample: true, temperature: 0 }, /temperature must be a number above 0, got 0; for no randomness leave out doSample/], // prettier-ignore
    ["temperature", PROMPT, { doSample: true, temperature: NaN }, /temperature must be a number above 0/], // prettier-ignore
    ["topP", PROMPT, { doSample: true, topP: 1.5 }, /topP must be a number of 0 or more and at most 1, got 1.5/], // prettier-ignore
    ["topK", PROMPT, { doSample: true, topK: -1 }, /topK must be a whole number of 0 or more, got -1/], // prettier-ignore
    ["penalty", PROMPT, { repetitionPenalty: 0 }, /repetitionPenalty must be a number above 0/],
    ["seed", PROMPT, { doSample: true, seed: -1 }, /seed must be a whole number of 0 or more/],
    ["no sampling", PROMPT, { temperature: 0.5 }, /change nothing .* pass \{ doSample: true \}/],
    ["no sampling", PROMPT, { numReturnSequences: 2 }, /numReturnSequences change nothing/],
    ["stop token", PROMPT, { eosTokenId: 50 }, /eosTokenId 50 is not a token; .* vocabulary's size 50/], // prettier-ignore
    [
      "stop token",
      PROMPT,
      { eosTokenId: [1, -2] },
      /eosTokenId must be a token or a list of them: whole numbers of 0 or more, got \[1,-2\]/,
    ],
    [
      "padding token",
      PROMPT,
      { padTokenId: 0.5 },
      /padTokenId must be a token: a whole number of 0 or more, got 0.5/,
    ],
    ["misspelled option", PROMPT, { max_new_tokens: 3 } as GenerateOptions, /there is no option max_new_tokens; did you mean maxNewTokens/], // prettier-ignore
    ["no signal", PROMPT, { signal: {} as AbortSignal }, /signal must be an AbortSignal/],
    ["bounds crossed", PROMPT, { minNewTokens: 4, maxNewTokens: 3 }, /minNewTokens 4 is more than the 3 new tokens at most/], // prettier-ignore
    ["text", "once" as unknown as GenerateInputs, {}, /expected \{ inputIds \}, as tokenizer.tokenize\(text\) gives; got a string/], // prettier-ignore
    ["tensor", int64([[1]]) as unknown as GenerateInputs, {}, /expected \{ inputIds \}.*got a Tensor/], // prettier-ignore
    ["nothing", undefined as unknown as GenerateInputs, {}, /expected \{ inputIds \}.*got undefined/], // prettier-ignore
  ];

  test.each(cases)("%s", async (_, inputs, options, wanted) => {
    let passes = 0;
    const trace = (_step: TraceStep, run: () => CausalLMOutput<unknown>) => {
      passes++;
      return run();
    };
    await expect(model.generate(inputs, { ...options, trace })).rejects.toThrow(wanted);
    await expect(model.stream(inputs, { ...options, trace }).next()).rejects.toThrow(wanted);
    expect(passes).toBe(0);
  });

  test("a list in place of a tensor", async () => {
    const inputs = { inputIds: [[1, 2]] as unknown as Tensor };
    await expect(model.generate(inputs)).rejects.toThrow(
      /inputIds must be a tensor, got a list of 1/,
    );
  });
});
