import { describe, expect, test } from "vitest";
import {
  bernoulli,
  defaultGenerator,
  Generator,
  manualSeed,
  multinomial,
  rand,
  randint,
  randn,
  randperm,
  sampleIndex,
  shuffle,
  tensor,
} from "tsvene";
import { exp, log } from "./portable-math.ts";
import { threefry } from "./threefry.ts";

const words = (generator: Generator, count: number): number[] =>
  Array.from({ length: count }, () => generator.word() >>> 0);

function moments(values: ArrayLike<number>): { mean: number; variance: number; kurtosis: number } {
  const n = values.length;
  let [mean, second, fourth] = [0, 0, 0];
  for (let i = 0; i < n; i++) mean += (values[i] ?? 0) / n;
  for (let i = 0; i < n; i++) {
    const square = ((values[i] ?? 0) - mean) ** 2;
    second += square / n;
    fourth += square ** 2 / n;
  }
  return { mean, variance: second, kurtosis: fourth / second ** 2 };
}

describe("the algorithms", () => {
  // Known answers of the authors' library, Random123.
  test.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [-1, -1],
      [-1, -1],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as [[number, number], [number, number], [number, number]][])(
    "Threefry of key %j, counter %j",
    (key, counter, expected) => {
      expect(threefry(key, counter).map((w) => w >>> 0)).toEqual(expected);
    },
  );

  test("xoshiro128++ gives its reference stream", () => {
    const generator = new Generator({ key: [0, 0], splits: 0, words: [1, 2, 3, 4] });
    expect(words(generator, 10)).toEqual([
      641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295,
      495546011, 621204420,
    ]);
  });

  // Computed by tests/goldens/make/random_streams.py.
  test("seeds give the streams they always gave", () => {
    expect(words(new Generator(0), 3)).toEqual([1782597358, 464396479, 4231272346]);
    expect(words(new Generator(42), 3)).toEqual([771712295, 1212230884, 149223544]);
    expect(words(new Generator(2 ** 53 - 1), 3)).toEqual([1543026099, 596561346, 2458112199]);
  });

  test("children give the streams they always gave", () => {
    const parent = new Generator(42);
    expect(words(parent.split(), 3)).toEqual([1185375068, 692256140, 3178011713]);
    expect(words(parent.split(), 3)).toEqual([2012043148, 803779354, 1127766161]);
  });

  test("exp and log are those of Math", () => {
    for (let x = 0; x < 40; x += 0.37) {
      expect(exp(-x) / Math.exp(-x) - 1).toBeCloseTo(0, 14);
      expect(log(Math.exp(-x))).toBeCloseTo(-x, 13);
    }
  });
});

