import { inspect } from "node:util";
import { expect, test } from "vitest";
import {
  AdditionIntervention,
  BoundlessRotatedSpaceIntervention,
  CollectIntervention,
  type GPT2LMHeadModel,
  type IntervenableConfigLike,
  IntervenableModel,
  Linear,
  Module,
  SigmoidMaskIntervention,
  SkipIntervention,
  type Tensor,
  TsveneError,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
  zeros,
  type GPT2Component,
} from "tsvene";
import { ids, TINY, tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2();
const base = ids([3, 1, 4, 1], [2, 7, 1, 8]);
const source = ids([6, 2, 8, 3], [5, 7, 7, 2]);
const at = (layer: number, component: GPT2Component = "block_output") => ({ layer, component });
const vanilla = { ...at(1), intervention: VanillaIntervention };
const two = [vanilla, { ...at(2), intervention: VanillaIntervention }];

type Case = readonly [name: string, config: unknown, message: RegExp];

const parted = (subspacePartition: unknown) => ({
  ...vanilla,
  intervention: { class: "VanillaIntervention", options: { subspacePartition } },
});

const configurations: readonly Case[] = [
  [
    "an unknown component",
    { layer: 0, component: "mlp_outptu" },
    /no component "mlp_outptu"; did you mean mlp_output/,
  ],
  [
    "an unknown module",
    { component: "transformer.h[0].mpl.output" },
    /has no "mpl"; did you mean mlp/,
  ],
  ["an unknown side", { component: "transformer.h[0].mlp.outptu" }, /did you mean .*output/],
  [
    "a path without a side",
    { component: "transformer.h[0].mlp" },
    /write "transformer.h\[0\].mlp.input"/,
  ],
  ["a layer after the last", at(4), /layer 4 of block_output is out of range: .* 0 to 3/],
  [
    "a block path after the last",
    { component: "transformer.h[4].output" },
    /transformer.h has no "4"/,
  ],
  ["a negative layer", at(-1), /layer must be a whole number of 0 or more, got -1/],
  ["a layer that is not whole", at(0.5), /layer must be a whole number/],
  ["a layer that is not a number", at(NaN), /layer must be a whole number/],
  ["a misspelled field", { layr: 1 }, /has no field layr; did you mean layer/],
  [
    "a misspelled setting",
    { representations: [at(0)], mod: "serial" },
    /no option mod; did you mean mode/,
  ],
  [
    "an unknown mode",
    { representations: [at(0)], mode: "both" },
    /mode must be "parallel" or "serial"/,
  ],
  ["no representation", [], /at least one representation/],
  ["a row that is not in a list", [0, "block_output"], /must be in a list/],
  ["a row that is too long", [Array(15).fill(0)], /15 entries, but there are 14/],
  [
    "heads of what has none",
    { ...at(0), unit: "h.pos" },
    /not split into heads; use a head_\* component/,
  ],
  ["positions of what has heads", { ...at(0, "head_value_output") }, /unit "pos" does not fit/],
  ["time steps of a transformer", { ...at(0), unit: "t" }, /belongs to no recurrent model/],
  ["three axes", { ...at(0), unit: "a.b.c" }, /one name or two joined by a dot/],
  [
    "both kinds of intervention",
    [[0, "block_output", "pos", 1, null, ZeroIntervention, ZeroIntervention]],
    /and not both/,
  ],
  ["interventions for some only", [vanilla, at(2)], /representation 1 says no intervention/],
  ["a class of something else", { intervention: Linear }, /got the class Linear/],
  ["an intervention that is none", { intervention: 3 }, /its name, or a function .* got a number/],
  [
    "a class that is not known by name",
    { intervention: "ZeroIntervenion" },
    /there is no intervention "ZeroIntervenion"; did you mean ZeroIntervention.*registerIntervention\(Halve\)/,
  ],
  [
    "an option of another class, by name",
    { intervention: { class: "NoiseIntervention", options: { noiseLevle: 1 } } },
    /NoiseIntervention: there is no option noiseLevle; did you mean noiseLevel/,
  ],
  [
    "a class with options in a list",
    { intervention: [ZeroIntervention, {}] },
    /got a list; write ZeroIntervention.with\({ ... }\)/,
  ],
  [
    "too few types",
    { representations: two.map(() => at(0)), interventionTypes: [ZeroIntervention] },
    /1 interventionTypes for 2/,
  ],
  ["group keys for some only", [{ ...vanilla, groupKey: 0 }, vanilla], /give each one/],
  [
    "group keys out of order",
    [
      { ...vanilla, groupKey: 1 },
      { ...vanilla, groupKey: 0 },
    ],
    /must ascend/,
  ],
  ["an empty range", parted([{ from: 3, to: 3 }]), /which is empty/],
  ["a range without its end", parted([{ from: 3 }]), /must be \{ from, to \} with/],
  ["a part of no numbers", parted([["a"]]), /must list dimensions/],
  ["an expert of what has none", { ...vanilla, moeKey: 1 }, /has no experts: leave out moeKey/],
  [
    "pyvene's mark of constants in files",
    [[0, "block_output", "pos", 1, null, null, VanillaIntervention, null, null, null, null, null, true]], // prettier-ignore
    /a constant that is kept beside the configuration is not supported; give it/,
  ],
  [
    "an option that stands beside its class",
    { ...vanilla, interchangeDim: 4 },
    /has no field interchangeDim, which .* write intervention: VanillaIntervention.with\({ inter/,
  ],
  [
    "directions of what has none",
    [[0, "block_output", "pos", 1, 4, VanillaIntervention]],
    /VanillaIntervention: there is no option lowRankDimension/,
  ],
  [
    "latents of a rotation",
    { intervention: { class: "RotatedSpaceIntervention", options: { latentDim: 4 } } },
    /RotatedSpaceIntervention: there is no option latentDim/,
  ],
  [
    "a constant for what takes no source",
    { intervention: ZeroIntervention.with({ sourceRepresentation: zeros([24]) }) },
    /sourceRepresentation would have no effect on ZeroIntervention/,
  ],
  [
    "dimensions beside a mask",
    { intervention: SigmoidMaskIntervention.with({ interchangeDim: 4 }) },
    /its mask says which dimensions change: leave out interchangeDim/,
  ],
  [
    "parts beside a mask",
    {
      intervention: BoundlessRotatedSpaceIntervention.with({
        subspacePartition: [{ from: 0, to: 4 }],
      }),
    },
    /leave out subspacePartition/,
  ],
  [
    "an instance of another width",
    { intervention: new VanillaIntervention({ embedDim: 7 }) },
    /made for vectors of 7, but those there are 24 wide/,
  ],
  [
    "skipping at an input",
    { ...at(0, "mlp_input"), intervention: SkipIntervention },
    /output of a whole module/,
  ],
];

test.each(configurations)("configuration: %s", (_, config, message) => {
  expect(() => new IntervenableModel(config as IntervenableConfigLike<never>, model)).toThrow(
    message,
  );
  expect(() => new IntervenableModel(config as IntervenableConfigLike<never>, model)).toThrow(
    TsveneError,
  );
});

test("a model without a card needs module paths", () => {
  const wanted = /Linear has no named components.*static readonly card/;
  expect(() => new IntervenableModel(at(0), new Linear(2, 2))).toThrow(wanted);
  expect(() => new IntervenableModel(at(0), {} as Module)).toThrow(/must be a model/);
});

test("an unknown name of an intervention is answered with the nearest", () => {
  const { interventions } = new IntervenableModel(vanilla, model);
  expect(() => interventions.get("layer_1_block_output")).toThrow(
    /did you mean layer 1 block_output/,
  );
});

const full = { "sources->base": { source: [[0], [0]], base: [[1], [1]] } };

const calls: readonly (readonly [
  name: string,
  config: unknown,
  options: object,
  message: RegExp,
])[] = [
  [
    "an option that there is not",
    vanilla,
    { sources: source, unit_locations: { "sources->base": 2 } },
    /there is no option unit_locations; did you mean unitLocations/,
  ],
  [
    "more dimensions than there are",
    { ...vanilla, intervention: VanillaIntervention.with({ interchangeDim: 25 }) },
    { sources: source },
    /interchangeDim 25 is more than the 24 dimensions there are/,
  ],
  ["sources in place of options", vanilla, [source], /options are one object by name: sources, /],
  [
    "a tensor for a place",
    vanilla,
    { sources: source, unitLocations: { "sources->base": zeros([1]) } },
    /got a Tensor; give the numbers in it/,
  ],
  [
    "a position after the last",
    vanilla,
    { sources: source, unitLocations: { "sources->base": 4 } },
    /position 4 is out of range: there are 4/,
  ],
  [
    "a position before the first",
    vanilla,
    { sources: source, unitLocations: { "sources->base": { source: -5, base: 0 } } },
    /position -5 is out of range/,
  ],
  [
    "a head after the last",
    { ...at(0, "head_value_output"), unit: "h.pos", intervention: ZeroIntervention },
    {
      unitLocations: {
        base: { head: [[4], [4]], position: [[0], [0]] },
      },
    },
    /head 4 is out of range: there are 4/,
  ],
  [
    "locations for fewer rows than the batch",
    vanilla,
    { sources: source, unitLocations: { "sources->base": [[0]] } },
    /locations for 1 rows, but the batch has 2/,
  ],
  [
    "locations for more rows than the batch",
    vanilla,
    {
      sources: source,
      unitLocations: { "sources->base": { source: [[0], [0]], base: [[0], [0], [0]] } },
    },
    /3 rows, but the batch has 2/,
  ],
  [
    "ragged locations that do not match",
    vanilla,
    {
      sources: source,
      unitLocations: { "sources->base": { source: [[0], [0]], base: [[0], [0, 1]] } },
    },
    /row 1: 1 places in the source, but 2 in the base/,
  ],
  [
    "other numbers of places in source and base",
    vanilla,
    { sources: source, unitLocations: { "sources->base": { source: [0, 1], base: [[0], [0]] } } },
    /row 0: 2 places in the source, but 1 in the base/,
  ],
  [
    "locations for fewer interventions",
    two,
    { sources: source, unitLocations: { "sources->base": { each: [1] } } },
    /each has 1 entries, but 2 were wanted, one for each/,
  ],
  [
    "a position that is true",
    vanilla,
    { sources: source, unitLocations: { "sources->base": true } },
    /a place is "last" or a whole number, got true/,
  ],
  [
    "a position that is true under base",
    { ...at(0), intervention: ZeroIntervention },
    { unitLocations: { base: [true] } },
    /a place is "last" or a whole number, got true/,
  ],
  [
    "a position that is NaN",
    vanilla,
    { sources: source, unitLocations: { "sources->base": NaN } },
    /a whole number, got NaN/,
  ],
  [
    "a position that is not whole",
    vanilla,
    { sources: source, unitLocations: { "sources->base": { source: 0, base: 1.5 } } },
    /a whole number, got 1.5/,
  ],
  [
    "an empty list of positions",
    { ...at(0), intervention: ZeroIntervention },
    { unitLocations: { base: [[], []] } },
    /there is no place/,
  ],
  [
    "a place that is edited twice",
    { ...at(0), intervention: ZeroIntervention },
    { unitLocations: { base: [1, 1] } },
    /names a place twice/,
  ],
  [
    "positions where heads are needed too",
    { ...at(0, "head_value_output"), unit: "h.pos", intervention: ZeroIntervention },
    { unitLocations: { base: 3 } },
    /there are 2 axes, so 3 does not say which; write \{ head: 1, position: 2 \}/,
  ],
  [
    "a misspelled axis",
    { ...at(0, "head_value_output"), unit: "h.pos", intervention: ZeroIntervention },
    { unitLocations: { base: { hed: 1, position: 0 } } },
    /there is no "hed" here; did you mean head or position/,
  ],
  [
    "a missing axis",
    { ...at(0, "head_value_output"), unit: "h.pos", intervention: ZeroIntervention },
    { unitLocations: { base: { head: 1 } } },
    /position is missing; write \{ head: 1, position: 2 \}, where "all" takes all of an axis/,
  ],
  [
    "a missing side",
    vanilla,
    { sources: source, unitLocations: { "sources->base": { source: 1 } } },
    /base is missing; null there takes the whole tensor/,
  ],
  [
    "a misspelled side",
    vanilla,
    { sources: source, unitLocations: { "sources->base": { source: 1, bsae: 2 } } },
    /there is no "bsae" here; did you mean base or source/,
  ],
  [
    "a source's places under base",
    { ...at(0), intervention: ZeroIntervention },
    { unitLocations: { base: { source: 1, base: 2 } } },
    /is not places; write \{ "sources->base": \{ source: 3, base: 5 \} \}/,
  ],
  [
    "an entry for each intervention in one side",
    two,
    { sources: source, unitLocations: { "sources->base": { source: { each: [1, 2] }, base: 1 } } },
    /is not places; write .* \{ each: \[\{ source: 3, base: 5 \}, 2\] \}/,
  ],
  [
    "lists as pyvene nests them",
    vanilla,
    { sources: source, unitLocations: { "sources->base": [[[[0], [0]]], [[[1], [1]]]] } },
    /nested two deep, got .*read pyvene's lists with fromPyveneLocations/,
  ],
  [
    "a place beside a list",
    vanilla,
    { sources: source, unitLocations: { "sources->base": [[0], 1] } },
    /row 1: expected a list of places, got 1/,
  ],
  [
    "a misspelled stage",
    vanilla,
    { sources: source, unitLocations: { "source->base": 1 } },
    /no "source->base" in parallel mode; did you mean sources->base/,
  ],
  [
    "stages of serial mode in parallel mode",
    vanilla,
    { sources: source, unitLocations: { "source_0->base": 1 } },
    /in parallel mode/,
  ],
  [
    "stages of parallel mode in serial mode",
    { representations: two, mode: "serial" },
    { sources: [source, source], unitLocations: full },
    /did you mean .*source_1->base/,
  ],
  [
    "two ways to say places",
    vanilla,
    { sources: source, unitLocations: { base: 1, ...full } },
    /exactly one of them/,
  ],
  [
    "places in the base only",
    vanilla,
    { sources: source, unitLocations: { base: 1 } },
    /but not of the source/,
  ],
  [
    "a missing source",
    vanilla,
    { unitLocations: { base: 1 } },
    /VanillaIntervention needs a source/,
  ],
  ["a source that is undefined", two, { sources: [source, undefined] }, /needs a source/],
  ["more sources than groups", vanilla, { sources: [source, source] }, /2 sources for 1 group;/],
  [
    "fewer sources than groups",
    [...two, vanilla],
    { sources: [source, source] },
    /2 sources for 3 groups/,
  ],
  [
    "a source that nobody reads",
    { ...at(0), intervention: ZeroIntervention },
    { sources: source },
    /no intervention reads source 0/,
  ],
  [
    "a source of another length",
    vanilla,
    { sources: ids([1, 2, 3], [4, 5, 6]) },
    /source of shape \[2, 3, 24\] does not fit a base of \[2, 4, 24\]/,
  ],
  [
    "a source of another batch",
    vanilla,
    { sources: ids([1, 2, 3, 4], [4, 5, 6, 7], [7, 8, 9, 1]) },
    /does not fit a base/,
  ],
  [
    "a representation of another shape",
    vanilla,
    { sourceRepresentations: zeros([23]) },
    /\[23\] does not fit/,
  ],
  [
    "sources and representations",
    vanilla,
    { sources: source, sourceRepresentations: zeros([24]) },
    /and not both/,
  ],
  [
    "a representation for an unknown name",
    vanilla,
    { sourceRepresentations: { layer_1: zeros([24]) } },
    /sourceRepresentations: there is no intervention "layer_1"; did you mean layer 1 block_output/,
  ],
  [
    "representations for too few",
    two,
    { sourceRepresentations: [zeros([24])] },
    /1 sourceRepresentations for 2/,
  ],
  [
    "a representation that is missing",
    two,
    { sourceRepresentations: { "layer 1 block_output": zeros([24]) } },
    /: layer 2 block_output: .*needs a source/,
  ],
  [
    "a representation that is no tensor",
    vanilla,
    { sourceRepresentations: [1] },
    /must be a Tensor or null/,
  ],
  [
    "a representation for one that takes none",
    { ...at(0), intervention: ZeroIntervention },
    { sourceRepresentations: zeros([24]) },
    /no intervention reads them/,
  ],
  [
    "subspaces out of range",
    vanilla,
    { sources: source, subspaces: 24 },
    /subspace 24 is not one of the 24 dimensions/,
  ],
  [
    "parts out of range",
    parted([{ from: 0, to: 8 }]),
    { sources: source, subspaces: 1 },
    /subspace 1 is not one of the 1 parts/,
  ],
  [
    "a partition that is too wide",
    parted([{ from: 0, to: 25 }]),
    { sources: source, subspaces: 0 },
    /names dimension 24, but there are 24/,
  ],
  [
    "subspaces for other rows",
    vanilla,
    { sources: source, unitLocations: { "sources->base": 1 }, subspaces: [[0], [1], [2]] },
    /subspaces for 3 rows do not fit/,
  ],
  [
    "subspaces for other interventions",
    two,
    { sources: source, subspaces: { each: [0, 0, 0] } },
    /subspaces: each has 3 entries, but 2 were wanted, one for each intervention: layer/,
  ],
  [
    "subspaces as pyvene nests them",
    two,
    { sources: source, subspaces: [[[0]], [[0]]] },
    /one list of numbers for each row, got \[\[\[0\]\],\[\[0\]\]\]; say .* as \{ each: \[\.\.\.\] \}/,
  ],
  [
    "what a function is told in a list",
    { ...at(0), intervention: (b: Tensor) => b },
    { subspaces: [{ factor: 2 }] },
    /as \{ each: \[\.\.\.\] \}/,
  ],
  ["negative subspaces", vanilla, { sources: source, subspaces: [-1] }, /subspace -1 is not one/],
  [
    "collecting ragged subspaces",
    { ...at(0), intervention: CollectIntervention },
    { subspaces: [[0], [1, 2]] },
    /1, 2 dimensions do not make one tensor/,
  ],
  [
    "a function that uses a source which it does not get",
    { ...at(0), intervention: (b: Tensor, s: Tensor) => b.add(s.mul(2)) },
    {},
    /at transformer.h.0.output: intervention takes a source, and this call gives none, so it failed: .*give sources/,
  ],
  [
    "a function that returns another shape",
    { ...at(0), intervention: (b: Tensor) => b.slice(-1, 0, 3) },
    {},
    /returned \[2, 4, 3\] in the place of \[2, 4, 24\]/,
  ],
  [
    "a function that returns no tensor",
    { ...at(0), intervention: () => 3 },
    {},
    /must return a Tensor/,
  ],
  [
    "an edit of a run that is not made",
    { representations: two, mode: "serial" },
    { sources: [source, null] },
    /edits the run of source 1, which is not given/,
  ],
];

test.each(calls)("call: %s", async (_, config, options, message) => {
  const plain = await model.forward(base).logits.data();
  const before = inspect(options, { depth: 9 });
  const intervenable = new IntervenableModel(config as IntervenableConfigLike<never>, model);
  const run = (): unknown => intervenable.forward(base, options);
  expect(run).toThrow(message);
  expect(run).toThrow(TsveneError);
  // Nothing has changed: not what was passed, and not the model.
  expect(inspect(options, { depth: 9 })).toBe(before);
  expect(await model.forward(base).logits.data()).toStrictEqual(plain);
});

test("an error says which intervention and where", () => {
  const intervenable = new IntervenableModel({ ...at(1), intervention: ZeroIntervention }, model);
  expect(() => intervenable.forward(base, { unitLocations: { base: 9 } })).toThrow(
    "IntervenableModel: layer 1 block_output, at transformer.h.1.output: " +
      "unitLocations: position 9 is out of range",
  );
});

test("the model's own errors come through", () => {
  const intervenable = new IntervenableModel({ ...at(1), intervention: ZeroIntervention }, model);
  const long = { inputIds: zeros([1, TINY.nPositions + 1], { dtype: "int64" }) };
  expect(() => intervenable.forward(long)).toThrow(/longer than the model's 32 positions/);
  expect(() => intervenable.forward({})).toThrow(TsveneError);
});

class Unused extends Module {
  readonly used = new Linear(2, 2);
  readonly unused = new Linear(2, 2);
  override forward(x: Tensor): Tensor {
    return this.used.forward(this.used.forward(x));
  }
}

test("a module that never runs, or runs twice, cannot be meant", () => {
  const x = tensor([[1, 2]]);
  const never = new IntervenableModel(
    { component: "unused.output", intervention: ZeroIntervention },
    new Unused(),
  );
  expect(() => never.forward(x)).toThrow(
    /unused\.output never fires: unused passed no output in the base run/,
  );
  const twice = new IntervenableModel(
    { component: "used.output", intervention: ZeroIntervention },
    new Unused(),
  );
  expect(() => twice.forward(x)).toThrow(/used runs more than once/);
});

test("an option that there is not is answered with the nearest", () => {
  const intervenable = new IntervenableModel(vanilla, model);
  const misspelled: object = { source, unitLocations: { "sources->base": 1 } };
  expect(() => intervenable.forward(base, misspelled)).toThrow(
    /there is no option source; did you mean sources/,
  );
});

test("labels need inputs by name", () => {
  const intervenable = new IntervenableModel(
    { component: "used.output", intervention: ZeroIntervention },
    new Unused(),
  );
  expect(() => intervenable.forward(tensor([[1, 2]]), { labels: tensor(1) })).toThrow(
    /labels need a base/,
  );
});

const generating: readonly (readonly [name: string, options: object, message: RegExp])[] = [
  [
    "an option that there is not",
    { max_new_tokens: 4 },
    /there is no option max_new_tokens; did you mean maxNewTokens/,
  ],
  ["one token, of which none is edited", { maxNewTokens: 1 }, /never fires: a single new token/],
  [
    "a place in the prompt that is not edited",
    { unitLocations: { base: 2 } },
    /position 2 is in the prompt of 4 tokens/,
  ],
  [
    "a place that is never reached",
    { unitLocations: { base: 8 }, maxNewTokens: 4 },
    /4 new tokens never read position 8/,
  ],
  [
    "a place before the prompt",
    { unitLocations: { base: -5 }, interveneOnPrompt: true },
    /before the prompt of 4 tokens/,
  ],
  [
    "a misspelled option",
    { interveneOnPromt: true },
    /no option interveneOnPromt; did you mean interveneOnPrompt/,
  ],
];

test.each(generating)("generation: %s", async (_, options, message) => {
  const addition = { ...at(1), intervention: AdditionIntervention };
  const intervenable = new IntervenableModel<GPT2LMHeadModel>(addition, model);
  const settings = {
    sourceRepresentations: zeros([24]),
    eosTokenId: null,
    maxNewTokens: 5,
    ...options,
  };
  await expect(intervenable.generate(base, settings)).rejects.toThrow(message);
});

test("a model that cannot write says so", async () => {
  const intervenable = new IntervenableModel(
    { component: "used.output", intervention: ZeroIntervention },
    new Unused(),
  );
  const writing = intervenable as unknown as IntervenableModel<GPT2LMHeadModel>;
  await expect(writing.generate(base)).rejects.toThrow(/Unused cannot generate/);
});
