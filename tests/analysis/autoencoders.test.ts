import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  arange,
  autoencoderSite,
  AutoModelForCausalLM,
  FeatureEditIntervention,
  type FeatureEdits,
  featureEffects,
  FeaturizedIntervention,
  Generator,
  GPT2LMHeadModel,
  IntervenableModel,
  loadNpz,
  MemoryFiles,
  type Module,
  randn,
  SparseAutoencoder,
  type SparseAutoencoderOptions,
  type Tensor,
  tensor,
  where,
} from "tsvene";
import { refusesEach } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";
import { DECODERS, RECURRENT } from "./families.ts";
import { tinyPairs } from "./tiny-pairs.ts";

const FOLDER = path.join(import.meta.dirname, "../goldens/autoencoders");

interface Case {
  readonly latents: number[][][];
  readonly output: number[][][];
}

const expected = JSON.parse(readFileSync(path.join(FOLDER, "expected.json"), "utf8")) as {
  readonly x: number[][][];
  readonly cases: Readonly<Record<string, Case>>;
};
const x = tensor(expected.x);
const NAMES = Object.keys(expected.cases);

async function apart(a: Tensor, b: unknown): Promise<number> {
  const wanted = (b as number[][][]).flat(2);
  const got = [...(await a.data())].map(Number);
  expect(got).toHaveLength(wanted.length);
  return Math.max(...got.map((value, i) => Math.abs(value - (wanted[i] ?? NaN))));
}

describe("files", () => {
  test.each(NAMES)("%s encodes and decodes as its own library", async (name) => {
    const sae = await SparseAutoencoder.fromPretrained(path.join(FOLDER, name));
    const z = sae.encode(x);
    expect(await apart(z, expected.cases[name]?.latents)).toBeLessThan(2e-6);
    expect(await apart(sae.decode(z, x), expected.cases[name]?.output)).toBeLessThan(4e-6);
    expect(sae.parameters().some(({ requiresGrad }) => requiresGrad)).toBe(false);
  });
});

describe("files that cannot be read", () => {
  const cfg = { d_in: 8, d_sae: 12, hook_name: "blocks.0.hook_resid_pre" };
  const weights = readFileSync(path.join(FOLDER, "standard/sae_weights.safetensors"));
  const read = (settings: object, folder?: string): Promise<unknown> =>
    SparseAutoencoder.fromPretrained(
      new MemoryFiles({ "cfg.json": JSON.stringify(settings), "sae_weights.safetensors": weights }),
      folder === undefined ? {} : { folder },
    );
  refusesEach([
    ["an unknown architecture", () => read({ ...cfg, architecture: "gatd" }), /"gatd".*gated/s],
    ["a name that every object has", () => read({ ...cfg, architecture: "toString" }), /toString/],
    ["another activation", () => read({ ...cfg, activation_fn_str: "tanh-relu" }), /tanh-relu/],
    ["another normalization", () => read({ ...cfg, normalize_activations: "l2" }), /"l2"/],
    ["no width", () => read({ d_sae: 12 }), /d_in must be/],
    ["another width than its weights", () => read({ ...cfg, d_in: 9 }), /W_enc/],
    [
      "parameters that are not there",
      () => read({ ...cfg, architecture: "jumprelu" }),
      /threshold/,
    ],
    ["topk without k", () => read({ ...cfg, architecture: "topk" }), /k must be/],
    ["another folder", () => read(cfg, "layer_3"), /layer_3 holds no autoencoder.*folder/s],
    ["a file that is no zip", () => loadNpz(Uint8Array.from(weights)), /zip/],
  ]);

  test("a factor of the training is multiplied in", async () => {
    const scaled = { ...cfg, normalize_activations: "expected_average_only_in" };
    const files = (settings: object): MemoryFiles =>
      new MemoryFiles({ "cfg.json": JSON.stringify(settings), "sae_weights.safetensors": weights });
    const plain = await SparseAutoencoder.fromPretrained(files(cfg));
    const sae = await SparseAutoencoder.fromPretrained(files(scaled), { normFactor: 4 });
    plain.b_dec.set(plain.b_dec.value.div(4).detach());
    const difference = sae.W_dec.value.mul(4).sub(plain.W_dec.value).abs().max();
    expect(Number((await difference.data())[0])).toBeLessThan(1e-6);
    const z = plain.W_enc.value.mul(4).sub(sae.W_enc.value).abs().max();
    expect(Number((await z.data())[0])).toBeLessThan(1e-6);
  });
});

const inputs = { inputIds: tensor([[5, 7, 9, 11, 2]], { dtype: "int64" }) };
type Says = (given: unknown) => { readonly logits: Tensor };

