import { describe, expect, test } from "vitest";
import { anyValue, CausalModel, Generator } from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";

const truth = [false, true];
const Causal = untyped({ CausalModel }).CausalModel;
const and = (a: boolean, b: boolean) => a && b;
const values = { A: truth, B: truth, C: truth };
const parents = { C: ["A", "B"] } as const;
const functions = { C: and };
const model = new CausalModel({ values, parents, functions });
const js = untyped(model);
const inputs = { A: true, B: false };

/** A model of one way, a variable that has no values twice, and a way that never gives true. */
const dull = new CausalModel({
  values: { A: truth, B: truth, C: truth },
  parents: { B: ["A"], C: ["B"] },
  functions: { B: (a) => a && false, C: (b) => b },
});
const open = new CausalModel({
  values: { W: anyValue<string>(), X: (generator: Generator) => generator.uniform(), L: [0, 1, 2] },
  parents: { L: ["W", "X"] },
  functions: { L: (w, _x) => w.length },
});

describe("what a model is made of", () => {
  refusesEach([
    [
      "a variable that objects have already",
      () =>
        new Causal(
          JSON.parse('{ "values": { "__proto__": [1] }, "parents": {}, "functions": {} }'),
        ),
      /a variable cannot be called __proto__/,
    ],
    ["no options", () => new Causal(), /CausalModel: options are one object by name: values/],
    [
      "pyvene's names",
      () => new Causal({ values, parents, functions, equiv_classes: {} }),
      /no option equiv_classes/,
    ],
    ["no variables", () => new Causal({ values: {}, parents, functions }), /no variables/],
    [
      "no parents",
      () => new Causal({ values, functions }),
      /parents must be an object by variable, got undefined/,
    ],
    [
      "values that are no domain",
      () => new Causal({ values: { ...values, A: 3 }, parents, functions }),
      /values\.A must be a list of values, a function that draws one, or "any"; got 3/,
    ],
    [
      "a domain without values",
      () => new Causal({ values: { ...values, A: [] }, parents, functions }),
      /values\.A has no values/,
    ],
    [
      "a value twice",
      () => new Causal({ values: { ...values, A: [[1, 2], [1, 2]] }, parents, functions }), // prettier-ignore
      /values\.A has \[1,2\] twice; list each value once/,
    ],
    [
      "an unknown parent",
      () => new Causal({ values, parents: { C: ["A", "b"] }, functions }),
      /parents\.C names "b", which is no variable of values; did you mean/,
    ],
    [
      "parents of an unknown variable",
      () => new Causal({ values, parents: { ...parents, D: ["A"] }, functions }),
      /parents names D, which is no variable of values; did you mean/,
    ],
    [
      "a parent twice",
      () => new Causal({ values, parents: { C: ["A", "A"] }, functions }),
      /parents\.C names A twice/,
    ],
    [
      "a cycle",
      () =>
        new Causal({ values, parents: { A: ["C"], B: ["A"], C: ["B"] }, functions: { A: and, B: and, C: and } }), // prettier-ignore
      /the parents make a cycle, A -> B -> C -> A; a variable cannot depend on itself/,
    ],
    [
      "a variable that is its own parent",
      () => new Causal({ values, parents: { C: ["C", "A"] }, functions }),
      /cycle, C -> C/,
    ],
    [
      "no function",
      () => new Causal({ values, parents, functions: {} }),
      /functions\.C must be a function of the parents A, B, got undefined/,
    ],
    [
      "a function of one parent of two",
      () => new Causal({ values, parents, functions: { C: (a: boolean) => a } }),
      /functions\.C takes 1 value, but C has the parents A, B/,
    ],
    [
      "a function of more than there are",
      () => new Causal({ values, parents, functions: { ...functions, A: (a: boolean) => a } }),
      /functions\.A takes 1 value, but A has no parents/,
    ],
    [
      "timesteps that fall",
      () => new Causal({ values, parents, functions, timesteps: { A: 0, B: 2, C: 2 } }),
      /timesteps: C \(2\) must come after its parent B \(2\)/,
    ],
    [
      "a timestep that is missing",
      () => new Causal({ values, parents, functions, timesteps: { A: 0, B: 0 } }),
      /timesteps\.C must be a number, got undefined; name every variable/,
    ],
    [
      "an encoder that is none",
      () => new Causal({ values, parents, functions, encoders: { A: "float" } }),
      /encoders\.A must be a function, got "float"/,
    ],
  ]);

  test("functions of any number of values, and built-in ones, are taken", () => {
    const numbers = { A: [0, 1], B: [0, 1], C: [0, 1] };
    const most = new CausalModel({ values: numbers, parents, functions: { C: Math.max } });
    const sum = (...all: number[]) => all.reduce((total, at) => total + at) % 2;
    const odd = new CausalModel({ values: numbers, parents, functions: { C: sum } });
    expect([most.run({ A: 0, B: 1 }).C, odd.run({ A: 1, B: 1 }).C]).toEqual([1, 0]);
  });

  test("what is passed is not changed, and later changes do not reach the model", () => {
    const given = { values: { B: [0, 1], A: [0, 1] }, parents: { B: ["A" as "A" | "B"] } };
    const before = JSON.stringify(given);
    const made = new CausalModel({ ...given, functions: { B: (a: number) => a } });
    expect(JSON.stringify(given)).toBe(before);
    given.parents.B.push("B");
    given.values.A.pop();
    expect(made.parents.B).toEqual(["A"]);
    expect(made.run({ A: 1 })).toEqual({ A: 1, B: 1 });
  });
});

