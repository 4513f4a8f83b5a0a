import { Runtime } from "tsvene";
import { describe, expect, test } from "vitest";
import { elementwiseCalls } from "./ops/calls-elementwise.ts";
import { linalgCalls } from "./ops/calls-linalg.ts";
import { nnCalls } from "./ops/calls-nn.ts";
import { reductionCalls } from "./ops/calls-reductions.ts";
import { shapingCalls } from "./ops/calls-shaping.ts";
import { check, goldens } from "./ops/golden.ts";
import { backends } from "../runtime/backends.ts";

const calls = {
  ...elementwiseCalls,
  ...linalgCalls,
  ...nnCalls,
  ...reductionCalls,
  ...shapingCalls,
};

const variants = Object.entries(goldens).flatMap(([op, { variants: all }]) =>
  Object.entries(all).map(([variant, { expr }]) => [op, variant, expr] as const),
);

describe.each(backends)("$name", (backend) => {
  const runtime = new Runtime(backend);

  test.each(variants)("%s %s: %s", async (op, variant) => {
    const call = calls[`${op}/${variant}`] ?? calls[op];
    if (call === undefined) throw new Error(`nothing is called for ${op}/${variant}`);
    await check(op, variant, call, runtime);
  });
});

test("no call is left over", () => {
  const known = new Set(variants.flatMap(([op, variant]) => [op, `${op}/${variant}`]));
  expect(Object.keys(calls).filter((name) => !known.has(name))).toEqual([]);
});
