import { describe, expect, test } from "vitest";
import { Parameter } from "../nn/parameter.ts";
import { tensor } from "../tensor/functions/creation.ts";
import { evaluate } from "../tensor/evaluate.ts";
import { Generator } from "../tensor/random/generator.ts";
import { randn } from "../tensor/random/random.ts";
import { cat } from "../tensor/functions/shaping.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Replay } from "./replay.ts";
import { resetStats, runtimeStats } from "./default-runtime.ts";

const generator = new Generator(2);

async function drawn(...shape: number[]): Promise<Tensor> {
  const x = randn(shape, { generator });
  await evaluate(x);
  return x;
}

const weight = new Parameter(await drawn(4, 4));
const f = (x: Tensor): Tensor => x.matmul(weight.value).tanh();

describe("a replay", () => {
  test("computes what a trace of other inputs would", async () => {
    const [x, y] = [await drawn(2, 4), await drawn(2, 4)];
    const replay = new Replay([x], [f(x), f(x).sum({ dim: 1 })]);
    const [once, sums] = await replay.run([y]);
    expect(await once?.data()).toEqual(await f(y).data());
    expect(sums?.shape).toEqual([2]);
    expect(await (await replay.run([x]))[0]?.data()).toEqual(await f(x).data());
  });

  test("gives inputs that are handed through, and takes those that nothing reads", async () => {
    const [x, y] = [await drawn(3), await drawn(2)];
    const replay = new Replay([x, y], [x, x.mul(2)]);
    const [same] = await replay.run([await drawn(3), y]);
    expect(same?.shape).toEqual([3]);
  });

  test("refuses inputs of another shape, type or number", async () => {
    const x = await drawn(2, 4);
    const replay = new Replay([x], [f(x)]);
    await expect(replay.run([await drawn(3, 4)])).rejects.toThrow(
      "Replay.run: input 0 was traced as float32 [2, 4], got float32 [3, 4]",
    );
    await expect(replay.run([x.to("float64")])).rejects.toThrow(/got float64 \[2, 4\]/);
    await expect(replay.run([])).rejects.toThrow("expected 1 tensors, got 0");
  });

  test("equals another one whose trace does the same with the same values", async () => {
    const [x, y] = [await drawn(2, 4), await drawn(2, 4)];
    const of = (input: Tensor, output: Tensor): Replay => new Replay([input], [output]);
    expect(of(x, f(x)).equals(of(y, f(y)))).toBe(true);
    expect(of(x, f(x)).equals(of(y, f(y).exp()))).toBe(false);
    expect(of(x, x.mul(0.5)).equals(of(y, y.mul(0.25)))).toBe(false);
    expect(of(x, x.slice(1, 0, 2)).equals(of(y, y.slice(1, 1, 3)))).toBe(false);
    const noise = (t: Tensor): Tensor => t.add(tensor([Math.random(), 1, 2, 3]));
    expect(of(x, noise(x)).equals(of(x, noise(x)))).toBe(false);
  });

  test("is out of date when a parameter has another value", async () => {
    const own = new Parameter(await drawn(4));
    const x = await drawn(4);
    const replay = new Replay([x], [x.mul(own.value)]);
    expect(replay.isCurrent).toBe(true);
    own.set(own.value.mul(2));
    expect(replay.isCurrent).toBe(false);
  });
});

describe("a loop", () => {
  /** The last four numbers, of which the next one follows. */
  const next = (window: Tensor): readonly [Tensor, Tensor] => {
    const value = f(window).sum({ dim: 1, keepdim: true });
    return [cat([window.slice(1, 1), value], 1), value];
  };

  test("gives the state after its steps, and what each of them gave", async () => {
    const start = await drawn(2, 4);
    const loop = new Replay([start], [...next(start)], { loop: { states: new Map([[0, 0]]) } });
    expect(loop.mostSteps).toBeGreaterThan(1);
    for (const times of [1, 2, 7]) {
      const [window, values] = await loop.run([start], times);
      let state = start;
      const wanted: Tensor[] = [];
      for (let i = 0; i < times; i++) {
        const [moved, value] = next(state);
        state = moved;
        wanted.push(value);
      }
      expect(values?.shape).toEqual([times, 2, 1]);
      const all = await cat(wanted, 0).data();
      (await values?.data())?.forEach((v, i) => expect(v).toBeCloseTo(Number(all[i]), 5));
      const last = await state.data();
      (await window?.data())?.forEach((v, i) => expect(v).toBeCloseTo(Number(last[i]), 5));
    }
  });

  test("counts each step, and makes one where a step is much work", async () => {
    const start = await drawn(2, 4);
    const loop = new Replay([start], [...next(start)], { loop: { states: new Map([[0, 0]]) } });
    await loop.run([start], 3);
    resetStats();
    await loop.run([start], 5);
    expect(runtimeStats()).toMatchObject({ runs: 5, programsCompiled: 0, multiplyAdds: 5 * 32 });
    const large = await drawn(2000, 2000);
    const step = new Replay([large], [large.matmul(large)], {
      loop: { states: new Map([[0, 0]]) },
    });
    expect(step.mostSteps).toBe(1);
  });
});
