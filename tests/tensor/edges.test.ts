import { readFileSync } from "node:fs";
import { Runtime, type Tensor, tensor } from "tsvene";
import { describe, expect, test } from "vitest";
import { edgeCalls } from "./ops/edges.ts";
import { functionalCalls } from "./ops/edges-functional.ts";
import { expectTensor } from "./ops/golden.ts";
import { backends } from "../runtime/backends.ts";

interface Recorded {
  readonly dtype: Tensor["dtype"];
  readonly shape: readonly number[];
  /** Strings stand for what is not finite. */
  readonly values: readonly (number | string)[];
}

const file = new URL("../goldens/edges.json", import.meta.url);
const recorded = JSON.parse(readFileSync(file, "utf8")) as Record<string, Recorded>;

const calls = { ...edgeCalls, ...functionalCalls };

const numberOf = (value: number | string): number =>
  Number(String(value).replace("inf", "Infinity"));

describe.each(backends)("$name", (backend) => {
  const runtime = new Runtime(backend);

  test.each(Object.entries(recorded))("%s", async (expression, { dtype, shape, values }) => {
    const call = calls[expression];
    if (call === undefined) throw new Error(`nothing is called for ${expression}`);
    const actual = await call();
    expect(actual.dtype).toBe(dtype);
    const result = actual.to("float64");
    await runtime.evaluate([result]);
    const wanted = tensor(values.map(numberOf), { dtype: "float64", shape });
    expectTensor(expression, result, wanted, { absolute: 1e-6, relative: 2e-6 });
  });
});

test("every call has a recording", () => {
  expect(Object.keys(calls).filter((name) => !(name in recorded))).toEqual([]);
});
