import { AutoTokenizer } from "../../tokenizers/auto-tokenizer.ts";
import { FileSourceError } from "../../files/file-source-error.ts";
import { HUB_OPTIONS } from "../../files/hub-options.ts";
import { type FilesName, openFiles } from "../../files/open-files.ts";
import type { PreTrainedTokenizer } from "../../tokenizers/tokenizer.ts";
import { ModelError } from "../../nn/errors.ts";
import { BackpackGPT2LMHeadModel } from "../composites/backpack-gpt2/backpack-gpt2.ts";
import { BlipForImageTextRetrieval, BlipForQuestionAnswering } from "../families/blip/blip.ts";
import type { ModelFamily } from "../model/family.ts";
import { GemmaForCausalLM } from "../families/gemma/gemma.ts";
import { Gemma2ForCausalLM } from "../families/gemma2/gemma2.ts";
import {
  GPT2ForSequenceClassification,
  GPT2LMHeadModel,
  GPT2Model,
} from "../families/gpt2/gpt2.ts";
import { GPTNeoForCausalLM } from "../families/gpt-neo/gpt-neo.ts";
import { GPTNeoXForCausalLM } from "../families/gpt-neox/gpt-neox.ts";
import { GptOssForCausalLM } from "../families/gpt-oss/gpt-oss.ts";
import { GRUForClassification, GRULMHeadModel, GRUModel } from "../families/gru/gru.ts";
import { LlamaForCausalLM } from "../families/llama/llama.ts";
import { LlavaForConditionalGeneration } from "../composites/llava/llava.ts";
import { loadPretrained, type PretrainedOptions } from "../model/load-pretrained.ts";
import { MllamaForConditionalGeneration } from "../families/mllama/mllama.ts";
import { MistralForCausalLM } from "../families/mistral/mistral.ts";
import { MLPForClassification } from "../families/mlp/mlp.ts";
import { OlmoForCausalLM } from "../families/olmo/olmo.ts";
import { Olmo2ForCausalLM } from "../families/olmo2/olmo2.ts";
import type { PreTrainedModel } from "../model/pretrained-model.ts";
import { Qwen2ForCausalLM } from "../families/qwen2/qwen2.ts";
import { Qwen3ForCausalLM } from "../families/qwen3/qwen3.ts";

/** A model with all that goes with it. */
export interface CreatedModel<M extends PreTrainedModel> {
  /** The settings of the model. */
  readonly config: M["config"];
  /** Undefined where there is none: of a new model without a name, or a family without texts. */
  readonly tokenizer: PreTrainedTokenizer | undefined;
  /** The model, in evaluation mode. */
  readonly model: M;
}

export interface CreateOptions<Config> extends PretrainedOptions {
  /** Settings of a new model, with random weights; without them, weights are loaded. */
  readonly config?: Config;
}

/**
 * Loads a model and its tokenizer, or makes a new model.
 *
 * @param name a directory or a model of the Hub; with `config`, where the tokenizer is.
 * @throws ModelError when there is neither a name nor a config; else as `fromPretrained`.
 */
export type CreateModel<Config, M extends PreTrainedModel> = (
  name?: FilesName,
  options?: CreateOptions<Config>,
) => Promise<CreatedModel<M>>;

/** A class of models as these functions need it. */
interface Creatable<Config, M extends PreTrainedModel> {
  readonly name: string;
  readonly family: ModelFamily;
  new (config: Config): M;
}

/** A function that makes a model of the class with its configuration. */
type CreateOf<C> = C extends new (config: infer Config) => infer M
  ? CreateModel<Config, Extract<M, PreTrainedModel>>
  : never;

async function findTokenizer(
  name: FilesName | undefined,
  options: PretrainedOptions,
): Promise<PreTrainedTokenizer | undefined> {
  if (name === undefined) return undefined;
  const own = Object.entries(options).filter(([option]) => Object.hasOwn(HUB_OPTIONS, option));
  // A directory that is not there is an error; one without a tokenizer is not.
  const files = await openFiles(name, options);
  try {
    return await AutoTokenizer.fromPretrained(files, Object.fromEntries(own));
  } catch (error) {
    if (error instanceof FileSourceError && error.code === "missing") return undefined;
    throw error;
  }
}

/** @param known the model of the Hub when no name is given. */
function creating<Config, M extends PreTrainedModel>(
  modelClass: Creatable<Config, M>,
  known?: string,
): CreateModel<Config, M> {
  return async (name, { config, ...options } = {}) => {
    if (config !== undefined) {
      const model = new modelClass(config);
      return { config: model.config, tokenizer: await findTokenizer(name, options), model };
    }
    const wanted = name ?? known;
    if (wanted === undefined) {
      throw new ModelError(
        `creating a ${modelClass.name}: got neither a name nor settings; pass a directory, or ` +
          "{ config } as the second argument for a new model",
      );
    }
    const files = await openFiles(wanted, options);
    const model = await loadPretrained(modelClass, files, options);
    return { config: model.config, tokenizer: await findTokenizer(files, options), model };
  };
}

