import { describe, expect, test } from "vitest";
import {
  type AlignmentBatch,
  drawnExamples,
  type SettingExample,
  type SettingModel,
  settingPairs,
  type SettingPairsOptions,
  type Tensor,
  tensor,
} from "tsvene";

const MODEL: SettingModel = { inputs: ["a", "b"], outputs: ["total"] };

const examples: SettingExample[] = [
  {
    base: { a: 1, b: 2 },
    sources: { a: { a: 3, b: 0 } },
    label: { total: 5 },
    baseLabel: { total: 3 },
    sourceLabels: { a: { total: 3 } },
  },
  {
    base: { b: 4, a: 0 },
    sources: { a: { a: 2, b: 2 } },
    label: { total: 6 },
    baseLabel: { total: 4 },
    sourceLabels: { a: { total: 4 } },
  },
];

function batchOf<Inputs = Tensor>(
  given: readonly SettingExample[],
  options: SettingPairsOptions<Inputs> = {},
  model = MODEL,
): AlignmentBatch<Inputs> {
  const all = given.map((_, i) => i);
  return settingPairs(model, given, options).batch(all);
}

describe("encodings", () => {
  test("floats are the numbers of the inputs in their order, booleans and lists too", async () => {
    const { base, sources } = batchOf(examples);
    expect(base.dtype).toBe("float32");
    expect(await base.toArray()).toEqual([
      [1, 2],
      [0, 4],
    ]);
    expect(await sources["a"]?.toArray()).toEqual([
      [3, 0],
      [2, 2],
    ]);
    const vectors = [{ base: { a: [0.5, 1], b: true }, sources: {}, label: { total: 1 } }];
    expect(await batchOf(vectors).base.toArray()).toEqual([[0.5, 1, 1]]);
  });

  test("a model's own encoder is asked first", async () => {
    const twice: SettingModel = {
      ...MODEL,
      inputToTensor: (settings) => tensor(settings.map((s) => [Number(s["a"]) * 2])),
    };
    expect(await batchOf(examples, {}, twice).base.toArray()).toEqual([[2], [0]]);
  });

  test("ids are whole numbers, or the number of a value among its variable's", async () => {
    const { base } = batchOf(examples, { encode: "ids" });
    expect(base.dtype).toBe("int64");
    expect(await base.toArray()).toEqual([
      [1, 2],
      [0, 4],
    ]);
    const words = ["no", "yes"];
    const spoken: SettingModel = {
      ...MODEL,
      valueIndex: (_, value) => words.indexOf(String(value)),
    };
    const said = [{ base: { a: "yes", b: false }, sources: {}, label: "no" }];
    const batch = batchOf(said, { encode: "ids", input: "inputIds" }, spoken);
    expect(await (batch.base as unknown as { inputIds: Tensor }).inputIds.toArray()).toEqual([
      [1, 0],
    ]);
    expect(await batch.labels.toArray()).toEqual([0]);
  });

  test("one-hot has places for each input", async () => {
    const { base } = batchOf(examples, { encode: { oneHot: 5 } });
    expect(await base.toArray()).toEqual([
      [0, 1, 0, 0, 0, 0, 0, 1, 0, 0],
      [1, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ]);
  });

  test("a function makes what the model takes, and a name wraps a tensor", async () => {
    const own = batchOf(examples, {
      encode: (settings) => ({ x: tensor(settings.map((s) => Number(s["b"]))) }),
    });
    expect(await own.base.x.toArray()).toEqual([2, 4]);
    const named = batchOf<{ inputsEmbeds: Tensor }>(examples, { input: "inputsEmbeds" });
    expect(named.base.inputsEmbeds.shape).toEqual([2, 2]);
    const made = batchOf(examples, { input: (x) => ({ inputsEmbeds: x.unsqueeze(1) }) });
    expect(await made.base.inputsEmbeds.toArray()).toEqual([[[1, 2]], [[0, 4]]]);
    expect(made.sources["a"]?.inputsEmbeds.shape).toEqual([2, 1, 2]);
  });

  test("a list is encoded once, and rows of it are what each batch would have encoded", async () => {
    const many = Array.from({ length: 50 }, (_, i): SettingExample => ({
      base: { a: i, b: i + 0.5 },
      sources: i % 3 === 0 ? { a: { a: -i, b: 0 } } : { b: { a: 0, b: i } },
      label: { total: i },
    }));
    const encoded: number[] = [];
    const counting: SettingModel = {
      ...MODEL,
      inputToTensor: (settings) => {
        encoded.push(settings.length);
        return tensor(settings.map(({ a, b }) => [Number(a), Number(b)]));
      },
    };
    const data = settingPairs(counting, many);
    const afresh = settingPairs(MODEL, many, {
      encode: (settings) => tensor(settings.map(({ a, b }) => [Number(a), Number(b)])),
    });
    for (const rows of [[4, 3, 49], [3], [0, 3, 3]]) {
      const [ours, theirs] = [data.batch(rows), afresh.batch(rows)];
      expect(await ours.base.toArray()).toEqual(await theirs.base.toArray());
      for (const name of ["a", "b"]) {
        const expected = await theirs.sources[name]?.toArray();
        expect(await ours.sources[name]?.toArray()).toEqual(expected);
      }
    }
    expect(encoded).toEqual([50, 50, 50]); // the bases, and both variables' sources
  });

  test("what a model leaves to be computed is encoded for each batch", async () => {
    const lazy: SettingModel = {
      ...MODEL,
      inputToTensor: (settings) => tensor(settings.map(({ a }) => [Number(a)])).mul(2),
    };
    expect(await batchOf(examples, {}, lazy).base.toArray()).toEqual([[2], [0]]);
    expect(await settingPairs(lazy, examples).batch([1, 1, 0]).base.toArray()).toEqual([
      [0],
      [0],
      [2],
    ]);
  });
});

describe("labels", () => {
  test("are an output's value: of the example, of the base, of the sources", async () => {
    const { labels, baseLabels, sourceLabels } = batchOf(examples);
    expect(labels.dtype).toBe("int64");
    expect(await labels.toArray()).toEqual([5, 6]);
    expect(await baseLabels?.toArray()).toEqual([3, 4]);
    expect(await sourceLabels?.["a"]?.toArray()).toEqual([3, 4]);
  });

  test("are of the output that is named, or what a function says", async () => {
    const two = [{ base: { a: 1, b: 2 }, sources: {}, label: { total: 3, isOdd: true } }];
    const several: SettingModel = { inputs: ["a", "b"], outputs: ["total", "isOdd"] };
    const labelsOf = async (label: SettingPairsOptions["label"] & {}): Promise<unknown> =>
      batchOf(two, { label }, several).labels.toArray();
    expect(await labelsOf("isOdd")).toEqual([1]);
    expect(await labelsOf((said) => said["isOdd"] === true)).toEqual([1]);
    expect(await labelsOf(({ total }) => [Number(total) / 2, 0])).toEqual([[1.5, 0]]);
    expect(() => batchOf(two, {}, several)).toThrow(
      /example 0: label has total, isOdd; say which is predicted, \{ label: "total" \}/,
    );
    expect(() => batchOf(two, { label: "sum" }, several)).toThrow(
      /has no sum; it has total, isOdd/,
    );
    expect(() => batchOf(two, { label: () => 0.5 }, several)).toThrow(
      /gave 0.5; expected the number/,
    );
  });
});

test("mixed examples have rows, and the base in place of what is absent", async () => {
  const mixed = [
    ...examples,
    { base: { a: 9, b: 9 }, sources: { b: { a: 1, b: 1 } }, label: { total: 10 } },
  ];
  const plain = mixed.map(({ base, sources, label }) => ({ base, sources, label }));
  const { rows, sources } = batchOf(plain);
  expect(rows).toEqual({ a: [true, true, false], b: [false, false, true] });
  expect(await sources["a"]?.select(0, 2).toArray()).toEqual([9, 9]);
  const homogeneous = settingPairs(MODEL, plain, { mode: "homogeneous" });
  expect(() => homogeneous.batch([1, 2])).toThrow(
    /example 1 intervenes on a, example 2 intervenes on b/,
  );
});

test("examples drawn afresh are the same whenever they are asked for", async () => {
  const drawn = drawnExamples(
    10_000_000,
    (generator) => {
      const draw = () => ({ a: generator.integer(10), b: generator.integer(10) });
      const [base, source] = [draw(), draw()];
      return { base, sources: { a: source }, label: { total: source.a + base.b } };
    },
    { seed: 7 },
  );
  const data = settingPairs(MODEL, drawn);
  const [first, again] = [data.batch([9_999_999, 3]), data.batch([3])];
  const [row] = (await again.base.toArray()) as number[][];
  expect(((await first.base.toArray()) as number[][])[1]).toEqual(row);
  expect(data.key?.(3)).not.toBe(data.key?.(4));
  expect(() => data.batch([10_000_000])).toThrow(/there is no example 10000000/);
  expect(() => drawnExamples(3.5, () => 1)).toThrow(/length must be a whole number, got 3.5/);
  expect(() => drawnExamples(3, () => 1, { seed: -1 })).toThrow(/seed must be/);
  expect(() => drawnExamples(3, 1 as never)).toThrow(/a function that makes an example/);
});

test("examples that are made need all variables to be named", () => {
  const drawn = drawnExamples(4, (_, index) => ({
    base: { a: 1, b: 1 },
    sources: index === 0 ? { a: { a: 0, b: 0 } } : { b: { a: 0, b: 0 } },
    label: { total: 1 },
  }));
  expect(() => settingPairs(MODEL, drawn).batch([1])).toThrow(
    /example 1 has a source of b, which is none of the variables a.*say all in \{ variables/,
  );
  const both = settingPairs(MODEL, drawn, { variables: ["a", "b"] });
  expect(both.batch([0, 1]).rows).toEqual({ a: [true, false], b: [false, true] });
});

test("refuses values without a number, and options that do not fit", () => {
  const one =
    (base: object, options: SettingPairsOptions = {}) =>
    () =>
      batchOf([{ base, sources: {}, label: { total: 1 } }], options);
  expect(one({ a: "x", b: 1 })).toThrow(/a = "x" is no number/);
  expect(one({ a: 1 })).toThrow(/a setting has no b; it has a/);
  expect(one({ a: "x", b: 1 }, { encode: "ids" })).toThrow(/a = "x" has no number/);
  expect(one({ a: 7, b: 1 }, { encode: { oneHot: 5 } })).toThrow(/oneHot has 5 places/);
  expect(one({ a: 1, b: 1 }, { encode: "text" as never })).toThrow(/encode must be one of/);
  expect(one({ a: 1, b: 1 }, { encode: { oneHot: 0 } })).toThrow(/oneHot must be/);
  expect(one({ a: 1, b: 1 }, { encode: () => tensor([1]), input: "x" })).toThrow(
    /encode gives all/,
  );
  const joined: SettingModel = { ...MODEL, inputToTensor: () => tensor([[1, 2, 3, 4]]) };
  expect(() => batchOf(examples, {}, joined)).toThrow(/inputToTensor gave \[1, 4\] of 2 settings/);
  expect(one({ a: 1, b: 1 }, { input: 3 as never })).toThrow(
    /input must be the name of an argument, or a function of the tensor, got a number/,
  );
  expect(one({ a: 1, b: 1 }, { labelPosition: 0.5 })).toThrow(
    /labelPosition must be a whole number/,
  );
  expect(() => settingPairs(null as never, examples)).toThrow(/first a causal model/);
});
