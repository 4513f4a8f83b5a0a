import { describe, expect, test } from "vitest";
import {
  AdditionIntervention,
  AutoencoderIntervention,
  BoundlessRotatedSpaceIntervention,
  CollectIntervention,
  type EditedRows,
  evaluate,
  type ForwardOptions,
  Generator,
  grad,
  GRULMHeadModel,
  IntervenableModel,
  type IntervenableOutput,
  type InterventionLike,
  JumpReLUAutoencoderIntervention,
  LowRankRotatedSpaceIntervention,
  NoiseIntervention,
  PCARotatedSpaceIntervention,
  randn,
  type RepresentationConfig,
  RotatedSpaceIntervention,
  SigmoidMaskIntervention,
  SigmoidMaskRotatedSpaceIntervention,
  SkipIntervention,
  SubtractionIntervention,
  type Tensor,
  type UnitLocations,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { ids, TINY, tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2();
const base = ids([3, 1, 4, 1, 5, 9], [2, 7, 1, 8, 2, 8], [6, 2, 6, 4, 3, 3]);
const sources = ids([9, 8, 7, 6, 5, 4], [3, 5, 8, 1, 3, 2], [1, 1, 2, 3, 5, 8]);
const others = ids([5, 4, 3, 2, 1, 0], [7, 7, 7, 2, 2, 2], [8, 9, 8, 9, 8, 9]);
const rows = [true, false, true];
const generator = new Generator(3);
const samples = randn([60, TINY.nEmbd], { generator });

type Inputs = typeof base;
type Place = RepresentationConfig<"mlp_output" | "block_output" | "head_value_output">;

const at = (intervention: InterventionLike, more: Place = { layer: 1 }): Place => ({
  component: "mlp_output" as const,
  ...more,
  intervention,
});

function run(config: Place | readonly Place[], options: ForwardOptions<Inputs>): Tensor {
  return new IntervenableModel(config, model).forward(base, options).intervened.logits;
}

/**
 * Rows that are edited have the values that editing all gives, and the others those of no edit, to
 * the last bit; and the edit changes every row, so that both can be told apart.
 */
async function expectOnly(
  edited: readonly boolean[],
  { some, all, none }: { readonly some: Tensor; readonly all: Tensor; readonly none: Tensor },
): Promise<void> {
  const [got, full, clean] = await Promise.all([some, all, none].map((t) => t.toArray()));
  const pick = (list: unknown, row: number): unknown => (list as unknown[])[row];
  for (const [row, isEdited] of edited.entries()) {
    expect(pick(full, row)).not.toEqual(pick(clean, row));
    expect(pick(got, row)).toEqual(pick(isEdited ? full : clean, row));
  }
}

async function expectRows(
  config: Place | readonly Place[],
  options: ForwardOptions<Inputs>,
  wanted: ForwardOptions<Inputs>["rows"] = rows,
  edited: readonly boolean[] = rows,
): Promise<void> {
  const intervened = new IntervenableModel(config, model);
  const all = intervened.forward(base, options);
  const some = intervened.forward(base, { ...options, rows: wanted ?? null });
  await expectOnly(edited, {
    some: some.intervened.logits,
    all: all.intervened.logits,
    none: some.original.logits,
  });
}

const width = { latentDim: 20 };
const pca = await PCARotatedSpaceIntervention.fit(samples, { interchangeDim: 5 });
const classes: readonly (readonly [name: string, intervention: InterventionLike])[] = [
  ["AdditionIntervention", AdditionIntervention],
  ["AutoencoderIntervention", AutoencoderIntervention.with(width)],
  ["BoundlessRotatedSpaceIntervention", BoundlessRotatedSpaceIntervention],
  ["JumpReLUAutoencoderIntervention", JumpReLUAutoencoderIntervention.with(width)],
  [
    "LowRankRotatedSpaceIntervention",
    LowRankRotatedSpaceIntervention.with({ lowRankDimension: 4 }),
  ],
  ["NoiseIntervention", NoiseIntervention.with({ seed: 4, noiseLevel: 1 })],
  ["PCARotatedSpaceIntervention", pca],
  ["RotatedSpaceIntervention", RotatedSpaceIntervention],
  ["SigmoidMaskIntervention", SigmoidMaskIntervention],
  ["SigmoidMaskRotatedSpaceIntervention", SigmoidMaskRotatedSpaceIntervention],
  ["SkipIntervention", SkipIntervention],
  ["SubtractionIntervention", SubtractionIntervention],
  ["VanillaIntervention", VanillaIntervention],
  ["ZeroIntervention", ZeroIntervention],
  ["a function", (b: Tensor, s?: Tensor) => (s === undefined ? b : b.mul(0.5).add(s))],
];

/** Some edit takes no source, for which a call must not give any. */
const given = (intervention: InterventionLike): Pick<ForwardOptions<Inputs>, "sources"> =>
  intervention === ZeroIntervention || intervention === classes[5]?.[1] ? {} : { sources };

describe("rows that are left out are those of the base, to the last bit", () => {
  test.each(classes)("%s at a position", async (_name, intervention) => {
    const unitLocations: UnitLocations =
      given(intervention).sources === undefined ? { base: 4 } : { "sources->base": 4 };
    await expectRows(at(intervention), { ...given(intervention), unitLocations });
  });

  test.each(classes.filter(([name]) => !/Rotated|Autoencoder|Sigmoid/.test(name)))(
    "%s on the whole tensor",
    async (_name, intervention) => {
      await expectRows(at(intervention), given(intervention));
    },
  );

  test("with places that differ by row and in number, and a strength", async () => {
    const unitLocations = {
      "sources->base": { source: [[1, 2], [3], [5]], base: [[4, 5], [1], [2]] },
    };
    await expectRows(at(VanillaIntervention), { sources, unitLocations, strength: 0.4 });
  });

  test("of heads, whose tensors have four dimensions, whole and at places", async () => {
    const heads = { layer: 2, component: "head_value_output" } as const;
    await expectRows(at(VanillaIntervention, { ...heads, unit: "h" }), {
      sources,
      unitLocations: { "sources->base": [0, 3] },
    });
    await expectRows(at(VanillaIntervention, { ...heads, unit: "h.pos" }), {
      sources,
      unitLocations: { "sources->base": { head: [1, 2], position: "last" } },
    });
    await expectRows(at(ZeroIntervention, { ...heads, unit: "h" }), {});
  });

  test("with a constant source, and subspaces that differ by row", async () => {
    const sourceRepresentations = randn([TINY.nEmbd], { generator });
    const unitLocations = { base: 2 };
    await expectRows(at(VanillaIntervention), { sourceRepresentations, unitLocations });
    const subspaces = [[0, 1], [2], [5, 6, 7]];
    await expectRows(at(VanillaIntervention), { sourceRepresentations, unitLocations, subspaces });
  });
});

test("each of several interventions has rows of its own, by name, where a name is left out all", async () => {
  const [a, b] = [
    at(VanillaIntervention, { layer: 0, name: "a" }),
    at(VanillaIntervention, { layer: 2, name: "b" }),
  ];
  const unitLocations = { "sources->base": 5 };
  const both = (of: EditedRows): Tensor =>
    run([a, b], { sources: [sources, others], unitLocations, rows: of });
  const one = (config: Place, from: Inputs): Tensor =>
    run(config, { sources: from, unitLocations });
  const [onlyA, onlyB, all] = [one(a, sources), one(b, others), both({})];
  const mixed = both({ a: [true, false, true], b: [false, true, true] });
  const halved = both({ a: [false, true, false] });
  const [got, half, ofA, ofB, ofBoth] = await Promise.all(
    [mixed, halved, onlyA, onlyB, all].map((t) => t.toArray() as Promise<number[][][]>),
  );
  expect(got).toEqual([ofA?.[0], ofB?.[1], ofBoth?.[2]]);
  expect(half).toEqual([ofB?.[0], ofBoth?.[1], ofB?.[2]]);
  expect(ofA?.[0]).not.toEqual(ofBoth?.[0]);
});

test("linked interventions keep their parameters and have rows of their own", async () => {
  const places = [
    at(RotatedSpaceIntervention, { layer: 1, name: "a", interventionLinkKey: 0 }),
    at(RotatedSpaceIntervention, { layer: 1, name: "b", interventionLinkKey: 0 }),
  ];
  const intervened = new IntervenableModel(places, model);
  expect(intervened.trainableParameters()).toHaveLength(1);
  const forward = (more: ForwardOptions<Inputs>): Tensor =>
    intervened.forward(base, {
      sources: [sources, others],
      unitLocations: { "sources->base": 3 },
      subspaces: {
        each: [
          [0, 1, 2, 3],
          [4, 5, 6, 7],
        ],
      },
      ...more,
    }).intervened.logits;
  const off = [false, false, false];
  const every = [true, true, true];
  const [got, a, b] = await evaluateAll(
    forward({ rows: { a: [true, false, false], b: [false, true, true] } }),
    forward({ rows: { a: every, b: off } }),
    forward({ rows: { a: off, b: every } }),
  );
  expect(got).toEqual([a?.[0], b?.[1], b?.[2]]);
});

async function evaluateAll(...tensors: Tensor[]): Promise<number[][][][]> {
  await evaluate(...tensors);
  return Promise.all(tensors.map((t) => t.toArray() as Promise<number[][][]>));
}

test("in serial mode rows are those of the run that is edited", async () => {
  const config = {
    mode: "serial",
    representations: [
      at(VanillaIntervention, { layer: 0, name: "first" }),
      at(VanillaIntervention, { layer: 2, name: "second" }),
    ],
  } as const;
  const serial = new IntervenableModel(config, model);
  const forward = (of: ForwardOptions<Inputs>["rows"]): IntervenableOutput<{ logits: Tensor }> =>
    serial.forward(base, {
      sources: [sources, others],
      unitLocations: { "source_0->source_1": 1, "source_1->base": 4 },
      rows: of ?? null,
    });
  const alone = run(at(VanillaIntervention, { layer: 2 }), {
    sources: others,
    unitLocations: { "sources->base": 4 },
  });
  const { original, intervened } = forward({
    first: [true, false, true],
    second: [true, true, false],
  });
  const [got, all, second, none] = await evaluateAll(
    intervened.logits,
    forward(null).intervened.logits,
    alone,
    original.logits,
  );
  expect(got).toEqual([all?.[0], second?.[1], none?.[2]]);
  expect(all?.[1]).not.toEqual(second?.[1]);
});

test("time steps of recurrent models are edited in their rows", async () => {
  const gru = new GRULMHeadModel({ vocabSize: 32, hDim: 8, nLayer: 1 }).eval();
  const tokens = { inputsEmbeds: randn([3, 4, 8], { generator }) };
  const place = {
    layer: 0,
    component: "cell_output",
    unit: "t",
    intervention: ZeroIntervention,
  } as const;
  const intervened = new IntervenableModel(place, gru);
  for (const unitLocations of [{ base: 1 }, null]) {
    const all = intervened.forward(tokens, { unitLocations });
    const some = intervened.forward(tokens, { unitLocations, rows });
    await expectOnly(rows, {
      some: some.intervened.logits,
      all: all.intervened.logits,
      none: some.original.logits,
    });
  }
});

test("no gradient comes from rows that are not edited", async () => {
  const intervened = new IntervenableModel(
    at(LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 })),
    model,
  );
  const [parameter] = intervened.trainableParameters();
  if (parameter === undefined) throw new Error("nothing to be learned");
  const gradient = (of: readonly boolean[], row: number): Tensor => {
    const { logits } = intervened.forward(base, {
      sources,
      unitLocations: { "sources->base": 5 },
      rows: of,
    }).intervened;
    return grad(logits.select(0, row).square().mean(), [parameter.value])[0];
  };
  const [edited, left] = [gradient(rows, 0), gradient(rows, 1)];
  await evaluate(edited, left);
  expect(await edited.abs().amax().item()).toBeGreaterThan(0);
  expect(await left.abs().amax().item()).toBe(0);
});

