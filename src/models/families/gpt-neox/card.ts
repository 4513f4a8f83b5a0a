import type { ModelCard } from "../../model/card.ts";
import {
  attentionComponents,
  type LlamaComponent,
  mlpComponents,
} from "../../parts/decoder/card.ts";
import type { GPTNeoXConfig } from "./config.ts";

/**
 * Where the components of GPT-NeoX are, within the model without a head. Its one projection holds
 * query, key and value of one head after another; here they are apart.
 */
export const gptNeoXCard: ModelCard<GPTNeoXConfig, LlamaComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionComponents({
      attention: "attention",
      query: "query",
      key: "key",
      value: "value",
      output: "dense",
    }),
    ...mlpComponents("act"),
  },
};
