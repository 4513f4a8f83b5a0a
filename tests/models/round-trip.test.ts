import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadSafetensors, type Tensor } from "tsvene";
import { describe, expect, test } from "vitest";
import { loaderOf, loadRecorded } from "../../scripts/parity/recorded-model.ts";
import { golden, temporaryDirectory } from "./checkpoints.ts";

const RECORDED = readdirSync(golden(""), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

async function configOf(directory: string): Promise<Record<string, unknown>> {
  const text = await readFile(join(directory, "config.json"), "utf8");
  return JSON.parse(text) as Record<string, unknown>;
}

/** Names of TensorFlow's layers, and a buffer that is computed, as they are written today. */
function renewed(tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  return new Map(
    [...tensors]
      .filter(([name]) => !name.endsWith(".inv_freq"))
      .map(([name, t]) => [
        name
          .replace(/LayerNorm\.beta$/, "LayerNorm.bias")
          .replace(/LayerNorm\.gamma$/, "LayerNorm.weight"),
        t,
      ]),
  );
}

describe.each(RECORDED)("%s", (name) => {
  test("is written as it was read", async () => {
    const directory = await temporaryDirectory();
    await (await loadRecorded(golden(name))).savePretrained(directory);
    const original = renewed(await loadSafetensors(join(golden(name), "model.safetensors")));
    const written = await loadSafetensors(join(directory, "model.safetensors"));
    expect([...written.keys()].sort()).toEqual([...original.keys()].sort());
    for (const [key, t] of original) {
      expect(await written.get(key)?.data(), key).toEqual(await t.data());
    }
    // Defaults that the original leaves unsaid may be said.
    expect(await configOf(directory)).toMatchObject(await configOf(golden(name)));
  });

  test.each(["float16", "bfloat16"] as const)("keeps its bits in %s", async (dtype) => {
    const [first, second] = [await temporaryDirectory(), await temporaryDirectory()];
    const loader = await loaderOf(golden(name));
    await (await loader.fromPretrained(golden(name), { dtype })).savePretrained(first);
    expect(await configOf(first)).toMatchObject({ dtype });
    await (await loader.fromPretrained(first, { dtype })).savePretrained(second);
    for (const file of ["model.safetensors", "config.json"]) {
      expect(await readFile(join(second, file))).toEqual(await readFile(join(first, file)));
    }
  });
});
