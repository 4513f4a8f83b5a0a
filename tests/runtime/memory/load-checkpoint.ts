/**
 * Loads a checkpoint in an element type, computes with it if asked to, and prints, as JSON, the bytes of
 * its weights and how much memory the process took at most while loading, and in all.
 */
import { readFileSync } from "node:fs";
import {
  AutoModelForCausalLM,
  evaluate,
  IntervenableModel,
  tensor,
  type Tensor,
  type WeightDType,
} from "tsvene";

function kibibytes(field: string): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]);
}

const [, , warmUp = "", directory = "", dtype = "float32", computes] = process.argv;

const load = (from: string): ReturnType<typeof AutoModelForCausalLM.fromPretrained> =>
  AutoModelForCausalLM.fromPretrained(from, { dtype: dtype as WeightDType });

function text(length: number, first: number): { readonly inputIds: Tensor } {
  const ids = Array.from({ length }, (_, i) => first + (i % 5));
  return { inputIds: tensor([ids], { dtype: "int64" }) };
}

/** Plain passes, and one program of three: of the base, the source and the base with an edit. */
async function compute(model: Awaited<ReturnType<typeof load>>): Promise<void> {
  for (const length of [3, 16]) await model.forward(text(length, 1)).logits.data();
  const edited = new IntervenableModel({ layer: 0, component: "mlp_output" }, model);
  const { original, intervened } = edited.forward(text(8, 1), {
    sources: [text(8, 2)],
    unitLocations: { "sources->base": 2 },
  });
  await evaluate(original.logits, intervened.logits);
}

const small = await load(warmUp);
if (computes !== undefined) await compute(small);
const before = kibibytes("VmRSS");
const peak = (): number => (kibibytes("VmHWM") - before) * 1024;
const model = await load(directory);
const loading = peak();
if (computes !== undefined) await compute(model);
const weights = model
  .parameters()
  .map(({ stored }) => stored.values?.byteLength ?? Number.NaN)
  .reduce((a, b) => a + b, 0);
console.log(JSON.stringify({ loading, all: peak(), weights }));
