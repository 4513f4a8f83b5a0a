import { expect, expectTypeOf, test } from "vitest";
import type * as tsvene from "tsvene";
import {
  type AutoClass,
  AutoModelForCausalLM,
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
  NoiseIntervention,
  type OwnUnit,
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
  type Tensor,
  TsveneError,
  type ViTForImageClassification,
  type Wav2Vec2BertModel,
  type WhisperForAudioClassification,
  type WhisperModel,
  ZeroIntervention,
} from "tsvene";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

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

test("a function may name the types of what it gets", async () => {
  const inputs = ids([1, 2, 3]);
  const results = [
    (b: Tensor, s: Tensor) => b.add(s),
    (b: Tensor, s?: Tensor) => (s === undefined ? b : b.add(s)),
    (b: Tensor, s: Tensor | undefined) => b.add(s ?? 0),
    (b: Tensor, s: Tensor, scale: number) => b.add(s.mul(scale)),
  ].map((intervention) => {
    const added = new IntervenableModel({ layer: 1, intervention }, model);
    return added.forward(inputs, { sources: inputs, subspaces: 1 }).intervened.logits;
  });
  const inferred = new IntervenableModel({ layer: 1, intervention: (b, s) => b.add(s) }, model);
  const { logits } = inferred.forward(inputs, { sources: inputs }).intervened;
  for (const other of results) expect(await other.data()).toStrictEqual(await logits.data());
  const wrong = { layer: 1, intervention: (b: Tensor) => b.numel };
  // @ts-expect-error what it returns is a tensor, or nothing
  expect(() => new IntervenableModel(wrong, model).forward(inputs)).toThrow(TsveneError);
});

test("names that are not written to the letter are refused, as they cannot be checked", () => {
  const wrong = { component: "mlp_outptu" };
  // @ts-expect-error a mere string to the compiler
  refused(() => new IntervenableModel(wrong, model));
  const letters = { component: "mlp_outptu" } as const;
  // @ts-expect-error a misspelled component
  refused(() => new IntervenableModel(letters, model));
  const listed = [0, 1].map((layer) => ({ layer, component: "mlp_outptu" }));
  // @ts-expect-error in a list that was made before
  refused(() => new IntervenableModel(listed, model));
  refused(
    () =>
      new IntervenableModel(
        // @ts-expect-error in a list that is made for the call
        [0, 1].map((layer) => ({ layer, component: "mlp_outptu" as const })),
        model,
      ),
  );
  const annotated: RepresentationConfig = { component: "mlp_outptu" };
  // @ts-expect-error a representation of whatever model
  refused(() => new IntervenableModel(annotated, model));
});

test("a model from an auto class has the components of all families that it may be of", async () => {
  const auto = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
  type Auto = typeof auto;
  expectTypeOf<string>().not.toExtend<ComponentOf<Auto>>();
  expectTypeOf<ComponentOf<GPT2LMHeadModel>>().toExtend<ComponentOf<Auto>>();
  expectTypeOf<ComponentOf<GRULMHeadModel>>().toExtend<ComponentOf<Auto>>();
  expectTypeOf<"qkv_output">().toExtend<ComponentOf<Auto>>();
  expectTypeOf<"stage_output">().not.toExtend<ComponentOf<Auto>>();
  type OfAny<A extends AutoClass<Module>> = ComponentOf<Awaited<ReturnType<A["fromPretrained"]>>>;
  expectTypeOf<"stage_output">().toExtend<OfAny<typeof tsvene.AutoModel>>();
  expectTypeOf<string>().not.toExtend<OfAny<typeof tsvene.AutoModel>>();
  expectTypeOf<string>().not.toExtend<OfAny<typeof tsvene.AutoModelForMaskedLM>>();
  expectTypeOf<string>().not.toExtend<OfAny<typeof tsvene.AutoModelForSeq2SeqLM>>();
  expectTypeOf<string>().not.toExtend<OfAny<typeof tsvene.AutoModelForSequenceClassification>>();
  expectTypeOf<string>().not.toExtend<OfAny<typeof tsvene.AutoModelForImageClassification>>();
  expectTypeOf<string>().not.toExtend<OfAny<typeof tsvene.AutoModelForAudioClassification>>();
  // @ts-expect-error a misspelled component
  refused(() => new IntervenableModel({ component: "mlp_outptu" }, auto));
  // Which modules it has, its files say.
  const inside = new IntervenableModel({ component: "transformer.h[0].mlp.output" }, auto);
  expect(inside.names).toHaveLength(1);
});

