export {
  BertForMaskedLM,
  BertForSequenceClassification,
  type BertInputs,
  BertModel,
  type BertOutput,
} from "../families/bert/bert.ts";
export { type BertConfig, bertConfig } from "../families/bert/config.ts";
export { type EsmConfig, esmConfig } from "../families/esm/config.ts";
export { EsmForMaskedLM, EsmForSequenceClassification, EsmModel } from "../families/esm/esm.ts";
export type { EncoderInputs, EncoderOutput, MaskedLMOutput } from "../parts/encoder/outputs.ts";
