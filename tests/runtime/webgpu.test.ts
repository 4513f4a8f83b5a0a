import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { InferenceSession } from "onnxruntime-node";
import {
  availableDevices,
  configureRuntime,
  evaluate,
  functional as F,
  type GPT2LMHeadModel,
  grad,
  IntervenableModel,
  OnnxFile,
  resetStats,
  Runtime,
  runtimeStats,
  type Tensor,
  tensor,
  VanillaIntervention,
} from "tsvene";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileModel } from "../../src/runtime/emit/compile.ts";
import { type Forms, WEBGPU_FORMS } from "../../src/runtime/emit/forms.ts";
import { OrtBackend } from "../../src/runtime/ort/ort-backend.ts";
import { narrow } from "../../src/runtime/program/narrow.ts";
import { buildProgram } from "../../src/runtime/program/program.ts";
import { ids, TINY, tinyGpt2 } from "../interventions/tiny-gpt2.ts";
import { expectTensor } from "../tensor/ops/golden.ts";
import { numbers, opCalls, wholes } from "./op-calls.ts";
import { ReferenceBackend } from "./reference/reference-backend.ts";
import { loadSoftwareVulkan, SOFTWARE_VULKAN } from "./software-vulkan.ts";

if (SOFTWARE_VULKAN === undefined) {
  console.warn("skipped, for there is no Chromium with a Vulkan of its own: WebGPU in Node");
} else {
  loadSoftwareVulkan(SOFTWARE_VULKAN);
}

const near = { absolute: 3e-6, relative: 3e-6 };

async function expectSame(
  calls: () => readonly Tensor[],
  evaluated: (outputs: readonly Tensor[]) => Promise<void>,
): Promise<void> {
  const [wanted, computed] = [calls(), calls()];
  await new Runtime(new ReferenceBackend()).evaluate(wanted);
  await evaluated(computed);
  computed.forEach((t, i) => {
    const other = wanted[i] as Tensor;
    const most = Math.max(0, ...Array.from(other.values ?? [], Number).filter(Number.isFinite).map(Math.abs)); // prettier-ignore
    expectTensor(`output ${i}`, t, other, { absolute: 3e-6 * most, relative: 3e-6 });
  });
}

