import { expect, test } from "vitest";
import {
  AdditionIntervention,
  CollectIntervention,
  IntervenableModel,
  type RepresentationConfig,
  RotatedSpaceIntervention,
  type Tensor,
  tensor,
  VanillaIntervention,
} from "tsvene";
import { ids, TINY, tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2();
const base = ids([3, 1, 4, 1, 5, 9]);
const sources = ids([2, 7, 1, 8, 2, 8]);
const direction = tensor(Array.from({ length: TINY.nEmbd }, (_, i) => Math.sin(i)));

const at = (intervention: RepresentationConfig["intervention"] & {}) => ({
  layer: 1,
  component: "mlp_output" as const,
  intervention,
});

const distance = async (a: Tensor, b: Tensor): Promise<number> => a.sub(b).abs().amax().item();

test("an added vector of twice the strength is twice the vector", async () => {
  const adds = new IntervenableModel(at(AdditionIntervention), model);
  const logits = (vector: Tensor, strength?: number): Tensor =>
    adds.forward(base, {
      sourceRepresentations: vector,
      ...(strength !== undefined && { strength }),
    }).intervened.logits;
  expect(await distance(logits(direction, 2), logits(direction.mul(2)))).toBeLessThan(1e-4);
  expect(await distance(logits(direction, -1), logits(direction.mul(-1)))).toBeLessThan(1e-4);
  expect(await distance(logits(direction, 1), logits(direction))).toBe(0);
});

test("any edit goes a part of its way, at its units alone", async () => {
  for (const kind of [VanillaIntervention, RotatedSpaceIntervention]) {
    const seen: Tensor[] = [];
    const edit = at(kind);
    const watch = { ...at(CollectIntervention), component: "block_output" as const };
    const both = new IntervenableModel([edit, watch], model);
    for (const strength of [0, 0.25, 1]) {
      const unitLocations = { "sources->base": { each: [2, null] } };
      seen.push(...both.forward(base, { sources, unitLocations, strength }).collected);
    }
    const [none, quarter, whole] = seen as [Tensor, Tensor, Tensor];
    const part = quarter.sub(none);
    expect(await distance(part.mul(4), whole.sub(none))).toBeLessThan(1e-4);
    expect(await part.select(1, 2).abs().amax().item()).toBeGreaterThan(1e-3);
    expect(await part.select(1, 1).abs().amax().item()).toBe(0);
  }
});

test("a text is written with a strength, and without one at 0", async () => {
  const adds = new IntervenableModel(at(AdditionIntervention), model);
  const write = async (options: object): Promise<number[][]> => {
    const writing = { maxNewTokens: 6, eosTokenId: null, sourceRepresentations: direction };
    const { intervened } = await adds.generate(base, { ...writing, ...options });
    return intervened.sequences.toArray();
  };
  const { sequences } = await model.generate(base, { maxNewTokens: 6, eosTokenId: null });
  expect(await write({ strength: 0 })).toEqual(await sequences.toArray());
  expect(await write({ strength: 3 })).toEqual(
    await write({ sourceRepresentations: direction.mul(3) }),
  );
});

test("refuses what is no strength, and one that nothing would use", () => {
  const adds = new IntervenableModel(at(AdditionIntervention), model);
  for (const strength of [NaN, Infinity, "2"]) {
    const options = { sourceRepresentations: direction, strength: strength as number };
    expect(() => adds.forward(base, options)).toThrow(/strength must be a finite number/);
  }
  const collects = new IntervenableModel(at(CollectIntervention), model);
  expect(() => collects.forward(base, { strength: 2 })).toThrow(/all interventions collect/);
});
