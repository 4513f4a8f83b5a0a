import { readdirSync } from "node:fs";
import {
  AutoModelForCausalLM,
  type CausalLanguageModel,
  type CausalLMInputs,
  type CausalLMOutput,
  evaluate,
  GPT2LMHeadModel,
  LlamaForCausalLM,
  manualSeed,
  Module,
  resetStats,
  runtimeStats,
  type Tensor,
  tensor,
} from "tsvene";
import { beforeEach, describe, expect, test } from "vitest";
import { golden } from "./checkpoints.ts";

const int64 = (values: number[][]): Tensor => tensor(values, { dtype: "int64" });

/** Steps that are traced one by one, as those with edits are. */
const ONE_BY_ONE = { trace: (_: unknown, run: () => CausalLMOutput<unknown>) => run() };

const SIZES = { vocabSize: 64, hiddenSize: 32, intermediateSize: 48, numHiddenLayers: 2 };
const HEADS = { numAttentionHeads: 4, numKeyValueHeads: 2 };

let llama: LlamaForCausalLM;

beforeEach(async () => {
  manualSeed(3);
  llama = new LlamaForCausalLM({ ...SIZES, ...HEADS, eosTokenId: null }).eval();
  await evaluate(...llama.parameters().map(({ value }) => value));
});

async function written(
  model: CausalLanguageModel,
  prompt: Parameters<CausalLanguageModel["generate"]>[0],
  options: Parameters<CausalLanguageModel["generate"]>[1],
): Promise<number[][]> {
  return (await model.generate(prompt, options)).sequences.toArray();
}

const PROMPT = { inputIds: int64([[5, 9, 33]]) };
const PADDED = {
  inputIds: int64([
    [0, 0, 5, 9, 33],
    [1, 2, 3, 4, 5],
  ]),
  attentionMask: int64([
    [0, 0, 1, 1, 1],
    [1, 1, 1, 1, 1],
  ]),
};

