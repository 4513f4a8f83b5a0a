import { describe, expect, test } from "vitest";
import { Generator, init, type Tensor, tensor } from "tsvene";

const generator = (): Generator => new Generator(1);

async function spread(x: Tensor): Promise<{ mean: number; std: number; min: number; max: number }> {
  const values = Array.from(await x.data(), Number);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  const [min, max] = [
    values.reduce((a, b) => Math.min(a, b)),
    values.reduce((a, b) => Math.max(a, b)),
  ];
  return { mean, std, min, max };
}

/** Fails unless the tensor is as a uniform distribution within ±bound. */
async function expectUniform(x: Tensor, bound: number): Promise<void> {
  const { mean, std, min, max } = await spread(x);
  expect(Math.abs(mean) / bound).toBeLessThan(0.03);
  expect(std / bound).toBeCloseTo(1 / Math.sqrt(3), 1.7);
  expect(min / bound).toBeGreaterThanOrEqual(-1);
  expect(max / bound).toBeLessThanOrEqual(1);
  expect(max / bound).toBeGreaterThan(0.99);
}

async function expectNormal(x: Tensor, std: number): Promise<void> {
  const found = await spread(x);
  expect(Math.abs(found.mean) / std).toBeLessThan(0.04);
  expect(Math.abs(found.std / std - 1)).toBeLessThan(0.03);
  expect(found.max / std).toBeGreaterThan(3);
}

describe("plain initialisers", () => {
  test("constants", async () => {
    expect(await init.zeros([2]).toArray()).toEqual([0, 0]);
    expect(await init.ones([2], { dtype: "float64" }).toArray()).toEqual([1, 1]);
    expect(await init.constant([], 2.5).item()).toBe(2.5);
    expect(init.ones([1], { dtype: "bfloat16" }).dtype).toBe("bfloat16");
  });

  test("are values from the start, so that nothing is drawn or computed twice", () => {
    expect(init.zeros([2]).toString()).toContain("0");
    expect(init.normal([2], { std: 0.02 }).toString()).toMatch(/\d\.\d/);
  });

  test("uniform and normal", async () => {
    await expectUniform(init.uniform([10_000], { low: -3, high: 3, generator: generator() }), 3);
    const x = init.normal([10_000], { mean: 2, std: 0.5, generator: generator() });
    await expectNormal(x.sub(2), 0.5);
  });

  test("repeat from a seed", async () => {
    const draw = (): Promise<unknown> => init.normal([4], { generator: generator() }).toArray();
    expect(await draw()).toEqual(await draw());
  });

  test("need a floating-point type", () => {
    expect(() => init.zeros([1], { dtype: "int64" })).toThrow(
      "init.constant: dtype must be floating-point, got int64",
    );
  });
});

describe("truncatedNormal", () => {
  // Mean and standard deviation of the truncated distributions by numerical integration.
  const truth = (low: number, high: number): { mean: number; std: number } => {
    const n = 20_000;
    let [mass, first, second] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const x = low + ((high - low) * (i + 0.5)) / n;
      const p = Math.exp(-(x ** 2) / 2);
      mass += p;
      first += p * x;
      second += p * x ** 2;
    }
    const mean = first / mass;
    return { mean, std: Math.sqrt(second / mass - mean ** 2) };
  };

  test.each([
    [-2, 2],
    [-1, 8],
    [-0.3, 0.4],
    [1.5, 3],
    [-6, -1.9],
  ])("between %d and %d standard deviations", async (low, high) => {
    const [mean, std] = [10, 2];
    const range = { min: mean + low * std, max: mean + high * std };
    const x = init.truncatedNormal([20_000], { mean, std, ...range, generator: generator() });
    const found = await spread(x);
    const wanted = truth(low, high);
    expect(found.min).toBeGreaterThanOrEqual(range.min - 1e-6);
    expect(found.max).toBeLessThanOrEqual(range.max + 1e-6);
    expect(Math.abs((found.mean - mean) / std - wanted.mean)).toBeLessThan(0.025);
    expect(Math.abs(found.std / std - wanted.std)).toBeLessThan(0.02);
  });

  test("refuses a window far from the mean", () => {
    expect(() => init.truncatedNormal([1], { min: 3, max: 4 })).toThrow(
      "the mean at most 2 std outside them; got mean 0, std 1, min 3, max 4",
    );
  });
});

describe("initialisers that keep the variance", () => {
  test("xavier", async () => {
    const options = { gain: 2, generator: generator() };
    await expectUniform(init.xavierUniform([60, 200], options), 2 * Math.sqrt(6 / 260));
    await expectNormal(init.xavierNormal([60, 20, 3, 3], options), 2 * Math.sqrt(2 / (80 * 9)));
  });

  test("kaiming", async () => {
    const g = generator();
    await expectUniform(
      init.kaimingUniform([60, 200], { slope: Math.sqrt(5), generator: g }),
      1 / Math.sqrt(200),
    );
    await expectNormal(
      init.kaimingNormal([60, 20, 3, 3], { mode: "fanOut", nonlinearity: "relu", generator: g }),
      Math.sqrt(2 / (60 * 9)),
    );
  });

  test("gains are torch's", () => {
    expect(init.gainOf("linear")).toBe(1);
    expect(init.gainOf("sigmoid")).toBe(1);
    expect(init.gainOf("tanh")).toBe(5 / 3);
    expect(init.gainOf("relu")).toBe(Math.SQRT2);
    expect(init.gainOf("leakyRelu")).toBeCloseTo(1.4141428569978354, 12);
    expect(init.gainOf("selu")).toBe(0.75);
  });

  test("need two dimensions", () => {
    expect(() => init.xavierUniform([3])).toThrow(
      "init.xavierUniform: expected a weight of 2 or more dimensions, got [3]",
    );
  });
});

describe("orthogonal", () => {
  const shapes = [
    [5, 5],
    [3, 7],
    [7, 3],
    [4, 3, 2],
    [1, 4],
  ];
  test.each(shapes)("of shape %d, %d, ...", async (...shape) => {
    const gain = 1.5;
    const q = init.orthogonal(shape, { gain, generator: generator() }).flatten(1);
    const [rows = 1, columns = 1] = q.shape;
    const product = rows < columns ? q.matmul(q.t()) : q.t().matmul(q);
    const n = Math.min(rows, columns);
    const values = await product
      .div(gain ** 2)
      .flatten()
      .toArray(1);
    values.forEach((v, i) => expect(v).toBeCloseTo(i % (n + 1) === 0 ? 1 : 0, 6));
  });

  test("favours no direction", async () => {
    const g = generator();
    const n = 4000;
    let sum: Tensor = tensor([
      [0, 0],
      [0, 0],
    ]);
    let squares: Tensor = sum;
    let positive = 0;
    for (let i = 0; i < n; i++) {
      const q = init.orthogonal([2, 2], { generator: g });
      const [a = 0, b = 0, c = 0, d = 0] = Array.from(q.values ?? [], Number);
      positive += a * d - b * c > 0 ? 1 : 0;
      if (i % 8 > 0) continue;
      sum = sum.add(q);
      squares = squares.add(q.square());
    }
    const means = await sum
      .div(n / 8)
      .flatten()
      .toArray(1);
    const variances = await squares
      .div(n / 8)
      .flatten()
      .toArray(1);
    for (const mean of means) expect(Math.abs(mean)).toBeLessThan(0.12);
    for (const variance of variances) expect(Math.abs(variance - 0.5)).toBeLessThan(0.06);
    expect(Math.abs(positive / n - 0.5)).toBeLessThan(0.035);
  });
});