describe("Generator", () => {
  test("continues from a state that went through JSON", () => {
    const generator = new Generator(5);
    generator.normal();
    generator.split();
    const copy = new Generator(JSON.parse(JSON.stringify(generator.stateDict())));
    expect(words(copy, 5)).toEqual(words(generator, 5));
    expect(words(copy.split(), 5)).toEqual(words(generator.split(), 5));
  });

  test("a split does not change what the parent draws, nor does drawing change the child", () => {
    const [a, b] = [new Generator(9), new Generator(9)];
    const child = a.split();
    words(b, 100);
    words(a, 100);
    expect(words(a, 5)).toEqual(words(b, 5));
    expect(words(child, 5)).toEqual(words(b.split(), 5));
  });

  test("streams of children and neighbouring seeds are uncorrelated", () => {
    const parent = new Generator(3);
    const streams = [parent.split(), parent.split(), parent, new Generator(4), new Generator(2)];
    const n = 20_000;
    const values = [...streams, parent.split().split()].map((g) =>
      g.fillNormal(new Float64Array(n)),
    );
    for (const [i, x] of values.entries()) {
      for (const y of values.slice(i + 1)) {
        const correlation = x.reduce((sum, v, k) => sum + v * (y[k] ?? 0), 0) / n;
        expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(n));
      }
    }
  });

  test("uniform numbers have their moments", () => {
    const n = 100_000;
    for (const out of [new Float32Array(n), new Float64Array(n)]) {
      const values = new Generator(1).fillUniform(out);
      expect(values.every((v) => v >= 0 && v < 1)).toBe(true);
      const { mean, variance, kurtosis } = moments(values);
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.004);
      expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.0012);
      expect(Math.abs(kurtosis - 1.8)).toBeLessThan(0.02);
    }
  });

  test("normal numbers follow the normal distribution, tail included", () => {
    const n = 400_000;
    for (const out of [new Float32Array(n), new Float64Array(n)]) {
      const values = new Generator(2).fillNormal(out);
      const { mean, variance, kurtosis } = moments(values);
      expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(n));
      expect(Math.abs(variance - 1)).toBeLessThan(6 / Math.sqrt(n));
      expect(Math.abs(kurtosis - 3)).toBeLessThan(20 / Math.sqrt(n));
      // Two-sided tail probabilities from tables of the distribution.
      const tails = { 0.5: 0.617075, 1: 0.317311, 2: 0.0455003, 3: 0.0026998, 3.6: 0.00031822 };
      for (const [bound, p] of Object.entries(tails)) {
        let count = 0;
        for (const v of values) if (Math.abs(v) > Number(bound)) count++;
        expect(Math.abs(count / n - p)).toBeLessThan(4.5 * Math.sqrt(p / n));
      }
    }
  });

  // Computed by tests/goldens/make/random_streams.py: 200,000 numbers take every branch.
  test("normal numbers are the ones they always were", () => {
    const size = (values: Iterable<number>): number[] => {
      let [sum, largest] = [0, 0];
      for (const v of values) {
        sum += Math.abs(v);
        largest = Math.max(largest, Math.abs(v));
      }
      return [sum, largest];
    };
    const [sum, largest] = size(new Generator(1).fillNormal(new Float64Array(200_000)));
    expect(sum).toBeCloseTo(160070.0745957913, 7);
    expect(largest).toBeCloseTo(5.091236474079363, 14);
    const [shortSum, shortLargest] = size(new Generator(1).fillNormal(new Float32Array(200_000)));
    expect(shortSum).toBeCloseTo(159223.1988778984, 2);
    expect(shortLargest).toBe(Math.fround(4.629291559416172));
  });

  test("integers are even over their range", () => {
    const generator = new Generator(6);
    const counts = Array.from({ length: 7 }, () => 0);
    for (let i = 0; i < 70_000; i++) {
      const i = generator.integer(7);
      counts[i] = (counts[i] ?? 0) + 1;
    }
    expect(Math.max(...counts.map((c) => Math.abs(c - 10_000)))).toBeLessThan(450);
    // 3/4 of 2^32: taking the remainder of a word would draw the first third twice as often.
    const high = 0.75 * 2 ** 32;
    let low = 0;
    for (let i = 0; i < 30_000; i++) low += generator.integer(high) < high / 3 ? 1 : 0;
    expect(Math.abs(low - 10_000)).toBeLessThan(400);
    const large = Array.from({ length: 100 }, () => generator.integer(2 ** 53 - 1));
    expect(large.every(Number.isSafeInteger)).toBe(true);
    expect(Math.max(...large)).toBeGreaterThan(2 ** 52);
  });

  test("rejects what is not a seed or a range", () => {
    for (const seed of [-1, 1.5, NaN, 2 ** 53]) {
      expect(() => new Generator(seed)).toThrow("the seed must be an integer from 0 to 2^53 - 1");
    }
    expect(() => new Generator(0).integer(0)).toThrow("high must be an integer from 1");
  });
});

