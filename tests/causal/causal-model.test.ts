import { expect, test } from "vitest";
import { CausalModel, type CausalSetting, Generator } from "tsvene";

const truth = [false, true];

/** The model of pyvene's tests. */
function and(): CausalModel<{ A: boolean; B: boolean; C: boolean }> {
  return new CausalModel({
    values: { A: truth, B: truth, C: truth },
    parents: { C: ["A", "B"] },
    functions: { A: () => true, B: () => true, C: (a, b) => a && b },
  });
}

/** Hierarchical equality of four numbers from 0 to 2. */
function equality() {
  const numbers = [0, 1, 2];
  return new CausalModel({
    values: { W: numbers, X: numbers, Y: numbers, Z: numbers, WX: truth, YZ: truth, O: truth },
    parents: { WX: ["W", "X"], YZ: ["Y", "Z"], O: ["WX", "YZ"] },
    functions: { WX: (w, x) => w === x, YZ: (y, z) => y === z, O: (wx, yz) => wx === yz },
  });
}

/** All settings of some variables. */
function product<const N extends string, T>(
  names: readonly N[],
  values: readonly T[],
): Record<N, T>[] {
  return names.reduce<Record<N, T>[]>(
    (settings, name) => settings.flatMap((at) => values.map((value) => ({ ...at, [name]: value }))),
    [{} as Record<N, T>],
  );
}

test("variables have timesteps, inputs, outputs and equivalence classes", () => {
  const model = and();
  expect(model.inputs).toEqual(["A", "B"]);
  expect(model.outputs).toEqual(["C"]);
  expect(model.intermediates).toEqual([]);
  expect(model.timesteps).toEqual({ A: 0, B: 0, C: 1 });
  expect(model.children).toEqual({ A: ["C"], B: ["C"], C: [] });
  expect(model.equivalenceClass("C", false)).toEqual([
    { A: false, B: false },
    { A: false, B: true },
    { A: true, B: false },
  ]);
  expect(model.equivalenceClass("C", true)).toEqual([{ A: true, B: true }]);
});

test("a run takes defaults, inputs, and values of computed variables", () => {
  const model = and();
  expect(model.run()).toEqual({ A: true, B: true, C: true });
  for (const { A, B } of product(["A", "B"], truth)) {
    expect(model.run({ A, B })).toEqual({ A, B, C: A && B });
  }
  expect(model.run({ A: false, B: false, C: true })).toEqual({ A: false, B: false, C: true });
});

test("an interchange takes inputs, outputs and what lies between from other runs", () => {
  const model = and();
  const source = { A: false, B: true };
  expect(model.interchange({ A: true, B: false }, { B: source }).C).toBe(true);
  const [low, high] = [
    { A: false, B: false },
    { A: true, B: true },
  ];
  expect(model.interchange(low, { B: high }).C).toBe(false);
  expect(model.interchange(low, { C: high }).C).toBe(true);
  // A source may itself be intervened on.
  expect(model.interchange(low, { C: { ...low, C: true } }).C).toBe(true);
});

test("interchanges of hierarchical equality are what the formula says, for all inputs", () => {
  const model = equality();
  const all = product(["W", "X", "Y", "Z"], [0, 1, 2]);
  const sources = all.filter((_, i) => i % 7 === 0);
  for (const base of all) {
    for (const source of sources) {
      const [wx, yz] = [source.W === source.X, source.Y === source.Z];
      const [left, right] = [base.W === base.X, base.Y === base.Z];
      expect(model.interchange(base, { WX: source }).O).toBe(wx === right);
      expect(model.interchange(base, { YZ: source }).O).toBe(left === yz);
      expect(model.interchange(base, { WX: source, YZ: base }).O).toBe(wx === right);
    }
  }
});

