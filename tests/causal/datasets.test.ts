import { expect, test } from "vitest";
import { CausalModel, Generator } from "tsvene";

type Vec = readonly number[];

const truth = [false, true];
const isSame = (a: Vec, b: Vec) => a.join() === b.join();
const draw = (generator: Generator): Vec => [generator.uniform(), generator.uniform()];

/** Two vectors, of which the second is the first where they should be the same. */
function pair(equal: boolean, generator: Generator): [Vec, Vec] {
  const first = draw(generator);
  return [first, equal ? first : draw(generator)];
}

/** Hierarchical equality of vectors that are drawn afresh. */
function equality() {
  return new CausalModel({
    values: { W: draw, X: draw, Y: draw, Z: draw, WX: truth, YZ: truth, O: truth },
    parents: { WX: ["W", "X"], YZ: ["Y", "Z"], O: ["WX", "YZ"] },
    functions: { WX: isSame, YZ: isSame, O: (wx, yz) => wx === yz },
    preimages: {
      WX: (equal, generator) => {
        const [W, X] = pair(equal, generator);
        return { W, X };
      },
      YZ: (equal, generator) => {
        const [Y, Z] = pair(equal, generator);
        return { Y, Z };
      },
    },
  });
}

/** How many standard errors a share of draws is from what it should be. */
function errors(hits: number, draws: number, share: number): number {
  return Math.abs(hits / draws - share) / Math.sqrt((share * (1 - share)) / draws);
}

test("variables that are drawn are balanced through preimages", () => {
  const [model, generator] = [equality(), new Generator(4)];
  const totals = Array.from({ length: 4000 }, () => model.run(model.sampleBalanced({ generator })));
  for (const name of ["O", "WX", "YZ"] as const) {
    expect(errors(totals.filter((total) => total[name]).length, 4000, 0.5)).toBeLessThan(4);
  }
});

test("a counterfactual data set has its size, and labels that interchanges say", () => {
  const model = equality();
  const data = model.counterfactualDataset(1001, { generator: new Generator(5) });
  expect(data).toHaveLength(1001);
  for (const { base, sources, label, baseLabel, sourceLabels } of data) {
    expect(label.O).toBe(model.interchange(base, sources).O);
    expect(baseLabel.O).toBe(model.run(base).O);
    for (const [name, source] of Object.entries(sources)) {
      expect(sourceLabels[name as "WX"]?.O).toBe(model.run(source).O);
    }
  }
  // Each of the three sets of two variables is as likely, and bases are balanced.
  for (const names of ["WX", "YZ", "WX,YZ"]) {
    const hits = data.filter(({ sources }) => Object.keys(sources).join() === names).length;
    expect(errors(hits, 1001, 1 / 3)).toBeLessThan(4);
  }
  expect(errors(data.filter(({ baseLabel }) => baseLabel.O).length, 1001, 0.5)).toBeLessThan(4);
});

test("the same seed draws the same data, and another one others", () => {
  const draws = (seed: number) =>
    equality().counterfactualDataset(20, { generator: new Generator(seed) });
  expect(draws(1)).toEqual(draws(1));
  expect(draws(1)).not.toEqual(draws(2));
});

test("interventions are among those that are named, and a filter chooses from them", () => {
  const model = equality();
  const generator = new Generator(6);
  const interventions = [["WX"], ["YZ", "W"]] as const;
  const data = model.counterfactualDataset(60, {
    generator,
    interventions,
    filter: (intervention) => intervention.WX !== true,
  });
  const kinds = data.map(({ sources }) => Object.keys(sources).join());
  // In the order of the variables, whatever the order in which they are named.
  expect(new Set(kinds)).toEqual(new Set(["WX", "W,YZ"]));
  for (const { sources } of data) {
    if (sources.WX !== undefined) expect(model.run(sources.WX).WX).toBe(false);
  }
});

test("blocks of examples have one intervention, and the last may be shorter", () => {
  const data = equality().counterfactualDataset(10, { generator: new Generator(7), blockSize: 4 });
  const kinds = data.map(({ sources }) => Object.keys(sources).join());
  expect(data).toHaveLength(10);
  for (const start of [0, 4, 8]) expect(new Set(kinds.slice(start, start + 4)).size).toBe(1);
});

test("a uniform sampler needs no preimages, and its labels are right", () => {
  const digits = Array.from({ length: 4 }, (_, i) => i);
  const model = new CausalModel({
    values: { a: digits, b: digits, ab: "any", sum: "any" },
    parents: { ab: ["a", "b"], sum: ["ab", "b"] },
    functions: { ab: (a, b) => a + b, sum: (ab, b) => Number(ab) + b },
  });
  const data = model.counterfactualDataset(50, { generator: new Generator(8), sampler: "uniform" });
  for (const { base, sources, label } of data) {
    const { a = 0, b = 0 } = sources.ab ?? {};
    expect(label.sum).toBe(a + b + (base.b ?? 0));
  }
});

test("filters hold of what is drawn", () => {
  const model = new CausalModel({
    values: { A: truth, B: truth, C: truth, D: truth },
    parents: { C: ["A", "B"], D: ["C"] },
    functions: { C: (a, b) => a && b, D: (c) => !c },
  });
  const generator = new Generator(9);
  const total = (
    mandatory: (total: { A: boolean; B: boolean; C: boolean; D: boolean }) => boolean,
  ) => Array.from({ length: 40 }, () => model.run(model.sampleInput({ generator, mandatory })));
  expect(total(model.partialFilter({ A: true, C: false })).every(({ A, B }) => A && !B)).toBe(true);
  // From A there is a live path to D where B is true, and then it has three variables.
  expect(total(model.pathFilter("A", "D")).every(({ B }) => B)).toBe(true);
  expect(total(model.pathLengthFilter([2])).every(({ A, B }) => !A && !B)).toBe(true);
  expect(total(model.pathLengthFilter([3])).every(({ A, B }) => A || B)).toBe(true);
});

test("encoders say what values are in a tensor", async () => {
  const model = new CausalModel({
    values: { word: ["no", "yes"], flag: truth, list: [[1, 2]], answer: ["a", "b"] },
    parents: { answer: ["word", "flag", "list"] },
    functions: { answer: (word, flag, _list) => (word === "yes" && flag ? "b" : "a") },
    encoders: { word: (word) => [word.length, 0.5], answer: (answer) => Number(answer === "b") },
  });
  const setting = { word: "yes", flag: true, list: [1, 2] };
  expect(await model.inputToTensor(setting).toArray(1)).toEqual([1, 1, 2, 3, 0.5]);
  expect(await model.outputToTensor([model.run(setting)]).toArray(2)).toEqual([[1]]);
  expect(model.valueIndex("word", "yes")).toBe(1);
  expect(model.valueIndex("list", [1, 2])).toBe(0);
});
