import { expect, test } from "vitest";
import { IntervenableModel, Linear, ones, tensor, heatMap, TsveneError } from "tsvene";
import { tinyGpt2 } from "./tiny-gpt2.ts";

const gpt2 = tinyGpt2();
const config = { layer: 0, component: "mlp_output" } as const;
const base = { inputIds: tensor([[3, 1, 4]], { dtype: "int64" }) };
const model = new IntervenableModel(config, gpt2);

/** Calls as JavaScript makes them, which the compiler would refuse. */
const Build = IntervenableModel as unknown as new (...args: unknown[]) => unknown;
const forward = model.forward.bind(model) as (...args: unknown[]) => unknown;
const grid = heatMap as (...args: unknown[]) => unknown;
const later = Promise.resolve(base);

/** A mistake, and what must be said: what came and what to write. */
const MISTAKES: readonly (readonly [what: string, call: () => unknown, message: RegExp])[] = [
  [
    "a model that was not awaited",
    () => new Build(config, Promise.resolve(gpt2)),
    /a Promise .*await/,
  ],
  ["no model", () => new Build(config), /must be a model .*got undefined/],
  ["a model's name", () => new Build(config, "gpt2"), /must be a model .*got a string/],
  ["the model first", () => new Build(gpt2, config), /the model comes second/],
  ["a configuration that was not awaited", () => new Build(later, gpt2), /a Promise .*await/],
  ["a base that was not awaited", () => forward(later), /got a Promise .*await/],
  ["a text as base", () => forward("The capital"), /base .*got a string; .*tokenizer\.tokenize/],
  ["ids as base", () => forward([3, 1, 4]), /base .*a list of 3 numbers; .*tensor\(\[ids\]/],
  ["no base", () => forward(), /base must be .*got undefined/],
  [
    "ids in it not awaited",
    () => forward({ inputIds: later }),
    /base: inputIds is a Promise .*await/,
  ],
  ["a source not awaited", () => forward(base, { sources: later }), /sources .*a Promise .*await/],
  ["a text as source", () => forward(base, { sources: "Rome" }), /sources .*got a string/],
  [
    "a list where a layer takes a tensor",
    () => new Linear(2, 1).forward([1, 2] as never),
    /Linear: forward takes a tensor .*got a list of 2 numbers/,
  ],
  ["a promise there", () => new Linear(2, 1).forward(later as never), /got a Promise .*await/],
  [
    "one row as a heat map",
    () => grid([1, 2, 3], { rows: ["a"], columns: ["b"] }),
    /rows of numbers, got a list of 3 numbers; put one row/,
  ],
  [
    "a tensor as a heat map",
    () => grid(ones([2, 2]), { rows: ["a"], columns: ["b"] }),
    /rows of numbers, got a Tensor; .*await tensor\.toArray\(2\)/,
  ],
  ["a heat map without names", () => grid([[1]]), /names of rows and columns/],
];

test.each(MISTAKES)("%s", (_, call, message) => {
  expect(call).toThrow(message);
  expect(call).toThrow(TsveneError);
});

test("an async intervention", () => {
  const asynchronous = async (b: unknown): Promise<unknown> => b;
  const edited = new Build({ ...config, intervention: asynchronous }, gpt2) as typeof model;
  expect(() => edited.forward(base)).toThrow(/got a Promise; it cannot be async/);
});
