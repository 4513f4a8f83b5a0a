import {
  evaluate,
  Generator,
  LlamaForCausalLM,
  MambaForCausalLM,
  manualSeed,
  type Module,
  randn,
  ResNetForImageClassification,
  type Tensor,
  tensor,
  WhisperModel,
} from "tsvene";
import { weightsOf } from "./graph.ts";
import type { Job } from "./job.ts";
import { llamaCeiling } from "./llama-ceiling.ts";
import { mambaCeiling } from "./mamba-ceiling.ts";
import { resNetCeiling } from "./resnet-ceiling.ts";
import { whisperCeiling } from "./whisper-ceiling.ts";

const NEW_TOKENS = 64;
const STEPS = 256;
const RESNET18 = { depths: [2, 2, 2, 2], hiddenSizes: [64, 128, 256, 512], layerType: "basic" };
const WHISPER = { layers: 4, width: 384, heads: 6, melBins: 80, positions: 1500 };

/** A model whose random values are drawn before anything is measured. */
async function ready<M extends Module>(make: () => M): Promise<M> {
  manualSeed(0);
  const model = make();
  model.eval();
  await evaluate(...Object.values(model.stateDict()));
  return model;
}

async function drawn(shape: readonly number[]): Promise<Tensor> {
  const values = randn(shape, { generator: new Generator(1) });
  await evaluate(values);
  return values;
}

/** Passes of other families than GPT-2, with random weights, beside their ceilings. */
export const familyJobs: readonly Job[] = [
  {
    name: "llama_tiny_decode",
    tokens: NEW_TOKENS,
    async prepare() {
      const sizes = { vocabSize: 512, hiddenSize: 64, intermediateSize: 172, numHiddenLayers: 5 };
      const heads = { numAttentionHeads: 8, numKeyValueHeads: 4, tieWordEmbeddings: true };
      const llama = await ready(() => new LlamaForCausalLM({ ...sizes, ...heads }));
      const inputIds = tensor([[1]], { dtype: "int64" });
      const config = { layers: 5, width: 64, heads: 8, kvHeads: 4, length: NEW_TOKENS };
      const ceiling = await llamaCeiling(config, await weightsOf(llama));
      return {
        run: () => llama.generate({ inputIds }, { maxNewTokens: NEW_TOKENS, eosTokenId: null }),
        beside: () => ceiling(1, NEW_TOKENS),
      };
    },
  },
  {
    name: "mamba_T256",
    async prepare() {
      const sizes = { vocabSize: 512, hiddenSize: 256, numHiddenLayers: 4 };
      const mamba = await ready(() => new MambaForCausalLM(sizes));
      const generator = new Generator(1);
      const ids = BigInt64Array.from({ length: STEPS }, () => BigInt(generator.integer(512)));
      const inputIds = tensor(ids, { shape: [1, STEPS] });
      const config = { layers: 4, inner: 512, size: 16, rank: 16, kernel: 4, steps: STEPS };
      const ceiling = await mambaCeiling(config, await weightsOf(mamba));
      return {
        run: () => mamba.forward({ inputIds }).logits.data(),
        beside: () => ceiling(ids),
      };
    },
  },
  {
    name: "resnet18_B4",
    async prepare() {
      const sizes = { ...RESNET18, embeddingSize: 64, numLabels: 1000 };
      const resnet = await ready(() => new ResNetForImageClassification(sizes));
      const config = { depths: RESNET18.depths, batch: 4, size: 224 };
      const ceiling = await resNetCeiling(config, await weightsOf(resnet));
      const pixelValues = await drawn([4, 3, 224, 224]);
      const pixels = (await pixelValues.data()) as Float32Array;
      return {
        run: () => resnet.forward({ pixelValues }).logits.data(),
        beside: () => ceiling(pixels),
      };
    },
  },
  {
    name: "whisper_encoder",
    async prepare() {
      // As Whisper-tiny's encoder; the decoder is not run.
      const whisper = await ready(() => new WhisperModel({ decoderLayers: 1 }));
      const ceiling = await whisperCeiling(WHISPER, await weightsOf(whisper));
      const features = await drawn([1, WHISPER.melBins, 2 * WHISPER.positions]);
      const values = (await features.data()) as Float32Array;
      return {
        run: () => whisper.encoder.forward(features).lastHiddenState.data(),
        beside: () => ceiling(values),
      };
    },
  },
];
