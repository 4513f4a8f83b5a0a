import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  type AutoencoderAddress,
  autoencoderHealth,
  autoencoderSite,
  AutoModelForCausalLM,
  CollectIntervention,
  FeatureEditIntervention,
  featureEffects,
  FeaturizedIntervention,
  Generator,
  GPT2LMHeadModel,
  IntervenableModel,
  manualSeed,
  MaskedFeaturesIntervention,
  MemoryFiles,
  type Module,
  randn,
  SparseAutoencoder,
  type SparseAutoencoderOptions,
  type Tensor,
  tensor,
  topActivations,
  VanillaIntervention,
  zeros,
  ZeroIntervention,
} from "tsvene";
import { refusesEach } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";
import { DECODERS } from "./families.ts";
import { tinyPairs } from "./tiny-pairs.ts";

const HOOKS = { hook: "blocks.1.mlp.hook_in", hookOut: "blocks.1.hook_mlp_out" };
const ids = (rows: number[][]): Tensor => tensor(rows, { dtype: "int64" });
const inputs = { inputIds: ids([[5, 7, 9, 11, 2]]) };
const others = { inputIds: ids([[6, 7, 3, 11, 4]]) };

interface Says {
  readonly logits: Tensor;
}

function greatest(t: Tensor): Promise<number> {
  return t.abs().max().item();
}

function drawn(width: number, options: Partial<SparseAutoencoderOptions> = {}): SparseAutoencoder {
  const generator = new Generator(3);
  const given = { width, latentDim: 20, transcoder: true, trainedOn: HOOKS, ...options };
  const transcoder = new SparseAutoencoder(given);
  const tensors = Object.entries(transcoder.stateDict()).map(([name, { shape }]) => [
    name,
    randn(shape, { generator }).mul(0.4),
  ]);
  transcoder.loadStateDict(Object.fromEntries(tensors) as Record<string, Tensor>);
  return transcoder;
}

function logitsOf(
  model: Module,
  config: object | readonly object[],
  unitLocations: object,
  more: object = {},
): Tensor {
  const edited = new IntervenableModel(config, model);
  const { intervened } = edited.forward(inputs, { unitLocations, ...more } as never);
  return (intervened as Says).logits;
}

manualSeed(5);
// Its MLP is a transcoder of itself: a latent for each neuron.
const gpt2 = new GPT2LMHeadModel({
  nLayer: 3,
  nEmbd: 8,
  nHead: 2,
  nInner: 12,
  vocabSize: 20,
  nPositions: 16,
  activationFunction: "relu",
}).eval();
for (const parameter of gpt2.parameters()) parameter.set(randn(parameter.shape).mul(0.5));

function ofMlp(options: Partial<SparseAutoencoderOptions> = {}): SparseAutoencoder {
  const made = drawn(8, { latentDim: 12, ...options });
  const weights = gpt2.stateDict();
  const at = (name: string): Tensor => weights[`transformer.h.1.mlp.${name}`] as Tensor;
  const own = { W_enc: "c_fc.weight", b_enc: "c_fc.bias", W_dec: "c_proj.weight", b_dec: "c_proj.bias" }; // prettier-ignore
  made.loadStateDict({
    ...made.stateDict(),
    ...Object.fromEntries(Object.entries(own).map(([name, from]) => [name, at(from)])),
  });
  return made;
}

const neurons = (intervention: object): object => ({
  layer: 1,
  component: "mlp_activation",
  intervention,
});
/** Of which some are not 0 at each position. */
const SOME = [0, 2, 4, 6, 8, 10];

