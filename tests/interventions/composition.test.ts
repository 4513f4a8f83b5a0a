import { expect, test } from "vitest";
import {
  AdditionIntervention,
  BoundlessRotatedSpaceIntervention,
  CollectIntervention,
  IntervenableConfig,
  type IntervenableConfigLike,
  IntervenableModel,
  RotatedSpaceIntervention,
  SubtractionIntervention,
  type Tensor,
  TsveneError,
  tensor,
  type UnitLocations,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2();
const base = ids([3, 1, 4, 1, 5, 9], [2, 7, 1, 8, 2, 8]);
const source = ids([6, 2, 8, 3, 1, 8], [5, 7, 7, 2, 1, 5]);
const other = ids([1, 1, 2, 3, 5, 8], [13, 21, 34, 55, 1, 2]);
const mlp = (layer: number) => ({ layer, component: "mlp_output" }) as const;

async function difference(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

async function numbersOf(t: Tensor | undefined): Promise<number[]> {
  return Array.from((await t?.data()) ?? [], Number);
}

test("several interventions at one place see what those before them left", async () => {
  const at = { ...mlp(1) };
  const twos = tensor(Array(24).fill(2));
  const order = [
    { ...at, intervention: ZeroIntervention },
    { ...at, intervention: AdditionIntervention.with({ sourceRepresentation: twos }) },
    { ...at, intervention: (b: Tensor) => b.mul(3) },
    { ...at, intervention: CollectIntervention },
  ];
  const [six] = new IntervenableModel(order, model).forward(base).collected;
  expect(new Set(await numbersOf(six))).toStrictEqual(new Set([6]));
  const [zero] = new IntervenableModel([...order.slice(1, 3), ...order.slice(0, 1), ...order.slice(3)], model).forward(base).collected; // prettier-ignore
  expect(new Set(await numbersOf(zero))).toStrictEqual(new Set([0]));
});

test("a group with several places reads one source, whatever its key is called", async () => {
  const config = [
    { ...mlp(0), groupKey: 3 },
    { ...mlp(2), groupKey: 3 },
    { ...mlp(1), groupKey: 8 },
  ];
  const grouped = new IntervenableModel(config, model).forward(base, {
    sources: [source, other],
    unitLocations: { "sources->base": { source: 1, base: 2 } },
  }).intervened;
  const apart = new IntervenableModel([mlp(0), mlp(2), mlp(1)], model).forward(base, {
    sources: [source, source, other],
    unitLocations: { "sources->base": { source: 1, base: 2 } },
  }).intervened;
  expect(await grouped.logits.data()).toStrictEqual(await apart.logits.data());
});

test("serial mode: all places of a group edit the run of the next group's source", async () => {
  const representations = [
    { ...mlp(0), groupKey: 0 },
    { layer: 1, component: "attention_output", groupKey: 0 },
    { ...mlp(2), groupKey: 1 },
    { layer: 3, component: "block_input", groupKey: 1 },
  ] as const;
  const serial = new IntervenableModel({ representations, mode: "serial" }, model).forward(base, {
    sources: [source, other],
    unitLocations: {
      "source_0->source_1": { source: 1, base: 2 },
      "source_1->base": { source: 2, base: 4 },
    },
  }).intervened;
  // By hand: the first two in the run of the second source, and what it then has, in the base.
  const first = new IntervenableModel(
    [
      ...representations.slice(0, 2).map(({ layer, component }) => ({ layer, component })),
      ...representations.slice(2).map(({ layer, component }) => ({ layer, component })),
    ].map((place, i) => ({
      ...place,
      intervention: i < 2 ? VanillaIntervention : CollectIntervention,
    })),
    model,
  ).forward(other, {
    sources: [source, source, null, null],
    unitLocations: {
      "sources->base": {
        each: [
          { source: [[1], [1]], base: [[2], [2]] },
          { source: [[1], [1]], base: [[2], [2]] },
          { source: null, base: [[2], [2]] },
          { source: null, base: [[2], [2]] },
        ],
      },
    },
  });
  const second = new IntervenableModel(
    representations.slice(2).map(({ layer, component }) => ({ layer, component })),
    model,
  ).forward(base, { sourceRepresentations: first.collected, unitLocations: { base: 4 } });
  expect(await difference(serial.logits, second.intervened.logits)).toBeLessThan(1e-5);
  expect(await difference(serial.logits, model.forward(base).logits)).toBeGreaterThan(0.01);
});

test("serial mode: a constant needs no source, and whole tensors no locations", async () => {
  const constant = { ...mlp(1), intervention: ZeroIntervention };
  const serial = new IntervenableModel({ representations: constant, mode: "serial" }, model);
  const parallel = new IntervenableModel(constant, model);
  const expected = await parallel.forward(base).intervened.logits.data();
  expect(await serial.forward(base).intervened.logits.data()).toStrictEqual(expected);
  const swap = { representations: [mlp(0), mlp(2)], mode: "serial" } as const;
  const { intervened } = new IntervenableModel(swap, model).forward(base, {
    sources: [source, other],
  });
  expect(await difference(intervened.logits, model.forward(base).logits)).toBeGreaterThan(0.01);
});

test("serial mode: what is collected in a source run is handed out, by forward and generate", async () => {
  const representations = [
    { ...mlp(0), intervention: CollectIntervention },
    { ...mlp(2), intervention: VanillaIntervention },
  ];
  const serial = new IntervenableModel({ representations, mode: "serial" }, model);
  const [key = ""] = serial.names;
  const given = {
    sources: [null, source],
    unitLocations: { "source_1->base": { source: 2, base: 7 } },
  } as const;
  const whole = { sources: given.sources };
  const reading = new IntervenableModel({ ...mlp(0), intervention: CollectIntervention }, model);
  const wanted = await numbersOf(reading.forward(source).collected[0]);
  expect(await numbersOf(serial.forward(base, whole).collectedByName[key])).toStrictEqual(wanted);
  expect(serial.explain(base, whole).interventions[0]?.shape).toStrictEqual([2, 6, 24]);
  const written = await serial.generate(base, { ...given, maxNewTokens: 4, eosTokenId: null });
  expect(written.collected).toHaveLength(1);
  expect(await numbersOf(written.collectedByName[key]?.[0])).toStrictEqual(wanted);
});

test("links share weights at different places, and each works on what stands there", async () => {
  const at = (layer: number) => ({ layer, intervention: RotatedSpaceIntervention });
  const linked = new IntervenableModel(
    [0, 2].map((layer) => ({ ...at(layer), interventionLinkKey: "basis" })),
    model,
  );
  expect(linked.trainableParameters()).toHaveLength(1);
  const [shared] = [...linked.interventions].map(([, intervention]) => intervention);
  const apart = new IntervenableModel(
    [0, 2].map((layer) => ({ layer, intervention: shared as RotatedSpaceIntervention })),
    model,
  );
  const call = {
    sources: source,
    unitLocations: { "sources->base": { each: [{ source: [[1], [2]], base: [[3], [3]] }, { source: [[0], [5]], base: [[4], [1]] }] } }, // prettier-ignore
    subspaces: [0, 1, 2],
  } as const;
  const [a, b] = [linked, apart].map((m) => m.forward(base, call).intervened.logits);
  expect(await a?.data()).toStrictEqual(await b?.data());
});

test("links at one place compose, on other subspaces of one basis", async () => {
  const parts = [
    { from: 0, to: 8 },
    { from: 8, to: 24 },
  ];
  const intervention = RotatedSpaceIntervention.with({ subspacePartition: parts });
  const at = { layer: 1, intervention, interventionLinkKey: 0 };
  const linked = new IntervenableModel([at, at], model);
  const both = linked.forward(base, {
    sources: [source, source],
    unitLocations: { "sources->base": { source: 2, base: 3 } },
    subspaces: { each: [[[0], [0]], 1] },
  }).intervened;
  // Both parts of the basis together are all that there is.
  const whole = new IntervenableModel({ layer: 1 }, model).forward(base, {
    sources: source,
    unitLocations: { "sources->base": { source: 2, base: 3 } },
  }).intervened;
  expect(await difference(both.logits, whole.logits)).toBeLessThan(1e-3);
});

test("representations are added, and keys are counted on", () => {
  const config = new IntervenableConfig({ ...mlp(0), intervention: ZeroIntervention });
  const before = new IntervenableModel(config, model);
  config
    .addIntervention({ ...mlp(0), intervention: ZeroIntervention })
    .addIntervention([[1, "block_output", "pos", 1, null, CollectIntervention]]);
  expect(config.sortedKeys).toStrictEqual([
    "layer_0_comp_mlp_output_unit_pos_nunit_1#0",
    "layer_0_comp_mlp_output_unit_pos_nunit_1#1",
    "layer_1_comp_block_output_unit_pos_nunit_1#0",
  ]);
  expect(config.names).toStrictEqual([
    "layer 0 mlp_output",
    "layer 0 mlp_output #2",
    "layer 1 block_output",
  ]);
  expect(before.names).toHaveLength(1);
  expect(new IntervenableModel(config, model).names).toStrictEqual(config.names);
  expect(String(config)).toBe(
    "IntervenableConfig(parallel)\n" +
      "  layer 0 mlp_output: ZeroIntervention\n" +
      "  layer 0 mlp_output #2: ZeroIntervention\n" +
      "  layer 1 block_output: CollectIntervention",
  );
  expect(() => config.addIntervention(mlp(3))).toThrow(
    /says no intervention, but others do; give each one/,
  );
  expect(config.sortedKeys).toHaveLength(3);
});

test("pyvene's settings are taken where they say what is so", () => {
  const representations = [{ ...mlp(0), intervention: AdditionIntervention }];
  const sortedKeys = ["layer_0_comp_mlp_output_unit_pos_nunit_1#0"];
  const given = { representations, sortedKeys, asAdaptor: true };
  expect(new IntervenableModel(given, model).config.sortedKeys).toStrictEqual(sortedKeys);
});

const vanilla = { ...mlp(1), intervention: VanillaIntervention };
const linked = { ...vanilla, interventionLinkKey: 0 };

test.each<readonly [string, unknown, RegExp]>([
  [
    "links between classes",
    [linked, { ...linked, intervention: SubtractionIntervention }],
    /is VanillaIntervention, but says another intervention/,
  ],
  [
    "links between instances",
    [new VanillaIntervention(), new VanillaIntervention()].map((intervention) => ({
      ...linked,
      intervention,
    })),
    /says another intervention/,
  ],
  [
    "a link whose settings would be lost",
    [
      linked,
      {
        ...linked,
        intervention: VanillaIntervention.with({ subspacePartition: [{ from: 0, to: 4 }] }),
      },
    ],
    /its subspacePartition has no effect/,
  ],
  [
    "links between places of other widths",
    [linked, { ...linked, component: "mlp_activation" }],
    /works on vectors of 96, but .* on 24/,
  ],
  [
    "settings of a class beside an instance",
    [[1, "block_output", "pos", 1, null, null, new VanillaIntervention(), [{ from: 0, to: 4 }]]],
    /subspacePartition is for interventions that are given as a class/,
  ],
  [
    "a place of a source for what takes none",
    { ...mlp(1), intervention: ZeroIntervention, source: { layer: 0 } },
    /ZeroIntervention takes no source/,
  ],
  [
    "a place of a source beside a constant",
    { ...vanilla, intervention: VanillaIntervention.with({ sourceRepresentation: tensor(Array(24).fill(0)) }), source: { layer: 0 } }, // prettier-ignore
    /has a constant source/,
  ],
  [
    "a place of a source that the model does not have",
    { ...vanilla, source: { component: "mlp_outptu" } },
    /no component "mlp_outptu"; did you mean mlp_output/,
  ],
  [
    "a layer of a source that the model does not have",
    { ...vanilla, source: { layer: 9 } },
    /layer 9 of mlp_output is out of range/,
  ],
  ["a misspelled place of a source", { ...vanilla, source: { layr: 0 } }, /no field layr; did you/],
  [
    "inputs in the place of a place",
    { ...vanilla, source: tensor([1]) },
    /source says where a source is read/,
  ],
  ["a unit that is no name", { ...vanilla, unit: 3 }, /unit must be a string, got number/],
  [
    "an axis that attention weights do not have",
    { layer: 0, component: "attention_weight", unit: "h.k" },
    /use "h" for heads, "h.pos" for heads at queries/,
  ],
  [
    "keys in another order",
    { representations: [vanilla, mlp(2)].map((r) => ({ ...r, intervention: ZeroIntervention })), sortedKeys: ["b", "a"] }, // prettier-ignore
    /sortedKeys must be the keys of the representations in their order/,
  ],
  [
    "a width that does not split into units",
    { component: "transformer.h[0].attn.output", maxNumberOfUnits: 2, intervention: BoundlessRotatedSpaceIntervention.with({ embedDim: 5 }) }, // prettier-ignore
    /embedDim 5 is not the width there|does not split into 2 units/,
  ],
])("configuration: %s", (_, config, message) => {
  const build = (): unknown =>
    new IntervenableModel(config as IntervenableConfigLike<never>, model);
  expect(build).toThrow(message);
  expect(build).toThrow(TsveneError);
});

test.each<readonly [string, object, RegExp]>([
  ["a word that means nothing", { base: "first" }, /"last" or a whole number, got "first"/],
  [
    "words for fewer interventions",
    { base: { each: ["last", "all"] } },
    /each has 2 entries, but 1 were wanted/,
  ],
  ["rows that have no place at all", { base: [[], []] }, /there is no place/],
  ["an empty list", { base: [] }, /there is no place; give null/],
])("locations: %s", (_, unitLocations, message) => {
  const zero = new IntervenableModel({ ...mlp(1), intervention: ZeroIntervention }, model);
  expect(() => zero.forward(base, { unitLocations: unitLocations as UnitLocations })).toThrow(
    message,
  );
});

test("a source at a place of another width is an error of both places", () => {
  const wide = { ...vanilla, source: { component: "mlp_activation" } } as const;
  expect(() => new IntervenableModel(wide, model).forward(base, { sources: source })).toThrow(
    /IntervenableModel: layer 1 mlp_output, at .*\[2, 6, 96\] does not fit a base of \[2, 6, 24\]/,
  );
});
