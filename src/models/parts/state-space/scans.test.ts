import { Generator, rand, randn, type Tensor } from "tsvene";
import { describe, expect, test } from "vitest";
import { dualScan } from "./dual-scan.ts";
import { selectiveScan } from "./selective-scan.ts";

const generator = new Generator(3);
const normal = (...shape: number[]): Tensor => randn(shape, { generator });
const uniform = (...shape: number[]): Tensor => rand(shape, { generator });

/** Values by index, in float64. */
type Values = (...index: number[]) => number;

async function read(x: Tensor): Promise<Values> {
  const values = await x.data();
  return (...index) => Number(values[index.reduce((at, i, d) => at * (x.shape[d] ?? NaN) + i, 0)]);
}

async function valuesOf<T extends readonly Tensor[]>(
  ...tensors: T
): Promise<{ [K in keyof T]: Values }> {
  return (await Promise.all(tensors.map(read))) as { [K in keyof T]: Values };
}

const WIDTH = 3;
const SIZE = 4;
const HEADS = 2;

/** One state at each step: state = decay(t) state + input(t), from `initial`. */
function recur(
  steps: number,
  initial: number,
  step: (t: number) => readonly [decay: number, input: number],
): number[] {
  let state = initial;
  return Array.from({ length: steps }, (_, t) => {
    const [decay, input] = step(t);
    state = decay * state + input;
    return state;
  });
}

const TWO = [0, 1];
const COLUMNS = [0, 1, 2];
const DEPTHS = [0, 1, 2, 3];

const lengths = [1, 2, 3, 7, 16, 17, 40, 300];

describe.each([1, 2].flatMap((batch) => lengths.map((steps) => [batch, steps] as const)))(
  "%i texts of %i steps",
  (batch, steps) => {
    const last = steps - 1;
    const texts = [...Array(batch).keys()];

    test.each([false, true])(
      "selectiveScan is the recurrence (with a state: %s)",
      async (given) => {
        const inputs = {
          x: normal(batch, steps, WIDTH),
          dt: uniform(batch, steps, WIDTH),
          rates: uniform(WIDTH, SIZE).mul(-8),
          into: normal(batch, steps, SIZE),
          out: normal(batch, steps, SIZE),
        };
        const initial = normal(batch, SIZE, WIDTH);
        const result = selectiveScan(inputs, given ? initial : undefined);
        const [output, state, first] = await valuesOf(result.output, result.state, initial);
        const { x: xs, dt: dts, rates: r, into: i, out: o } = inputs;
        const [x, dt, rates, into, out] = await valuesOf(xs, dts, r, i, o);
        for (const b of texts) {
          for (const d of COLUMNS) {
            const states = DEPTHS.map((n) =>
              recur(steps, given ? first(b, n, d) : 0, (t) => {
                const length = dt(b, t, d);
                return [Math.exp(length * rates(d, n)), length * x(b, t, d) * into(b, t, n)];
              }),
            );
            states.forEach((s, n) => expect(state(b, n, d)).toBeCloseTo(s[last] ?? NaN, 4));
            for (let t = 0; t < steps; t++) {
              const wanted = states.reduce((sum, s, n) => sum + (s[t] ?? NaN) * out(b, t, n), 0);
              expect(output(b, t, d)).toBeCloseTo(wanted, 4);
            }
          }
        }
      },
    );

    test.each([false, true])("dualScan is the recurrence (with a state: %s)", async (given) => {
      const inputs = {
        x: normal(batch, steps, HEADS, WIDTH),
        logDecay: uniform(batch, steps, HEADS).mul(-3),
        into: normal(batch, steps, HEADS, SIZE),
        out: normal(batch, steps, HEADS, SIZE),
      };
      const initial = normal(batch, HEADS, WIDTH, SIZE);
      const result = dualScan(inputs, given ? initial : undefined);
      const [output, state, first] = await valuesOf(result.output, result.state, initial);
      const { x: xs, logDecay, into: i, out: o } = inputs;
      const [x, logs, into, out] = await valuesOf(xs, logDecay, i, o);
      for (const [b, h] of texts.flatMap((b) => TWO.map((h) => [b, h] as const))) {
        for (const p of COLUMNS) {
          const states = DEPTHS.map((n) =>
            recur(steps, given ? first(b, h, p, n) : 0, (t) => [
              Math.exp(logs(b, t, h)),
              x(b, t, h, p) * into(b, t, h, n),
            ]),
          );
          states.forEach((s, n) => expect(state(b, h, p, n)).toBeCloseTo(s[last] ?? NaN, 4));
          for (let t = 0; t < steps; t++) {
            const wanted = states.reduce((sum, s, n) => sum + (s[t] ?? NaN) * out(b, t, h, n), 0);
            expect(output(b, t, h, p)).toBeCloseTo(wanted, 4);
          }
        }
      }
    });
  },
);
