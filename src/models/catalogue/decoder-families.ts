import type { FamilyEntry } from "../model/family.ts";
import { llamaFamily } from "../families/llama/config.ts";
import {
  LlamaForCausalLM,
  LlamaForSequenceClassification,
  LlamaModel,
} from "../families/llama/llama.ts";
import { mistralFamily } from "../families/mistral/config.ts";
import {
  MistralForCausalLM,
  MistralForSequenceClassification,
  MistralModel,
} from "../families/mistral/mistral.ts";
import { gemmaFamily } from "../families/gemma/config.ts";
import {
  GemmaForCausalLM,
  GemmaForSequenceClassification,
  GemmaModel,
} from "../families/gemma/gemma.ts";
import { gemma2Family } from "../families/gemma2/config.ts";
import {
  Gemma2ForCausalLM,
  Gemma2ForSequenceClassification,
  Gemma2Model,
} from "../families/gemma2/gemma2.ts";
import { qwen2Family } from "../families/qwen2/config.ts";
import {
  Qwen2ForCausalLM,
  Qwen2ForSequenceClassification,
  Qwen2Model,
} from "../families/qwen2/qwen2.ts";
import { qwen3Family } from "../families/qwen3/config.ts";
import {
  Qwen3ForCausalLM,
  Qwen3ForSequenceClassification,
  Qwen3Model,
} from "../families/qwen3/qwen3.ts";
import { olmoFamily } from "../families/olmo/config.ts";
import {
  OlmoForCausalLM,
  OlmoForSequenceClassification,
  OlmoModel,
} from "../families/olmo/olmo.ts";
import { olmo2Family } from "../families/olmo2/config.ts";
import {
  Olmo2ForCausalLM,
  Olmo2ForSequenceClassification,
  Olmo2Model,
} from "../families/olmo2/olmo2.ts";
import { gemma3TextFamily } from "../families/gemma3-text/config.ts";
import {
  Gemma3ForCausalLM,
  Gemma3TextForSequenceClassification,
  Gemma3TextModel,
} from "../families/gemma3-text/gemma3-text.ts";
import { mixtralFamily } from "../families/mixtral/config.ts";
import {
  MixtralForCausalLM,
  MixtralForSequenceClassification,
  MixtralModel,
} from "../families/mixtral/mixtral.ts";
import { phi3Family } from "../families/phi3/config.ts";
import {
  Phi3ForCausalLM,
  Phi3ForSequenceClassification,
  Phi3Model,
} from "../families/phi3/phi3.ts";
import { gptOssFamily } from "../families/gpt-oss/config.ts";
import {
  GptOssForCausalLM,
  GptOssForSequenceClassification,
  GptOssModel,
} from "../families/gpt-oss/gpt-oss.ts";
import { gptNeoFamily } from "../families/gpt-neo/config.ts";
import {
  GPTNeoForCausalLM,
  GPTNeoForSequenceClassification,
  GPTNeoModel,
} from "../families/gpt-neo/gpt-neo.ts";
import { gptNeoXFamily } from "../families/gpt-neox/config.ts";
import {
  GPTNeoXForCausalLM,
  GPTNeoXForSequenceClassification,
  GPTNeoXModel,
} from "../families/gpt-neox/gpt-neox.ts";

/** The decoders that are put together of the parts in this folder. */
export const DECODER_FAMILIES: readonly FamilyEntry[] = [
  {
    family: llamaFamily,
    models: {
      base: LlamaModel,
      causalLM: LlamaForCausalLM,
      sequenceClassification: LlamaForSequenceClassification,
    },
  },
  {
    family: mistralFamily,
    models: {
      base: MistralModel,
      causalLM: MistralForCausalLM,
      sequenceClassification: MistralForSequenceClassification,
    },
  },
  {
    family: gemmaFamily,
    models: {
      base: GemmaModel,
      causalLM: GemmaForCausalLM,
      sequenceClassification: GemmaForSequenceClassification,
    },
  },
  {
    family: gemma2Family,
    models: {
      base: Gemma2Model,
      causalLM: Gemma2ForCausalLM,
      sequenceClassification: Gemma2ForSequenceClassification,
    },
  },
  {
    family: qwen2Family,
    models: {
      base: Qwen2Model,
      causalLM: Qwen2ForCausalLM,
      sequenceClassification: Qwen2ForSequenceClassification,
    },
  },
  {
    family: qwen3Family,
    models: {
      base: Qwen3Model,
      causalLM: Qwen3ForCausalLM,
      sequenceClassification: Qwen3ForSequenceClassification,
    },
  },
  {
    family: olmoFamily,
    models: {
      base: OlmoModel,
      causalLM: OlmoForCausalLM,
      sequenceClassification: OlmoForSequenceClassification,
    },
  },
  {
    family: olmo2Family,
    models: {
      base: Olmo2Model,
      causalLM: Olmo2ForCausalLM,
      sequenceClassification: Olmo2ForSequenceClassification,
    },
  },
  {
    family: gemma3TextFamily,
    models: {
      base: Gemma3TextModel,
      causalLM: Gemma3ForCausalLM,
      sequenceClassification: Gemma3TextForSequenceClassification,
    },
  },
  {
    family: mixtralFamily,
    models: {
      base: MixtralModel,
      causalLM: MixtralForCausalLM,
      sequenceClassification: MixtralForSequenceClassification,
    },
  },
  {
    family: phi3Family,
    models: {
      base: Phi3Model,
      causalLM: Phi3ForCausalLM,
      sequenceClassification: Phi3ForSequenceClassification,
    },
  },
  {
    family: gptOssFamily,
    models: {
      base: GptOssModel,
      causalLM: GptOssForCausalLM,
      sequenceClassification: GptOssForSequenceClassification,
    },
  },
  {
    family: gptNeoFamily,
    models: {
      base: GPTNeoModel,
      causalLM: GPTNeoForCausalLM,
      sequenceClassification: GPTNeoForSequenceClassification,
    },
  },
  {
    family: gptNeoXFamily,
    models: {
      base: GPTNeoXModel,
      causalLM: GPTNeoXForCausalLM,
      sequenceClassification: GPTNeoXForSequenceClassification,
    },
  },
];
