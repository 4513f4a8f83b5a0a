import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import {
  AdditionIntervention,
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForSequenceClassification,
  evaluate,
  exportOnnx,
  type ExportOnnxOptions,
  Generator,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  type Module,
  onnxBytes,
  OnnxFile,
  randn,
  Tensor,
  tensor,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { golden, temporaryDirectory } from "../models/checkpoints.ts";

/** A model called as the library's are. */
type Called = Module & { forward(inputs: object): object };

const DYNAMIC = { inputIds: ["batch", "length"] };

function ids(batch: number, length: number): Tensor {
  const values = BigInt64Array.from({ length: batch * length }, (_, i) => BigInt(((i * 7) % 19) + 1)); // prettier-ignore
  return tensor(values, { shape: [batch, length] });
}

function pixels(batch: number, size: number): Tensor {
  return randn([batch, 3, size, size], { generator: new Generator(batch) });
}

function fed(inputs: Readonly<Record<string, Tensor>>): Record<string, OrtTensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, values, shape }]) => [
      name,
      new OrtTensor(dtype as "int64", values as BigInt64Array, [...shape]),
    ]),
  );
}

/** Runs a file outside of the library, and compares what it gives. */
async function expectSame(
  session: InferenceSession,
  inputs: Readonly<Record<string, Tensor>>,
  wanted: Readonly<Record<string, Tensor>>,
): Promise<void> {
  await evaluate(...Object.values(inputs), ...Object.values(wanted));
  const results = await session.run(fed(inputs));
  for (const [name, { shape, values }] of Object.entries(wanted)) {
    const numbers = Array.from(values ?? [], Number);
    const most = Math.max(...numbers.map(Math.abs));
    const got = results[name];
    expect(got?.dims).toEqual([...shape]);
    const differences = numbers.map((n, i) => Math.abs(n - Number(got?.data[i])));
    expect(Math.max(...differences)).toBeLessThan(1e-5 * most);
  }
}

async function sessionOf<Name extends string>(
  options: ExportOnnxOptions<Name>,
): Promise<InferenceSession> {
  const { model, externalData } = await onnxBytes(options);
  const beside = [...externalData].map(([path, data]) => ({ path, data }));
  return InferenceSession.create(model, { externalData: beside, logSeverityLevel: 4 });
}

/** What of a model's result is compared. */
function answers(result: object): Record<string, Tensor> {
  const entries = Object.entries(result).filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor); // prettier-ignore
  return Object.fromEntries(entries);
}

const LANGUAGE = "gpt2 llama gemma3_text gpt_oss bloom falcon_alibi phi3 qwen3_moe mamba llava";
const OF_ONE_LENGTH = ["mamba2", "rwkv", "gru_lm"];