class Block extends Module {
  readonly up = new Linear(4, 4);
  override forward(x: Tensor): Tensor {
    return this.up.forward(x).relu();
  }
}

class Tower extends Module {
  readonly floors = new ModuleList([new Block(), new Block()]);
  readonly roof: Module = new Linear(4, 4);
  readonly door?: Linear = new Linear(4, 4);
  readonly height = 2;
  override forward(x: Tensor): Tensor {
    return [...this.floors].reduce((y, floor) => floor.forward(y), x);
  }
}

test("paths lead through the modules that a user's class has", () => {
  const tower = new Tower();
  const at = <const Path extends string>(component: Path) => ({ component });
  const right = [
    new IntervenableModel({ component: "floors[0].up.output" }, tower),
    new IntervenableModel({ component: "floors[-1].up.input" }, tower),
    new IntervenableModel({ component: "floors.1.output" }, tower),
    new IntervenableModel({ component: "door.output" }, tower),
    new IntervenableModel(at("roof.output"), tower),
    new IntervenableModel(
      [0, 1].map((floor) => ({ component: `floors[${floor}].up.output` as const })),
      tower,
    ),
    new IntervenableModel({ component: ["roof", "output"].join(".") as ModulePath }, tower),
  ];
  expect(right.map(({ names }) => names[0])).toContain("floors[-1].up.input");
  // @ts-expect-error a misspelled module
  refused(() => new IntervenableModel({ component: "flors[0].up.output" }, tower));
  // @ts-expect-error a module that those of a list do not have
  refused(() => new IntervenableModel({ component: "floors[0].down.output" }, tower));
  // @ts-expect-error a list has numbers
  refused(() => new IntervenableModel({ component: "floors.up.output" }, tower));
  // @ts-expect-error a list is no module of its own
  refused(() => new IntervenableModel({ component: "floors[0][1].output" }, tower));
  // @ts-expect-error a property that is no module
  refused(() => new IntervenableModel({ component: "height.output" }, tower));
  // @ts-expect-error among others
  refused(() => new IntervenableModel([at("door.output"), at("dor.output")], tower));
  // What a type does not tell is looked up when the program runs.
  refused(() => new IntervenableModel({ component: "roof.tiles.output" }, tower));
  // @ts-expect-error of a model of a family, too
  refused(() => new IntervenableModel({ component: "transformer.h[0].mpl.output" }, model));
});

test("units are checked by the compiler, and those of one's own say so", () => {
  const component = "transformer.h[1].attn.output";
  // @ts-expect-error a misspelled unit
  refused(() => new IntervenableModel({ unit: "poss" }, model));
  // @ts-expect-error of a source
  refused(() => new IntervenableModel({ source: { unit: "h.ps" } }, model));
  // @ts-expect-error in a row
  refused(() => new IntervenableModel([[0, "mlp_output", "poss"]], model));
  refused(() => new IntervenableModel({ unit: "poss" as OwnUnit }, model));
  const own = new IntervenableModel({ component, unit: "channel.pos" as OwnUnit }, model);
  expect(own.names).toStrictEqual([component]);
});

test("options are those of the class", () => {
  // @ts-expect-error an option of another class
  refused(() => NoiseIntervention.with({ lowRankDimension: 2 }));
  // @ts-expect-error an option that stands beside the class
  refused(() => new IntervenableModel({ intervention: NoiseIntervention, noiseLevel: 2 }, model));
  // @ts-expect-error an option of another type
  expect(NoiseIntervention.with({ noiseLevel: "2" })).toBeDefined();
});

test("right names are taken, and names of which the program says that it knows them", () => {
  type Component = ComponentOf<typeof model>;
  const computed = ["mlp", "output"].join("_") as Component;
  const listed = [0, 1].map((layer) => ({ layer, component: "mlp_output" as const }));
  const annotated: RepresentationConfig<Component> = { component: "mlp_output" };
  const ofAnyModel: RepresentationConfig = { component: "mlp_output" };
  const built = [
    new IntervenableModel({ component: "mlp_output" }, model),
    new IntervenableModel({ component: "transformer.h[0].mlp.output" }, model),
    new IntervenableModel([[0, "mlp_output"]], model),
    new IntervenableModel({ component: computed }, model),
    new IntervenableModel(listed, model),
    new IntervenableModel(annotated, model),
    new IntervenableModel(new IntervenableConfig(ofAnyModel), model),
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
