import { expect, test } from "vitest";
import {
  AdditionIntervention,
  cardOf,
  cat,
  CollectIntervention,
  evaluate,
  GPT2LMHeadModel,
  IntervenableModel,
  type InterventionLocations,
  Intervention,
  type InterventionFunction,
  Linear,
  type ModelCard,
  Module,
  ModuleList,
  type RepresentationConfig,
  resetStats,
  runtimeStats,
  Sequential,
  SkipIntervention,
  SubtractionIntervention,
  type Tensor,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
  type GPT2Component,
} from "tsvene";
import { ids, TINY, tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2();
const base = ids([3, 1, 4, 1, 5, 9], [2, 7, 1, 8, 2, 8]);
const source = ids([6, 2, 8, 3, 1, 8], [5, 7, 7, 2, 1, 5]);

const identity: InterventionFunction = (b) => b;

/** Every component of every layer, with units that fit it. */
function everySite(): RepresentationConfig<GPT2Component>[] {
  const card = cardOf(model);
  return [...(card?.components ?? [])].flatMap(([component, { heads }]) =>
    Array.from({ length: TINY.nLayer }, (_, layer) => ({
      layer,
      component: component as GPT2Component,
      unit: heads === undefined ? "pos" : "h.pos",
    })),
  );
}

/** Locations at two places, other ones in each row. */
function twoPlaces({ unit }: RepresentationConfig): InterventionLocations {
  const positions = [
    [0, 2],
    [3, 1],
  ];
  const heads = [[1], [3]];
  return unit === "h.pos" ? { head: heads, position: positions } : positions;
}

test.each(["whole tensors", "some places"])(
  "an identity edit of %s changes no bit",
  async (how) => {
    const sites = everySite();
    const plain = await model.forward(base).logits.data();
    const intervenable = new IntervenableModel(
      sites.map((site) => ({ ...site, intervention: identity })),
      model,
    );
    const unitLocations = how === "some places" ? { base: { each: sites.map(twoPlaces) } } : null;
    const { intervened } = intervenable.forward(base, { unitLocations });
    expect(await intervened.logits.data()).toStrictEqual(plain);
  },
);

test("collecting every site changes nothing and gives every site", async () => {
  const sites = everySite();
  const plain = await model.forward(base).logits.data();
  const intervenable = new IntervenableModel(
    sites.map((site) => ({ ...site, intervention: CollectIntervention })),
    model,
  );
  const result = intervenable.forward(base, {
    unitLocations: { base: { each: sites.map(twoPlaces) } },
  });
  await evaluate(result.intervened.logits, ...result.collected);
  expect(await result.intervened.logits.data()).toStrictEqual(plain);
  expect(Object.keys(result.collectedByName)).toStrictEqual(intervenable.names);
  expect(result.collected.map(({ shape }) => shape.slice(0, 2))).not.toContainEqual([]);
  for (const [i, t] of result.collected.entries()) {
    expect(t.shape.length).toBeGreaterThanOrEqual(3);
    expect(t.shape[0]).toBe(2);
    expect(t.shape[1]).toBe(sites[i]?.unit === "h.pos" ? 1 : 2);
  }
});

test("200 forward passes at once give what they give one by one", async () => {
  const kinds = [VanillaIntervention, AdditionIntervention, SubtractionIntervention];
  const calls = Array.from({ length: 200 }, (_, i) => () => {
    const layer = i % TINY.nLayer;
    const components = ["mlp_output", "block_output", "attention_output"] as const;
    const component = components[i % 3] ?? "mlp_output";
    const intervention = kinds[i % kinds.length] ?? VanillaIntervention;
    const intervenable = new IntervenableModel({ layer, component, intervention }, model);
    const unitLocations = {
      "sources->base": { source: Math.floor(i / 12) % 6, base: i % 6 },
    } as const;
    return intervenable.forward(base, { sources: source, unitLocations }).intervened.logits.data();
  });
  const together = await Promise.all(calls.map((call) => call()));
  expect(new Set(together.map(String)).size).toBeGreaterThan(60);
  for (const [i, call] of calls.entries()) expect(together[i]).toStrictEqual(await call());
});

async function linearsOf(...tensors: Tensor[]): Promise<number> {
  resetStats();
  await evaluate(...tensors);
  return runtimeStats().nodesByOp["linear"] ?? 0;
}

test("runs nothing that the answer does not need", async () => {
  const ofModel = await linearsOf(model.forward(base).logits);
  const ofLayer = (ofModel - 1) / TINY.nLayer;

  const interchange = new IntervenableModel({ layer: 0, intervention: VanillaIntervention }, model);
  const swapped = interchange.forward(base, {
    sources: source,
    unitLocations: { "sources->base": 2 },
  });
  expect(await linearsOf(swapped.intervened.logits)).toBe(ofModel + ofLayer);

  const zero = new IntervenableModel(
    { layer: 2, component: "mlp_output", intervention: ZeroIntervention },
    model,
  );
  const both = zero.forward(base, { unitLocations: { base: 3 } });
  // The last layer and the unembedding run twice; layers 0 to 2 once.
  expect(await linearsOf(both.original.logits, both.intervened.logits)).toBe(ofModel + ofLayer + 1);

  const collect = new IntervenableModel({ layer: 1, intervention: CollectIntervention }, model);
  expect(await linearsOf(...collect.forward(base).collected)).toBe(2 * ofLayer);
});

test("a source run computes only the positions that are read", async () => {
  const intervenable = new IntervenableModel(
    { layer: 0, intervention: CollectIntervention },
    model,
  );
  resetStats();
  const [one] = intervenable.forward(base, { unitLocations: { base: 3 } }).collected;
  await one?.data();
  const few = runtimeStats().multiplyAdds;
  resetStats();
  const [all] = intervenable.forward(base).collected;
  await all?.data();
  expect(few).toBeLessThan(0.6 * runtimeStats().multiplyAdds);
});

test("positions are data of the program, which serves all of them", async () => {
  const intervenable = new IntervenableModel(
    { layer: 1, intervention: VanillaIntervention },
    model,
  );
  resetStats();
  for (let position = 0; position < 6; position++) {
    const unitLocations = { "sources->base": { source: 5 - position, base: position } } as const;
    await intervenable.forward(base, { sources: source, unitLocations }).intervened.logits.data();
  }
  expect(runtimeStats().programsCompiled).toBeLessThanOrEqual(2);
});

test("the same inputs given for several groups are traced once", () => {
  class Counting extends GPT2LMHeadModel {
    calls = 0;
    override forward(
      inputs: Parameters<GPT2LMHeadModel["forward"]>[0],
    ): ReturnType<GPT2LMHeadModel["forward"]> {
      this.calls++;
      return super.forward(inputs);
    }
  }
  const counting = new Counting(TINY).eval();
  const layers = [0, 1, 2].map((layer) => ({ layer, intervention: VanillaIntervention }));
  const intervenable = new IntervenableModel(layers, counting);
  intervenable.forward(base, { sources: [source, source, source] });
  expect(counting.calls).toBe(2);
});

test("two places under base are two positions, and negative places count from the end", async () => {
  const zero = new IntervenableModel({ layer: 1, intervention: ZeroIntervention }, model);
  const at = async (places: number | number[] | number[][]): Promise<unknown> =>
    zero.forward(base, { unitLocations: { base: places } }).intervened.logits.data();
  const full = [[0, 1], [0, 1]]; // prettier-ignore
  expect(await at([0, 1])).toStrictEqual(await at(full));
  expect(await at(-1)).toStrictEqual(await at(5));
  expect(await at(-1)).not.toStrictEqual(await at(4));
});

test("the caller's model, flags and arguments stay as they were", async () => {
  const trained = tinyGpt2(1).train();
  const before = trained.parameters().map((p) => [p.value, p.requiresGrad]);
  const sources = Object.freeze([Object.freeze({ ...source })]);
  const unitLocations = Object.freeze({ "sources->base": Object.freeze([1, 2] as const) });
  const layers = [0, 1].map((layer) => Object.freeze({ layer, intervention: VanillaIntervention }));
  const intervenable = new IntervenableModel(Object.freeze(layers), trained);
  const result = intervenable.forward(Object.freeze({ ...base }), { sources, unitLocations });
  await evaluate(result.intervened.logits, result.original.logits);
  const values = Object.freeze({
    [intervenable.names[0] ?? ""]: null,
    [intervenable.names[1] ?? ""]: tensor(1),
  });
  await intervenable.forward(base, { sourceRepresentations: values }).intervened.logits.data();
  expect(trained.training).toBe(true);
  expect(trained.parameters().map((p) => [p.value, p.requiresGrad])).toStrictEqual(before);
});

test("a null source skips its group", async () => {
  const layers = [0, 2].map((layer) => ({ layer, intervention: VanillaIntervention }));
  const both = new IntervenableModel(layers, model);
  const first = new IntervenableModel(layers.slice(0, 1), model);
  const skipped = both.forward(base, {
    sources: [source, null],
    unitLocations: { "sources->base": 1 },
  });
  const alone = first.forward(base, { sources: source, unitLocations: { "sources->base": 1 } });
  expect(await skipped.intervened.logits.data()).toStrictEqual(
    await alone.intervened.logits.data(),
  );
});

test("linked interventions are one module, and compose in order at one site", async () => {
  const at = { layer: 1, component: "mlp_output", intervention: AdditionIntervention } as const;
  const ones = AdditionIntervention.with({ sourceRepresentation: tensor(Array(24).fill(1)) });
  const linked = new IntervenableModel(
    [
      { ...at, interventionLinkKey: 0, intervention: ones },
      { ...at, interventionLinkKey: 0 },
    ],
    model,
  );
  const [one, two] = [...linked.interventions].map(([, intervention]) => intervention);
  expect(one).toBe(two);
  const twice = new IntervenableModel({ ...at, intervention: (b) => b.add(1).add(1) }, model);
  const expected = await twice.forward(base).intervened.logits.data();
  expect(await linked.forward(base).intervened.logits.data()).toStrictEqual(expected);
});

test("links at different sites share the intervention and not the representation", async () => {
  const sites = [0, 2].map((layer) => ({ layer, component: "mlp_output" }) as const);
  const places = { "sources->base": { source: 1, base: 2 } } as const;
  const apart = sites.map((site) => ({ ...site, intervention: VanillaIntervention }));
  const run = async (config: RepresentationConfig<GPT2Component>[]): Promise<unknown> =>
    new IntervenableModel(config, model)
      .forward(base, { sources: source, unitLocations: places })
      .intervened.logits.data();
  const linked = apart.map((site) => ({ ...site, interventionLinkKey: "shared" }));
  expect(await run(linked)).toStrictEqual(await run(apart));
});

test("with the base as its own source, skipping a module leaves its input", async () => {
  const skip = new IntervenableModel(
    { layer: 1, component: "block_output", intervention: SkipIntervention },
    model,
  );
  const { intervened } = skip.forward(base, { sources: base });
  const [, before, after] = intervened.hiddenStates;
  expect(await after?.data()).toStrictEqual(await before?.data());
});

class Halve extends Intervention {
  override readonly sourceUse = "none";
  override forward(b: Tensor): Tensor {
    return b.mul(0.5);
  }
}

test("a user's own intervention needs a few lines", async () => {
  const own = new IntervenableModel({ layer: 1, intervention: Halve }, model);
  const same = new IntervenableModel({ layer: 1, intervention: (b) => b.mul(0.5) }, model);
  const [, halved] = own.forward(base, { unitLocations: { base: [0, 3] } });
  const [, expected] = same.forward(base, { unitLocations: { base: [0, 3] } });
  expect(await halved.logits.data()).toStrictEqual(await expected.logits.data());
});

test("interventions that ask for it see the units of a row concatenated", () => {
  const seen: (readonly number[])[] = [];
  class Joined extends Intervention {
    override readonly concatenatesUnits = true;
    override forward(b: Tensor, s?: Tensor): { output: Tensor; latent: Tensor } {
      seen.push(b.shape, this.sourceOf(s).shape);
      return { output: b, latent: b.mul(2) };
    }
  }
  const at = { layer: 1, maxNumberOfUnits: 2 };
  const flat = new IntervenableModel({ ...at, intervention: Joined }, model);
  const result = flat.forward(base, {
    sources: source,
    unitLocations: {
      "sources->base": { source: [0, 3], base: [1, 2] },
    },
  });
  expect(result.latents[flat.names[0] ?? ""]?.shape).toStrictEqual([2, 48]);
  const heads = new IntervenableModel(
    { ...at, component: "head_value_output", unit: "h.pos", intervention: Joined },
    model,
  );
  const places = { head: [0, 3], position: [1, 2, 4] };
  heads.forward(base, {
    sources: source,
    unitLocations: { "sources->base": places },
  });
  const apart = new IntervenableModel(
    { ...at, intervention: new Joined({ keepLastDim: true }) },
    model,
  );
  apart.forward(base, {
    sources: source,
    unitLocations: {
      "sources->base": { source: [0, 3], base: [1, 2] },
    },
  });
  expect(seen).toStrictEqual([[2, 48], [2, 48], [2, 3, 12], [2, 3, 12], [2, 2, 24], [2, 2, 24]]); // prettier-ignore
});

test("modules of any kind are addressed by path, and by names once a card says them", async () => {
  class Tower extends Module {
    readonly config = { floors: 2 };
    readonly floors = new ModuleList(
      [0, 1].map(() => new Sequential(new Linear(3, 3), new Linear(3, 3))),
    );
    override forward(x: Tensor): Tensor {
      return [...this.floors].reduce((y, floor) => floor.forward(y), x);
    }
  }
  class Named extends Tower {
    static readonly card: ModelCard<Tower["config"], "ground_output"> = {
      layers: ({ floors }) => floors,
      components: {
        ground_output: { path: "floors.{layer}.0", side: "output", dimension: () => 3 },
      },
    };
  }
  class Taller extends Named {}
  const tower = new Taller();
  const x = tensor([[1, 2, 3]]);
  const byPath = new IntervenableModel(
    { component: "floors[-1].0.output", intervention: ZeroIntervention },
    tower,
  );
  const expected = tower.floors.at(1).forward(tower.floors.at(0).forward(x));
  expect(await byPath.forward(x).original.data()).toStrictEqual(await expected.data());
  const byName = new IntervenableModel(
    { layer: 1, component: "ground_output", intervention: ZeroIntervention },
    tower,
  );
  const [a, b] = [byPath, byName].map((m) => m.forward(x).intervened);
  expect(await a?.data()).toStrictEqual(await b?.data());
  expect(await a?.data()).not.toStrictEqual(await expected.data());
});

test("a batch of source rows that is 1 serves all rows", async () => {
  const one = ids([6, 2, 8, 3]);
  const two = ids([6, 2, 8, 3], [6, 2, 8, 3]);
  const intervenable = new IntervenableModel(
    { layer: 1, intervention: VanillaIntervention },
    model,
  );
  const run = (sources: typeof one): Tensor =>
    intervenable.forward(base, {
      sources,
      unitLocations: { "sources->base": { source: 3, base: 5 } },
    }).intervened.logits;
  // Other numbers of rows may be multiplied in another order.
  expect(await run(one).sub(run(two)).abs().amax().item()).toBeLessThan(1e-5);
});

test("edits read and printed are as declared", () => {
  const intervenable = new IntervenableModel(
    {
      mode: "serial",
      representations: [
        [0, "mlp_output"],
        {
          layer: 1,
          component: "head_value_output",
          unit: "h.pos",
          intervention: undefined as never,
        },
      ],
    },
    model,
  );
  expect(String(intervenable)).toBe(
    "IntervenableModel(GPT2LMHeadModel, serial)\n" +
      "  layer 0 mlp_output: VanillaIntervention(embedDim=24) at transformer.h.0.mlp.output, group 0\n" +
      "  layer 1 head_value_output: VanillaIntervention(embedDim=6) at transformer.h.1.attn.c_attn.output, group 1",
  );
});

test("the same representation twice has two names", () => {
  const at = { layer: 1, component: "mlp_output", intervention: ZeroIntervention } as const;
  const intervenable = new IntervenableModel(
    [at, at, { component: "transformer.h[1].mlp.input", intervention: Halve }],
    model,
  );
  expect(intervenable.names).toStrictEqual([
    "layer 1 mlp_output",
    "layer 1 mlp_output #2",
    "transformer.h[1].mlp.input",
  ]);
  expect(intervenable.config.sortedKeys).toStrictEqual([
    "layer_1_comp_mlp_output_unit_pos_nunit_1#0",
    "layer_1_comp_mlp_output_unit_pos_nunit_1#1",
    "comp_transformer_h[1]_mlp_input_unit_pos_nunit_1#0",
  ]);
});

test("gradients flow through writes, reads and the source run", async () => {
  const { logits } = new IntervenableModel(
    { layer: 1, intervention: VanillaIntervention },
    model,
  ).forward(base, {
    sources: source,
    unitLocations: { "sources->base": { source: [[1], [2]], base: [[4], [3]] } },
  }).intervened;
  expect(logits.requiresGrad).toBe(true);
  expect(cat([logits, logits]).shape).toStrictEqual([4, 6, 64]);
});
