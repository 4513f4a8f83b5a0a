import { expect, test } from "vitest";
import {
  AutoencoderIntervention,
  BoundlessRotatedSpaceIntervention,
  Generator,
  type Intervention,
  JumpReLUAutoencoderIntervention,
  LowRankRotatedSpaceIntervention,
  NoiseIntervention,
  PCARotatedSpaceIntervention,
  randn,
  RotatedSpaceIntervention,
  SigmoidMaskIntervention,
  SigmoidMaskRotatedSpaceIntervention,
  type Tensor,
  VanillaIntervention,
  zeros,
} from "tsvene";

const WIDTH = 8;
const options = { embedDim: WIDTH } as const;
const generator = new Generator(11);
const normal = (...shape: number[]): Tensor => randn(shape, { generator });

async function distance(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

const pca = await PCARotatedSpaceIntervention.fit(normal(50, WIDTH));

const rotation = (width: number, rank = width): Record<string, number[]> => ({
  "rotate_layer.parametrizations.weight.original": [width, rank],
  "rotate_layer.parametrizations.weight.0.base": [width, width],
});
const wanted: readonly (readonly [Intervention, Record<string, number[]>])[] = [
  [new VanillaIntervention(options), {}],
  [
    new VanillaIntervention({ ...options, sourceRepresentation: zeros([WIDTH]) }),
    { source_representation: [WIDTH] },
  ],
  [new RotatedSpaceIntervention(options), rotation(WIDTH)],
  [
    new BoundlessRotatedSpaceIntervention(options),
    {
      ...rotation(WIDTH),
      intervention_boundaries: [1],
      temperature: [],
      intervention_population: [WIDTH],
    },
  ],
  [
    new SigmoidMaskRotatedSpaceIntervention(options),
    { ...rotation(WIDTH), masks: [WIDTH], temperature: [] },
  ],
  [new SigmoidMaskIntervention(options), { mask: [WIDTH], temperature: [] }],
  [new LowRankRotatedSpaceIntervention({ ...options, lowRankDimension: 2 }), rotation(WIDTH, 2)],
  [pca, { pca_components: [WIDTH, WIDTH], pca_mean: [WIDTH], pca_std: [WIDTH] }],
  [
    new AutoencoderIntervention({ ...options, latentDim: 5 }),
    {
      "autoencoder.encoder.0.weight": [5, WIDTH],
      "autoencoder.encoder.0.bias": [5],
      "autoencoder.decoder.0.weight": [WIDTH, 5],
      "autoencoder.decoder.0.bias": [WIDTH],
    },
  ],
  [
    new JumpReLUAutoencoderIntervention({ ...options, latentDim: 5 }),
    { W_enc: [WIDTH, 5], W_dec: [5, WIDTH], threshold: [5], b_enc: [5], b_dec: [WIDTH] },
  ],
  [
    new NoiseIntervention({ ...options, noise: zeros([1, 4, WIDTH]) }),
    { noise: [1, 4, WIDTH], noise_level: [] },
  ],
];
test.each(wanted.map(([kind, names]) => [kind.constructor.name, kind, names] as const))(
  "%s has pyvene's names",
  (_name, kind, names) => {
    const state = Object.entries(kind.stateDict()).map(([name, { shape }]) => [name, shape]);
    const dims = { embed_dim: [], interchange_dim: [] };
    expect(Object.fromEntries(state)).toStrictEqual({ ...dims, ...names });
    expect(kind.stateDict()["embed_dim"]?.dtype).toBe("int64");
  },
);

test("dimensions are loaded with the rest", async () => {
  const saved = new RotatedSpaceIntervention({ ...options, interchangeDim: 3 });
  const loaded = new RotatedSpaceIntervention(options);
  loaded.loadStateDict(saved.stateDict());
  expect(loaded.interchangeDim).toBe(3);
  const [base, source] = [normal(2, WIDTH), normal(2, WIDTH)];
  expect(await distance(loaded.forward(base, source), saved.forward(base, source))).toBe(0);
});
