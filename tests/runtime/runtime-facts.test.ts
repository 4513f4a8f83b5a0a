import {
  clearSessions,
  configureRuntime,
  EditScope,
  evaluate,
  GPT2LMHeadModel,
  manualSeed,
  resetStats,
  runtimeStats,
  type Tensor,
  tensor,
} from "tsvene";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

const [LAYERS, WIDTH, VOCABULARY] = [3, 40, 64];

let model: GPT2LMHeadModel;

beforeAll(async () => {
  manualSeed(0);
  const sizes = { nLayer: LAYERS, nEmbd: WIDTH, nHead: 4, vocabSize: VOCABULARY, nPositions: 128 };
  model = new GPT2LMHeadModel({ ...sizes, eosTokenId: null }).eval();
  await evaluate(...model.parameters().map(({ value }) => value));
});

beforeEach(async () => {
  await clearSessions();
  resetStats();
});

function prompt(length: number, batch = 1): { readonly inputIds: Tensor } {
  const rows = Array.from({ length: batch }, (_, b) =>
    Array.from({ length }, (_, i) => (i * 7 + b + 3) % VOCABULARY),
  );
  return { inputIds: tensor(rows, { dtype: "int64" }) };
}

describe("programs compiled", () => {
  test("prompts of 5, 9 and 33 tokens take at most 2, whatever is read", async () => {
    for (const length of [5, 9, 33]) await model.forward(prompt(length)).logits.data();
    expect(runtimeStats().programsCompiled).toBeLessThanOrEqual(2);
    resetStats();
    for (const length of [5, 9, 33]) {
      await model.forward(prompt(length)).logits.select(1, -1).data();
    }
    expect(runtimeStats().programsCompiled).toBeLessThanOrEqual(2);
    expect(runtimeStats().runs).toBe(3);
  });

  test.each([
    ["the likeliest token", {}],
    ["sampling", { doSample: true, seed: 1 }],
    ["all logits kept", { outputLogits: true }],
  ])("a prompt and 63 more tokens take 2: %s", async (_, options) => {
    const { sequences } = await model.generate(prompt(5), { maxNewTokens: 64, ...options });
    expect(sequences.shape).toEqual([1, 69]);
    expect(runtimeStats()).toMatchObject({ programsCompiled: 2, runs: 64 });
  });

  test("generating from prompts of 5, 9 and 33 tokens takes at most 2 for the prompts, 1 after", async () => {
    for (const length of [5, 9, 33]) await model.generate(prompt(length), { maxNewTokens: 8 });
    expect(runtimeStats().programsCompiled).toBeLessThanOrEqual(3);
    resetStats();
    for (const length of [5, 9, 33]) await model.generate(prompt(length), { maxNewTokens: 8 });
    expect(runtimeStats().programsCompiled).toBe(0);
  });

  test("a batch of another size compiles nothing new", async () => {
    await model.generate(prompt(5, 2), { maxNewTokens: 4 });
    resetStats();
    await model.generate(prompt(6, 3), { maxNewTokens: 4 });
    expect(runtimeStats().programsCompiled).toBe(0);
  });

  test("an edit with another number compiles nothing new", async () => {
    const edited = (factor: number): Tensor => {
      const block = model.transformer.h.at(1);
      const scope = new EditScope().on(block, "output", (x) => x.mul(factor));
      return scope.run(() => model.forward(prompt(5)).logits);
    };
    const first = await edited(0.5).data();
    const compiled = runtimeStats().programsCompiled;
    expect(await edited(0.25).data()).not.toEqual(first);
    expect(runtimeStats().programsCompiled).toBe(compiled);
  });
});

/** Multiply-adds of the linear layers and of attention, of the layers before the last one. */
function before(length: number): number {
  const perToken = 12 * WIDTH * WIDTH;
  return (LAYERS - 1) * (length * perToken + 2 * length * length * WIDTH);
}