describe("a file has a model's numbers for other sizes than the example's", () => {
  test.each(LANGUAGE.split(" "))("%s", async (name) => {
    const model = (await AutoModelForCausalLM.fromPretrained(golden(name))) as unknown as Called;
    const session = await sessionOf({ model, inputs: { inputIds: ids(2, 6) }, dynamic: DYNAMIC });
    for (const inputs of [{ inputIds: ids(1, 3) }, { inputIds: ids(3, 8) }]) {
      await expectSame(session, inputs, answers(model.forward(inputs)));
    }
  });

  test.each(OF_ONE_LENGTH)("%s, of one length", async (name) => {
    const model = (await AutoModelForCausalLM.fromPretrained(golden(name))) as unknown as Called;
    const inputs = { inputIds: ids(2, 6) };
    await expect(onnxBytes({ model, inputs, dynamic: DYNAMIC })).rejects.toThrow(
      /for another .*length the model computes something else .*fix it, with null in its place/,
    );
    const session = await sessionOf({ model, inputs, dynamic: { inputIds: ["batch", null] } });
    const others = { inputIds: ids(5, 6) };
    await expectSame(session, others, answers(model.forward(others)));
  });

  test.each(["resnet", "convnext", "vit"])("%s", async (name) => {
    const model = (await AutoModel.fromPretrained(golden(name))) as unknown as Called;
    const size = name === "vit" ? 16 : 32;
    const dynamic = { pixelValues: ["images", null, null, null] };
    const session = await sessionOf({ model, inputs: { pixelValues: pixels(2, size) }, dynamic });
    const inputs = { pixelValues: pixels(3, size) };
    await expectSame(session, inputs, answers(model.forward(inputs)));
  });

  test.each(["bert", "esm"])("%s, with a mask", async (name) => {
    const model = (await AutoModel.fromPretrained(golden(name))) as unknown as Called;
    const mask = (batch: number, length: number): Tensor =>
      tensor(BigInt64Array.from({ length: batch * length }, (_, i) => (i % length < length - (i < length ? 0 : 1) ? 1n : 0n)), { shape: [batch, length] }); // prettier-ignore
    const given = (batch: number, length: number) => ({
      inputIds: ids(batch, length),
      attentionMask: mask(batch, length),
    });
    const dynamic = { ...DYNAMIC, attentionMask: ["batch", "length"] };
    const session = await sessionOf({ model, inputs: given(2, 6), dynamic });
    const inputs = given(3, 8);
    await evaluate(...Object.values(inputs));
    const results = await session.run(fed(inputs));
    const states = results["lastHiddenState"];
    const got = tensor(states?.data as Float32Array, { shape: [...(states?.dims ?? [])] });
    const wanted = answers(model.forward(inputs))["lastHiddenState"] ?? got;
    // What is at padding is for nobody to read.
    const off = wanted.sub(got).mul(inputs.attentionMask.to("float32").unsqueeze(-1));
    expect(await off.abs().max().item()).toBeLessThan(1e-5);
  });

  test("a classifier, which reads the last token", async () => {
    const model = (await AutoModelForSequenceClassification.fromPretrained(golden("llama_classifier"))) as unknown as Called; // prettier-ignore
    const session = await sessionOf({ model, inputs: { inputIds: ids(2, 6) }, dynamic: DYNAMIC });
    const inputs = { inputIds: ids(3, 7) };
    await expectSame(session, inputs, answers(model.forward(inputs)));
  });
});

describe("edits are in the file", () => {
  test("a vector that is added", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden("gpt2"));
    const width = (model.config as unknown as { nEmbd: number }).nEmbd;
    const steered = new IntervenableModel(
      { layer: 1, component: "block_output", intervention: AdditionIntervention },
      model,
    );
    const vector = randn([1, width], { generator: new Generator(1) });
    const forward = ({ inputIds }: Record<"inputIds", Tensor>): object =>
      answers(steered.forward({ inputIds }, { sourceRepresentations: vector }).intervened);
    const session = await sessionOf({ model, inputs: { inputIds: ids(2, 6) }, dynamic: DYNAMIC, forward }); // prettier-ignore
    const inputs = { inputIds: ids(3, 4) };
    await expectSame(session, inputs, answers(forward(inputs)));
    const [plain, edited] = [model.forward(inputs).logits, answers(forward(inputs))["logits"]];
    expect(
      await plain
        .sub(edited ?? plain)
        .abs()
        .max()
        .item(),
    ).toBeGreaterThan(0.01);
  });

  test("an interchange in learned directions, whose source is an input too", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden("llama"));
    const aligned = new IntervenableModel(
      { layer: 1, component: "mlp_output", intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 3 }) }, // prettier-ignore
      model,
    );
    const forward = ({ base, source }: Record<"base" | "source", Tensor>): object => ({
      logits: aligned.forward({ inputIds: base }, { sources: { inputIds: source }, unitLocations: { "sources->base": 2 } }).intervened.logits.select(1, -1), // prettier-ignore
    });
    const session = await sessionOf({
      model: aligned,
      inputs: { base: ids(1, 6), source: ids(1, 5) },
      dynamic: { base: [null, "length"], source: [null, "source length"] },
      forward,
    });
    const inputs = { base: ids(1, 7), source: tensor([[9, 3, 4, 1]], { dtype: "int64" }) };
    await expectSame(session, inputs, answers(forward(inputs)));
  });
});

