import type { BackpackGPT2Component } from "../models/backpack-gpt2/card.ts";
import type { GPT2Component } from "../models/gpt2/card.ts";
import type { GRUComponent } from "../models/gru/card.ts";
import type * as models from "../models/index.ts";
import type { MLPComponent } from "../models/mlp/card.ts";
import type { Module } from "../nn/module.ts";

type GPT2 = models.GPT2Model | models.GPT2LMHeadModel | models.GPT2ForSequenceClassification;
type Backpack = models.BackpackGPT2Model | models.BackpackGPT2LMHeadModel;
type GRU = models.GRUModel | models.GRULMHeadModel | models.GRUForClassification;
type MLP = models.MLPModel | models.MLPForClassification;

/** The decoders whose layers have Llama's names. */
type LlamaLike = BaseDecoder | CausalDecoder | ClassifyingDecoder;
type BaseDecoder =
  | models.LlamaModel
  | models.MistralModel
  | models.GemmaModel
  | models.Gemma2Model
  | models.Qwen2Model
  | models.Qwen3Model
  | models.OlmoModel
  | models.Olmo2Model;
type CausalDecoder =
  | models.LlamaForCausalLM
  | models.MistralForCausalLM
  | models.GemmaForCausalLM
  | models.Gemma2ForCausalLM
  | models.Qwen2ForCausalLM
  | models.Qwen3ForCausalLM
  | models.OlmoForCausalLM
  | models.Olmo2ForCausalLM;
type ClassifyingDecoder =
  | models.LlamaForSequenceClassification
  | models.MistralForSequenceClassification
  | models.GemmaForSequenceClassification
  | models.Gemma2ForSequenceClassification
  | models.Qwen2ForSequenceClassification
  | models.Qwen3ForSequenceClassification
  | models.OlmoForSequenceClassification
  | models.Olmo2ForSequenceClassification;

type NamedComponentOf<M> = M extends Backpack
  ? BackpackGPT2Component
  : M extends GPT2
    ? GPT2Component
    : M extends LlamaLike
      ? models.LlamaComponent
      : M extends GRU
        ? GRUComponent
        : M extends MLP
          ? MLPComponent
          : string;

/** A place by the path of its module. */
export type ModulePath = `${string}.input` | `${string}.output`;

/**
 * What `component` may be for a model: the names of its family and module paths, or any string
 * where the model's type does not say its family.
 */
export type ComponentOf<M extends Module> = NamedComponentOf<M> | ModulePath;

/**
 * What `component` may be, given the names `Name` that a configuration is written with. Names that are
 * only known when the program runs are checked then.
 */
export type CheckedComponent<M extends Module, Name extends string> =
  ComponentOf<M> | (string extends Name ? Name : Name & ComponentOf<M>);