describe("multiply-adds", () => {
  test.each([5, 33])("all logits of %i tokens take what the layers say", async (length) => {
    await model.forward(prompt(length)).logits.data();
    const last = length * 12 * WIDTH * WIDTH + 2 * length * length * WIDTH;
    const unembedding = length * WIDTH * VOCABULARY;
    expect(runtimeStats().multiplyAdds).toBe(before(length) + last + unembedding);
  });

  test.each([5, 33])("the last of %i positions runs the end on one row", async (length) => {
    await model.forward(prompt(length)).logits.select(1, -1).data();
    // Queries, keys and values come from one product; attention, MLP and unembedding from one row.
    const fused = length * 3 * WIDTH * WIDTH;
    const last = fused + 2 * length * WIDTH + 9 * WIDTH * WIDTH;
    expect(runtimeStats().multiplyAdds).toBe(before(length) + last + WIDTH * VOCABULARY);
  });

  test("a prompt read for its next token does so too, cache included", async () => {
    await model.forward(prompt(9)).logits.select(1, -1).data();
    const plain = runtimeStats().multiplyAdds;
    resetStats();
    await model.generate(prompt(9), { maxNewTokens: 1 });
    expect(runtimeStats().multiplyAdds).toBe(plain);
  });

  test("a hidden state runs no layer after it and no unembedding", async () => {
    const { hiddenStates } = model.forward(prompt(9));
    await hiddenStates[2]?.data();
    expect(runtimeStats().multiplyAdds).toBe(before(9));
  });

  test("a cached token is read alone", async () => {
    const { pastKeyValues, logits } = model.forward(prompt(9));
    await evaluate(logits, ...pastKeyValues.flatMap(({ key, value }) => [key, value]));
    resetStats();
    await model.forward({ ...prompt(1), pastKeyValues }).logits.data();
    const perLayer = 12 * WIDTH * WIDTH + 2 * 10 * WIDTH;
    expect(runtimeStats().multiplyAdds).toBe(LAYERS * perLayer + WIDTH * VOCABULARY);
  });
});

describe("traces evaluated together", () => {
  test("share equal layers", async () => {
    const inputs = prompt(9);
    await model.forward(inputs).logits.data();
    const { linear = 0 } = runtimeStats().nodesByOp;
    expect(linear).toBe(4 * LAYERS + 1);
    const scope = new EditScope().on(model.transformer.h.at(2), "input", (x) => x.mul(0));
    const edited = scope.run(() => model.forward(inputs).logits);
    resetStats();
    await evaluate(model.forward(inputs).logits, edited);
    // What stands before the edit is run once: the last layer and the unembedding twice.
    expect(runtimeStats().nodesByOp["linear"]).toBe(linear + 4 + 1);
    expect(runtimeStats().runs).toBe(1);
  });

  test("give what they give alone", async () => {
    const inputs = prompt(9);
    const edited = (): Tensor => {
      const scope = new EditScope().on(model.transformer.h.at(1).mlp, "output", (x) => x.mul(2));
      return scope.run(() => model.forward(inputs).logits);
    };
    const [plain, changed] = [model.forward(inputs).logits, edited()];
    await evaluate(plain, changed);
    expect(await plain.data()).toEqual(await model.forward(inputs).logits.data());
    expect(await changed.data()).toEqual(await edited().data());
  });
});

describe("sessions", () => {
  afterEach(() => configureRuntime({ maxSessions: 64 }));

  /** A program of its own for each number of steps; gives that number. */
  const chain = (steps: number): Tensor =>
    Array.from({ length: steps }).reduce<Tensor>((x) => x.add(2), tensor([-steps]));

  test("are bounded, and released", async () => {
    configureRuntime({ maxSessions: 3 });
    for (let steps = 1; steps <= 8; steps++) await chain(steps).data();
    expect(runtimeStats()).toMatchObject({ programsCompiled: 8, sessionsAlive: 3 });
    await clearSessions();
    expect(runtimeStats().sessionsAlive).toBe(0);
  });

  test("the least recently used one goes", async () => {
    configureRuntime({ maxSessions: 2 });
    for (const steps of [1, 2, 1, 3, 1]) await chain(steps).data();
    expect(runtimeStats().programsCompiled).toBe(3);
    await chain(2).data();
    expect(runtimeStats().programsCompiled).toBe(4);
  });

  test("none is released beneath a run", async () => {
    configureRuntime({ maxSessions: 1 });
    const values = await Promise.all([1, 2, 3, 4, 5].map((steps) => chain(steps).item()));
    expect(values).toEqual([1, 2, 3, 4, 5]);
    expect(runtimeStats().sessionsAlive).toBe(1);
  });

  test("a smaller bound is kept at once", async () => {
    for (let steps = 1; steps <= 4; steps++) await chain(steps).data();
    expect(runtimeStats().sessionsAlive).toBe(4);
    configureRuntime({ maxSessions: 2 });
    expect(runtimeStats().sessionsAlive).toBe(2);
    expect(() => configureRuntime({ maxSessions: 0 })).toThrow(/maxSessions must be an integer/);
  });

  test("equal programs at once compile once", async () => {
    await Promise.all(Array.from({ length: 10 }, (_, i) => tensor([i]).exp().data()));
    expect(runtimeStats()).toMatchObject({ programsCompiled: 1, runs: 10, sessionsAlive: 1 });
  });
});
