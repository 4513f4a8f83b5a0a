import { describe, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  evaluate,
  GPT2LMHeadModel,
  type Module,
  type Tensor,
  tensor,
  zerosLike,
} from "tsvene";
import { ResidualStream, type TracedLayer } from "../../src/analysis/residual/residual-stream.ts";
import { residualWrites } from "../../src/analysis/residual/residual-writes.ts";
import { golden } from "../models/checkpoints.ts";
import { RESIDUAL_FAMILIES, UNDIVIDED_FAMILIES } from "./residual-families.ts";

const INPUTS = { inputIds: tensor([[5, 7, 9, 11], [1, 2, 3, 4]], { dtype: "int64" }) }; // prettier-ignore

test.each(RESIDUAL_FAMILIES)("%s: parts sum to the last state, and run alone", async (name) => {
  const model = await AutoModelForCausalLM.fromPretrained(golden(name));
  const stream = new ResidualStream("test", model, INPUTS);
  const pass = stream.trace(INPUTS);
  const writes = residualWrites(stream, pass);
  const sum = writes.map(({ value }) => value).reduce((a, b) => a.add(b));
  const parts = writes.filter(({ node }) => node.layer === 0 && node.kind !== "mlp");
  const attention = parts.map(({ value }) => value).reduce((a, b) => a.add(b));
  const [first, second] = pass.layers as readonly [TracedLayer, TracedLayer];
  const input = second.at.input.mul(1);
  const read = second.isParallel ? input : input.add(second.at.attention);
  const alone = stream.runLayer(pass, 1, { input });
  const mlp = stream.runLayer(pass, 1, { input: read, edits: { attention: zerosLike(read) } });
  const { logits } = stream.finish(INPUTS, pass.final.mul(1)) as { readonly logits: Tensor };
  const errors = [
    sum.sub(pass.final),
    attention.sub(first.at.attention),
    alone.output.sub(second.at.output),
    mlp.mlp.sub(second.at.mlp),
    logits.sub(model.forward(INPUTS).logits),
  ].map((error) => error.abs().amax());
  await evaluate(...errors);
  for (const error of errors) expect(await error.item()).toBeLessThan(1e-5);
});

describe("edges", () => {
  const countOf = (nLayer: number, nHead: number): number => {
    const model = new GPT2LMHeadModel({ nLayer, nHead, nEmbd: nHead * 2, vocabSize: 20 }).eval();
    const { senders, receivers, ...stream } = streamOf(model);
    return senders.flatMap((u) => receivers.filter((v) => stream.has(u, v))).length;
  };

  test("are as many as in EAP-IG's graphs", () => {
    expect(countOf(5, 4)).toBe(761);
    expect(countOf(12, 12)).toBe(32_491);
  });

  test("come in order; an MLP beside an attention does not read it", async () => {
    const names = (nodes: readonly { readonly name: string }[]): string =>
      nodes.map((node) => node.name).join(" ");
    const model = new GPT2LMHeadModel({ nLayer: 1, nHead: 2, nEmbd: 4, vocabSize: 20 }).eval();
    const { senders, receivers } = streamOf(model);
    expect(names(senders)).toBe("input a0.h0 a0.h1 m0");
    expect(names(receivers)).toBe(
      "a0.h0<q> a0.h1<q> a0.h0<k> a0.h1<k> a0.h0<v> a0.h1<v> m0 logits",
    );
    const gptj = streamOf(await AutoModelForCausalLM.fromPretrained(golden("gptj")));
    const [head] = gptj.senders.filter((node) => node.name === "a0.h0");
    const mlp = gptj.receivers.find((node) => node.name === "m0");
    expect(head && mlp && gptj.has(head, mlp)).toBe(false);
  });
});

test("dropout is in the way", () => {
  const model = new GPT2LMHeadModel({ nLayer: 1, nHead: 2, nEmbd: 4, vocabSize: 20 });
  expect(() => new ResidualStream("test", model, INPUTS)).toThrow("call eval() first");
});

function streamOf(model: Module): Pick<ResidualStream, "senders" | "receivers"> & {
  readonly has: ResidualStream["hasEdge"];
} {
  const stream = new ResidualStream("test", model, INPUTS);
  const { senders, receivers } = stream;
  return { senders, receivers, has: (u, v) => stream.hasEdge(u, v) };
}

test.each(Object.entries(UNDIVIDED_FAMILIES))("%s is refused by name", async (name, why) => {
  const model = await AutoModelForCausalLM.fromPretrained(golden(name));
  expect(() => new ResidualStream("pathPatch", model, INPUTS)).toThrow(why);
});
