import { inspect } from "node:util";
import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  CollectIntervention,
  IntervenableModel,
  Linear,
  Module,
  tensor,
  type Tensor,
  ZeroIntervention,
} from "tsvene";
import { tinyGpt2 } from "./tiny-gpt2.ts";

/** Counts how often it is run. */
class Net extends Module {
  readonly up = new Linear(2, 4);
  runs = 0;
  override forward(x: Tensor): { readonly logits: Tensor } {
    this.runs++;
    return { logits: this.up.forward(x) };
  }
}

const gpt2 = tinyGpt2();
const model = new IntervenableModel(
  { layer: 0, component: "mlp_output", intervention: ZeroIntervention },
  gpt2,
);
const base = { inputIds: tensor([[3, 1, 4]], { dtype: "int64" }) };
const writing = { maxNewTokens: 3, eosTokenId: null } as const;
const generate = vi.spyOn(gpt2, "generate");
beforeEach(() => void vi.clearAllMocks());

const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number);

describe("forward", () => {
  const collecting = (net: Net): IntervenableModel<Net> =>
    new IntervenableModel<Net>({ component: "up.output", intervention: CollectIntervention }, net);

  test("prints all of it, without running the original", () => {
    const net = new Net();
    const output = collecting(net).forward(tensor([[1, 2]]));
    const text = inspect(output, { depth: 3 });
    expect(text).toContain("original: made when it is asked for");
    expect(text).toMatch(/intervened: \{ logits: tensor\(not evaluated, shape=\[1, 4\]/);
    expect(text).toMatch(/collected: \[ tensor\(not evaluated, shape=\[1, 4\]/);
    expect([output as unknown].join()).toBe(
      "IntervenableOutput(original, intervened, collected, collectedByName, latents)",
    );
    expect(net.runs).toBe(1);
    expect(output.original).toBe(output[0]);
    expect(net.runs).toBe(2);
    expect(inspect(output, { depth: 3 })).toContain("original: { logits: tensor");
  });

  test("is refused by JSON, without running the original", () => {
    const net = new Net();
    const output = collecting(net).forward(tensor([[1, 2]]));
    expect(() => JSON.stringify({ output })).toThrow(/JSON cannot say tensors; await toArray\(\)/);
    expect(() => JSON.stringify(output.intervened)).toThrow(/JSON cannot say a tensor/);
    expect(net.runs).toBe(1);
  });
});

describe("generate", () => {
  test("gives the pair, whose original is written once, when it is awaited", async () => {
    const output = await model.generate(base, writing);
    const [original, intervened] = output;
    expect(output.original).toBe(original);
    expect(output.intervened).toBe(intervened);
    expect(inspect(output)).toContain("original: Deferred(begins with await)");
    expect(() => JSON.stringify(output)).toThrow(/JSON cannot say tensors/);
    expect(generate).toHaveBeenCalledTimes(1);
    const { sequences } = await original;
    expect((await original).sequences).toBe(sequences);
    expect(generate).toHaveBeenCalledTimes(2);
    const alone = await gpt2.generate(base, writing);
    expect(await numbers(sequences)).toStrictEqual(await numbers(alone.sequences));
  });

  test("draws both alike with a seed", async () => {
    const same = { layer: 0, component: "mlp_output", intervention: (b: Tensor) => b } as const;
    const idle = new IntervenableModel(same, gpt2);
    const drawn = { ...writing, doSample: true, seed: 3 };
    const { original, intervened } = await idle.generate(base, drawn);
    expect(await numbers((await original).sequences)).toStrictEqual(
      await numbers(intervened.sequences),
    );
  });

  test("hands on what goes wrong in the original", async () => {
    const output = await model.generate(base, writing);
    generate.mockRejectedValueOnce(new Error("no memory"));
    await expect(output.original).rejects.toThrow("no memory");
  });
});