describe("files", () => {
  test("names, sizes, and weights beside", async () => {
    const model = (await AutoModelForCausalLM.fromPretrained(golden("gpt2"))) as unknown as Called;
    const directory = await temporaryDirectory();
    const options = { model, inputs: { inputIds: ids(2, 6) }, dynamic: DYNAMIC };
    await exportOnnx(join(directory, "whole.onnx"), options);
    await exportOnnx(join(directory, "model.onnx"), { ...options, externalData: true });
    expect((await readdir(directory)).sort()).toEqual(["model.onnx", "model.onnx.data", "whole.onnx"]); // prettier-ignore
    const inputs = { inputIds: ids(3, 4) };
    for (const name of ["whole.onnx", "model.onnx"]) {
      const session = await InferenceSession.create(join(directory, name), { logSeverityLevel: 4 });
      await expectSame(session, inputs, answers(model.forward(inputs)));
    }
    const { graph } = (await OnnxFile.open(join(directory, "model.onnx"))).model;
    expect(graph.inputs.map(({ name }) => name)).toEqual(["inputIds"]);
    const names = graph.initializers.map(({ name }) => name);
    expect(names).toContain("transformer.h.0.mlp.c_fc.weight");
    expect((await readFile(join(directory, "model.onnx"))).byteLength).toBeLessThan(60_000);
  });

  test.each(["float16", "bfloat16"] as const)("weights stay in %s", async (dtype) => {
    const model = (await AutoModelForCausalLM.fromPretrained(golden("gpt2"), { dtype })) as unknown as Called; // prettier-ignore
    const options = { model, inputs: { inputIds: ids(2, 6) }, dynamic: DYNAMIC };
    const { externalData } = await onnxBytes({ ...options, externalData: true });
    const bytes = [...externalData.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const kept = model.parameters().reduce((sum, p) => sum + (p.stored.values?.byteLength ?? 0), 0);
    expect(bytes).toBeLessThan(kept + 4096 * 64);
    const session = await sessionOf(options);
    const inputs = { inputIds: ids(3, 4) };
    await expectSame(session, inputs, answers(model.forward(inputs)));
  });
});

describe("mistakes", () => {
  const model = AutoModelForCausalLM.fromPretrained(golden("gpt2"));
  const exporting = async (options: object): Promise<unknown> =>
    onnxBytes({ model: await model, inputs: { inputIds: ids(2, 6) }, ...options });

  test.each([
    ["an unknown option", { dynamicAxes: {} }, /no option dynamicAxes; did you mean dynamic/],
    ["no input", { inputs: {} }, /inputs must be example tensors by name/],
    ["what is no tensor", { inputs: { inputIds: [1] } }, /input inputIds must be a tensor/],
    ["sizes of another input", { dynamic: { ids: ["batch", null] } }, /dynamic names the input "ids"; the inputs are inputIds/],
    ["too few sizes", { dynamic: { inputIds: ["batch"] } }, /has 1 names for an input of 2 dimensions, \[2, 6\]/],
    ["a name for two sizes", { dynamic: { inputIds: ["n", "n"] } }, /the size "n" is 2 in one input and 6 in another/],
    ["a size without a name", { dynamic: { inputIds: ["", null] } }, /give it a name, or null/],
    ["no output", { forward: () => ({ intervened: {} }) }, /gave no tensor under its own name, only intervened/],
    ["an input that nothing reads", { forward: () => tensor([1]) }, /do not depend on the input "inputIds"/],
    ["an output called like an input", { forward: ({ inputIds }: { inputIds: Tensor }) => ({ inputIds: inputIds.add(1) }) }, /two values of the file would be called "inputIds"/],
    ["a bfloat16 input", { inputs: { x: tensor([1]).to("bfloat16") } }, /input x is bfloat16/],
  ])("%s", async (_, options, message) => {
    await expect(exporting(options)).rejects.toThrow(message);
  }); // prettier-ignore
});
