export {
  BertForMaskedLM,
  BertForSequenceClassification,
  type BertInputs,
  BertModel,
  type BertOutput,
} from "../bert/bert.ts";
export { type BertConfig, bertConfig } from "../bert/config.ts";
export { type EsmConfig, esmConfig } from "../esm/config.ts";
export { EsmForMaskedLM, EsmForSequenceClassification, EsmModel } from "../esm/esm.ts";
export type { EncoderInputs, EncoderOutput, MaskedLMOutput } from "./outputs.ts";
