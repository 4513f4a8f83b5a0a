export { type Wav2Vec2BertConfig, wav2Vec2BertConfig } from "../wav2vec2-bert/config.ts";
export {
  type Wav2Vec2BertInputs,
  Wav2Vec2BertModel,
  type Wav2Vec2BertOutput,
} from "../wav2vec2-bert/wav2vec2-bert.ts";
export { type WhisperConfig, whisperConfig } from "../whisper/config.ts";
export { WhisperForConditionalGeneration, WhisperModel } from "../whisper/whisper.ts";
export type { AudioInputs } from "./inputs.ts";
