import type { BackpackGPT2Component } from "../../models/families/backpack-gpt2/card.ts";
import type { EncoderComponent } from "../../models/parts/encoder/card.ts";
import type { GPT2Component } from "../../models/families/gpt2/card.ts";
import type { GptOssComponent } from "../../models/families/gpt-oss/card.ts";
import type { BlipComponent } from "../../models/families/blip/card.ts";
import type { CLIPComponent, CLIPVisionComponent } from "../../models/families/clip/card.ts";
import type { ConvNextComponent } from "../../models/families/convnext/card.ts";
import type { GRUComponent } from "../../models/families/gru/card.ts";
import type * as models from "../../models/index.ts";
import type { LayerPart } from "../../models/parts/layer-components.ts";
import type { MambaComponent } from "../../models/families/mamba/card.ts";
import type { Mamba2Component } from "../../models/families/mamba2/card.ts";
import type { MixtralComponent } from "../../models/families/mixtral/card.ts";
import type { MllamaComponent } from "../../models/families/mllama/card.ts";
import type { MLPComponent } from "../../models/families/mlp/card.ts";
import type { Phi3Component } from "../../models/families/phi3/card.ts";
import type { ResNetComponent } from "../../models/families/resnet/card.ts";
import type { RwkvComponent } from "../../models/families/rwkv/card.ts";
import type { T5Component } from "../../models/families/t5/card.ts";
import type { ViTComponent } from "../../models/families/vit/card.ts";
import type { Wav2Vec2BertComponent } from "../../models/families/wav2vec2-bert/card.ts";
import type {
  WhisperComponent,
  WhisperEncoderComponent,
} from "../../models/families/whisper/card.ts";
import type { Module } from "../../nn/module.ts";

/** The classes of models whose decoder's layers have Llama's names. */
type LlamaLike =
  | models.LlamaModel
  | models.LlamaForCausalLM
  | models.LlamaForSequenceClassification
  | models.MistralModel
  | models.MistralForCausalLM
  | models.MistralForSequenceClassification
  | models.GemmaModel
  | models.GemmaForCausalLM
  | models.GemmaForSequenceClassification
  | models.Gemma2Model
  | models.Gemma2ForCausalLM
  | models.Gemma2ForSequenceClassification
  | models.Qwen2Model
  | models.Qwen2ForCausalLM
  | models.Qwen2ForSequenceClassification
  | models.Qwen3Model
  | models.Qwen3ForCausalLM
  | models.Qwen3ForSequenceClassification
  | models.OlmoModel
  | models.OlmoForCausalLM
  | models.OlmoForSequenceClassification
  | models.Olmo2Model
  | models.Olmo2ForCausalLM
  | models.Olmo2ForSequenceClassification
  | models.GPTNeoModel
  | models.GPTNeoForCausalLM
  | models.GPTNeoForSequenceClassification
  | models.GPTNeoXModel
  | models.GPTNeoXForCausalLM
  | models.GPTNeoXForSequenceClassification
  | models.Gemma3TextModel
  | models.Gemma3ForCausalLM
  | models.Gemma3TextForSequenceClassification
  | models.LlavaModel
  | models.LlavaForConditionalGeneration;

/**
 * Classes with the names of their components. A class comes before those that it could stand in for:
 * a Backpack is a GPT-2 to the compiler, and a Phi-3 a Llama.
 */
type Families = [
  [models.BackpackGPT2Model | models.BackpackGPT2LMHeadModel, BackpackGPT2Component],
  [models.GPT2Model | models.GPT2LMHeadModel | models.GPT2ForSequenceClassification, GPT2Component],
  [models.Phi3Model | models.Phi3ForCausalLM | models.Phi3ForSequenceClassification, Phi3Component],
  [
    models.MixtralModel | models.MixtralForCausalLM | models.MixtralForSequenceClassification,
    MixtralComponent,
  ],
  [
    models.GptOssModel | models.GptOssForCausalLM | models.GptOssForSequenceClassification,
    GptOssComponent,
  ],
  [LlamaLike, models.LlamaComponent],
  [
    (
      | models.BertModel
      | models.BertForMaskedLM
      | models.BertForSequenceClassification
      | models.EsmModel
      | models.EsmForMaskedLM
      | models.EsmForSequenceClassification
    ),
    EncoderComponent,
  ],
  [models.MambaModel | models.MambaForCausalLM, MambaComponent],
  [models.Mamba2Model | models.Mamba2ForCausalLM, Mamba2Component],
  [models.RwkvModel | models.RwkvForCausalLM, RwkvComponent],
  [models.GRUModel | models.GRULMHeadModel | models.GRUForClassification, GRUComponent],
  [models.MLPModel | models.MLPForClassification, MLPComponent],
  [
    models.T5Model | models.T5ForConditionalGeneration | models.T5ForSequenceClassification,
    T5Component,
  ],
  [models.WhisperModel | models.WhisperForConditionalGeneration, WhisperComponent],
  [models.WhisperForAudioClassification, WhisperEncoderComponent],
  [models.Wav2Vec2BertModel | models.Wav2Vec2BertForSequenceClassification, Wav2Vec2BertComponent],
  [models.BlipModel, LayerPart],
  [models.BlipForQuestionAnswering, BlipComponent],
  [models.BlipForImageTextRetrieval, BlipComponent | "itm_output"],
  [models.CLIPModel, CLIPComponent],
  [models.CLIPForImageClassification, CLIPVisionComponent],
  [models.MllamaModel | models.MllamaForConditionalGeneration, MllamaComponent],
  [models.ViTModel | models.ViTForImageClassification, ViTComponent],
  [models.ResNetModel | models.ResNetForImageClassification, ResNetComponent],
  [models.ConvNextModel | models.ConvNextForImageClassification, ConvNextComponent],
];

type NamedComponentOf<M, Left extends readonly unknown[] = Families> = Left extends [
  [infer Classes, infer Names],
  ...infer Rest,
]
  ? M extends Classes
    ? Names
    : NamedComponentOf<M, Rest>
  : string;

/** A place by the path of its module. */
export type ModulePath = `${string}.input` | `${string}.output`;

/**
 * What `component` may be for a model: the names of its family and module paths, or any string
 * where the model's type does not say its family.
 */
export type ComponentOf<M extends Module> = Extract<NamedComponentOf<M>, string> | ModulePath;

/**
 * What `component` may be, given the names `Name` that a configuration is written with. Names that are
 * only known when the program runs are checked then.
 */
export type CheckedComponent<M extends Module, Name extends string> =
  ComponentOf<M> | (string extends Name ? Name : Name & ComponentOf<M>);