describe("runs", () => {
  refusesEach([
    [
      "no setting but a list",
      () => js.run([true]),
      /expected a setting, \{ A: \.\.\., B: \.\.\. \}, got a list/,
    ],
    ["an unknown variable", () => js.run({ ...inputs, D: true }), /no variable "D"; did you mean/],
    [
      "a value outside the domain",
      () => js.run({ A: 1, B: false }),
      /the setting gives A = 1, expected one of false, true/,
    ],
    ["a value that is undefined", () => js.run({ A: undefined, B: true }), /A = undefined/],
    [
      "a promise",
      () => open.run({ W: Promise.resolve("a") as unknown as string, X: 1 }),
      /W = a Promise \(write await/,
    ],
    [
      "an input that has no value",
      () => model.run({ A: true }),
      /the input B has no value; give \{ B: \.\.\. \}, or a default: functions\.B/,
    ],
    [
      "a function that gives another value",
      () => open.run({ W: "four", X: 0 }),
      /its function gives L = 4, expected one of 0, 1, 2/,
    ],
    ["no sources", () => js.interchange(inputs), /expected the sources by variable/],
    [
      "a source of an unknown variable",
      () => js.interchange(inputs, { D: inputs }),
      /no variable "D"/,
    ],
    [
      "a source that is none",
      () => js.interchange(inputs, { C: true }),
      /source of C: expected a setting, \{ A: \.\.\., B: \.\.\. \}, got a boolean/,
    ],
  ]);

  test("a result cannot be changed", () => {
    expect(Object.isFrozen(model.run(inputs))).toBe(true);
  });
});

describe("draws", () => {
  const generator = new Generator(0);
  refusesEach([
    [
      "mandatory that nothing passes",
      () => model.sampleInput({ generator, mandatory: ({ A, C }) => C && !A, tries: 50 }),
      /none of the last 50 draws passed mandatory; 0 of 50 \(0\.00 %\) did in all/,
    ],
    [
      "an empty class",
      () => dull.sampleBalanced({ generator, variable: "B", value: true }),
      /no setting of A gives B = true/,
    ],
    [
      "a value that no input gives",
      () => dull.sampleBalanced({ generator, value: true, tries: 20 }),
      /none of the last 20 draws gave C = true; 0 of 20/,
    ],
    [
      "a value outside the domain",
      () => js.sampleBalanced({ generator, value: 2 }),
      /the request gives C = 2, expected one of false, true/,
    ],
    [
      "inputs that cannot be drawn",
      () => open.sampleInput({ generator }),
      /values\.W is "any", which nothing can be drawn from/,
    ],
    [
      "classes of what is not listed",
      () => open.sampleBalanced({ generator, value: 1 }),
      /which settings give L \(without preimages\.L\) needs a list of all values of W/,
    ],
    [
      "interventions where nothing is between",
      () => model.sampleIntervention({ generator }),
      /no variables between inputs and outputs/,
    ],
    ["a wrong option", () => js.sampleInput({ seed: 1 }), /no option seed; did you mean/],
    [
      "no tries",
      () => model.sampleInput({ generator, tries: 0 }),
      /tries must be a whole number from 1/,
    ],
    [
      "a class of an input",
      () => model.equivalenceClass("A", true),
      /A is an input, which is computed from nothing/,
    ],
    [
      "live paths of what is not listed",
      () => open.livePaths({ W: "a", X: 1 }),
      /needs a list of all values of W/,
    ],
    ["no lengths", () => js.pathLengthFilter(2), /expected a list of numbers of variables, got 2/],
    ["a path from nowhere", () => js.pathFilter("D", "C"), /no variable "D"/],
  ]);

  test("a product of more than 10,000,000 settings is refused before it is gone through", () => {
    const many = Array.from({ length: 5000 }, (_, i) => i);
    const large = new CausalModel({
      values: { A: many, B: many, C: truth },
      parents,
      functions: { C: (a, b) => a === b },
    });
    expect(() => large.equivalenceClass("C", true)).toThrow(
      /the parents A, B of C have 25000000 settings, more than 10000000; give preimages\.C/,
    );
  });
});

describe("data", () => {
  const generator = new Generator(0);
  refusesEach([
    ["no size", () => model.factualDataset(0), /size must be a whole number from 1, got 0/],
    [
      "a filter that keeps nothing",
      () => model.factualDataset(3, { generator, filter: () => false, tries: 30 }),
      /none of the last 30 draws passed the filter; 0 of 30 \(0\.00 %\)/,
    ],
    [
      "a sampler that is none",
      () => js.factualDataset(3, { sampler: "even" }),
      /sampler must be "uniform", "balanced" or a function, got "even"/,
    ],
    [
      "a sampler that gives no setting",
      () => js.factualDataset(3, { sampler: () => true }),
      /expected a setting from the sampler, \{ A/,
    ],
    [
      "several outputs and no word of which",
      () =>
        new CausalModel({
          values: { A: truth, B: truth, C: truth },
          parents: { B: ["A"], C: ["A"] },
          functions: { B: (a) => a, C: (a) => a },
        }).counterfactualDataset(1, { interventions: [["B"]] }),
      /there are the outputs B, C; say which variable to balance/,
    ],
    [
      "no interventions",
      () => js.counterfactualDataset(3, { interventions: [] }),
      /interventions must be lists of variables/,
    ],
    [
      "interventions that are no lists",
      () => js.counterfactualDataset(3, { interventions: ["C"] }),
      /each of the interventions must be a list of variables, \["A"\], got "C"/,
    ],
    [
      "an intervention on nothing",
      () => js.counterfactualDataset(3, { interventionSampler: () => ({}) }),
      /at least one variable a value/,
    ],
    [
      "an unknown intervention",
      () => js.counterfactualDataset(3, { interventions: [["D"]] }),
      /no variable "D"/,
    ],
    [
      "an input that is missing",
      () => model.inputToTensor({ A: true }),
      /the setting has no value of B/,
    ],
    [
      "a value that is no number",
      () => open.inputToTensor({ W: "a", X: 1 }),
      /W = "a" is neither a number nor a list of numbers; give encoders\.W/,
    ],
    [
      "a wrong direction",
      () => js.toSvg({ direction: "down" }),
      /direction must be one of "up", "right"; got "down"/,
    ],
  ]);
});
