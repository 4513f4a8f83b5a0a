import { expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  AutoModelForMaskedLM,
  AutoTokenizer,
  identityPrompt,
  IntervenableModel,
  patchscope,
  PatchscopeReading,
  tensor,
  topTokens,
  toSvg,
  VanillaIntervention,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";

const source = { inputIds: tensor([[5, 7, 9, 11]], { dtype: "int64" }) };
const target = { inputIds: tensor([[2, 3, 4, 6, 8]], { dtype: "int64" }) };
const decode = { decode: (ids: readonly number[]): string => ids.join(" ") };

test.each(["gpt2", "llama", "gemma2", "falcon", "mamba"])(
  "each cell of %s is an interchange from there to there",
  async (name) => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const reading = await patchscope(model, source, {
      target,
      targetLayer: 1,
      targetPosition: 2,
      k: 3,
    });
    expect(reading.ids.shape.slice(1)).toEqual([4, 3]);
    const layers = reading.ids.axis("layer").values as readonly number[];
    for (const layer of layers) {
      const alone = new IntervenableModel(
        { layer: 1, source: { layer }, intervention: VanillaIntervention },
        model,
      );
      const unitLocations = { "sources->base": { source: 3, base: 2 } };
      const output = alone.forward(target, { sources: source, unitLocations });
      const { logits } = output.intervened;
      const top = await topTokens({ logits }, decode, { count: 3 });
      const own = reading.top({ layer, position: 3 });
      expect(own.map(({ id }) => id)).toEqual(top.logits.map(({ id }) => id));
      own.forEach(({ probability }, i) => {
        expect(probability).toBeCloseTo(top.logits[i]?.probability ?? NaN, 5);
      });
    }
  },
);

test("a state in its own place changes nothing; elsewhere it is what is spoken of", async () => {
  const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
  const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
  const italy = "The capital of Italy is";
  const same = await patchscope(model, italy, { tokenizer, target: italy, position: "last" });
  for (const layer of [0, 2, 4]) {
    expect(same.top({ layer, position: 4 })[0]?.token).toBe(" Rome");
  }
  const reading = await patchscope(model, italy, {
    tokenizer,
    target: "The capital of Spain is",
    component: "block_input",
    targetPosition: 3,
    layer: [0, 4],
    position: [3, -1],
    maxNewTokens: 2,
  });
  expect(reading.top({ layer: 0, position: 3 })[0]?.token).toBe(" Rome");
  expect(reading.top({ layer: 4, position: 3 })[0]?.token).toBe(" Madrid");
  expect(reading.written?.map(([first]) => first)).toEqual([" Rome.", " Madrid."]);
  const back = PatchscopeReading.fromJSON(JSON.parse(JSON.stringify(reading)));
  expect(String(back)).toBe(String(reading));
  expect(String(reading).split("\n").slice(1)).toEqual([
    expect.stringMatching(/^ +Italy +is$/),
    expect.stringMatching(/^layer 4 +Madrid +Madrid$/),
    expect.stringMatching(/^layer 0 +Rome +\S+/),
  ]);
  expect(await toSvg(reading.plot({ title: "Who is it" }))).toContain("Who is it");
  expect(identityPrompt(["a", "b"])).toBe("a->a; b->b; ?");
});

const gpt2 = await AutoModelForCausalLM.fromPretrained(golden("gpt2"));

refusesEach([
  ["no such layer", () => patchscope(gpt2, source, { target, layer: 9 }), /layer/],
  [
    "no such position",
    () => patchscope(gpt2, source, { target, position: 4 }),
    /position 4 is not there: the prompt has 4 positions/,
  ],
  [
    "no such target position",
    () => patchscope(gpt2, source, { target, targetPosition: 5 }),
    /targetPosition 5 is not there/,
  ],
  ["a text without a tokenizer", () => patchscope(gpt2, source), /needs a tokenizer/],
  ["too many tokens", () => patchscope(gpt2, source, { target, k: 1e6 }), /k must be a number/],
  [
    "an option of another name",
    () => untyped({ patchscope }).patchscope(gpt2, source, { layers: 1 }),
    /there is no option layers; did you mean layer/,
  ],
  [
    "writing by a model that fills gaps",
    async () => {
      const bert = await AutoModelForMaskedLM.fromPretrained(golden("bert"));
      return patchscope(bert, source, { target, maxNewTokens: 2 });
    },
    /cannot go on writing/,
  ],
]);