/** GPT2Model: `openai-community/gpt2` unless another is named. */
export const createGpt2: CreateOf<typeof GPT2Model> = creating(GPT2Model, "openai-community/gpt2");
/** GPT2LMHeadModel: `openai-community/gpt2` unless another is named. */
export const createGpt2Lm: CreateOf<typeof GPT2LMHeadModel> = creating(
  GPT2LMHeadModel,
  "openai-community/gpt2",
);
/** GPT2ForSequenceClassification: of a directory, or a new one. */
export const createGpt2Classifier: CreateOf<typeof GPT2ForSequenceClassification> = creating(
  GPT2ForSequenceClassification,
);
/** GPTNeoForCausalLM: `roneneldan/TinyStories-33M` unless another is named. */
export const createGptNeo: CreateOf<typeof GPTNeoForCausalLM> = creating(
  GPTNeoForCausalLM,
  "roneneldan/TinyStories-33M",
);
/** GPTNeoXForCausalLM: `EleutherAI/pythia-70m` unless another is named. */
export const createGptNeox: CreateOf<typeof GPTNeoXForCausalLM> = creating(
  GPTNeoXForCausalLM,
  "EleutherAI/pythia-70m",
);
/** LlamaForCausalLM: `sharpbai/alpaca-7b-merged` unless another is named. */
export const createLlama: CreateOf<typeof LlamaForCausalLM> = creating(
  LlamaForCausalLM,
  "sharpbai/alpaca-7b-merged",
);
/** MistralForCausalLM: `mistralai/Mistral-7B-v0.1` unless another is named. */
export const createMistral: CreateOf<typeof MistralForCausalLM> = creating(
  MistralForCausalLM,
  "mistralai/Mistral-7B-v0.1",
);
/** GemmaForCausalLM: `google/gemma-2b-it` unless another is named. */
export const createGemma: CreateOf<typeof GemmaForCausalLM> = creating(
  GemmaForCausalLM,
  "google/gemma-2b-it",
);
/** Gemma2ForCausalLM: `google/gemma-2-2b` unless another is named. */
export const createGemma2: CreateOf<typeof Gemma2ForCausalLM> = creating(
  Gemma2ForCausalLM,
  "google/gemma-2-2b",
);
/** Qwen2ForCausalLM: `Qwen/Qwen2-7B` unless another is named. */
export const createQwen2: CreateOf<typeof Qwen2ForCausalLM> = creating(
  Qwen2ForCausalLM,
  "Qwen/Qwen2-7B",
);
/** Qwen3ForCausalLM: `Qwen/Qwen3-8B` unless another is named. */
export const createQwen3: CreateOf<typeof Qwen3ForCausalLM> = creating(
  Qwen3ForCausalLM,
  "Qwen/Qwen3-8B",
);
/** OlmoForCausalLM: `allenai/OLMo-7B-0424-hf` unless another is named. */
export const createOlmo: CreateOf<typeof OlmoForCausalLM> = creating(
  OlmoForCausalLM,
  "allenai/OLMo-7B-0424-hf",
);
/** Olmo2ForCausalLM: `allenai/OLMo-2-1124-7B` unless another is named. */
export const createOlmo2: CreateOf<typeof Olmo2ForCausalLM> = creating(
  Olmo2ForCausalLM,
  "allenai/OLMo-2-1124-7B",
);
/** GptOssForCausalLM: `openai/gpt-oss-20b` unless another is named. */
export const createGptOss: CreateOf<typeof GptOssForCausalLM> = creating(
  GptOssForCausalLM,
  "openai/gpt-oss-20b",
);
/** GRUModel: of a directory, or a new one. */
export const createGru: CreateOf<typeof GRUModel> = creating(GRUModel);
/** GRULMHeadModel: of a directory, or a new one. */
export const createGruLm: CreateOf<typeof GRULMHeadModel> = creating(GRULMHeadModel);
/** GRUForClassification: of a directory, or a new one. */
export const createGruClassifier: CreateOf<typeof GRUForClassification> =
  creating(GRUForClassification);
/** MLPForClassification: of a directory, or a new one. */
export const createMlpClassifier: CreateOf<typeof MLPForClassification> =
  creating(MLPForClassification);
/** BackpackGPT2LMHeadModel: `stanfordnlp/backpack-gpt2` unless another is named. */
export const createBackpackGpt2: CreateOf<typeof BackpackGPT2LMHeadModel> = creating(
  BackpackGPT2LMHeadModel,
  "stanfordnlp/backpack-gpt2",
);
/** LlavaForConditionalGeneration: `llava-hf/llava-1.5-7b-hf` unless another is named. */
export const createLlava: CreateOf<typeof LlavaForConditionalGeneration> = creating(
  LlavaForConditionalGeneration,
  "llava-hf/llava-1.5-7b-hf",
);
/** MllamaForConditionalGeneration: `meta-llama/Llama-3.2-11B-Vision-Instruct` unless another is named. */
export const createMllama: CreateOf<typeof MllamaForConditionalGeneration> = creating(
  MllamaForConditionalGeneration,
  "meta-llama/Llama-3.2-11B-Vision-Instruct",
);
/** BlipForQuestionAnswering: `Salesforce/blip-vqa-base` unless another is named. */
export const createBlip: CreateOf<typeof BlipForQuestionAnswering> = creating(
  BlipForQuestionAnswering,
  "Salesforce/blip-vqa-base",
);
/** BlipForImageTextRetrieval: `Salesforce/blip-itm-base-coco` unless another is named. */
export const createBlipItm: CreateOf<typeof BlipForImageTextRetrieval> = creating(
  BlipForImageTextRetrieval,
  "Salesforce/blip-itm-base-coco",
);