function saeOf(width: number, options: Partial<SparseAutoencoderOptions> = {}): SparseAutoencoder {
  const generator = new Generator(3);
  const sae = new SparseAutoencoder({ width, latentDim: 20, ...options });
  const drawn = Object.entries(sae.stateDict()).map(([name, { shape }]) => [
    name,
    randn(shape, { generator }).mul(0.5),
  ]);
  sae.loadStateDict(Object.fromEntries(drawn) as Record<string, Tensor>);
  return sae;
}

async function greatest(t: Tensor): Promise<number> {
  return Number((await t.abs().max().data())[0]);
}

const KINDS: readonly Partial<SparseAutoencoderOptions>[] = [
  { architecture: "standard" },
  { architecture: "gated" },
  { architecture: "jumprelu", normalize: "constant_norm_rescale" },
  { architecture: "topk", k: 5, rescaleByDecoderNorm: true },
  { architecture: "standard", normalize: "layer_norm", centerInput: true },
];

describe.each(KINDS)("edits of latents, %j", (options) => {
  const h = randn([2, 4, 8], { generator: new Generator(9) }).mul(2);
  const sae = saeOf(8, options);
  const editedBy = (edits: FeatureEdits): Tensor =>
    new FeatureEditIntervention({ featurizer: sae, ...edits }).forward(h).output;

  test("no edit is the identity, and the error term is what makes it so", async () => {
    expect(await greatest(editedBy({}).sub(h))).toBeLessThan(1e-6 * 4);
    expect(await greatest(sae.decode(sae.encode(h), h).sub(h))).toBeGreaterThan(0.1);
  });

  test.each<readonly [FeatureEdits, (z: Tensor) => Tensor]>([
    [{ ablate: [3] }, (z) => z.neg()],
    [{ set: { 3: 2.5 } }, (z) => z.neg().add(2.5)],
    [{ scale: { 3: -1 } }, (z) => z.mul(-2)],
    [{ add: { 3: 0.5 } }, (z) => z.mul(0).add(0.5)],
  ])("%j moves along the latent's row of the decoder alone", async (edits, change) => {
    const z = sae.encode(h);
    const others = z.mul(arange(20).eq(3).to("float32"));
    const wanted = sae.decode(change(others).mul(arange(20).eq(3).to("float32")), h);
    const nothing = sae.decode(z.mul(0), h);
    const moved = editedBy(edits).sub(h);
    expect(await greatest(moved.sub(wanted.sub(nothing)))).toBeLessThan(1e-5);
  });

  test("latents of another run are put in by number", async () => {
    const source = h.flip([1]);
    const swap = new FeaturizedIntervention({ featurizer: sae, interchangeDim: [2, 3] });
    const { latent } = swap.forward(h, source);
    const isTaken = arange(20).ge(2).logicalAnd(arange(20).le(3));
    const wanted = where(isTaken, sae.encode(source), sae.encode(h));
    expect(await greatest((latent as Tensor).sub(wanted))).toBe(0);
    const whole = new FeaturizedIntervention({ featurizer: sae }).forward(h, h).output;
    expect(await greatest(whole.sub(h))).toBeLessThan(1e-6 * 4);
  });
});

describe("edits that mean nothing", () => {
  const featurizer = saeOf(8);
  const edit = (edits: object): unknown => new FeatureEditIntervention({ featurizer, ...edits });
  refusesEach([
    [
      "a latent that is not there",
      () => edit({ ablate: [20] }),
      /feature 20; features are 0 to 19/,
    ],
    ["a latent twice", () => edit({ ablate: [3], add: { 3: 1 } }), /3 is named twice/],
    ["a list of numbers", () => edit({ set: [3] }), /numbers by feature/],
    ["no number", () => edit({ scale: { 3: NaN } }), /must be a number/],
    ["an option of another library", () => edit({ clamp: { 3: 1 } }), /clamp/],
    ["two edits of k", () => new SparseAutoencoder({ width: 8, latentDim: 4, k: 2 }), /topk/],
    [
      "latents without what they were made of",
      () => saeOf(8, { normalize: "layer_norm" }).decode(randn([1, 20])),
      /decode\(latents, of\)/,
    ],
  ]);
});

describe.each([...DECODERS, ...RECURRENT])("%s", (name) => {
  test("an edit at a position, and effects that add up", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const { logits } = (model.forward as Says).call(model, inputs);
    const sae = saeOf(widthOf(model), { trainedOn: { hook: "blocks.0.hook_resid_post" } });
    const logitsWith = (edits: FeatureEdits): Tensor => {
      const intervention = FeatureEditIntervention.with({ featurizer: sae, ...edits });
      const config = { ...autoencoderSite(model, sae), intervention };
      const edited = new IntervenableModel(config as never, model);
      const { intervened } = edited.forward(inputs, { unitLocations: { base: 3 } });
      return (intervened as { readonly logits: Tensor }).logits;
    };
    const scale = await greatest(logits);
    expect(await greatest(logitsWith({}).sub(logits))).toBeLessThan(2e-5 * scale);
    const moved = logitsWith({ set: { 4: 3 } }).sub(logits);
    expect(await greatest(moved.select(1, 3))).toBeGreaterThan(1e-4 * scale);
    expect(await greatest(moved.narrow(1, 0, 3))).toBeLessThan(2e-5 * scale);
    await expectSums(model, sae);
  });
});

