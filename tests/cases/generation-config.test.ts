import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AutoModelForCausalLM, type GenerateOptions, MemoryFiles, tensor } from "tsvene";
import { describe, expect, test } from "vitest";

interface Recorded {
  readonly prompt: number[];
  readonly cases: Readonly<
    Record<string, { readonly want: number[]; readonly options: GenerateOptions }>
  >;
}

const FOLDER = join(import.meta.dirname, "17-generation-config");
const bytesOf = (...path: string[]): Uint8Array => readFileSync(join(FOLDER, ...path));
const recorded = JSON.parse(bytesOf("case.json").toString()) as Recorded;
const inputs = { inputIds: tensor([recorded.prompt], { dtype: "int64" }) };

/** What is written by the one model with the settings of a case. */
async function written(name: string, options: GenerateOptions): Promise<number[]> {
  const files = new MemoryFiles({
    "config.json": bytesOf("plain", "config.json"),
    "model.safetensors": bytesOf("plain", "model.safetensors"),
    "generation_config.json": bytesOf(name, "generation_config.json"),
  });
  const model = await AutoModelForCausalLM.fromPretrained(files);
  const { sequences } = await model.generate(inputs, options);
  const [row = []] = await sequences.toArray();
  return row.slice(recorded.prompt.length);
}

describe("one setting in generation_config.json, as recorded from transformers", () => {
  const likeliest = Object.entries(recorded.cases).filter(([name]) => name !== "sampled");
  test.each(likeliest)("%s", async (name, { want, options }) => {
    expect(await written(name, options)).toEqual(want);
  });

  test("sampled draws, the same again with a seed", async () => {
    const { options, want } = recorded.cases["sampled"] ?? { options: {}, want: [] };
    const draws = await Promise.all(
      [1, 1, 2, 3].map((seed) => written("sampled", { ...options, seed })),
    );
    expect(draws[0]).toEqual(draws[1]);
    expect(new Set(draws.map(String)).size).toBe(3);
    expect(draws[0]).toHaveLength(want.length);
  });
});