const families = readdirSync(golden(""), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

async function writer(name: string): Promise<CausalLanguageModel | undefined> {
  try {
    return await AutoModelForCausalLM.fromPretrained(golden(name));
  } catch {
    return undefined;
  }
}

describe("steps that are traced once give what steps traced one by one give", () => {
  test.each(families)("%s", async (name) => {
    const model = await writer(name);
    if (model === undefined) return;
    const options = { maxNewTokens: 9, eosTokenId: null, outputLogits: true };
    for (const prompt of [PROMPT, PADDED]) {
      const [once, each] = [
        await model.generate(prompt, options),
        await model.generate(prompt, { ...options, ...ONE_BY_ONE }),
      ];
      for (const [i, logits] of (once.logits ?? []).entries()) {
        const error = logits
          .sub(each.logits?.[i] ?? logits.mul(NaN))
          .abs()
          .amax();
        expect(await error.item()).toBeLessThan(2e-5);
      }
      // Steps made ahead choose for themselves.
      expect(await written(model, prompt, { maxNewTokens: 9, eosTokenId: null })).toEqual(
        await each.sequences.toArray(),
      );
    }
  });

  test.each([PROMPT, PADDED])("texts that outgrow the room made at first", async (prompt) => {
    const options = { maxNewTokens: 300 };
    const once = await written(llama, prompt, options);
    expect(once).toEqual(await written(llama, prompt, { ...options, ...ONE_BY_ONE }));
    expect(once[0]?.length).toBe(prompt.inputIds.size(1) + 300);
  });

  test("up to a model's last position", async () => {
    const sizes = { nLayer: 2, nEmbd: 32, nHead: 4, vocabSize: 64, nPositions: 40 };
    const model = new GPT2LMHeadModel({ ...sizes, eosTokenId: null }).eval();
    const options = { maxNewTokens: 38 };
    expect(await written(model, PROMPT, options)).toEqual(
      await written(model, PROMPT, { ...options, ...ONE_BY_ONE }),
    );
  });

  test.each(["float16", "bfloat16"] as const)("with weights in %s", async (dtype) => {
    llama.to(dtype);
    const options = { maxNewTokens: 20 };
    expect(await written(llama, PADDED, options)).toEqual(
      await written(llama, PADDED, { ...options, ...ONE_BY_ONE }),
    );
  });

  test("drawn at random", async () => {
    const options = { maxNewTokens: 40, doSample: true, temperature: 1.5, seed: 4 };
    expect(await written(llama, PADDED, options)).toEqual(
      await written(llama, PADDED, { ...options, ...ONE_BY_ONE }),
    );
  });

  test("with rows that end at different lengths", async () => {
    const [row = []] = await written(llama, PROMPT, { maxNewTokens: 60 });
    const options = { maxNewTokens: 60, eosTokenId: row[30] ?? 0, padTokenId: 1 };
    expect(await written(llama, PADDED, options)).toEqual(
      await written(llama, PADDED, { ...options, ...ONE_BY_ONE }),
    );
  });
});

test("a second text with other weights is written with these", async () => {
  const before = await written(llama, PROMPT, { maxNewTokens: 12 });
  llama.lm_head.weight.set(llama.lm_head.weight.value.neg());
  const after = await written(llama, PROMPT, { maxNewTokens: 12 });
  expect(after).not.toEqual(before);
  expect(after).toEqual(await written(llama, PROMPT, { maxNewTokens: 12, ...ONE_BY_ONE }));
});

test("a text goes on with the weights that the model has when it is read", async () => {
  // Logits are asked for so that no step is made ahead.
  const stream = llama.stream(PROMPT, { maxNewTokens: 12, outputLogits: true });
  const tokens: number[] = [];
  for await (const step of stream) {
    tokens.push(...step.tokens);
    if (tokens.length === 6) llama.lm_head.weight.set(llama.lm_head.weight.value.neg());
  }
  const ids = [5, 9, 33, ...tokens.slice(0, 6)];
  const rest = await written(llama, { inputIds: int64([ids]) }, { maxNewTokens: 6 });
  expect(rest[0]?.slice(ids.length)).toEqual(tokens.slice(6));
});

test("a module that has another one put in its place is not taken for the old one", async () => {
  const before = await written(llama, PROMPT, { maxNewTokens: 12 });
  class Negative extends Module {
    override forward(x: Tensor): Tensor {
      return x.neg();
    }
  }
  Object.assign(llama.model.layers.at(1).mlp, { act_fn: new Negative() });
  const after = await written(llama, PROMPT, { maxNewTokens: 12 });
  expect(after).not.toEqual(before);
  expect(after).toEqual(await written(llama, PROMPT, { maxNewTokens: 12, ...ONE_BY_ONE }));
});

test("a model whose passes are not alike is traced at each step", async () => {
  let passes = 0;
  class Tiring extends LlamaForCausalLM {
    override forward(inputs: CausalLMInputs): CausalLMOutput {
      const output = super.forward(inputs);
      return { ...output, logits: output.logits.add(tensor([passes++])) };
    }
  }
  manualSeed(3);
  const model = new Tiring({ ...SIZES, ...HEADS, eosTokenId: null }).eval();
  const options = { maxNewTokens: 10, outputLogits: true };
  const { logits } = await model.generate(PROMPT, options);
  const levels = await Promise.all((logits ?? []).map((t) => t.mean().item()));
  // Each pass adds more than the one before.
  expect(levels.slice(1).every((level, i) => level > (levels[i] ?? Infinity))).toBe(true);
});

function omit(inputs: CausalLMInputs, name: keyof CausalLMInputs): CausalLMInputs {
  return Object.fromEntries(Object.entries(inputs).filter(([other]) => other !== name));
}

test.each<[string, (inputs: CausalLMInputs) => CausalLMInputs]>([
  ["a mask", (inputs) => omit(inputs, "attentionMask")],
  ["positions", (inputs) => omit(inputs, "positionIds")],
  [
    "a mask, which it refuses,",
    (inputs) => {
      if (inputs.attentionMask !== undefined) throw new Error("no masks here");
      return inputs;
    },
  ],
])("a model of one's own that reads without %s is given no padded cache", async (_, without) => {
  class Own extends LlamaForCausalLM {
    override forward(inputs: CausalLMInputs): CausalLMOutput {
      return super.forward(without(inputs));
    }
  }
  const model = new Own({ ...SIZES, ...HEADS, eosTokenId: null }).eval();
  model.loadStateDict(llama.stateDict());
  const options = { maxNewTokens: 30 };
  expect(await written(model, PROMPT, options)).toEqual(await written(llama, PROMPT, options));
});

test("small steps are run several at a time, each of them counted", async () => {
  await llama.generate(PROMPT, { maxNewTokens: 64 });
  resetStats();
  await llama.generate(PROMPT, { maxNewTokens: 64 });
  expect(runtimeStats()).toMatchObject({ runs: 64, programsCompiled: 0 });
});