describe("an MLP that is its own transcoder", () => {
  const transcoder = ofMlp();
  const place = autoencoderSite(gpt2, transcoder);

  test("it reads what goes in, and writes what comes out", () => {
    expect(place).toEqual({
      component: "transformer.h.1.mlp.output",
      source: { component: "transformer.h.1.mlp.input" },
    });
  });

  test.each([true, false])(
    "ablating a latent is zeroing the neuron, errorTerm %s",
    async (keeps) => {
      const featurizer = ofMlp({ errorTerm: keeps });
      for (const unitLocations of [{ base: 2 }, { base: [1, 3] }, { base: "all" }]) {
        const intervention = FeatureEditIntervention.with({ featurizer, ablate: SOME });
        const latents = logitsOf(gpt2, { ...place, intervention }, unitLocations);
        const zero = ZeroIntervention.with({ interchangeDim: SOME });
        const zeroed = logitsOf(gpt2, neurons(zero), unitLocations);
        expect(await greatest(latents.sub(zeroed))).toBeLessThan(1e-5);
        const plain = (gpt2.forward(inputs) as Says).logits;
        expect(await greatest(latents.sub(plain))).toBeGreaterThan(1e-3);
      }
    },
  );

  test("latents of another run are its neurons, and what stands before is seen", async () => {
    const featurized = FeaturizedIntervention.with({
      featurizer: transcoder,
      interchangeDim: SOME,
    });
    const vanilla = VanillaIntervention.with({ interchangeDim: SOME });
    const before = { layer: 0, component: "block_output", intervention: ZeroIntervention };
    const swapped = (kind: object, first: object[]): Tensor => {
      const all = { each: [...first.map(() => ({ source: null, base: "all" })), 3] };
      const sources = [...first.map(() => null), others];
      return logitsOf(gpt2, [...first, kind], { "sources->base": all }, { sources });
    };
    for (const first of [[], [before]]) {
      const latents = swapped({ ...place, intervention: featurized }, first);
      expect(await greatest(latents.sub(swapped(neurons(vanilla), first)))).toBeLessThan(1e-5);
    }
  });

  test("its health is perfect, and its latents' texts are its neurons'", async () => {
    const texts = { inputIds: ids([[1, 5, 3, 2], [7, 7, 2, 9]]) }; // prettier-ignore
    const health = await autoencoderHealth(gpt2, transcoder, texts);
    expect(health.explainedVariance).toBeCloseTo(1, 6);
    expect(health.losses.reconstructed).toBeCloseTo(health.losses.clean, 5);
    expect(Math.abs(health.losses.zero - health.losses.clean)).toBeGreaterThan(1e-3);
    const reading = new IntervenableModel(neurons(CollectIntervention), gpt2);
    const { collected } = reading.forward(texts, { unitLocations: { base: "all" } });
    const read = (await collected[0]?.toArray(3)) ?? [];
    const [found] = await topActivations(gpt2, transcoder, texts, { latents: [4] });
    expect(found?.texts.length).toBeGreaterThan(0);
    for (const { text, activations } of found?.texts ?? []) {
      activations.forEach((value, i) => expect(value).toBeCloseTo(read[text]?.[i]?.[4] ?? NaN, 5));
    }
  });
});

test("trained on what a norm's weights do not scale yet", async () => {
  const weight = randn([8], { generator: new Generator(1) })
    .abs()
    .add(0.5)
    .neg();
  const bias = randn([8], { generator: new Generator(2) });
  const before = drawn(8, {
    skip: true,
    trainedOn: { ...HOOKS, hook: "blocks.1.ln2.hook_normalized" },
  });
  const x = randn([2, 3, 8], { generator: new Generator(4) });
  const scaled = x.mul(weight).add(bias);
  const after = await before.withNorm(weight, bias);
  expect(await greatest(after.encode(scaled).sub(before.encode(x)))).toBeLessThan(1e-5);
  const out = (of: SparseAutoencoder, h: Tensor): Tensor => of.decode(of.encode(h), h);
  expect(await greatest(out(after, scaled).sub(out(before, x)))).toBeLessThan(1e-5);
  expect(autoencoderSite(gpt2, after)).toEqual(autoencoderSite(gpt2, ofMlp()));
  expect(() => autoencoderSite(gpt2, before)).toThrow(
    /before the norm's weights, or with them.*withNorm/s,
  );
});

interface Setting {
  readonly model: Awaited<ReturnType<typeof AutoModelForCausalLM.fromPretrained>>;
  readonly featurizer: SparseAutoencoder;
  readonly place: AutoencoderAddress;
}

async function setting(name: string): Promise<Setting> {
  const model = await AutoModelForCausalLM.fromPretrained(golden(name));
  const { config } = model as unknown as { readonly config: Record<string, number> };
  const trainedOn = { hook: "blocks.0.mlp.hook_in", hookOut: "blocks.0.hook_mlp_out" };
  const width = config["hiddenSize"] ?? config["nEmbd"] ?? 0;
  const featurizer = drawn(width, { skip: true, trainedOn });
  return { model, featurizer, place: autoencoderSite(model, featurizer) };
}

function editOf({ featurizer, place }: Setting, edits: object): object {
  return { ...place, intervention: FeatureEditIntervention.with({ featurizer, ...edits }) };
}

