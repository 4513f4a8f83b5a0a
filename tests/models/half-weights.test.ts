import { readdirSync } from "node:fs";
import {
  Adam,
  CollectIntervention,
  type DType,
  EditScope,
  evaluate,
  functional,
  GPT2LMHeadModel,
  grad,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  manualSeed,
  type Tensor,
  tensor,
} from "tsvene";
import { describe, expect, test } from "vitest";
import {
  loadRecorded,
  type Model,
  plainInputs,
  tensorsIn,
} from "../../scripts/parity/recorded-model.ts";
import { golden } from "./checkpoints.ts";

const RECORDED = readdirSync(golden(""), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const HALVES = ["float16", "bfloat16"] as const;

async function valuesOf(output: unknown): Promise<unknown[]> {
  const all = tensorsIn(output);
  await evaluate(...all);
  return Promise.all(all.map((t) => t.data()));
}

/** A float32 model with the numbers that another one keeps in 16 bits. */
async function widened(name: string, half: Model): Promise<Model> {
  const wide = await loadRecorded(golden(name));
  wide.loadStateDict(half.stateDict());
  return wide;
}

function dtypesOf(model: Model): DType[] {
  return [...new Set(model.parameters().map(({ stored }) => stored.dtype))];
}

describe.each(RECORDED)("%s", (name) => {
  test.each(HALVES)("computes from %s weights as from the same in float32", async (dtype) => {
    const half = await loadRecorded(golden(name), { dtype });
    expect([half.dtype, ...dtypesOf(half)]).toEqual([dtype, dtype]);
    const inputs = await plainInputs(golden(name));
    const wide = await widened(name, half);
    const [found, wanted] = [half.forward(inputs), wide.forward(inputs)];
    expect(tensorsIn(found).map((t) => t.dtype)).toEqual(tensorsIn(wanted).map((t) => t.dtype));
    expect(await valuesOf(found)).toStrictEqual(await valuesOf(wanted));
    expect([wide.dtype, ...dtypesOf(half)]).toEqual(["float32", dtype]);
  });
});

describe("interventions on bfloat16 weights", () => {
  const ids = (...rows: number[][]): { readonly inputIds: Tensor } => ({
    inputIds: tensor(rows, { dtype: "int64" }),
  });
  const pair = async (): Promise<readonly [GPT2LMHeadModel, GPT2LMHeadModel]> => {
    const half = await GPT2LMHeadModel.fromPretrained(golden("gpt2"), { dtype: "bfloat16" });
    const wide = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
    wide.loadStateDict(half.stateDict());
    return [half, wide];
  };

  test("swaps, collects and steers as on the same weights in float32", async () => {
    const results = [];
    for (const model of await pair()) {
      const swap = new IntervenableModel({ layer: 1, component: "mlp_output" }, model);
      const { original, intervened } = swap.forward(ids([3, 1, 4, 1]), {
        sources: [ids([9, 2, 6, 5])],
        unitLocations: { "sources->base": 2 },
      });
      const collect = new IntervenableModel(
        { layer: 2, component: "block_output", intervention: CollectIntervention },
        model,
      );
      const { collected } = collect.forward(ids([3, 1, 4]), { unitLocations: { base: 1 } });
      const generated = await swap.generate(ids([3, 1, 4, 1]), {
        sources: [ids([9, 2, 6, 5])],
        unitLocations: { "sources->base": 2 },
        interveneOnPrompt: true,
        maxNewTokens: 5,
      });
      const values = [original.logits, intervened.logits, ...collected].flatMap((t) => t ?? []);
      await evaluate(...values);
      results.push([
        await Promise.all(values.map((t) => t.data())),
        await generated.intervened.sequences.toArray(),
      ]);
    }
    expect(results[0]).toStrictEqual(results[1]);
  });

  test("trains in float32, and leaves the weights in 16 bits", async () => {
    const losses: number[][] = [];
    for (const model of await pair()) {
      model.requiresGrad(false);
      manualSeed(7);
      const intervention = new LowRankRotatedSpaceIntervention({
        embedDim: 24,
        lowRankDimension: 4,
      });
      const intervenable = new IntervenableModel(
        { layer: 1, component: "block_output", intervention },
        model,
      );
      const optimizer = new Adam(intervention.parameters(), { lr: 0.01 });
      const label = tensor([7], { dtype: "int64" });
      const own: number[] = [];
      for (let step = 0; step < 3; step++) {
        const { intervened } = intervenable.forward(ids([3, 1, 4, 1]), {
          sources: [ids([9, 2, 6, 5])],
          unitLocations: { "sources->base": 3 },
        });
        const last = intervened.logits.slice(1, -1).squeeze(1);
        own.push(await optimizer.step(functional.crossEntropy(last, label)));
      }
      losses.push(own);
      expect(intervention.parameters().map(({ stored }) => stored.dtype)).toEqual(["float32"]);
    }
    expect(losses[0]).toEqual(losses[1]);
    expect(losses[0]?.[2]).toBeLessThan(losses[0]?.[0] ?? 0);
  });

  test("gives gradients with respect to activations and weights", async () => {
    const found = [];
    for (const model of await pair()) {
      let seen: Tensor | undefined;
      const scope = new EditScope().on(model.transformer.h.at(1), "output", (t) => {
        seen = t;
        return undefined;
      });
      const { logits } = scope.run(() => model.forward(ids([3, 1, 4])));
      const { wte } = model.transformer;
      const inputs = [seen ?? logits, wte.weight.value];
      const gradients = grad(logits.square().mean(), inputs);
      await evaluate(...gradients);
      found.push(await Promise.all(gradients.map((g) => g.data())));
    }
    expect(found[0]).toStrictEqual(found[1]);
  });
});
