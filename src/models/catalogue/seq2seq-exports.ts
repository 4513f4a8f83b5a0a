export type {
  CrossCache,
  CrossKeyValue,
  Seq2SeqInputs,
  Seq2SeqLMInputs,
  Seq2SeqLMOutput,
  Seq2SeqOutput,
  Seq2SeqSource,
  Seq2SeqStates,
} from "../parts/seq2seq/outputs.ts";
export {
  type Seq2SeqConfig,
  type Seq2SeqGenerateInputs,
  Seq2SeqLanguageModel,
} from "../parts/seq2seq/seq2seq-language-model.ts";