test.each(DECODERS)("%s: edits keep the error term, and effects add up", async (name) => {
  const given = await setting(name);
  const { model, featurizer, place } = given;
  const { logits } = (model as unknown as { forward(given: object): Says }).forward(inputs);
  const scale = await greatest(logits);
  const nothing = logitsOf(model, editOf(given, {}), { base: 3 });
  expect(await greatest(nothing.sub(logits))).toBeLessThan(2e-5 * scale);
  const read = { component: place.source?.component, intervention: CollectIntervention };
  const write = { component: place.component, intervention: CollectIntervention };
  const edit = editOf(given, { set: { 4: 3 } });
  const reading = new IntervenableModel([read, write, edit, write] as never, model);
  const { collected } = reading.forward(inputs, { unitLocations: { base: 3 } });
  const [x, y, moved] = collected as [Tensor, Tensor, Tensor];
  const z = featurizer.encode(x).select(-1, 4).unsqueeze(-1);
  const wanted = y.add(z.neg().add(3).mul(featurizer.W_dec.value.select(0, 4)));
  const size = Math.max(1, await greatest(wanted));
  expect(await greatest(moved.sub(wanted))).toBeLessThan(1e-5 * size);
  await expectSums(model, featurizer, name === "gemma2" ? "noise" : undefined);
});

test.each(["gpt2", "gemma2"])("%s: a text is the same with and without a cache", async (name) => {
  const given = await setting(name);
  const steered = new IntervenableModel(editOf(given, { set: { 4: 3 } }), given.model);
  const written = async (useCache: boolean): Promise<unknown> => {
    const options = { maxNewTokens: 4, steps: "all", useCache };
    const { intervened } = await steered.generate(inputs, options as never);
    return (intervened as unknown as { readonly sequences: Tensor }).sequences.toArray();
  };
  expect(await written(true)).toEqual(await written(false));
});

/** What is written times its gradient is the sum of all latents, the bias and what is not expressed. */
async function expectSums(
  model: Module,
  transcoder: SparseAutoencoder,
  direction: "noise" | undefined,
): Promise<void> {
  const found = await featureEffects(model, tinyPairs(), transcoder, direction && { direction });
  const sums = found.error.values.map((value, i) => value + (found.bias.values[i] ?? NaN));
  for (const { example, position, effect } of found.effects) {
    const at = example * 6 + position;
    sums[at] = (sums[at] ?? NaN) + effect;
  }
  const most = Math.max(...found.total.values.map(Math.abs));
  expect(most).toBeGreaterThan(1e-4);
  const apart = sums.map((value, i) => Math.abs(value - (found.total.values[i] ?? NaN)));
  expect(Math.max(...apart)).toBeLessThan(1e-5 * Math.max(1, most));
}