describe.skipIf(SOFTWARE_VULKAN === undefined)("WebGPU in Node, on Chromium's Vulkan", () => {
  const gpu = new OrtBackend("webgpu");

  /** This Vulkan has no 16-bit floats. */
  const { cast: _, ...ops } = opCalls;
  test.each(Object.entries(ops))("agrees on %s", async (_name, calls) =>
    expectSame(calls, (outputs) => new Runtime(gpu).evaluate(outputs)),
  );

  test("numbers that are none, and infinite ones", async () => {
    const x = tensor([-2, -0.5, 0, 2, NaN, Infinity]);
    const results = [x.log(), x.pow(tensor([2, 0.3, 0.3, 0.5, 2, 1])), x.sqrt(), tensor([1000, 1e5]).sin()]; // prettier-ignore
    await new Runtime(gpu).evaluate(results);
    const [log, pow, , sine] = results.map(({ values }) => Array.from(values ?? [], Number));
    expect(log).toEqual([NaN, NaN, -Infinity, Math.fround(Math.LN2), NaN, Infinity]);
    expect(pow?.slice(0, 2)).toEqual([4, NaN]);
    expect(pow?.[2]).toBeCloseTo(0, 9);
    expect(sine?.[0]).toBeCloseTo(Math.sin(1000), 6);
    expect(sine?.[1]).toBeCloseTo(Math.sin(1e5), 6);
  });

  describe("copies between the processor and the device", () => {
    let folder = "";
    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), "tsvene-webgpu-"));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    /** Copies that the engine puts into the program. */
    async function copiesIn(outputs: readonly Tensor[], forms?: Forms): Promise<number> {
      const { model } = compileModel(buildProgram(narrow(outputs)), undefined, forms);
      const optimizedModelFilePath = path.join(folder, "placed.onnx");
      const options = { executionProviders: ["webgpu"], logSeverityLevel: 4 } as const;
      const session = await InferenceSession.create(model, { ...options, optimizedModelFilePath });
      await session.release();
      const { nodes } = (await OnnxFile.open(optimizedModelFilePath)).model.graph;
      return nodes.filter(({ op }) => op.startsWith("Memcpy")).length;
    }

    test("are few in a pass of a GPT-2, and many in the processor's form of it", async () => {
      const model = tinyGpt2();
      const { logits } = model.forward(ids([3, 1, 4], [2, 7, 1]));
      expect(await copiesIn([logits], WEBGPU_FORMS)).toBeLessThanOrEqual(5);
      expect(await copiesIn([logits])).toBeGreaterThan(20);
      const edited = new IntervenableModel(
        { layer: 1, component: "block_output", intervention: VanillaIntervention },
        model,
      ).forward(ids([3, 1, 4]), {
        sources: [ids([2, 7, 1])],
        unitLocations: { "sources->base": 1 },
      });
      expect(await copiesIn([edited.intervened.logits], WEBGPU_FORMS)).toBeLessThanOrEqual(5);
    });
  });

  describe("a model on it", () => {
    const base = ids([3, 1, 4, 1, 5, 9], [2, 7, 1, 8, 2, 8]);
    const small = { ...TINY, nLayer: 2 };
    const [host, placed] = [tinyGpt2(0, small), tinyGpt2(0, small)];
    beforeAll(async () => {
      await evaluate(...[host, placed].flatMap((m) => m.parameters().map(({ value }) => value)));
      placed.to("webgpu");
    });

    async function expectEqual(of: (model: GPT2LMHeadModel) => Tensor): Promise<void> {
      const [wanted, computed] = [of(host), of(placed)];
      expect([wanted.device, computed.device]).toEqual([undefined, "webgpu"]);
      await evaluate(wanted, computed);
      expectTensor("the result", computed, wanted, { absolute: 1e-5, relative: 1e-5 });
    }

    test("gives the same logits, gradients and interchanges", async () => {
      expect(await availableDevices()).toEqual(["cpu", "webgpu"]);
      await expectEqual((model) => model.forward(base).logits);
      await expectEqual((model) => {
        const loss = F.crossEntropy(model.forward(base).logits.flatten(0, 1), wholes([12], 64));
        const [first] = grad(loss, [model.transformer.wte.weight.value]);
        return first;
      });
      const config = {
        layer: 1,
        component: "mlp_output",
        intervention: VanillaIntervention,
      } as const;
      await expectEqual((model) => {
        const intervenable = new IntervenableModel(config, model);
        expect(intervenable.device).toBe(model === placed ? "webgpu" : "cpu");
        const sources = [ids([9, 9, 8, 2, 4, 4], [1, 2, 3, 4, 5, 6])];
        const unitLocations = { "sources->base": 3 };
        return intervenable.forward(base, { sources, unitLocations }).intervened.logits;
      });
    });

    test("writes the same text", async () => {
      const written = [host, placed].map((model) =>
        model.generate(base, { maxNewTokens: 4, eosTokenId: 0 }),
      );
      const [wanted, computed] = await Promise.all(written.map(async (w) => (await w).sequences.toArray())); // prettier-ignore
      expect(computed).toEqual(wanted);
    });

    test("mixes with numbers of the host, and with nothing that lives elsewhere", async () => {
      const weight = placed.transformer.wpe.weight.value;
      expect(weight.add(numbers([24])).device).toBe("webgpu");
      const elsewhere = tinyGpt2().to("cpu").transformer.wpe.weight.value;
      expect(() => weight.add(elsewhere)).toThrow(
        /^add: an operand lives on webgpu, another on cpu; nothing moves by itself/,
      );
      const [a, b] = [weight.mul(2), elsewhere.mul(2)];
      await evaluate(a, b);
      expectTensor("each on its own device", a, b, near);
    });
  });

  test("a runtime that computes there by default", async () => {
    const x = numbers([4]);
    resetStats();
    configureRuntime({ device: "webgpu" });
    try {
      const y = x.exp();
      expect((await y.data())[0]).toBeCloseTo(Math.exp(Math.sin(1)), 5);
      expect(runtimeStats()).toMatchObject({ runs: 1, nodesByOp: { exp: 1 } });
    } finally {
      configureRuntime({ device: "cpu" });
    }
    expect(() => configureRuntime({ device: "wasm" })).toThrow(/device "wasm" is not there/);
  });
});
