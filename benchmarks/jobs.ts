import {
  AdditionIntervention,
  CollectIntervention,
  evaluate,
  Generator,
  IntervenableModel,
  randn,
  type RepresentationConfig,
  type Tensor,
  tensor,
  type UnitLocations,
  VanillaIntervention,
  ZeroIntervention,
  type GPT2Component,
} from "tsvene";
import { alignmentJobs } from "./alignment-jobs.ts";
import { familyJobs } from "./family-jobs.ts";
import { createFloor } from "./floor.ts";
import { randomGpt2, SMALL } from "./random-gpt2.ts";
import type { Job } from "./job.ts";
import { steeringJobs } from "./steering-jobs.ts";
import { pathJobs } from "./path-jobs.ts";
import { sweepJobs } from "./sweep-jobs.ts";
import { trainingJobs } from "./training-jobs.ts";

const TINY = { nLayer: 4, nEmbd: 24, nHead: 4, vocabSize: 64, nPositions: 64 };
const PROMPT = 16;
const NEW_TOKENS = 32;

const layers = Array.from({ length: SMALL.nLayer }, (_, layer) => layer);

function ids(batch: number, length: number, vocabulary: number, seed = 0): Tensor {
  const generator = new Generator(seed);
  const values = BigInt64Array.from({ length: batch * length }, () =>
    BigInt(generator.integer(vocabulary)),
  );
  return tensor(values, { shape: [batch, length] });
}

function plain(name: string, config: typeof SMALL, batch: number, length: number): Job {
  return {
    name,
    async prepare() {
      const gpt2 = await randomGpt2(config);
      const inputIds = ids(batch, length, config.vocabSize);
      return () => gpt2.forward({ inputIds }).logits.data();
    },
  };
}

function interchange(
  name: string,
  config: typeof SMALL,
  place: { readonly layer: number; readonly position: number },
  [batch, length]: readonly [number, number],
): Job {
  return {
    name,
    async prepare() {
      const intervenable = new IntervenableModel(
        { layer: place.layer, component: "block_output", intervention: VanillaIntervention },
        await randomGpt2(config),
      );
      const base = { inputIds: ids(batch, length, config.vocabSize) };
      const sources = [{ inputIds: ids(batch, length, config.vocabSize, 1) }];
      const unitLocations = { "sources->base": place.position };
      return () => intervenable.forward(base, { sources, unitLocations }).intervened.logits.data();
    },
  };
}

function floor(name: string, length: number): Job {
  return {
    name,
    async prepare() {
      const gpt2 = await randomGpt2();
      const weights: Record<string, Float32Array> = {};
      for (const [key, parameter] of gpt2.namedParameters()) {
        weights[key] = (await parameter.value.data()) as Float32Array;
      }
      const sizes = {
        layers: SMALL.nLayer,
        width: SMALL.nEmbd,
        heads: SMALL.nHead,
        vocabulary: SMALL.vocabSize,
        tokens: length,
      };
      const session = await createFloor(sizes, weights, { layout: "out-in" });
      const tokens = (await ids(1, length, SMALL.vocabSize).toArray(2))[0] ?? [];
      return () => session.run(tokens);
    },
  };
}

/** Edits beside the plain pass, so that the ratio says what they cost. */
function overhead(
  name: string,
  representations: readonly RepresentationConfig<GPT2Component>[],
  unitLocations: UnitLocations,
): Job {
  return {
    name,
    weightsWithin: false,
    async prepare() {
      const gpt2 = await randomGpt2();
      const intervenable = new IntervenableModel(representations, gpt2);
      const base = { inputIds: ids(1, 64, SMALL.vocabSize) };
      return {
        run: () => intervenable.forward(base, { unitLocations }).intervened.logits.data(),
        beside: () => gpt2.forward(base).logits.data(),
        other: "the plain pass",
      };
    },
  };
}

/** Each head of each layer by itself, at one position. */
const everyHead = layers.flatMap((layer) =>
  Array.from({ length: SMALL.nHead }, () => ({
    layer,
    component: "head_attention_value_output" as const,
    unit: "h.pos" as const,
    intervention: ZeroIntervention,
  })),
);

const GREEDY = { maxNewTokens: NEW_TOKENS, eosTokenId: null } as const;

/** All jobs, in the order in which they run. */
export const jobs: readonly Job[] = [
  floor("floor_T64", 64),
  plain("plain_T64", SMALL, 1, 64),
  floor("floor_T16", 16),
  plain("plain_T16", SMALL, 1, 16),
  plain("plain_B8_T32", SMALL, 8, 32),
  overhead(
    "overhead_one_site_T64",
    [{ layer: 6, component: "mlp_output", intervention: ZeroIntervention }],
    { base: 3 },
  ),
  overhead("overhead_144_heads_T64", everyHead, {
    base: { each: everyHead.map((_, i) => ({ head: i % SMALL.nHead, position: 3 })) },
  }),
  {
    name: "zero_mid_both_outputs_T64",
    async prepare() {
      const intervenable = new IntervenableModel(
        { layer: 6, component: "mlp_output", intervention: ZeroIntervention },
        await randomGpt2(),
      );
      const base = { inputIds: ids(1, 64, SMALL.vocabSize) };
      return async () => {
        const output = intervenable.forward(base, { unitLocations: { base: 3 } });
        await evaluate(output.original.logits, output.intervened.logits);
      };
    },
  },
  interchange("interchange_mid_T64", SMALL, { layer: 6, position: 63 }, [1, 64]),
  interchange("interchange_mid_B8_T32", SMALL, { layer: 6, position: 31 }, [8, 32]),
  {
    name: "collect_all_T64",
    async prepare() {
      const intervenable = new IntervenableModel(
        layers.map((layer) => ({
          layer,
          component: "block_output" as const,
          intervention: CollectIntervention,
        })),
        await randomGpt2(),
      );
      const base = { inputIds: ids(1, 64, SMALL.vocabSize) };
      return () => evaluate(...intervenable.forward(base).collected);
    },
  },
  {
    name: "generate_plain_16+32",
    async prepare() {
      const gpt2 = await randomGpt2();
      const inputIds = ids(1, PROMPT, SMALL.vocabSize);
      return () => gpt2.generate({ inputIds }, GREEDY);
    },
  },
  {
    name: "generate_add_all_16+32",
    async prepare() {
      const intervenable = new IntervenableModel(
        layers.map((layer) => ({
          layer,
          component: "mlp_output" as const,
          intervention: AdditionIntervention,
        })),
        await randomGpt2(),
      );
      const vector = randn([SMALL.nEmbd], { generator: new Generator(2) }).mul(0.1);
      const inputIds = ids(1, PROMPT, SMALL.vocabSize);
      await evaluate(vector);
      return () =>
        intervenable.generate({ inputIds }, { sourceRepresentations: vector, ...GREEDY });
    },
  },
  plain("tiny_plain", TINY, 4, 8),
  interchange("tiny_interchange", TINY, { layer: 2, position: 3 }, [4, 8]),
  ...familyJobs,
  ...alignmentJobs,
  ...trainingJobs,
  ...steeringJobs,
  ...sweepJobs,
  ...pathJobs,
];
