import { afterEach, describe, expect, test } from "vitest";
import { tensor } from "../tensor/functions/creation.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { clearSessions, configureRuntime, resetStats, runtimeStats } from "./default-runtime.ts";

const x = tensor([1, 2, 3]);

/** A program of its own for each depth. */
function chain(depth: number): Tensor {
  let y = x.mul(1);
  for (let i = 0; i < depth; i++) y = y.exp().log();
  return y;
}

afterEach(async () => {
  configureRuntime({ maxSessions: 64 });
  await clearSessions();
});

describe("sessions", () => {
  test("are bounded, and the least recently used goes first", async () => {
    await clearSessions();
    configureRuntime({ maxSessions: 3 });
    for (let depth = 0; depth < 8; depth++) await chain(depth).data();
    expect(runtimeStats().sessionsAlive).toBe(3);
    resetStats();
    for (const depth of [5, 6, 7]) await chain(depth).data();
    expect(runtimeStats().programsCompiled).toBe(0);
    await chain(0).data();
    expect(runtimeStats().programsCompiled).toBe(1);
  });

  test("outlive their eviction until the run ends", async () => {
    configureRuntime({ maxSessions: 1 });
    const results = await Promise.all(
      Array.from({ length: 12 }, async (_, depth) => (await chain(depth).data())[2]),
    );
    results.forEach((value) => expect(value).toBeCloseTo(3, 4));
    expect(runtimeStats().sessionsAlive).toBe(1);
  });

  test("are compiled once for calls that come together", async () => {
    await clearSessions();
    resetStats();
    await Promise.all(Array.from({ length: 20 }, () => chain(2).data()));
    expect(runtimeStats().programsCompiled).toBe(1);
    expect(runtimeStats().runs).toBe(20);
  });

  test("refuse settings below 1", () => {
    expect(() => configureRuntime({ maxSessions: 0 })).toThrow(
      "configureRuntime: maxSessions must be an integer of 1 or more, got 0",
    );
  });

  test("leave a failed run's tensors lazy", async () => {
    const bad = x.indexSelect(0, tensor([5], { dtype: "int64" }).add(1));
    await expect(bad.data()).rejects.toThrow("indexSelect: index 6, computed in");
    expect(bad.values).toBeUndefined();
  });
});