test("interchanges of (a + b) + c are what the formula says, for all inputs", () => {
  const digits = Array.from({ length: 10 }, (_, i) => i);
  const sums = Array.from({ length: 28 }, (_, i) => i);
  const model = new CausalModel({
    values: { a: digits, b: digits, c: digits, ab: sums.slice(0, 19), sum: sums },
    parents: { ab: ["a", "b"], sum: ["ab", "c"] },
    functions: { ab: (a, b) => a + b, sum: (ab, c) => ab + c },
  });
  const source = { a: 7, b: 8, c: 3 };
  for (const base of product(["a", "b", "c"], digits)) {
    expect(model.run(base).sum).toBe(base.a + base.b + base.c);
    expect(model.interchange(base, { ab: source }).sum).toBe(15 + base.c);
    expect(model.interchange(source, { ab: base }).sum).toBe(base.a + base.b + 3);
  }
});

/** How many standard errors the share of draws for which something holds is from ½. */
function errorsFromHalf(hits: number, draws: number): number {
  return Math.abs(hits / draws - 0.5) / Math.sqrt(0.25 / draws);
}

test("balanced draws give each value of the output as often", () => {
  const [model, generator] = [and(), new Generator(1)];
  const draws = Array.from({ length: 10_000 }, () =>
    model.run(model.sampleBalanced({ generator })),
  );
  expect(errorsFromHalf(draws.filter(({ C }) => C).length, draws.length)).toBeLessThan(4);
});

test("balanced draws of hierarchical equality are balanced in between, too", () => {
  const [model, generator] = [equality(), new Generator(2)];
  const draws = Array.from({ length: 10_000 }, () =>
    model.run(model.sampleBalanced({ generator })),
  );
  for (const name of ["O", "WX", "YZ"] as const) {
    expect(errorsFromHalf(draws.filter((total) => total[name]).length, 10_000)).toBeLessThan(4);
  }
  const asked = Array.from({ length: 500 }, () =>
    model.run(model.sampleBalanced({ generator, variable: "WX", value: true })),
  );
  expect(asked.every(({ WX }) => WX)).toBe(true);
});

test("an input that two ways lead from never gives another value than the one asked for", () => {
  const model = new CausalModel({
    values: { A: truth, B: truth, L: truth, R: truth, O: truth },
    parents: { L: ["A", "B"], R: ["A"], O: ["L", "R"] },
    functions: { L: (a, b) => a || b, R: (a) => !a, O: (l, r) => l && r },
  });
  const generator = new Generator(3);
  for (const value of truth) {
    const draws = Array.from({ length: 200 }, () =>
      model.run(model.sampleBalanced({ generator, value })),
    );
    expect(draws.every(({ O }) => O === value)).toBe(true);
  }
});

test("live paths of AND", () => {
  const model = and();
  const live = (A: boolean, B: boolean): unknown => Object.fromEntries(model.livePaths({ A, B }));
  expect(live(true, true)).toEqual({
    2: [
      ["A", "C"],
      ["B", "C"],
    ],
  });
  expect(live(true, false)).toEqual({ 2: [["B", "C"]] });
  expect(live(false, false)).toEqual({});
});

test("a factual data set is as pyvene's", async () => {
  const model = and();
  const data = model.factualDataset(4, { sampler: () => ({ A: false, B: false }) });
  expect(data).toHaveLength(4);
  expect(data[0]).toMatchObject({ base: { A: false, B: false }, sources: {}, label: { C: false } });
  expect(await model.inputToTensor(data.map(({ base }) => base)).toArray(2)).toEqual(
    data.map(() => [0, 0]),
  );
  expect(await model.outputToTensor(data.map(({ label }) => label)).toArray(2)).toEqual(
    data.map(() => [0]),
  );
});

test("a counterfactual data set is as pyvene's", () => {
  const model = and();
  const data = model.counterfactualDataset(4, {
    sampler: ({ variable }): CausalSetting<{ A: boolean; B: boolean }> =>
      variable === undefined ? { A: true, B: false } : { A: true, B: true },
    interventionSampler: () => ({ B: true }),
  });
  expect(data).toHaveLength(4);
  for (const example of data) {
    expect(example).toEqual({
      base: { A: true, B: false },
      sources: { B: { A: true, B: true } },
      label: { C: true },
      baseLabel: { C: false },
      sourceLabels: { B: { C: true } },
    });
  }
});
