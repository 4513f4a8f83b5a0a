import { expect, expectTypeOf, test } from "vitest";
import { anyValue, CausalModel, type Domains, type Generator, TsveneError } from "tsvene";

type Vec = readonly number[];

interface Values {
  readonly W: Vec;
  readonly X: Vec;
  readonly WX: boolean;
  readonly O: string;
}

const truth = [false, true];
const same = (a: Vec, b: Vec) => a.join() === b.join();
const draw = (generator: Generator) => [generator.uniform()];

/** What the compiler refuses must also be refused when the program runs. */
function refused(build: () => unknown): void {
  expect(build).toThrow(TsveneError);
}

const model = new CausalModel({
  values: { W: anyValue<Vec>(), X: draw, WX: truth, O: ["no", "yes"] },
  parents: { WX: ["W", "X"], O: ["WX"] },
  functions: { WX: (w, x) => same(w, x), O: (wx) => (wx ? "yes" : "no") },
});

test("the domains say what the values are, and settings are made of them", () => {
  expectTypeOf(model.run({ W: [1], X: [1] })).toEqualTypeOf<
    Readonly<{ W: Vec; X: number[]; WX: boolean; O: string }>
  >();
  expectTypeOf(model.variables).toEqualTypeOf<readonly ("W" | "X" | "WX" | "O")[]>();
  const total = model.interchange({ W: [1], X: [1] }, { WX: { W: [1], X: [2] } });
  expectTypeOf(total.O).toEqualTypeOf<string>();
  // @ts-expect-error there is no variable V
  refused(() => model.run({ W: [1], X: [1], V: 3 }));
  // @ts-expect-error WX is a boolean
  refused(() => model.run({ W: [1], X: [1], WX: "yes" }));
  // @ts-expect-error there is no variable XW
  refused(() => model.interchange({ W: [1], X: [1] }, { XW: { W: [1], X: [1] } }));
  // @ts-expect-error a source is a setting
  refused(() => model.interchange({ W: [1], X: [1] }, { WX: true }));
});

test("parents are variables", () => {
  refused(
    () =>
      new CausalModel({
        values: { A: truth, B: truth },
        // @ts-expect-error there is no variable C
        parents: { B: ["C"] },
        functions: { B: (c: boolean) => c },
      }),
  );
  refused(
    () =>
      new CausalModel({
        values: { A: truth, B: truth },
        // @ts-expect-error there is no variable C
        parents: { B: ["A"], C: ["A"] },
        functions: { B: (a: boolean) => a },
      }),
  );
});

test("functions take the values of the parents, in their order, and give the variable's", () => {
  const values = { A: [0, 1], B: truth, C: [0, 1] };
  const parents = { C: ["A", "B"] } as const;
  const made = new CausalModel({ values, parents, functions: { C: (a, b) => (b ? a : 0) } });
  expectTypeOf(made.run({ A: 1, B: true }).C).toEqualTypeOf<number>();
  const swapped = (b: boolean, a: number) => (b ? a : 0);
  // @ts-expect-error A, which is a number, comes first
  const build = () => new CausalModel({ values, parents, functions: { C: swapped } });
  refused(() => build().run({ A: 2, B: true }));
  const three = (a: number, b: boolean, c: number) => (b ? a : c);
  // @ts-expect-error C has two parents
  refused(() => new CausalModel({ values, parents, functions: { C: three } }));
  // @ts-expect-error C is a number
  refused(() => new CausalModel({ values, parents, functions: { C: (a, b) => b } }).run({ A: 1, B: true })); // prettier-ignore
  // @ts-expect-error C has no function
  refused(() => new CausalModel({ values, parents, functions: {} }));
  // @ts-expect-error there is no variable D
  refused(() => new CausalModel({ values, parents, functions: { C: (a) => a, D: () => 1 } }));
  // @ts-expect-error A is a number
  refused(() => new CausalModel({ values, parents, functions: { C: () => 1, A: () => "1" } }));
});

test("types that are stated first are checked as well", () => {
  const values: Domains<Values> = { W: "any", X: "any", WX: truth, O: ["no", "yes"] };
  const parents = { WX: ["W", "X"], O: ["WX"] } as const;
  const stated = new CausalModel({
    values,
    parents,
    functions: { WX: (w, x) => same(w, x), O: (wx) => (wx ? "yes" : "no") },
  });
  const general: CausalModel<Values> = stated;
  expectTypeOf(general.run({ W: [1], X: [1] })).toEqualTypeOf<Readonly<Values>>();
  const short = new CausalModel<Values>({
    values,
    parents,
    functions: { WX: (w: Vec, x: Vec) => same(w, x), O: (wx: boolean) => (wx ? "yes" : "no") },
  });
  expect(short.run({ W: [1], X: [1] }).O).toBe("yes");
  const ofDates = new CausalModel<Values>({
    values,
    parents,
    // @ts-expect-error no variable is a Date
    functions: { WX: (w: Date, x: Date) => w === x, O: (wx: boolean) => (wx ? "yes" : "no") },
  });
  expect(ofDates.run({ W: [1], X: [1] }).O).toBe("no");
  refused(
    () =>
      new CausalModel<Values>({
        values,
        // @ts-expect-error there is no variable XW
        parents: { ...parents, O: ["XW"] },
        functions: { WX: (w: Vec, x: Vec) => same(w, x), O: (wx: boolean) => (wx ? "yes" : "no") },
      }),
  );
});
