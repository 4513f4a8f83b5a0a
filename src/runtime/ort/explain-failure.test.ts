import { describe, expect, test } from "vitest";
import { tensor } from "../../index.ts";
import { explainFailure } from "./explain-failure.ts";

describe("explainFailure", () => {
  test("leaves what it does not understand in ONNX Runtime's own words", () => {
    const reason = "Non-zero status code returned while running Gather node. Name:'' Out of memory";
    expect(explainFailure(reason)).toBe(`evaluation failed: ${reason}`);
    expect(explainFailure("out of memory")).toBe("evaluation failed: out of memory");
  });

  test("keeps these words as the cause of the error", async () => {
    const position = tensor([2], { dtype: "int64" }).add(1);
    const error: unknown = await tensor([1, 2])
      .indexSelect(0, position)
      .data()
      .catch((e: unknown) => e);
    expect(String(error)).toContain("indexSelect: index 3, computed in this evaluation,");
    const { cause } = error as Error;
    expect(String(cause)).toContain("running Gather node");
  });
});
