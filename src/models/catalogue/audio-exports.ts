export { type Wav2Vec2BertConfig, wav2Vec2BertConfig } from "../families/wav2vec2-bert/config.ts";
export {
  Wav2Vec2BertForSequenceClassification,
  type Wav2Vec2BertInputs,
  Wav2Vec2BertModel,
  type Wav2Vec2BertOutput,
} from "../families/wav2vec2-bert/wav2vec2-bert.ts";
export { type WhisperConfig, whisperConfig } from "../families/whisper/config.ts";
export {
  WhisperForAudioClassification,
  WhisperForConditionalGeneration,
  WhisperModel,
} from "../families/whisper/whisper.ts";
export type { AudioClassifierInputs } from "../parts/audio/classifier.ts";
export type { AudioInputs } from "../parts/audio/inputs.ts";
