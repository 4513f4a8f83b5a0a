import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { DType } from "./dtype.ts";
import { format } from "./print.ts";
import { tensor, zeros } from "./functions/creation.ts";
import "../runtime/index.ts";

interface Printed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly requiresGrad: boolean;
  /** Strings stand for what JSON has no numbers for. */
  readonly values: readonly (number | string)[];
  readonly text: string;
}

const file = new URL("../../tests/goldens/print.json", import.meta.url);
const printed = Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, Printed>);

function numberOf(value: number | string): number | bigint {
  if (typeof value === "number") return value;
  if (value === "nan" || value.includes("inf")) return Number(value.replace("inf", "Infinity"));
  return value.includes(".") ? Number(value) : BigInt(value);
}

describe("a tensor prints as torch's", () => {
  test.each(printed)("%s", (_, { dtype, shape, requiresGrad, values, text }) => {
    expect(format(values.map(numberOf), shape, dtype, requiresGrad)).toBe(text);
  });
});

describe("toString", () => {
  test("shows the values of a leaf", () => {
    expect(String(tensor([[1, 2], [3, 4]]))).toBe("tensor([[1., 2.],\n        [3., 4.]])"); // prettier-ignore
  });
  test("reads 16-bit floats and large integers exactly", () => {
    const data = new BigInt64Array([9007199254740993n]);
    expect(String(tensor(data))).toBe("tensor([9007199254740993])");
    expect(String(tensor([0.5], { dtype: "bfloat16" }))).toBe("tensor([0.5000], dtype=bfloat16)");
  });
  test("shows shape and dtype before the values are computed", async () => {
    const x = zeros([2, 3]);
    expect(String(x)).toBe("tensor(not evaluated, shape=[2, 3], dtype=float32)");
    await x.data();
    expect(String(x)).toBe("tensor([[0., 0., 0.],\n        [0., 0., 0.]])");
  });
});