describe("random tensors", () => {
  // Computed by tests/goldens/make/random_streams.py.
  test("the first values are pinned", async () => {
    const generator = new Generator(42);
    expect(await rand([2], { generator, dtype: "float64" }).toArray()).toEqual([
      0.17967827083352572, 0.03474380860389892,
    ]);
    const short = [-0.3204718613832433, 0.12103562636375444, 2.498959670143785];
    expect(await randn([3], { generator }).toArray()).toEqual(short.map(Math.fround));
    const long = await randn([2], { generator, dtype: "float64" }).toArray(1);
    expect(long[0]).toBeCloseTo(-0.44509152363237353, 14);
    expect(long[1]).toBeCloseTo(-1.5832906827499242, 14);
    expect(await randint(0, 100, [4], { generator }).toArray()).toEqual([57, 51, 44, 63]);
    expect(await randperm(6, { generator }).toArray()).toEqual([2, 4, 5, 0, 3, 1]);
  });

  test("manualSeed restarts the default generator", async () => {
    manualSeed(11);
    const first = await randn([4]).toArray();
    expect(await randn([4]).toArray()).not.toEqual(first);
    manualSeed(11);
    expect(await randn([4]).toArray()).toEqual(first);
    expect(manualSeed(11)).toBe(defaultGenerator());
  });

  test("16-bit floats stay below 1", async () => {
    for (const dtype of ["float16", "bfloat16"] as const) {
      const x = rand([20_000], { generator: new Generator(1), dtype });
      const values = await x.toArray(1);
      expect(Math.max(...values)).toBeLessThan(1);
      expect(Math.abs(moments(values).mean - 0.5)).toBeLessThan(0.01);
      const normals = await randn([20_000], {
        generator: new Generator(1),
        dtype,
      }).toArray(1);
      expect(Math.abs(moments(normals).variance - 1)).toBeLessThan(0.05);
    }
  });

  test("randint covers its range in any dtype", async () => {
    for (const dtype of ["int64", "int32", "float32", "uint8"] as const) {
      const x = randint(3, 6, [300], { generator: new Generator(8), dtype });
      expect(x.dtype).toBe(dtype);
      expect(new Set(await x.toArray(1))).toEqual(new Set([3, 4, 5]));
    }
    expect(() => randint(3, 3, [1])).toThrow("expected integers low < high, got 3 and 3");
    expect(() => randint(0, 2, [1], { dtype: "bool" })).toThrow('to("bool")');
  });

  test("bernoulli takes a number or a tensor of probabilities", async () => {
    const generator = new Generator(1);
    const share = bernoulli(0.25, [40_000], { generator }).mean();
    expect(Math.abs((await share.item()) - 0.25)).toBeLessThan(0.01);
    const columns = bernoulli(tensor([0, 0.5, 1]), [10_000, 3], { generator, dtype: "bool" });
    const means = await columns.to("float32").mean({ dim: 0 }).toArray(1);
    expect(means[0]).toBe(0);
    expect(Math.abs((means[1] ?? 0) - 0.5)).toBeLessThan(0.02);
    expect(means[2]).toBe(1);
    expect(() => bernoulli(1.5, [1])).toThrow("the probability must be in [0, 1], got 1.5");
  });

  test("floats only where numbers are fractions", () => {
    expect(() => rand([1], { dtype: "int64" })).toThrow("use randint()");
  });
});

describe("choices", () => {
  test("sampleIndex follows the weights and never takes a zero", () => {
    const generator = new Generator(4);
    const counts = [0, 0, 0, 0];
    const weights = Float32Array.of(1, 0, 3, 0);
    for (let i = 0; i < 40_000; i++) {
      const j = sampleIndex(weights, generator);
      counts[j] = (counts[j] ?? 0) + 1;
    }
    expect(counts[1]).toBe(0);
    expect(counts[3]).toBe(0);
    expect(Math.abs((counts[0] ?? 0) - 10_000)).toBeLessThan(400);
    expect(() => sampleIndex([0, 0])).toThrow("none of the 2 weights is above zero");
    expect(() => sampleIndex([1, NaN])).toThrow("weight 1 is NaN");
  });

  test("multinomial draws without replacement unless told", () => {
    const generator = new Generator(4);
    expect(new Set(multinomial([1, 2, 3], 3, { generator }))).toEqual(new Set([0, 1, 2]));
    expect(multinomial([0, 1], 5, { replacement: true, generator })).toEqual([1, 1, 1, 1, 1]);
    expect(() => multinomial([0, 1], 2)).toThrow("need as many weights above zero, got 1");
  });

  test("shuffle makes every order, and leaves the array alone", () => {
    const generator = new Generator(2);
    const items = [1, 2, 3] as const;
    const counts = new Map<string, number>();
    for (let i = 0; i < 12_000; i++) {
      const order = shuffle(items, generator).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(items).toEqual([1, 2, 3]);
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });
});
