import {
  AutoConfig,
  AutoModelForCausalLM,
  cat,
  type CausalLanguageModel,
  evaluate,
  Mamba2Model,
  MambaModel,
  randn,
  RwkvForCausalLM,
  type Tensor,
  tensor,
} from "tsvene";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { changedCopy, golden, temporaryDirectory } from "./checkpoints.ts";

const int64 = (values: number[][]): Tensor => tensor(values, { dtype: "int64" });
const ids = (length: number, start = 1): number[] =>
  Array.from({ length }, (_, i) => (start + 7 * i) % 50);

/** The tensors of a cache of states. */
const states = (cache: unknown): Tensor[] =>
  (cache as Record<string, Tensor>[]).flatMap((layer) => Object.values(layer));

async function expectClose(actual: Tensor, wanted: Tensor): Promise<void> {
  expect(actual.shape).toEqual(wanted.shape);
  const expected = await wanted.data();
  let worst = 0;
  (await actual.data()).forEach((v, i) => {
    worst = Math.max(worst, Math.abs(Number(v) - Number(expected[i])));
  });
  expect(worst).toBeLessThan(5e-5);
}

describe.each(["mamba", "mamba2", "rwkv"])("%s", (name) => {
  let model: CausalLanguageModel;

  beforeAll(async () => {
    model = await AutoModelForCausalLM.fromPretrained(golden(name));
  });

  test.each([
    [1, 1],
    [1, 90],
    [20, 20],
    [70, 1],
    [33, 7],
  ])("goes on after %i tokens as if it had read all of %i more at once", async (before, after) => {
    const all = int64([ids(before + after), ids(before + after, 3)]);
    const whole = model.forward({ inputIds: all });
    const { pastKeyValues } = model.forward({ inputIds: all.slice(1, 0, before) });
    const rest = model.forward({ inputIds: all.slice(1, before), pastKeyValues });
    await expectClose(rest.logits, whole.logits.slice(1, before));
  });

  test("reads a long text token by token as at once", async () => {
    const all = int64([ids(40)]);
    let pastKeyValues: unknown;
    let logits: Tensor | undefined;
    for (let t = 0; t < 40; t++) {
      const inputIds = all.slice(1, t, t + 1);
      const output = model.forward({ inputIds, ...(t > 0 ? { pastKeyValues } : {}) });
      ({ pastKeyValues, logits } = output);
      await evaluate(logits, ...states(pastKeyValues));
    }
    const whole = model.forward({ inputIds: all }).logits.slice(1, 39);
    await expectClose(logits ?? whole.mul(NaN), whole);
  });

  test("padding on the left changes nothing", async () => {
    const text = ids(20);
    const alone = model.forward({ inputIds: int64([text]) }).logits;
    const padded = model.forward({
      inputIds: int64([[0, 0, 0, ...text]]),
      attentionMask: int64([[0, 0, 0, ...text.map(() => 1)]]),
    });
    await expectClose(padded.logits.slice(1, 3), alone);
    const inputIds = int64([[11]]);
    const next = model.forward({
      inputIds,
      attentionMask: int64([[0, 0, 0, ...text.map(() => 1), 1]]),
      pastKeyValues: padded.pastKeyValues,
    });
    const whole = model.forward({ inputIds: int64([[...text, 11]]) }).logits;
    await expectClose(next.logits, whole.slice(1, 20));
  });

  test("is written as it was read", async () => {
    const directory = await temporaryDirectory();
    await model.savePretrained(directory);
    const again = await AutoModelForCausalLM.fromPretrained(directory);
    expect(again.config).toMatchObject({ ...model.config });
    const inputs = { inputIds: int64([ids(5)]) };
    expect(await again.forward(inputs).logits.toArray()).toEqual(
      await model.forward(inputs).logits.toArray(),
    );
  });

  test("refuses an empty sequence", () => {
    const inputsEmbeds = tensor([[0]])
      .expand([1, 24])
      .reshape([1, 1, 24])
      .slice(1, 0, 0);
    expect(() => model.forward({ inputsEmbeds })).toThrow(/the sequence is empty/);
  });
});

test("a limit that Python wrote as Infinity is read, and written as Hugging Face does", async () => {
  const directory = await changedCopy("mamba2", {});
  const path = join(directory, "config.json");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace(/\{\s*"__float__": "Infinity"\s*\}/, "Infinity"));
  expect(await readFile(path, "utf8")).toMatch(/0\.0,\s*Infinity/);
  const model = await AutoModelForCausalLM.fromPretrained(directory);
  expect(model.config).toMatchObject({ timeStepLimit: [0, Infinity] });
  await model.savePretrained(directory);
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({
    time_step_limit: [0, { __float__: "Infinity" }],
  });
  expect(await AutoConfig.fromPretrained(directory)).toMatchObject({
    timeStepLimit: [0, Infinity],
  });
});

test("RWKV halves values after some layers without changing what it says", async () => {
  const config = { vocabSize: 50, hiddenSize: 8, numHiddenLayers: 4 };
  const plain = new RwkvForCausalLM({ ...config, rescaleEvery: 0, layerNormEpsilon: 0 }).eval();
  const halved = new RwkvForCausalLM({ ...config, rescaleEvery: 2, layerNormEpsilon: 0 }).eval();
  plain.rwkv.embeddings.weight.set(plain.rwkv.embeddings.weight.value.mul(1e4));
  halved.loadStateDict(plain.stateDict());
  const inputs = { inputIds: int64([ids(6)]) };
  const [a, b] = [plain.forward(inputs), halved.forward(inputs)];
  await expectClose(b.hiddenStates[1]?.mul(2) ?? b.logits, a.hiddenStates[1] ?? a.logits);
  await expectClose(b.hiddenStates[3]?.mul(4) ?? b.logits, a.hiddenStates[3] ?? a.logits);
});

test("Mamba's gate passes the activation that the settings name", async () => {
  const sizes = { vocabSize: 50, hiddenSize: 8, numHiddenLayers: 1, hiddenAct: "linear" };
  const { mixer } = new MambaModel(sizes).eval().layers.at(0);
  const x = randn([1, 5, 8]);
  const before = mixer.forward(x, { mask: undefined, past: undefined })[0];
  const wanted = tensor(await before.toArray()).mul(2);
  const { weight } = mixer.in_proj;
  const [values, gates] = weight.value.chunk(2, 0) as [Tensor, Tensor];
  weight.set(cat([values, gates.mul(2)], 0));
  await expectClose(mixer.forward(x, { mask: undefined, past: undefined })[0], wanted);
});

describe("sizes that cannot be", () => {
  test.each([
    [() => new MambaModel({ stateSize: 0 }), /MambaConfig: stateSize must be a whole number/],
    [() => new Mamba2Model({ numHeads: 3 }), /hiddenSize \* expand \(8192\) must be numHeads/],
    [() => new Mamba2Model({ nGroups: 3 }), /numHeads \(128\) must be a multiple of nGroups \(3\)/],
    [() => new RwkvForCausalLM({ attentionHiddenSize: -1 }), /attentionHiddenSize must be/],
  ])("%#", (build, message) => {
    expect(build).toThrow(message);
  });
});