test("what a latent adds is what its neuron adds, and ablating it takes about that away", async () => {
  const transcoder = ofMlp();
  const pairs = tinyPairs({ count: 1, vocabulary: 20 });
  const { effects } = await featureEffects(gpt2, pairs, transcoder);
  const { clean } = pairs.batch([0]);
  const difference = async (config?: object): Promise<number> => {
    const edited = config && new IntervenableModel(config, gpt2);
    const output = edited
      ? edited.forward(clean, { unitLocations: { base: 5 } }).intervened
      : gpt2.forward(clean);
    const [right = NaN, wrong = NaN] = await (output as unknown as Says).logits
      .select(1, -1)
      .narrow(1, 1, 2)
      .flatten()
      .toArray(1);
    return right - wrong;
  };
  const [strongest] = effects
    .filter(({ position }) => position === 5)
    .toSorted((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  if (strongest === undefined) throw new Error("no latent has an effect");
  const step = 1e-2;
  const scale = ZeroIntervention.with({ interchangeDim: [strongest.latent] });
  expect(await difference(neurons(scale))).not.toBeCloseTo(await difference(), 4);
  const add = FeatureEditIntervention.with({ featurizer: transcoder, scale: { [strongest.latent]: 1 - step } }); // prettier-ignore
  const place = autoencoderSite(gpt2, transcoder);
  const slope = ((await difference()) - (await difference({ ...place, intervention: add }))) / step;
  expect(Math.abs(slope - strongest.effect)).toBeLessThan(0.03 * Math.abs(strongest.effect));
});

test("an edit of a transcoder is saved with what it reads, and explained", async () => {
  const featurizer = ofMlp();
  const place = autoencoderSite(gpt2, featurizer);
  const intervention = FeatureEditIntervention.with({ featurizer, ablate: [4] });
  const made = new IntervenableModel({ ...place, intervention } as never, gpt2);
  const directory = await mkdtemp(path.join(tmpdir(), "transcoder-"));
  await made.save(directory);
  const loaded = await IntervenableModel.load(directory, gpt2);
  const says = (one: typeof made): Tensor =>
    (one.forward(inputs, { unitLocations: { base: 2 } }).intervened as unknown as Says).logits;
  expect(await greatest(says(made).sub(says(loaded as never)))).toBe(0);
  const explained = String(made.explain(inputs, { unitLocations: { base: 2 } }));
  expect(explained).toMatch(/base at transformer\.h\.1\.mlp\.input/);
});

describe("what means nothing", () => {
  const transcoder = ofMlp();
  const intervention = FeatureEditIntervention.with({ featurizer: transcoder, ablate: [1] });
  const at = (source: object | undefined, more: object = {}): unknown =>
    new IntervenableModel(
      {
        layer: 1,
        component: "mlp_output",
        ...(source && { source }),
        intervention,
        ...more,
      } as never,
      gpt2,
    ).forward(inputs, { unitLocations: { base: 1 } });
  const made = (options: Partial<SparseAutoencoderOptions>): unknown =>
    new SparseAutoencoder({ width: 8, latentDim: 4, ...options });
  refusesEach([
    [
      "no place to read",
      () => at(undefined),
      /which reads another place.*mlp_input.*autoencoderSite/s,
    ],
    ["heads to read", () => at({ component: "query_output" }), /whole rows for the same positions/],
    [
      "a place that comes later",
      () => at({ layer: 2, component: "mlp_input" }),
      /only passes later/,
    ],
    ["a transcoder by itself", () => new FeatureEditIntervention({ featurizer: transcoder }).forward(zeros([1, 1, 8])), /at another place/], // prettier-ignore
    ["a site without what is read", () => autoencoderSite(gpt2, transcoder, { layer: 0, component: "mlp_output" }), /source: \{ component/], // prettier-ignore
    ["another width", () => autoencoderSite(gpt2, drawn(8, { inputWidth: 6 })), /made for 6, but mlp_input of layer 1 is 8/], // prettier-ignore
    ["a source of one that is none", () => autoencoderSite(gpt2, new SparseAutoencoder({ width: 8, latentDim: 4 }), { component: "mlp_output", source: { component: "mlp_input" } }), /decodes what it encodes/], // prettier-ignore
    ["skip without a transcoder", () => made({ skip: true }), /skip is for transcoders/],
    ["an input of another width", () => made({ inputWidth: 4 }), /inputWidth is for transcoders/],
    ["a scale", () => made({ transcoder: true, normalize: "layer_norm" }), /leave out/],
    ["a norm of no transcoder", () => new SparseAutoencoder({ width: 8, latentDim: 4 }).withNorm(zeros([8])), /only transcoders/], // prettier-ignore
    [
      "a norm of another width",
      () => transcoder.withNorm(zeros([4])),
      /weight must be \[8\], got \[4\]/,
    ],
    ["a norm that cannot be undone", () => transcoder.withNorm(zeros([8])), /a weight is 0/],
    ["decoding without what was encoded", () => drawn(8, { skip: true }).decode(zeros([1, 20])), /depends on what was encoded/], // prettier-ignore
    ["files of a scaled one", () => SparseAutoencoder.fromPretrained(new MemoryFiles({ "cfg.json": JSON.stringify({ architecture: "transcoder", d_in: 8, d_sae: 12, normalize_activations: "layer_norm" }), "sae_weights.safetensors": new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 123, 125]) })), /is a transcoder with/], // prettier-ignore
  ]);

  test("a mask over its latents reads its input too", () => {
    const masked = MaskedFeaturesIntervention.with({ featurizer: transcoder });
    const config = { ...autoencoderSite(gpt2, transcoder), intervention: masked };
    const made2 = new IntervenableModel(config as never, gpt2);
    const { intervened } = made2.forward(inputs, {
      sources: others,
      unitLocations: { "sources->base": 1 },
    });
    expect((intervened as unknown as Says).logits.shape).toEqual([1, 5, 20]);
  });
});
