import { Matrix } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { createFloor, type FloorConfig } from "../../benchmarks/floor.ts";

const config: FloorConfig = { layers: 2, width: 12, heads: 3, vocabulary: 17, tokens: 5 };
const ids = [3, 16, 0, 7, 7];
const POSITIONS = 9;
const COLUMNS = Array.from({ length: config.width }, (_, i) => i);

/** Evenly spread values in [-1, 1), the same at each run. */
function values(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function makeWeights(): Record<string, Float32Array> {
  const { layers, width: d, vocabulary } = config;
  const sizes: [string, number][] = [
    ["wte.weight", vocabulary * d],
    ["wpe.weight", POSITIONS * d],
    ["ln_f.weight", d],
    ["ln_f.bias", d],
  ];
  for (let layer = 0; layer < layers; layer++) {
    const linear = (name: string, inputs: number, outputs: number): [string, number][] => [
      [`h.${layer}.${name}.weight`, inputs * outputs],
      [`h.${layer}.${name}.bias`, outputs],
    ];
    sizes.push(...linear("ln_1", 1, d), ...linear("ln_2", 1, d));
    sizes.push(...linear("attn.c_attn", d, 3 * d), ...linear("attn.c_proj", d, d));
    sizes.push(...linear("mlp.c_fc", d, 4 * d), ...linear("mlp.c_proj", 4 * d, d));
  }
  return Object.fromEntries(
    sizes.map(([name, size], i) => [`transformer.${name}`, values(size, i + 1)]),
  );
}

/** GPT-2 in double precision, on plain matrices with a row for each position. */
class PlainGpt2 {
  readonly #weights: Record<string, Float32Array>;

  constructor(weights: Record<string, Float32Array>) {
    this.#weights = weights;
  }

  logits(): Matrix {
    const wte = this.#matrix("wte.weight", config.vocabulary);
    const wpe = this.#matrix("wpe.weight", POSITIONS).selection([...ids.keys()], COLUMNS);
    let x = Matrix.add(wte.selection(ids, COLUMNS), wpe);
    for (let layer = 0; layer < config.layers; layer++) {
      const name = `h.${layer}`;
      x = Matrix.add(x, this.#attention(this.#layerNorm(x, `${name}.ln_1`), `${name}.attn`));
      const h = this.#linear(this.#layerNorm(x, `${name}.ln_2`), `${name}.mlp.c_fc`);
      x = Matrix.add(x, this.#linear(map(h, gelu), `${name}.mlp.c_proj`));
    }
    return this.#layerNorm(x, "ln_f").mmul(wte.transpose());
  }

  #attention(x: Matrix, name: string): Matrix {
    const { width, heads } = config;
    const size = width / heads;
    const qkv = this.#linear(x, `${name}.c_attn`);
    const context = Matrix.zeros(x.rows, width);
    for (let head = 0; head < heads; head++) {
      const [q, k, v] = [0, 1, 2].map((which) => {
        const start = which * width + head * size;
        return qkv.subMatrix(0, qkv.rows - 1, start, start + size - 1);
      }) as [Matrix, Matrix, Matrix];
      const scores = q.mmul(k.transpose());
      const seen = map(scores, (score, t, j) => (j > t ? 0 : Math.exp(score / Math.sqrt(size))));
      const sums = seen.sum("row");
      const weights = map(seen, (score, t) => score / (sums[t] ?? NaN));
      context.setSubMatrix(weights.mmul(v), 0, head * size);
    }
    return this.#linear(context, `${name}.c_proj`);
  }

  #linear(x: Matrix, name: string): Matrix {
    const weight = this.#matrix(`${name}.weight`, x.columns);
    return x.mmul(weight).addRowVector([...this.#values(`${name}.bias`)]);
  }

  #layerNorm(x: Matrix, name: string): Matrix {
    const centred = x.clone().subColumnVector(x.mean("row"));
    const squares = Matrix.mul(centred, centred).mean("row");
    return centred
      .divColumnVector(squares.map((square) => Math.sqrt(square + 1e-5)))
      .mulRowVector([...this.#values(`${name}.weight`)])
      .addRowVector([...this.#values(`${name}.bias`)]);
  }

  #matrix(name: string, rows: number): Matrix {
    const data = this.#values(name);
    return Matrix.from1DArray(rows, data.length / rows, [...data]);
  }

  #values(name: string): Float32Array {
    return this.#weights[`transformer.${name}`] ?? new Float32Array();
  }
}

function map(x: Matrix, f: (value: number, row: number, column: number) => number): Matrix {
  const rows = x.to2DArray();
  return new Matrix(rows.map((row, t) => row.map((value, i) => f(value, t, i))));
}

function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** Turns the matrices of the linear layers round. */
function turned(weights: Record<string, Float32Array>): Record<string, Float32Array> {
  const turn = ([name, data]: [string, Float32Array]): [string, Float32Array] => {
    const bias = weights[name.replace(/weight$/, "bias")];
    if (bias === undefined || bias === data || !name.includes(".c_")) return [name, data];
    const matrix = Matrix.from1DArray(data.length / bias.length, bias.length, [...data]);
    return [name, Float32Array.from(matrix.transpose().to1DArray())];
  };
  return Object.fromEntries(Object.entries(weights).map(turn));
}

describe("the floor of the benchmarks", () => {
  const weights = makeWeights();
  const expected = new PlainGpt2(weights).logits().to1DArray();

  test.each([
    ["in-out", weights],
    ["out-in", turned(weights)],
  ] as const)("gives GPT-2's logits from %s weights", async (layout, given) => {
    const floor = await createFloor(config, given, { layout });
    const logits = await floor.run(ids);
    await floor.release();
    expect(logits.length).toBe(expected.length);
    const worst = Math.max(...expected.map((v, i) => Math.abs(v - (logits[i] ?? NaN))));
    expect(worst).toBeLessThan(1e-4);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1);
  });

  test("says which weight is missing or has another size", async () => {
    const { "transformer.ln_f.bias": _, ...rest } = weights;
    await expect(createFloor(config, rest)).rejects.toThrow('no weight "transformer.ln_f.bias"');
    await expect(createFloor({ ...config, width: 24, heads: 2 }, weights)).rejects.toThrow(
      '"transformer.wte.weight" has 204 values, wanted 17 x 24',
    );
  });

  test("takes sequences of its own length only", async () => {
    const floor = await createFloor(config, weights);
    await expect(floor.run([1, 2])).rejects.toThrow("got 2 ids, built for 5");
    await floor.release();
  });
});
