/**
 * Loads a checkpoint in an element type, and prints, as JSON, the bytes of its weights and how much
 * memory the process took at most while loading.
 */
import { readFileSync } from "node:fs";
import { AutoModelForCausalLM, type WeightDType } from "tsvene";

function kibibytes(field: string): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]);
}

const [, , warmUp = "", directory = "", dtype = "float32"] = process.argv;
await AutoModelForCausalLM.fromPretrained(warmUp, { dtype: dtype as WeightDType });
const before = kibibytes("VmRSS");
const model = await AutoModelForCausalLM.fromPretrained(directory, { dtype: dtype as WeightDType });
const peak = (kibibytes("VmHWM") - before) * 1024;
const weights = model
  .parameters()
  .map(({ stored }) => stored.values?.byteLength ?? Number.NaN)
  .reduce((a, b) => a + b, 0);
console.log(JSON.stringify({ peak, weights }));