/** Each state times its gradient is the sum of all latents, the bias and what is not expressed. */
async function expectSums(model: Module, sae: SparseAutoencoder): Promise<void> {
  for (const direction of [undefined, "noise"] as const) {
    const found = await featureEffects(model, tinyPairs(), sae, direction && { direction });
    const sums = found.error.values.map((value, i) => value + (found.bias.values[i] ?? NaN));
    for (const { example, position, effect } of found.effects) {
      const at = example * 6 + position;
      sums[at] = (sums[at] ?? NaN) + effect;
    }
    const most = Math.max(...found.total.values.map(Math.abs));
    expect(most).toBeGreaterThan(1e-4);
    expect(
      Math.max(...sums.map((value, i) => Math.abs(value - (found.total.values[i] ?? NaN)))),
    ).toBeLessThan(1e-5 * Math.max(1, most));
  }
}

function widthOf(model: Module): number {
  const { hiddenSize, nEmbd } = (model as unknown as { readonly config: Record<string, number> })
    .config;
  return hiddenSize ?? nEmbd ?? 0;
}

test("an effect is the slope of the metric in the latent, and one of the other input where pairs are denoised", async () => {
  const model = await AutoModelForCausalLM.fromPretrained(golden("llama"));
  const sae = saeOf(widthOf(model), { trainedOn: { hook: "blocks.0.hook_resid_post" } });
  const pairs = tinyPairs({ count: 1 });
  const { effects } = await featureEffects(model, pairs, sae);
  const [strongest] = effects.toSorted((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  if (strongest === undefined) throw new Error("no latent has an effect");
  const { latent, position, activation, effect } = strongest;
  const difference = async (step: number): Promise<number> => {
    const intervention = FeatureEditIntervention.with({ featurizer: sae, add: { [latent]: step } });
    const edited = new IntervenableModel(
      { ...autoencoderSite(model, sae), intervention } as never,
      model,
    );
    const { intervened } = edited.forward(pairs.batch([0]).clean, {
      unitLocations: { base: position },
    });
    const [right = NaN, wrong = NaN] = await (intervened as { readonly logits: Tensor }).logits
      .select(1, -1)
      .narrow(1, 1, 2)
      .flatten()
      .toArray(1);
    return right - wrong;
  };
  const slope = ((await difference(0.05)) - (await difference(-0.05))) / 0.1;
  expect(Math.abs(slope * activation - effect)).toBeLessThan(0.02 * Math.abs(effect));
  const noise = await featureEffects(model, pairs, sae, { direction: "noise" });
  const denoise = await featureEffects(model, pairs, sae, { direction: "denoise" });
  expect([noise.side, denoise.side]).toEqual(["clean", "corrupt"]);
  expect(noise.latents(1)[0]?.effect).toBeLessThan(Infinity);
});

describe("places that do not fit", () => {
  const model = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 8, nHead: 2, vocabSize: 16 });
  const at = (hook: string, width = 8): unknown =>
    autoencoderSite(model, saeOf(width, { trainedOn: { hook } }));
  refusesEach([
    [
      "another width",
      () => at("blocks.1.hook_resid_pre", 12),
      /made for 12, but block_input of layer 1 is 8/,
    ],
    ["a layer that is not there", () => at("blocks.7.hook_resid_pre"), /layer 7/],
    [
      "a hook that is no site",
      () => at("blocks.1.hook_rsid_pre"),
      /no place that is known; .*hook_resid_pre/,
    ],
    ["a module that is not there", () => at("layers.3"), /layers.3 names no module/],
    ["nothing said", () => autoencoderSite(model, saeOf(8)), /does not say where/],
    [
      "heads apart",
      () =>
        autoencoderSite(model, saeOf(4), { layer: 0, component: "head_attention_value_output" }),
      /heads apart/,
    ],
    ["no pairs", () => featureEffects(model, [] as never, saeOf(8)), /second pairs/],
    [
      "no autoencoder",
      () => featureEffects(model, tinyPairs(), {} as never),
      /third a SparseAutoencoder/,
    ],
  ]);

  test("hooks and paths of modules are found", () => {
    expect(at("blocks.0.hook_mlp_out")).toEqual({ component: "transformer.h.0.mlp.output" });
    expect(at("h.1.mlp")).toEqual({ component: "transformer.h.1.mlp.output" });
  });
});