test("explain says how many rows are edited", () => {
  const intervened = new IntervenableModel(at(ZeroIntervention, { name: "off", layer: 1 }), model);
  const explained = intervened.explain(base, { unitLocations: { base: 3 }, rows: { off: rows } });
  expect(explained.interventions[0]?.rows).toEqual(rows);
  expect(String(explained)).toContain("[3, 1, 24], 2 of 3 rows");
});

test("refuses rows that are not one boolean for each row, and names that edit nothing", () => {
  const both = new IntervenableModel(
    [at(ZeroIntervention, { layer: 0, name: "off" }), at(CollectIntervention, { name: "seen" })],
    model,
  );
  const refused = (of: unknown, message: RegExp): void => {
    const options = { rows: of as readonly boolean[] };
    expect(() => both.forward(base, options)).toThrow(message);
    expect(() => both.explain(base, options)).toThrow(message);
  };
  refused([true, false], /rows: 2 entries, but the batch has 3 rows; give one for each row/);
  refused({ off: [true] }, /rows: off: 1 entries, but the batch has 3 rows/);
  refused({ of: rows }, /there is no intervention "of"; did you mean off or seen/);
  refused({ seen: rows }, /rows: seen: it collects and edits nothing/);
  refused([1, 0, 1], /expected true and false/);
  refused(3, /rows must be lists of true and false, got 3/);
  const collects = new IntervenableModel(at(CollectIntervention), model);
  expect(() => collects.forward(base, { rows })).toThrow(/it collects and edits nothing/);
});

test("refuses a tensor that has no batch", () => {
  const place = { component: "transformer.wpe.output", intervention: ZeroIntervention } as const;
  const intervened = new IntervenableModel(place, model);
  expect(() => intervened.forward(base, { rows })).toThrow(/no such dimension in front/);
});
