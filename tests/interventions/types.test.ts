import { expect, expectTypeOf, test } from "vitest";
import type * as tsvene from "tsvene";
import {
  type BackpackGPT2LMHeadModel,
  type BertForMaskedLM,
  type BlipForImageTextRetrieval,
  type BlipForQuestionAnswering,
  type BlipModel,
  type CausalLanguageModel,
  type CLIPForImageClassification,
  type CLIPModel,
  type ComponentOf,
  type ConvNextModel,
  type FalconForCausalLM,
  type GPT2LMHeadModel,
  type GPTNeoXForCausalLM,
  type GRULMHeadModel,
  IntervenableConfig,
  IntervenableModel,
  Linear,
  type LlamaForCausalLM,
  type LlavaForConditionalGeneration,
  type Mamba2ForCausalLM,
  type MambaForCausalLM,
  type MistralForCausalLM,
  type MixtralForCausalLM,
  type MllamaForConditionalGeneration,
  type ModelCard,
  type ModelFamily,
  type ModulePath,
  Module,
  ModuleList,
  type OPTForCausalLM,
  type Phi3ForCausalLM,
  type Qwen3ForCausalLM,
  type Qwen3MoeForCausalLM,
  type RepresentationConfig,
  type ResNetModel,
  type RwkvForCausalLM,
  type T5ForConditionalGeneration,
  TsveneError,
  type ViTForImageClassification,
  type Wav2Vec2BertModel,
  type WhisperForAudioClassification,
  type WhisperModel,
  ZeroIntervention,
} from "tsvene";
import { tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2();

/** What the compiler refuses must also be refused when the program runs. */
function refused(build: () => unknown): void {
  expect(build).toThrow(TsveneError);
}

test("the compiler knows the components of a model's family", () => {
  type Path = `${string}.input` | `${string}.output`;
  expectTypeOf<"mlp_output">().toExtend<ComponentOf<GPT2LMHeadModel>>();
  expectTypeOf<"mlp_outptu">().not.toExtend<ComponentOf<GPT2LMHeadModel>>();
  expectTypeOf<"cell_output">().toExtend<ComponentOf<GRULMHeadModel>>();
  expectTypeOf<"cell_output">().not.toExtend<ComponentOf<LlamaForCausalLM>>();
  expectTypeOf<"head_key_output">().toExtend<ComponentOf<Qwen3ForCausalLM>>();
  expectTypeOf<Path>().toExtend<ComponentOf<LlamaForCausalLM>>();
  expectTypeOf<ComponentOf<Module>>().toEqualTypeOf<string>();
  expectTypeOf<ComponentOf<CausalLanguageModel>>().toEqualTypeOf<string>();
});

type Exported = typeof tsvene;

/** Exported classes that can be loaded, with the models that they make. */
type Loaded = {
  [K in keyof Exported]: Exported[K] extends { readonly family: ModelFamily } & (abstract new (
    ...args: never[]
  ) => infer M extends Module)
    ? M
    : never;
};

/** Names of those whose components the compiler does not know. */
type Unchecked = {
  [K in keyof Loaded]: [Loaded[K]] extends [never]
    ? never
    : string extends ComponentOf<Loaded[K]>
      ? K
      : never;
}[keyof Loaded];

test("the compiler knows the components of every family", () => {
  expectTypeOf<Loaded["GPT2LMHeadModel"]>().toEqualTypeOf<GPT2LMHeadModel>();
  expectTypeOf<Loaded["WhisperModel"]>().not.toBeNever();
  expectTypeOf<Unchecked>().toBeNever();
});

/** Names of the classes whose card and compiler's names differ. */
type Contradicting = {
  [K in keyof Loaded]: Exported[K] extends {
    readonly card: ModelCard<infer _Config, infer Names>;
  }
    ? string extends Names
      ? never
      : [Names | ModulePath] extends [ComponentOf<Loaded[K]>]
        ? [ComponentOf<Loaded[K]>] extends [Names | ModulePath]
          ? never
          : K
        : K
    : never;
}[keyof Loaded];

test("a class says to the compiler what its card says", () => {
  expectTypeOf<Contradicting>().toBeNever();
  type GPT2Card = Exported["GPT2Model"]["card"];
  expectTypeOf<GPT2Card>().toEqualTypeOf<ModelCard<tsvene.GPT2Config, tsvene.GPT2Component>>();
});

test("the compiler knows the components of a user's own class", () => {
  class Tower extends Module {
    static readonly card: ModelCard<{ readonly depth: number }, "floor_output"> = {
      layers: ({ depth }) => depth,
      components: {
        floor_output: { path: "floors.{layer}", side: "output", dimension: () => 4 },
      },
    };
    declare readonly "~components": "floor_output";
    readonly config = { depth: 2 };
    readonly floors = new ModuleList([new Linear(4, 4), new Linear(4, 4)]);
    override forward(x: tsvene.Tensor): tsvene.Tensor {
      return [...this.floors].reduce((y, floor) => floor.forward(y), x);
    }
  }
  const tower = new Tower();
  const named = new IntervenableModel({ layer: 1, component: "floor_output" }, tower);
  expect(named.interventions.names).toHaveLength(1);
  // @ts-expect-error a misspelled component
  refused(() => new IntervenableModel({ layer: 1, component: "floor_outptu" }, tower));
});

test("components of families with several parts say which part", () => {
  expectTypeOf<"decoder.cross_attention_weight">().toExtend<
    ComponentOf<T5ForConditionalGeneration>
  >();
  expectTypeOf<"block_output">().not.toExtend<ComponentOf<T5ForConditionalGeneration>>();
  expectTypeOf<"decoder.mlp_output">().toExtend<ComponentOf<WhisperModel>>();
  expectTypeOf<"vision.block_output">().toExtend<ComponentOf<CLIPModel>>();
  expectTypeOf<"global.block_output">().toExtend<ComponentOf<MllamaForConditionalGeneration>>();
  expectTypeOf<"block_output">().toExtend<ComponentOf<LlavaForConditionalGeneration>>();
  expectTypeOf<"itm_output">().toExtend<ComponentOf<BlipForImageTextRetrieval>>();
  expectTypeOf<"itm_output">().not.toExtend<ComponentOf<BlipForQuestionAnswering>>();
  expectTypeOf<"stage_output">().toExtend<ComponentOf<ResNetModel>>();
  expectTypeOf<"stage_output">().toExtend<ComponentOf<ConvNextModel>>();
  expectTypeOf<"stage_output">().not.toExtend<ComponentOf<ViTForImageClassification>>();
  expectTypeOf<"ffn1_output">().toExtend<ComponentOf<Wav2Vec2BertModel>>();
  expectTypeOf<"vision.mlp_output">().toExtend<ComponentOf<CLIPForImageClassification>>();
  expectTypeOf<"text.mlp_output">().not.toExtend<ComponentOf<CLIPForImageClassification>>();
  expectTypeOf<"encoder.mlp_output">().toExtend<ComponentOf<WhisperForAudioClassification>>();
  expectTypeOf<"decoder.mlp_output">().not.toExtend<ComponentOf<WhisperForAudioClassification>>();
  expectTypeOf<"cross_attention_weight">().not.toExtend<ComponentOf<BlipModel>>();
  expectTypeOf<"pooler_output">().not.toExtend<ComponentOf<ConvNextModel>>();
  expectTypeOf<"mlp_output">().toExtend<ComponentOf<GPTNeoXForCausalLM>>();
});

test("models that look alike to the compiler keep their own components", () => {
  expectTypeOf<"qkv_output">().toExtend<ComponentOf<Phi3ForCausalLM>>();
  expectTypeOf<"qkv_output">().not.toExtend<ComponentOf<LlamaForCausalLM>>();
  expectTypeOf<"router_output">().toExtend<ComponentOf<MixtralForCausalLM>>();
  expectTypeOf<"router_output">().not.toExtend<ComponentOf<MistralForCausalLM>>();
  expectTypeOf<"router_output">().toExtend<ComponentOf<Qwen3MoeForCausalLM>>();
  expectTypeOf<"router_output">().not.toExtend<ComponentOf<FalconForCausalLM>>();
  expectTypeOf<"head_key_output">().toExtend<ComponentOf<OPTForCausalLM>>();
  expectTypeOf<"sense_network_output">().toExtend<ComponentOf<BackpackGPT2LMHeadModel>>();
  expectTypeOf<"sense_network_output">().not.toExtend<ComponentOf<GPT2LMHeadModel>>();
  expectTypeOf<"cell_output">().not.toExtend<ComponentOf<MambaForCausalLM>>();
  expectTypeOf<"cell_output">().not.toExtend<ComponentOf<Mamba2ForCausalLM>>();
  expectTypeOf<"cell_output">().not.toExtend<ComponentOf<RwkvForCausalLM>>();
  expectTypeOf<"cell_output">().not.toExtend<ComponentOf<BertForMaskedLM>>();
  expectTypeOf<"block_output">().toExtend<ComponentOf<BertForMaskedLM>>();
});

test("wrong names are refused by the compiler, in every spelling of a configuration", () => {
  // @ts-expect-error a misspelled component
  refused(() => new IntervenableModel({ component: "mlp_outptu" }, model));
  // @ts-expect-error one of several
  refused(() => new IntervenableModel([{}, { component: "mlp_outptu" }], model));
  // @ts-expect-error a row of fields
  refused(() => new IntervenableModel([[0, "mlp_outptu"]], model));
  // @ts-expect-error a component of another family
  refused(() => new IntervenableModel({ component: "cell_output" }, model));
  // @ts-expect-error a misspelled field
  refused(() => new IntervenableModel({ layr: 0 }, model));
  refused(
    () =>
      new IntervenableModel(
        // @ts-expect-error the place of a source
        { component: "mlp_output", source: { component: "mlp_outptu" } },
        model,
      ),
  );
  // @ts-expect-error a mode that there is not
  refused(() => new IntervenableModel({ representations: [{}], mode: "both" }, model));
  // @ts-expect-error a layer that is no number
  refused(() => new IntervenableModel({ layer: "0" }, model));
});

test("right names are taken, and names that are known only when the program runs", () => {
  const computed: string = ["mlp", "output"].join("_");
  const listed = [0, 1].map((layer) => ({ layer, component: "mlp_output" }));
  const annotated: RepresentationConfig = { component: "mlp_output" };
  const built = [
    new IntervenableModel({ component: "mlp_output" }, model),
    new IntervenableModel({ component: "transformer.h[0].mlp.output" }, model),
    new IntervenableModel([[0, "mlp_output"]], model),
    new IntervenableModel({ component: computed }, model),
    new IntervenableModel(listed, model),
    new IntervenableModel(annotated, model),
    new IntervenableModel(new IntervenableConfig(annotated), model),
    new IntervenableModel(
      { representations: listed, mode: "serial", interventionTypes: ZeroIntervention },
      model,
    ),
  ];
  for (const intervenable of built) {
    expectTypeOf(intervenable.model).toEqualTypeOf(model);
    expect(intervenable.config.sortedKeys[0]).toContain("mlp_output");
  }
});
