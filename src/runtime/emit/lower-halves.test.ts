import { expect, test } from "vitest";
import { Embedding, tensor, type Tensor } from "../../index.ts";
import { compileModel } from "./compile.ts";
import { buildProgram } from "../program/program.ts";

/** Operators of a tensor's program, in order. */
function operators(t: Tensor): string[] {
  const text = new TextDecoder("latin1").decode(compileModel(buildProgram([t])).model);
  return text.match(/Gather|BitCast|Cast|Mul/g) ?? [];
}

// Where JavaScript has an array for it, its bits travel as whole numbers.
const READ = "Float16Array" in globalThis ? ["BitCast"] : [];

test.each([
  ["float16", ["Gather", ...READ, "Cast"]],
  ["bfloat16", ["Gather", "BitCast", "Cast"]],
] as const)("of a table in %s, only the rows that are read are widened", async (dtype, wanted) => {
  const table = new Embedding(50, 4).to(dtype);
  await table.weight.stored.data();
  const ids = tensor([49, 3], { dtype: "int64" });
  const rows = table.forward(ids);
  expect(operators(rows)).toEqual(wanted);
  const whole = await table.weight.value.toArray(2);
  expect(await rows.toArray()).toEqual([whole[49], whole[3]]);
});

test("a table that is read whole too is widened whole once", async () => {
  const table = new Embedding(50, 4).to("float16");
  await table.weight.stored.data();
  expect(operators(table.weight.value.mul(2))).toEqual([...READ, "Cast", "Mul"]);
});
