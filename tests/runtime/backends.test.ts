import {
  type Backend,
  cat,
  defaultRuntime,
  functional as F,
  grad,
  IntervenableModel,
  Linear,
  Runtime,
  stack,
  type Tensor,
  tensor,
  TensorError,
  zeros,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { Replay } from "../../src/runtime/replay.ts";
import { apply } from "../../src/tensor/ops/apply.ts";
import { expectTensor } from "../tensor/ops/golden.ts";
import { ids, tinyGpt2 } from "../interventions/tiny-gpt2.ts";
import { backends } from "./backends.ts";
import { numbers, opCalls, wholes } from "./op-calls.ts";
import { ReferenceBackend } from "./reference/reference-backend.ts";

const ort = defaultRuntime.backend;
const int64 = (values: number | number[]): Tensor => tensor(values, { dtype: "int64" });

/** Bytes of the weight of a layer that is worth holding. */
const HEAVY_BYTES = 4 * 128 * 128;

async function heavyLayer(): Promise<Linear> {
  const layer = new Linear(128, 128, { bias: false });
  await defaultRuntime.evaluate([layer.weight.value]);
  return layer;
}

/** Room for weights, of which a page has none unless it says so. */
const ROOM = { maxWeightBytes: 2 ** 30 } as const;

/** Counts as two million multiply-adds, and takes few: the weight is squared 0 times. */
function throughHeavy({ weight }: Linear): Tensor {
  return numbers([1, 128]).matmul(apply("squarings", [weight.value, int64(0)], {}));
}

/** Compares what two runtimes make of the same calls: float32 sums differ in their last bits only. */
async function expectSame(calls: () => readonly Tensor[]): Promise<void> {
  const results = await Promise.all(
    [ort, new ReferenceBackend()].map(async (backend) => {
      const outputs = calls();
      await new Runtime(backend).evaluate(outputs);
      return outputs;
    }),
  );
  const [computed = [], wanted = []] = results;
  computed.forEach((t, i) => {
    const other = wanted[i] as Tensor;
    const most = Math.max(0, ...Array.from(other.values ?? [], Number).filter(Number.isFinite).map(Math.abs)); // prettier-ignore
    expectTensor(`output ${i}`, t, other, { absolute: 1e-6 * most, relative: 1e-6 });
  });
}

describe("both backends agree", () => {
  test.each(Object.entries(opCalls))("on %s", async (op, calls) => {
    await expectSame(calls);
    const runtime = new Runtime(new ReferenceBackend());
    await runtime.evaluate(calls());
    expect(runtime.stats.nodesByOp[op]).toBeGreaterThan(0);
  });

  const x = numbers([2, 3]);
  const half = numbers([2, 3], 2, "float16");
  const brain = numbers([2, 3], 3, "bfloat16");
  const graphs: Readonly<Record<string, () => readonly Tensor[]>> = {
    broadcasting: () => [x.add(numbers([4, 1, 1])), x.mul(2), tensor(3).sub(x)],
    "tensors without elements": () => {
      const none = zeros([0, 3]);
      const products = [none.matmul(numbers([3, 2])), numbers([2, 0]).matmul(zeros([0, 3]))];
      return [none.exp(), none.sum(), none.sum({ dim: 0 }), cat([none, x]), ...products];
    },
    "tensors without dimensions": () => [tensor(2).exp(), tensor(2).mul(int64(3)), x.sum().sqrt()],
    "what two results share": () => {
      const shared = x.matmul(x.transpose(0, 1)).tanh();
      return [shared.sum(), shared.add(shared), shared];
    },
    // Held as such: of what is computed, ONNX Runtime leaves out roundings to 16 bits in between.
    "operations on 16 bits": () => [half.add(1), half.mul(half), half.float(), brain.float()],
  };
  test.each(Object.entries(graphs))("on %s", async (_, calls) => expectSame(calls));
});

describe("both backends agree on a GPT-2", async () => {
  const model = tinyGpt2();
  await defaultRuntime.evaluate(model.parameters().map(({ value }) => value));
  const base = ids([3, 1, 4, 1, 5, 9], [2, 7, 1, 8, 2, 8]);

  test("forward", async () => expectSame(() => [model.forward(base).logits]));

  test("with its cache, which one kernel attends to", async () =>
    expectSame(() => {
      const { pastKeyValues } = model.forward(base);
      return [model.forward({ ...ids([5, 3], [1, 6]), pastKeyValues }).logits];
    }));

  test("and on its gradient", async () =>
    expectSame(() => {
      const weights = model.parameters().map(({ value }) => value);
      const loss = F.crossEntropy(model.forward(base).logits.flatten(0, 1), wholes([12], 64));
      return [loss, ...grad(loss, weights)];
    }));

  test("and with an intervention", async () => {
    const intervenable = new IntervenableModel(
      { layer: 1, component: "mlp_output", intervention: (b: Tensor) => b.mul(-2).add(0.5) },
      model,
    );
    await expectSame(() => [
      intervenable.forward(base, { unitLocations: { base: 3 } }).intervened.logits,
    ]);
  });
});

describe.each(backends)("a runtime on $name", (backend) => {
  const data = async (runtime: Runtime, t: Tensor): Promise<number[]> => {
    await runtime.evaluate([t]);
    return Array.from(t.values ?? [], Number);
  };

  test("compiles once for all sizes", async () => {
    const runtime = new Runtime(backend);
    for (const [m, n] of [
      [2, 3],
      [5, 4],
      [3, 2],
    ] as const) {
      const x = wholes([m, n], 50, "float32");
      const rows = stack([x, x.add(1)])
        .flatten(1)
        .slice(1, 1);
      const first = Array.from({ length: m * n }, (_, i) => (7 * i + 3) % 50).slice(1);
      const both = [...first, ...first.map((v) => v + 1)];
      expect(await data(runtime, rows.expand([2, 2, m * n - 1]))).toEqual([...both, ...both]);
    }
    expect(runtime.stats).toMatchObject({ programsCompiled: 1, runs: 3 });
  });

  test("computes once what is shared, and nothing that nobody asked for", async () => {
    const runtime = new Runtime(backend);
    const shared = numbers([3]).exp();
    const unasked = shared.sin();
    await runtime.evaluate([shared.add(1), shared.mul(2)]);
    expect(runtime.stats).toMatchObject({ runs: 1, nodesByOp: { exp: 1, add: 1, mul: 1 } });
    expect(runtime.stats.nodesByOp).not.toHaveProperty("sin");
    expect(unasked.values).toBeUndefined();
  });

  test("has a program that is hot hold its weights, each weight its own", async () => {
    const runtime = new Runtime(backend, ROOM);
    const layers = await Promise.all([heavyLayer(), heavyLayer()]);
    for (const layer of layers) {
      const cold = await data(runtime, throughHeavy(layer));
      for (let i = 0; i < 5; i++) {
        const again = await data(runtime, throughHeavy(layer));
        again.forEach((v, j) => expect(v).toBeCloseTo(cold[j] ?? NaN, 5));
      }
    }
    expect(runtime.stats).toMatchObject({ programsCompiled: 3, weightBytes: 2 * HEAVY_BYTES });
    runtime.configure({ maxWeightBytes: 0 });
    expect(runtime.stats).toMatchObject({ sessionsAlive: 1, weightBytes: 0 });
    for (const layer of layers) await runtime.evaluate([throughHeavy(layer)]);
    expect(runtime.stats.programsCompiled).toBe(3);
  });

  test("replays a trace with other inputs, also as the steps of a loop", async () => {
    const runtime = new Runtime(backend);
    const [weight, start] = [numbers([4, 4], 5), numbers([2, 4], 6)];
    const next = (window: Tensor): readonly [Tensor, Tensor] => {
      const value = window.matmul(weight).tanh().sum({ dim: 1, keepdim: true });
      return [cat([window.slice(1, 1), value], 1), value];
    };
    const once = new Replay([start], next(start), { runtime });
    const other = numbers([2, 4], 7);
    const [, single] = await once.run([other]);
    expect(await single?.data()).toEqual((await once.run([other]))[1]?.values);
    const loop = new Replay([start], next(start), { runtime, loop: { states: new Map([[0, 0]]) } });
    expect(loop.mostSteps).toBeGreaterThan(4);
    const [window, values] = await loop.run([other], 4);
    const wanted: Tensor[] = [];
    let state = other;
    for (let i = 0; i < 4; i++) {
      const [moved = state, value = state] = await once.run([state]);
      wanted.push(value);
      state = moved;
    }
    const near = { absolute: 1e-6, relative: 1e-6 };
    const all = stack(wanted);
    await runtime.evaluate([all]);
    expectTensor("what each step gave", values as Tensor, all, near);
    expectTensor("the last state", window as Tensor, state, near);
    expect(runtime.stats).toMatchObject({ programsCompiled: 3, runs: 2 + 4 + 4 + 1 });
  });

  test("gives each step of a loop a tensor of its own", async () => {
    const runtime = new Runtime(backend);
    const [start, shifts] = [numbers([2, 4], 6), numbers([3, 4], 7)];
    const step = (state: Tensor, shift: Tensor): Tensor => state.mul(0.5).add(shift);
    const shift = numbers([4], 8);
    const loop = new Replay([start, shift], [step(start, shift)], {
      runtime,
      loop: { states: new Map([[0, 0]]), each: [1] },
    });
    const [last] = await loop.run([start, shifts], 3);
    const wanted = [0, 1, 2].reduce((state, i) => step(state, shifts.select(0, i)), start);
    await runtime.evaluate([wanted]);
    const near = { absolute: 1e-6, relative: 1e-6 };
    expectTensor("the last state", last as Tensor, wanted, near);
    await expect(loop.run([start, shifts], 2)).rejects.toThrow(
      "Replay.run: input 1 was traced as float32 [2, 4], got float32 [3, 4]",
    );
  });

  const x = numbers([2, 3]);
  const far = int64([3]).add(2);
  const lookups: readonly (readonly [string, () => Tensor])[] = [
    ["indexSelect: index 5", () => x.indexSelect(1, far)],
    ["embedding: index 5", () => F.embedding(far, x)],
    ["embedding: index -5", () => F.embedding(far.neg(), x)],
    ["gather: (index 5|an index)", () => x.gather(1, far.expand([2, 2]))],
    ["scatter: index 5", () => x.scatter(1, far.expand([2, 2]), x)],
    ["index: index 5", () => x.index([far])],
    ["indexPut: index 5", () => x.indexPut([far], tensor(1))],
  ];
  test.each(lookups)("names the operation: %s", async (message, call) => {
    const runtime = new Runtime(backend);
    const lazy = call();
    const refusal = expect(runtime.evaluate([lazy])).rejects;
    await refusal.toBeInstanceOf(TensorError);
    await refusal.toThrow(new RegExp(`^${message}, computed in this evaluation, is out of range`));
    expect(lazy.values).toBeUndefined();
    expect(await data(runtime, x.indexSelect(1, int64([1]).add(1)))).toHaveLength(2);
  });

  test.each(["div", "remainder", "fmod"] as const)("refuses integers' %s by zero", async (op) => {
    const [a, zero] = [int64([1, 2]), int64([1, 0])];
    const lazy = op === "div" ? a.floorDivide(zero) : a[op](zero);
    await expect(new Runtime(backend).evaluate([lazy])).rejects.toThrow(
      /^div, floorDivide or remainder: integers are divided by zero/,
    );
  });

  /** A program of its own for each depth. */
  const chain = (depth: number): Tensor => {
    let y = numbers([3]);
    for (let i = 0; i < depth; i++) y = y.sin();
    return y.add(1);
  };

  test("keeps the programs that were used last, and releases the others", async () => {
    const runtime = new Runtime(backend, { maxSessions: 2 });
    for (const depth of [1, 2, 1, 3]) await runtime.evaluate([chain(depth)]);
    expect(runtime.stats).toMatchObject({ programsCompiled: 3, sessionsAlive: 2 });
    await runtime.evaluate([chain(1)]);
    expect(runtime.stats.programsCompiled).toBe(3);
    await runtime.clear();
    expect(runtime.stats).toMatchObject({ sessionsAlive: 0, runs: 5, nodesRun: 5 + 8 });
    await runtime.evaluate([chain(1)]);
    expect(runtime.stats.programsCompiled).toBe(4);
    runtime.resetStats();
    expect(runtime.stats).toMatchObject({ programsCompiled: 0, runs: 0, sessionsAlive: 1 });
    await runtime.clear();
  });

  test("releases nothing beneath a run", async () => {
    const runtime = new Runtime(backend, { maxSessions: 1 });
    const results = [1, 2, 3, 4, 2, 1].map(chain);
    await Promise.all(results.map((t) => runtime.evaluate([t])));
    expect(results.map((t) => t.values?.length)).toEqual([3, 3, 3, 3, 3, 3]);
    expect(runtime.stats.sessionsAlive).toBe(1);
  });
});

describe("two runtimes side by side", () => {
  const pairs: readonly (readonly [string, () => readonly [Backend, Backend]])[] = [
    ["on one backend", () => [ort, ort]],
    ["on two backends", () => [ort, new ReferenceBackend()]],
  ];
  describe.each(pairs)("%s", (_, make) => {
    test("have settings and counters of their own", async () => {
      const [a, b] = make().map((backend) => new Runtime(backend)) as [Runtime, Runtime];
      const others = defaultRuntime.stats;
      a.configure({ maxSessions: 1 });
      for (const factor of [1, 2, 3]) {
        for (const runtime of [a, b]) {
          const y = factor === 2 ? numbers([2]).cos() : numbers([2]).mul(factor).exp();
          await runtime.evaluate([y]);
        }
      }
      expect(a.stats).toMatchObject({ programsCompiled: 3, sessionsAlive: 1, runs: 3 });
      expect(b.stats).toMatchObject({ programsCompiled: 2, sessionsAlive: 2, runs: 3 });
      a.resetStats();
      await a.clear();
      expect(a.stats).toMatchObject({ sessionsAlive: 0, runs: 0 });
      expect(b.stats).toMatchObject({ sessionsAlive: 2, runs: 3 });
      expect(defaultRuntime.stats).toEqual(others);
    });

    test("take each other's tensors, also at the same time", async () => {
      const [a, b] = make().map((backend) => new Runtime(backend)) as [Runtime, Runtime];
      const shared = numbers([3]).exp();
      await a.evaluate([shared]);
      const log = shared.log();
      await b.evaluate([log]);
      expect(b.stats.nodesByOp).toEqual({ log: 1 });
      log.values?.forEach((v, i) => expect(v).toBeCloseTo(Math.sin(1 + 1.7 * i), 6));
      const [lazy, square] = [shared.mul(3), shared.mul(shared)];
      await Promise.all([a.evaluate([lazy, square]), b.evaluate([lazy, square.add(1)])]);
      expect(Number(lazy.values?.[0])).toBeCloseTo(3 * Math.exp(Math.sin(1)), 5);
    });

    test("compute with a module's weights, which each of them holds when they are hot", async () => {
      const [a, b] = make().map((backend) => new Runtime(backend, ROOM)) as [Runtime, Runtime];
      const layer = await heavyLayer();
      for (let i = 0; i < 6; i++) {
        const [y, z] = [throughHeavy(layer), throughHeavy(layer)];
        await Promise.all([a.evaluate([y]), b.evaluate([z])]);
        expectTensor("the product", y, z, { absolute: 1e-5, relative: 1e-5 });
      }
      expect([a, b].map(({ stats }) => stats.weightBytes)).toEqual([HEAVY_BYTES, HEAVY_BYTES]);
    });
  });

  test("a backend is given back what it compiled", async () => {
    const backend = new ReferenceBackend();
    const [a, b] = [new Runtime(backend), new Runtime(backend)];
    for (const runtime of [a, b]) await runtime.evaluate([numbers([2]).exp(), numbers([2]).sin()]);
    expect(backend.alive).toBe(2);
    await a.clear();
    expect(backend.alive).toBe(1);
    await b.clear();
    expect(backend.alive).toBe(0);
  });
});
